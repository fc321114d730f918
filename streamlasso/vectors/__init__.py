"""A numba type for the numbers of all lanes at once, which the processor treats together.

Numba leaves a loop over eight lanes as it is: its arrays may overlap for all that the compiler can
see. A vector that is a value has no such doubt. ``load(array, row, column)`` takes neighbouring
numbers of a row as one, arithmetic is by lane with numbers spread over the lanes, ``store`` puts
them back; in an array with one dimension the row is not looked at. Arithmetic is in float64,
whatever the array holds.

Operators give the same with numpy arrays, so that kernels run as plain Python too: `interpreted`.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from streamlasso.vectors import arithmetic, elementary, kind, memory
from streamlasso.vectors.kind import LaneVector

__all__ = ["SOURCES", "LaneVector", "compiled", "compiled_part", "interpreted", "interpreted_part"]

SOURCES: tuple[ModuleType, ...] = (arithmetic, elementary, kind, memory)
"""Where the machine code comes from."""

OF_ANY = {
    name: getattr(module, name) for module in (arithmetic, elementary) for name in module.__all__
}


@cache
def compiled(lanes: int) -> Mapping[str, Any]:
    """What kernels call, by name, for so many lanes, a power of two."""
    return OF_ANY | memory.access(lanes)


@cache
def compiled_part(lanes: int, used: int) -> Mapping[str, Any]:
    """``load`` and ``store`` of the first ``used`` lanes; the others are loaded as 0."""
    return memory.part_access(lanes, used)


def _halves(step: Callable[[Any, Any], Any]) -> Callable[[Any], float]:
    def reduced(vector: Any) -> float:
        while len(vector) > 1:
            half = len(vector) // 2
            vector = step(vector[:half], vector[half:])
        return float(vector[0])

    return reduced


AS_ARRAYS: dict[str, Callable[..., Any]] = {
    "root": np.sqrt,
    "lower": lambda a, b: np.where(a < b, a, b),
    "upper": lambda a, b: np.where(a > b, a, b),
    "pick": lambda a, b, x, y: np.where(a >= b, x, y),
    "four": lambda *numbers: np.array(numbers, np.float64),
    "fused": lambda a, b, c: a * b + c,
    "ordinal": lambda vector: np.arange(float(len(vector))),
    "at": lambda vector, lane: float(vector[lane]),
    "total": _halves(np.add),
    "smallest": _halves(np.minimum),
    "largest": _halves(np.maximum),
    "exponential": lambda vector: np.exp(np.clip(vector, -elementary.MOST, elementary.MOST)),
    "logarithm": np.log,
}


@cache
def interpreted(lanes: int) -> Mapping[str, Any]:
    """The same with numpy arrays of ``lanes`` numbers."""

    def spread(number: float) -> Any:
        return np.full(lanes, float(number))

    return {**AS_ARRAYS, **interpreted_part(lanes, lanes), "spread": spread}


@cache
def interpreted_part(lanes: int, used: int) -> Mapping[str, Any]:
    """`compiled_part` with numpy arrays."""

    def load(array: Any, row: int, column: int) -> Any:
        numbers = array if array.ndim == 1 else array[row]
        vector = np.zeros(lanes)
        vector[:used] = numbers[column : column + used]
        return vector

    def store(array: Any, row: int, column: int, value: Any) -> None:
        numbers = array if array.ndim == 1 else array[row]
        numbers[column : column + used] = value[:used]

    return {"load": load, "store": store}

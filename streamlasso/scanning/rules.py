"""What targets are, as scanners take it: from settings to arrays."""

import math
from typing import Any

import numpy as np

from streamlasso.scanning.scanned import Array
from streamlasso.scanning.targets import BINARY, COUNT, NAMED, REAL

__all__ = ["rules_of"]


def _text(value: Any) -> str:
    """The same for what means the same: 1 and "1" and 1.0, true and "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _number_of(positive: Any) -> float:
    """The number that is the positive class; NaN where none is."""
    try:
        number = int(positive) if _is_int(positive) else float(positive)
        same = not isinstance(positive, str) or _text(number) == positive
        return float(number) if same else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _is_int(positive: Any) -> bool:
    return isinstance(positive, str) and positive.lstrip("-").isdecimal()


def rules_of(task: str, counts: bool, positive: Any) -> tuple[Array, Array]:
    """What targets are, and the text of the positive one, with padding."""
    if task != "classification":
        return np.array([COUNT if counts else REAL, math.nan, math.nan, math.nan]), _padded("")
    if positive is None:
        return np.array([BINARY, 1.0, 0.0, math.nan]), _padded("")
    flags = [float(flag == positive or _text(flag) == _text(positive)) for flag in (True, False)]
    return np.array([NAMED, *flags, _number_of(positive)]), _padded(_text(positive))


def _padded(text: str) -> Array:
    return np.frombuffer(text.encode("utf-8", "surrogatepass") + bytes(8), np.uint8)

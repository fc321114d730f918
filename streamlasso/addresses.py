"""Arrays for compiled code by one address: a call costs per argument, an array most of all.

A `Desk` writes where its arrays are, and their shapes, into a table in memory; a kernel gets the
table's address and makes the arrays of it again (`array_1` … `array_3`, each of a fixed place in
the table). A numba call is 48 ns, 46 ns for each array and 18 for each number (measured): ten
arrays cost more than the kernel that reads them.

The owner keeps the desk, and the desk its arrays, while a kernel runs; an array that the owner
replaces voids the desk (`Described`). Interpreted kernels get the arrays themselves.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

__all__ = [
    "VOID",
    "Described",
    "Desk",
    "Lines",
    "array_1",
    "array_2",
    "compiled_arrays",
    "interpreted_arrays",
]

Array = npt.NDArray[Any]

WORD = 8
LINE = 4
"""Words of an array's line in the table: its address, then up to three lengths."""


def _array_of(dimensions: int) -> Any:
    """An intrinsic that makes an array again from its line in the table."""

    @intrinsic
    def array(typing_context: Any, desk: Any, place: Any, kind: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            word = ir.IntType(64)
            offset = builder.mul(builder.sext(arguments[1], word), word(LINE * WORD))
            line = builder.inttoptr(builder.add(arguments[0], offset), word.as_pointer())
            data, *shape = (
                builder.load(builder.gep(line, [word(i)])) for i in range(1 + dimensions)
            )
            return _made(context, builder, signature.return_type, data, shape)

        made = types.Array(kind.instance_type, dimensions, "C")
        return made(types.int64, types.int64, kind), generate

    return array


def _made(context: Any, builder: Any, kind: Any, data: Any, shape: list[Any]) -> Any:
    """A C-contiguous array at an address, which owns nothing."""
    array = context.make_array(kind)(context, builder)
    item = context.get_constant(types.intp, kind.dtype.bitwidth // 8)
    strides = [item]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    pointer = builder.inttoptr(data, array.data.type)
    populate_array(array, pointer, shape, strides, item, meminfo=None)
    return array._getvalue()


array_1, array_2, array_3 = (_array_of(dimensions) for dimensions in (1, 2, 3))


def _given(desk: Sequence[Array], place: int, kind: Any) -> Array:
    """The array of a kernel that runs as plain Python."""
    return desk[place]


compiled_arrays = {"array_1": array_1, "array_2": array_2, "array_3": array_3}
interpreted_arrays = dict.fromkeys(compiled_arrays, _given)


class Lines:
    """Where arrays are, and their shapes: a table at an address that stays, whoever is put in."""

    __slots__ = ("_arrays", "_table", "address")

    def __init__(self, arrays: Sequence[Array]) -> None:
        self._table = np.zeros((len(arrays), LINE), np.int64)
        self.address: int = self._table.ctypes.data
        self.put(arrays)

    def put(self, arrays: Sequence[Array]) -> None:
        """Have these arrays, as many as there were."""
        self._arrays = arrays  # kept alive
        for line, array in zip(self._table, arrays, strict=True):
            line[0] = array.ctypes.data
            line[1 : 1 + array.ndim] = array.shape


class Desk:
    """The arrays of one learner, C-contiguous, with at most three dimensions, and its row kernels.

    ``handle`` is what the kernels get. First come the flags, then ``slots`` and ``values``, the
    buffers of the row.
    """

    __slots__ = ("_lines", "handle", "kernels", "slots", "values")

    def __init__(
        self, flags: Array, slots: Any, values: Any, arrays: Sequence[Array], kernels: Any,
        compiled: bool,
    ) -> None:  # fmt: skip
        self.slots, self.values = slots, values
        # The module, not its functions: who measures a model would follow them into the compiler.
        self.kernels = kernels
        all_arrays = (flags, slots, values, *arrays)
        self._lines = Lines(all_arrays)
        self.handle: Any = self._lines.address if compiled else all_arrays


VOID = Desk(np.zeros(0), np.zeros(0), np.zeros(0), (), None, compiled=False)
"""A desk whose buffers no caller has."""


class Described:
    """An attribute whose array is on its owner's desk: another array voids the desk."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Array:
        if instance is None:
            raise AttributeError(self._name)
        array: Array = instance.__dict__[self._name]
        return array

    def __set__(self, instance: Any, array: Array) -> None:
        instance.__dict__[self._name] = array
        instance._desk = VOID

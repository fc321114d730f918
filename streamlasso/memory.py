"""Numbers of several bytes at any place of a byte array, for compiled functions.

``load64(data, at)`` is the little-endian number of the 8 bytes from ``data[at]`` on, and
``store64(data, at, number)`` puts it there; alike for 32, 16 and 8 bits. ``data`` is a contiguous
uint8 array and ``at`` of type int64. Nothing is checked: the caller knows that the bytes are there.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = [
    "address",
    "copy_bytes",
    "load8",
    "load16",
    "load32",
    "load64",
    "store8",
    "store16",
    "store32",
    "store64",
]

NUMBERS = {8: types.uint8, 16: types.uint16, 32: types.uint32, 64: types.uint64}


def address(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Where ``array[at]`` is, as a pointer to bytes."""
    struct = context.make_array(kind)(context, builder, array)
    return builder.gep(builder.bitcast(struct.data, ir.IntType(8).as_pointer()), [at])


def _loading(bits: int) -> Any:
    number = NUMBERS[bits]

    @intrinsic
    def load(typing_context: Any, data: Any, at: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = address(context, builder, signature.args[0], *arguments)
            pointer = builder.bitcast(place, ir.IntType(bits).as_pointer())
            return builder.load(pointer, align=1)

        return number(data, types.int64), generate

    return load


def _storing(bits: int) -> Any:
    number = NUMBERS[bits]

    @intrinsic
    def store(typing_context: Any, data: Any, at: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = address(context, builder, signature.args[0], *arguments[:2])
            pointer = builder.bitcast(place, ir.IntType(bits).as_pointer())
            builder.store(arguments[2], pointer, align=1)
            return context.get_dummy_value()

        return types.void(data, types.int64, number), generate

    return store


load8, load16, load32, load64 = (_loading(bits) for bits in NUMBERS)
store8, store16, store32, store64 = (_storing(bits) for bits in NUMBERS)


@intrinsic
def copy_bytes(
    typing_context: Any, target: Any, at: Any, source: Any, start: Any, size: Any
) -> Any:
    """``target[at:at + size] = source[start:start + size]``, of arrays that do not overlap."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        into, at, source, start, size = arguments
        to = address(context, builder, signature.args[0], into, at)
        origin = address(context, builder, signature.args[2], source, start)
        cgutils.raw_memcpy(builder, to, origin, size, 1, align=1)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(target, whole, source, whole, whole), generate

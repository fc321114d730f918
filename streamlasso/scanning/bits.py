"""What processors do with many bits at once, for compiled functions.

``equal_mask(data, at, byte)`` has bit i set where ``data[at + i]`` is the byte, for 64 bytes;
``below_mask`` where it is less, both taken as signed: with 32 that is control bytes and all that is
not ASCII. Nothing is checked: 64 bytes must be there.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from streamlasso.memory import address

__all__ = [
    "below_mask",
    "equal_mask",
    "float_of",
    "leading_zeros",
    "ones",
    "product_high",
    "product_low",
    "trailing_zeros",
]

WORD = ir.IntType(64)
BLOCK = 64
"""Bytes of a mask."""

Generate = Callable[[Any, Any, Any, Any], Any]


def _mask(relation: str) -> Any:
    @intrinsic
    def mask(typing_context: Any, data: Any, at: Any, byte: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            block = ir.VectorType(ir.IntType(8), BLOCK)
            place = address(context, builder, signature.args[0], *arguments[:2])
            bytes_ = builder.load(builder.bitcast(place, block.as_pointer()), align=1)
            undefined = ir.Constant(block, ir.Undefined)
            first = builder.insert_element(undefined, arguments[2], ir.IntType(32)(0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), BLOCK), [0] * BLOCK)
            wanted = builder.shuffle_vector(first, undefined, zeros)
            return builder.bitcast(builder.icmp_signed(relation, bytes_, wanted), WORD)

        return types.uint64(data, types.int64, types.uint8), generate

    return mask


equal_mask, below_mask = _mask("=="), _mask("<")


def _of_word(give: Callable[[Any, Any], Any], result: Any = types.int64) -> Any:
    """A function of one uint64."""

    @intrinsic
    def function(typing_context: Any, word: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return give(builder, arguments[0])

        return result(types.uint64), generate

    return function


def _product(upper: bool) -> Any:
    """Half of the 128 bits of a product of two uint64."""

    @intrinsic
    def function(typing_context: Any, left: Any, right: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            wide = ir.IntType(128)
            left, right = (builder.zext(argument, wide) for argument in arguments)
            product = builder.mul(left, right)
            if upper:
                product = builder.lshr(product, wide(64))
            return builder.trunc(product, WORD)

        return types.uint64(types.uint64, types.uint64), generate

    return function


# Of 0 there are 64 zeros.
trailing_zeros = _of_word(lambda builder, word: builder.cttz(word, ir.IntType(1)(0)))
leading_zeros = _of_word(lambda builder, word: builder.ctlz(word, ir.IntType(1)(0)))
ones = _of_word(lambda builder, word: builder.ctpop(word))
float_of = _of_word(lambda builder, word: builder.bitcast(word, ir.DoubleType()), types.float64)
product_high, product_low = _product(True), _product(False)

"""Scalar functions that losses and rules share, and the processor's prefetch.

Each is written so that no intermediate overflows for any finite argument, and so that float32
arguments stay float32 where it pays (the per-feature ones).
"""

import math
from functools import cache
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = [
    "BEND",
    "bounded_exp",
    "bounded_exp_integral",
    "bounded_log",
    "log1pexp",
    "nearing",
    "prefetch",
    "prefetching",
    "sigmoid",
    "soft_threshold",
]

BEND = 20.0
"""Where `bounded_exp` leaves the exponential for its tangent: at e^20 ≈ 4.9e8."""
HEIGHT = math.exp(BEND)


@njit(error_model="numpy")
def soft_threshold(value, amount):
    """S(v, a) = sgn(v)·max(|v| − a, 0), without a branch: v minus v clamped to [−a, a]."""
    return value - min(max(value, -amount), amount)


@njit(error_model="numpy")
def nearing(value, amount, ratio):
    """The factor on v that makes S(v, a) that of v divided by the ratio."""
    size = abs(value)
    if size > amount:
        return (amount + (size - amount) / ratio) / size
    return size / size if size > 0 else ratio / ratio


@njit(error_model="numpy")
def sigmoid(score):
    """1 / (1 + e^(−s)), exponentiating only negative numbers."""
    if score >= 0:
        return 1.0 / (1.0 + math.exp(-score))
    odds = math.exp(score)
    return odds / (1.0 + odds)


@njit(error_model="numpy")
def log1pexp(score):
    """log(1 + e^s) for any s."""
    return max(score, 0.0) + math.log1p(math.exp(-abs(score)))


@njit(error_model="numpy")
def bounded_exp(score):
    """e^s for s ≤ 20, from there on its tangent e^20·(1 + s − 20)."""
    if score > BEND:
        return HEIGHT * (1.0 + (score - BEND))
    return math.exp(score)


@njit(error_model="numpy")
def bounded_exp_integral(score):
    """∫ `bounded_exp` from −∞ to s: e^s, and e^20·(1 + u + ½u²) with u = s − 20 > 0."""
    if score > BEND:
        beyond = score - BEND
        return HEIGHT * (1.0 + beyond + 0.5 * beyond * beyond)
    return math.exp(score)


@njit(error_model="numpy")
def bounded_log(mean):
    """The inverse of `bounded_exp`, for a mean > 0."""
    if mean > HEIGHT:
        return BEND + (mean / HEIGHT - 1.0)
    return math.log(mean)


LINE = 64


@cache
def prefetching(numbers: int) -> Any:
    """A function that begins to load ``array[row]``, so many numbers of it, into the cache.

    It goes on without waiting for them.
    """

    @intrinsic
    def prefetch(typing_context: Any, array: Any, row: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            struct = context.make_array(signature.args[0])(context, builder, arguments[0])
            stride = builder.extract_value(struct.strides, 0)
            wide = builder.zext if arguments[1].type.width < stride.type.width else builder.bitcast
            offset = builder.mul(wide(arguments[1], stride.type), stride)
            start = builder.add(builder.ptrtoint(struct.data, stride.type), offset)
            byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
            function = builder.module.declare_intrinsic(
                "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, word, word, word])
            )
            size = signature.args[0].dtype.bitwidth // 8
            for_writing, keep, data = word(1), word(3), word(1)
            for line in range(-(-numbers * size // LINE)):
                place = builder.add(start, stride.type(line * LINE))
                address = builder.inttoptr(place, byte)
                builder.call(function, [address, for_writing, keep, data])
            return context.get_dummy_value()

        return types.void(array, row), generate

    return prefetch


prefetch = prefetching(1)

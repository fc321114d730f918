"""Arithmetic of `Numbers`, with each other and with single numbers, which stand for all.

Exactly rounded, with the comparisons that numba's own ``min`` and ``max`` make: the same bits as
one number at a time.
"""

import builtins
import math
import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from streamlasso.simd.kinds import WORD, Lanes, Numbers, Signs

__all__ = ["spread"]

Build = Callable[[Any, Any, Any], Any]


def spread(context: Any, builder: Any, value: Any, given: Any, wanted: Numbers) -> Any:
    """Numbers as they are; a single number as many."""
    if isinstance(given, Numbers):
        return value
    number = context.cast(builder, value, given, wanted.kind)
    first = builder.insert_element(ir.Constant(wanted.vector, ir.Undefined), number, WORD(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), wanted.count), [0] * wanted.count)
    return builder.shuffle_vector(first, first, zeros)


def _pair(given: Any) -> Numbers | None:
    """The kind of the result where one of two is many, of equal kinds if both are."""
    many = [each for each in given if isinstance(each, Numbers)]
    fits = all(isinstance(each, Numbers | types.Number) for each in given)
    return many[0] if many and fits and many.count(many[0]) == len(many) else None


def _binary(symbols: tuple[Any, ...], build: Build, compares: bool = False) -> None:
    """Make Python's operators or functions of two numbers mean ``build`` for many."""

    @intrinsic
    def apply(typing_context: Any, left: Any, right: Any) -> Any:
        wanted = _pair((left, right))
        assert wanted is not None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pair = zip(arguments, signature.args, strict=True)
            a, b = (spread(context, builder, value, given, wanted) for value, given in pair)
            return build(builder, a, b)

        return (Signs(wanted.count) if compares else wanted)(left, right), generate

    for symbol in symbols:

        @overload(symbol, strict=False)
        def choose(left: Any, right: Any) -> Any:
            if _pair((left, right)) is None:
                return None
            return lambda left, right: apply(left, right)


def _floats(value: Any) -> bool:
    return isinstance(value.type.element, ir.FloatType | ir.DoubleType)


def _compared(sign: str) -> Build:
    """As numba compares: of a NaN only ≠ is true."""

    def build(builder: Any, a: Any, b: Any) -> Any:
        if not _floats(a):
            return builder.icmp_signed(sign, a, b)
        compare = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered
        return compare(sign, a, b)

    return build


def _subtract(builder: Any, a: Any, b: Any) -> Any:
    return builder.fsub(a, b) if _floats(a) else builder.sub(a, b)


def _add(builder: Any, a: Any, b: Any) -> Any:
    return builder.fadd(a, b) if _floats(a) else builder.add(a, b)


def _chosen(sign: str) -> Build:
    """The second where it is beyond the first: so Python's min and max treat NaN and −0."""
    return lambda builder, a, b: builder.select(builder.fcmp_ordered(sign, b, a), b, a)


_binary((operator.add, operator.iadd), _add)
_binary((operator.sub, operator.isub), _subtract)
_binary((operator.mul, operator.imul), lambda builder, a, b: builder.fmul(a, b))
_binary((operator.truediv, operator.itruediv), lambda builder, a, b: builder.fdiv(a, b))
_binary((builtins.max,), _chosen(">"))
_binary((builtins.min,), _chosen("<"))
for _symbol, _sign in ((operator.ne, "!="), (operator.gt, ">"), (operator.lt, "<")):
    _binary((_symbol,), _compared(_sign), compares=True)


def _unary(symbol: Any, build: Callable[[Any, Any], Any], strict: bool = True) -> None:
    @intrinsic
    def apply(typing_context: Any, value: Any) -> Any:
        return value(value), lambda context, builder, signature, arguments: build(
            builder, arguments[0]
        )

    @overload(symbol, strict=False)
    def choose(value: Any) -> Any:
        return (lambda value: apply(value)) if isinstance(value, Numbers) else None


def _root(builder: Any, value: Any) -> Any:
    bits = 64 if value.type.element == ir.DoubleType() else 32
    kind = ir.FunctionType(value.type, [value.type])
    name = f"llvm.sqrt.v{value.type.count}f{bits}"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [value])


_unary(operator.neg, lambda builder, value: builder.fneg(value))
_unary(math.sqrt, _root)


@intrinsic
def _as_numbers(typing_context: Any, signs: Any) -> Any:
    kind = Numbers(types.int8, signs.count)
    return kind(signs), lambda context, builder, signature, arguments: builder.zext(
        arguments[0], kind.vector
    )


@overload(int, strict=False)
def _whole(signs: Any) -> Any:
    """1 where it is true, else 0."""
    return (lambda signs: _as_numbers(signs)) if isinstance(signs, Signs) else None


@intrinsic
def _moved(typing_context: Any, column: Any, lanes: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first = context.cast(builder, arguments[0], column, types.int64)
        return builder.add(first, arguments[1])

    return lanes(column, lanes), generate


@overload(operator.add, strict=False)
def _lanes_of_a_column(column: Any, lanes: Any) -> Any:
    if isinstance(column, types.Integer) and isinstance(lanes, Lanes):
        return lambda column, lanes: _moved(column, lanes)
    return None

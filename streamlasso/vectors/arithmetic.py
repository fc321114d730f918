"""Arithmetic by lane, and what makes one number of all lanes."""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from streamlasso.vectors.kind import DOUBLE, LaneVector, spread_over

__all__ = [
    "at",
    "four",
    "fused",
    "largest",
    "lower",
    "ordinal",
    "pick",
    "root",
    "smallest",
    "total",
    "upper",
]


def _pair(context: Any, builder: Any, signature: Any, arguments: Any) -> tuple[Any, Any]:
    lanes = signature.return_type.lanes
    left, right = (
        spread_over(context, builder, value, given, lanes)
        for value, given in zip(arguments, signature.args, strict=True)
    )
    return left, right


def _binary(instruction: Callable[[Any, Any, Any], Any]) -> Any:
    """An intrinsic of two vectors, or a vector and a number."""

    @intrinsic
    def function(typing_context: Any, left: Any, right: Any) -> Any:
        kind = left if isinstance(left, LaneVector) else right

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return instruction(builder, *_pair(context, builder, signature, arguments))

        return kind(left, right), generate

    return function


add = _binary(lambda builder, a, b: builder.fadd(a, b))
subtract = _binary(lambda builder, a, b: builder.fsub(a, b))
multiply = _binary(lambda builder, a, b: builder.fmul(a, b))
divide = _binary(lambda builder, a, b: builder.fdiv(a, b))
lower = _binary(lambda builder, a, b: builder.select(builder.fcmp_ordered("<", a, b), a, b))
upper = _binary(lambda builder, a, b: builder.select(builder.fcmp_ordered(">", a, b), a, b))


@intrinsic
def pick(typing_context: Any, above: Any, below: Any, one: Any, other: Any) -> Any:
    """By lane: the third where the first is not below the second, the fourth elsewhere."""
    kinds = (above, below, one, other)
    kind = next(each for each in kinds if isinstance(each, LaneVector))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, x, y = (
            spread_over(context, builder, value, given, kind.lanes)
            for value, given in zip(arguments, kinds, strict=True)
        )
        return builder.select(builder.fcmp_ordered(">=", a, b), x, y)

    return kind(*kinds), generate


def fused_step(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """The instruction of `fused`."""
    kind = a.type
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(kind, [kind] * 3), f"llvm.fma.v{kind.count}f64"
    )
    return builder.call(function, [a, b, c])


@intrinsic
def fused(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a·b + c, rounded once."""
    kinds = (a, b, c)
    kind = next(each for each in kinds if isinstance(each, LaneVector))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        spreaded = [
            spread_over(context, builder, value, given, kind.lanes)
            for value, given in zip(arguments, kinds, strict=True)
        ]
        return fused_step(builder, *spreaded)

    return kind(*kinds), generate


@intrinsic
def ordinal(typing_context: Any, vector: Any) -> Any:
    """0, 1, 2 … in as many lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        return ir.Constant(kind, [float(lane) for lane in range(kind.count)])

    return vector(vector), generate


@intrinsic
def four(typing_context: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Four numbers as a vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.Constant(ir.VectorType(DOUBLE, 4), ir.Undefined)
        for lane, (value, given) in enumerate(zip(arguments, signature.args, strict=True)):
            number = context.cast(builder, value, given, types.float64)
            vector = builder.insert_element(vector, number, ir.IntType(32)(lane))
        return vector

    return LaneVector(4)(a, b, c, d), generate


@intrinsic
def at(typing_context: Any, vector: Any, lane: Any) -> Any:
    """One of the numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.extract_element(*arguments)

    return types.float64(vector, lane), generate


@intrinsic
def root(typing_context: Any, vector: Any) -> Any:
    """√ by lane."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        name = f"llvm.sqrt.v{vector.lanes}f64"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind]), name
        )
        return builder.call(function, arguments)

    return vector(vector), generate


def _reduction(instruction: Callable[[Any, Any, Any], Any]) -> Any:
    """An intrinsic that makes one number of all lanes, halves first."""

    @intrinsic
    def function(typing_context: Any, vector: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            [value] = arguments
            count = vector.lanes
            while count > 1:
                count //= 2
                places = ir.VectorType(ir.IntType(32), count)
                low, high = list(range(count)), list(range(count, 2 * count))
                value = instruction(
                    builder,
                    builder.shuffle_vector(value, value, ir.Constant(places, low)),
                    builder.shuffle_vector(value, value, ir.Constant(places, high)),
                )
            return builder.extract_element(value, ir.IntType(32)(0))

        return types.float64(vector), generate

    return function


total = _reduction(lambda builder, a, b: builder.fadd(a, b))
smallest = _reduction(lambda builder, a, b: builder.select(builder.fcmp_ordered("<", a, b), a, b))
largest = _reduction(lambda builder, a, b: builder.select(builder.fcmp_ordered(">", a, b), a, b))


def _overload(symbol: Any, function: Any) -> None:
    @overload(symbol, strict=False)
    def _choose(left: Any, right: Any) -> Any:
        if isinstance(left, LaneVector) or isinstance(right, LaneVector):
            return lambda left, right: function(left, right)
        return None


for _symbols, _function in (
    ((operator.add, operator.iadd), add),
    ((operator.sub, operator.isub), subtract),
    ((operator.mul, operator.imul), multiply),
    ((operator.truediv, operator.itruediv), divide),
):
    for _symbol in _symbols:
        _overload(_symbol, _function)

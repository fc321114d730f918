"""A numba type for the numbers of all lanes at once, which the processor treats together.

Numba leaves a loop over eight lanes as it is: its arrays may overlap for all that the compiler can
see. A vector that is a value has no such doubt. ``load(array, row, column)`` takes neighbouring
numbers of a row as one, arithmetic is by lane with numbers spread over the lanes, ``store`` puts
them back; in an array with one dimension the row is not looked at. Arithmetic is in float64,
whatever the array holds.

Operators give the same with numpy arrays, so that kernels run as plain Python too: `interpreted`.
"""

import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

__all__ = ["LaneVector", "compiled", "interpreted"]

DOUBLE = ir.DoubleType()


class LaneVector(types.Type):  # type: ignore[misc]
    """So many float64 side by side."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(name=f"LaneVector({lanes})")


@register_model(LaneVector)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(DOUBLE, kind.lanes))


def _spread(context: Any, builder: Any, value: Any, given: Any, lanes: int) -> Any:
    """A vector as it is; a number in every lane."""
    if isinstance(given, LaneVector):
        return value
    number = context.cast(builder, value, given, types.float64)
    vector = ir.Constant(ir.VectorType(DOUBLE, lanes), ir.Undefined)
    first = builder.insert_element(vector, number, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    return builder.shuffle_vector(first, vector, zeros)


def _pair(context: Any, builder: Any, signature: Any, arguments: Any) -> tuple[Any, Any]:
    lanes = signature.return_type.lanes
    left, right = (
        _spread(context, builder, value, given, lanes)
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
reaches = _binary(lambda builder, a, b: builder.uitofp(builder.fcmp_ordered(">=", a, b), a.type))
"""1 in the lanes where the first is not below the second, 0 in the others."""


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


@intrinsic
def total(typing_context: Any, vector: Any) -> Any:
    """The sum over the lanes, halves first."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        [value] = arguments
        count = vector.lanes
        while count > 1:
            count //= 2
            places = ir.VectorType(ir.IntType(32), count)
            low, high = list(range(count)), list(range(count, 2 * count))
            value = builder.fadd(
                builder.shuffle_vector(value, value, ir.Constant(places, low)),
                builder.shuffle_vector(value, value, ir.Constant(places, high)),
            )
        return builder.extract_element(value, ir.IntType(32)(0))

    return types.float64(vector), generate


def _address(context: Any, builder: Any, array: Any, kind: Any, row: Any, column: Any) -> Any:
    """The address of ``array[row, column]``, of an array with neighbouring columns; of an array
    with one dimension that of ``array[column]``."""
    struct = context.make_array(kind)(context, builder, array)
    word = ir.IntType(64)
    offset = builder.mul(column, word(kind.dtype.bitwidth // 8))
    if kind.ndim == 2:
        offset = builder.add(offset, builder.mul(row, builder.extract_value(struct.strides, 0)))
    return builder.add(builder.ptrtoint(struct.data, word), offset)


def _place(context: Any, builder: Any, signature: Any, arguments: Any, lanes: int) -> Any:
    """A pointer to the numbers of all lanes in an array, and the number's type."""
    kind = signature.args[0]
    row, column = (
        context.cast(builder, value, given, types.int64)
        for value, given in zip(arguments[1:3], signature.args[1:3], strict=True)
    )
    number = DOUBLE if kind.dtype == types.float64 else ir.FloatType()
    address = _address(context, builder, arguments[0], kind, row, column)
    return builder.inttoptr(address, ir.VectorType(number, lanes).as_pointer()), number


@cache
def compiled(lanes: int) -> Mapping[str, Any]:
    """What kernels call, by name, for so many lanes, a power of two."""
    vector = LaneVector(lanes)

    @intrinsic
    def load(typing_context: Any, array: Any, row: Any, column: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place, number = _place(context, builder, signature, arguments, lanes)
            value = builder.load(place, align=number.get_abi_alignment(context.target_data))
            if number != DOUBLE:
                value = builder.fpext(value, ir.VectorType(DOUBLE, lanes))
            return value

        return vector(array, row, column), generate

    @intrinsic
    def store(typing_context: Any, array: Any, row: Any, column: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place, number = _place(context, builder, signature, arguments, lanes)
            value = arguments[3]
            if number != DOUBLE:
                value = builder.fptrunc(value, ir.VectorType(number, lanes))
            builder.store(value, place, align=number.get_abi_alignment(context.target_data))
            return context.get_dummy_value()

        return types.void(array, row, column, value), generate

    @intrinsic
    def spread(typing_context: Any, number: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return _spread(context, builder, arguments[0], number, lanes)

        return vector(number), generate

    return {"load": load, "store": store, "spread": spread, "root": root, "total": total,
            "lower": lower, "upper": upper, "reaches": reaches}  # fmt: skip


@cache
def interpreted(lanes: int) -> Mapping[str, Any]:
    """The same with numpy arrays of ``lanes`` numbers."""

    def load(array: Any, row: int, column: int) -> Any:
        numbers = array if array.ndim == 1 else array[row]
        return numbers[column : column + lanes].astype(np.float64)

    def store(array: Any, row: int, column: int, value: Any) -> None:
        numbers = array if array.ndim == 1 else array[row]
        numbers[column : column + lanes] = value

    def spread(number: float) -> Any:
        return np.full(lanes, float(number))

    def total(vector: Any) -> float:
        while len(vector) > 1:
            half = len(vector) // 2
            vector = vector[:half] + vector[half:]
        return float(vector[0])

    return {"load": load, "store": store, "spread": spread, "root": np.sqrt, "total": total,
            "lower": lambda a, b: np.where(a < b, a, b),
            "upper": lambda a, b: np.where(a > b, a, b),
            "reaches": lambda a, b: np.where(a >= b, 1.0, 0.0)}  # fmt: skip


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

"""Neighbouring numbers of an array as a vector, and back."""

from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from streamlasso.vectors.kind import DOUBLE, LaneVector, spread_over

__all__ = ["access", "part_access"]


def _address(context: Any, builder: Any, array: Any, kind: Any, row: Any, column: Any) -> Any:
    """The address of ``array[row, column]``, of an array with neighbouring columns; of an array
    with one dimension that of ``array[column]``."""
    struct = context.make_array(kind)(context, builder, array)
    word = ir.IntType(64)
    offset = builder.mul(column, word(kind.dtype.bitwidth // 8))
    if kind.ndim == 2:
        offset = builder.add(offset, builder.mul(row, builder.extract_value(struct.strides, 0)))
    return builder.add(builder.ptrtoint(struct.data, word), offset)


class _Place:
    """Numbers of an array from a column on."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        kind = signature.args[0]
        row, column = (
            context.cast(builder, value, given, types.int64)
            for value, given in zip(arguments[1:3], signature.args[1:3], strict=True)
        )
        self.builder = builder
        self.number = DOUBLE if kind.dtype == types.float64 else ir.FloatType()
        self.align = self.number.get_abi_alignment(context.target_data)
        self.bytes = kind.dtype.bitwidth // 8
        self.address = _address(context, builder, arguments[0], kind, row, column)

    def _pointer(self, first: int, count: int) -> Any:
        address = self.builder.add(self.address, ir.IntType(64)(first * self.bytes))
        return self.builder.inttoptr(address, ir.VectorType(self.number, count).as_pointer())

    def load(self, first: int, count: int) -> Any:
        """So many numbers from there on."""
        value = self.builder.load(self._pointer(first, count), align=self.align)
        if self.number != DOUBLE:
            value = self.builder.fpext(value, ir.VectorType(DOUBLE, count))
        return value

    def store(self, first: int, count: int, value: Any) -> None:
        """Put them there."""
        if self.number != DOUBLE:
            value = self.builder.fptrunc(value, ir.VectorType(self.number, count))
        self.builder.store(value, self._pointer(first, count), align=self.align)


@cache
def access(lanes: int) -> dict[str, Callable[..., Any]]:
    """``load``, ``store`` and ``spread`` for so many lanes."""
    vector = LaneVector(lanes)

    @intrinsic
    def load(typing_context: Any, array: Any, row: Any, column: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return _Place(context, builder, signature, arguments).load(0, lanes)

        return vector(array, row, column), generate

    @intrinsic
    def store(typing_context: Any, array: Any, row: Any, column: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _Place(context, builder, signature, arguments).store(0, lanes, arguments[3])
            return context.get_dummy_value()

        return types.void(array, row, column, value), generate

    @intrinsic
    def spread(typing_context: Any, number: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return spread_over(context, builder, arguments[0], number, lanes)

        return vector(number), generate

    return {"load": load, "store": store, "spread": spread}


def _pieces(used: int) -> list[tuple[int, int]]:
    """First lane and size of pieces that are powers of two."""
    pieces, first = [], 0
    for size in (1 << bit for bit in reversed(range(used.bit_length()))):
        if used - first >= size:
            pieces.append((first, size))
            first += size
    return pieces


def _shuffled(builder: Any, one: Any, other: Any, lanes: list[int]) -> Any:
    kind = ir.VectorType(ir.IntType(32), len(lanes))
    return builder.shuffle_vector(one, other, ir.Constant(kind, lanes))


@cache
def part_access(lanes: int, used: int) -> dict[str, Callable[..., Any]]:
    """``load`` and ``store`` of the first ``used`` lanes; the others are loaded as 0."""
    vector = LaneVector(lanes)

    @intrinsic
    def load(typing_context: Any, array: Any, row: Any, column: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = _Place(context, builder, signature, arguments)
            whole = ir.Constant(ir.VectorType(DOUBLE, lanes), [0.0] * lanes)
            for first, size in _pieces(used):
                piece = place.load(first, size)
                widened = [min(lane, size - 1) for lane in range(lanes)]
                piece = _shuffled(builder, piece, piece, widened)
                taken = [
                    lanes + lane - first if first <= lane < first + size else lane
                    for lane in range(lanes)
                ]
                whole = _shuffled(builder, whole, piece, taken)
            return whole

        return vector(array, row, column), generate

    @intrinsic
    def store(typing_context: Any, array: Any, row: Any, column: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place, value = _Place(context, builder, signature, arguments), arguments[3]
            for first, size in _pieces(used):
                piece = _shuffled(builder, value, value, list(range(first, first + size)))
                place.store(first, size, piece)
            return context.get_dummy_value()

        return types.void(array, row, column, value), generate

    return {"load": load, "store": store}

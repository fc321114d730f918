"""How `Numbers` come from the records of a state, and go back."""

import operator
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from streamlasso.simd.arithmetic import spread
from streamlasso.simd.kinds import BLOCK, SHORT, WORD, Lanes, Numbers, Slots, llvm

__all__ = ["lanes_of", "place_of", "prefetching", "size_of", "slots_of"]

BYTE = ir.IntType(8).as_pointer()


def size_of(kind: Any) -> int:
    """The bytes of a number."""
    return int(kind.bitwidth) // 8


def place_of(context: Any, builder: Any, kind: Any, array: Any, item: Any, row: Any = None) -> Any:
    """The address of the item of that number, from the beginning or within a row."""
    struct = context.make_array(kind)(context, builder, array)
    offset = builder.mul(item, WORD(size_of(kind.dtype)))
    if row is not None:
        stride = builder.extract_value(struct.strides, 0)
        offset = builder.add(offset, builder.mul(row, stride))
    return builder.gep(builder.bitcast(struct.data, BYTE), [offset])


def _pointers(
    context: Any, builder: Any, kind: Any, array: Any, index: Any, kinds: Any, wanted: Any
) -> list[Any]:
    """Where an access reads or writes: at one place all lanes, or a number for each slot."""
    row, column = (builder.extract_value(index, at) for at in (0, 1))
    if isinstance(kinds[1], Lanes):
        row = context.cast(builder, row, kinds[0], types.int64)
        pointer = place_of(context, builder, kind, array, column, row)
        return [builder.bitcast(pointer, wanted.vector.as_pointer())]
    column = context.cast(builder, column, kinds[1], types.int64)
    number = llvm(kind.dtype).as_pointer()
    items = [builder.add(builder.extract_value(row, k), column) for k in range(wanted.count)]
    return [
        builder.bitcast(place_of(context, builder, kind, array, item), number) for item in items
    ]


def _many(array: Any, index: Any) -> Any:
    """The `Numbers` that an access means, or None where it means one."""
    if not isinstance(array, types.Array) or not isinstance(index, types.BaseTuple):
        return None
    if len(index) != 2 or array.ndim != 2:
        return None
    row, column = index
    if isinstance(row, Slots) and isinstance(column, types.Integer):
        return Numbers(array.dtype, row.count)
    if isinstance(column, Lanes) and isinstance(row, types.Integer):
        return Numbers(array.dtype, column.count)
    return None


@intrinsic
def _get(typing_context: Any, array: Any, index: Any) -> Any:
    wanted = _many(array, index)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, align = signature.args[1], size_of(array.dtype)
        given = arguments[1]
        pointers = _pointers(context, builder, array, arguments[0], given, kinds, wanted)
        if len(pointers) == 1:
            return builder.load(pointers[0], align=align)
        numbers = ir.Constant(wanted.vector, ir.Undefined)
        for k, pointer in enumerate(pointers):
            numbers = builder.insert_element(numbers, builder.load(pointer, align=align), SHORT(k))
        return numbers

    return wanted(array, index), generate


@intrinsic
def _set(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    wanted = _many(array, index)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, align = signature.args[1], size_of(array.dtype)
        given = arguments[1]
        pointers = _pointers(context, builder, array, arguments[0], given, kinds, wanted)
        numbers = spread(context, builder, arguments[2], value, wanted)
        if len(pointers) == 1:
            builder.store(numbers, pointers[0], align=align)
        else:
            # Backwards: of a slot that is there several times the first is written last.
            for k, pointer in reversed(list(enumerate(pointers))):
                builder.store(builder.extract_element(numbers, SHORT(k)), pointer, align=align)
        return context.get_dummy_value()

    return types.void(array, index, value), generate


@overload(operator.getitem, strict=False)
def _choose_get(array: Any, index: Any) -> Any:
    return (lambda array, index: _get(array, index)) if _many(array, index) else None


@overload(operator.setitem, strict=False)
def _choose_set(array: Any, index: Any, value: Any) -> Any:
    if not _many(array, index):
        return None
    return lambda array, index, value: _set(array, index, value)


@cache
def lanes_of(count: int) -> Any:
    """A function of no arguments: all of so many lanes."""

    @intrinsic
    def all_lanes(typing_context: Any) -> Any:
        return Lanes(count)(), lambda context, builder, signature, arguments: WORD(0)

    return all_lanes


def _slot(context: Any, builder: Any, kind: Any, slots: Any, at: Any) -> Any:
    pointer = place_of(context, builder, kind, slots, at)
    slot = builder.load(builder.bitcast(pointer, llvm(kind.dtype).as_pointer()))
    return builder.zext(slot, WORD)


@cache
def slots_of(width: int) -> Any:
    """A function of slots, a start and a size: the slots there, of records of so many numbers."""

    @intrinsic
    def slots_at(typing_context: Any, slots: Any, start: Any, size: Any) -> Any:
        kind = Slots(BLOCK)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, first, many = (
                context.cast(builder, value, given, wanted)
                for value, given, wanted in zip(
                    arguments, signature.args, (slots, types.int64, types.int64), strict=True
                )
            )
            last = builder.sub(many, WORD(1))
            result = cgutils.create_struct_proxy(kind)(context, builder)
            for k in range(BLOCK):
                there = builder.icmp_signed("<", WORD(k), last)
                at = builder.add(first, builder.select(there, WORD(k), last))
                record = builder.mul(_slot(context, builder, slots, array, at), WORD(width))
                setattr(result, f"slot{k}", record)
            return result._getvalue()

        return kind(slots, start, size), generate

    return slots_at


@cache
def prefetching(width: int) -> Any:
    """A function of the state, slots and a place in them: begin to load a block of records."""

    @intrinsic
    def prefetch(typing_context: Any, state: Any, slots: Any, start: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            first = context.cast(builder, arguments[2], start, types.int64)
            count = builder.extract_value(
                context.make_array(slots)(context, builder, arguments[1]).shape, 0
            )
            ahead = builder.add(first, WORD(BLOCK))
            with builder.if_then(builder.icmp_signed("<=", ahead, count), likely=True):
                for k in range(BLOCK):
                    at = builder.add(first, WORD(k))
                    slot = _slot(context, builder, slots, arguments[1], at)
                    item = builder.mul(slot, WORD(width))
                    place = place_of(context, builder, state, arguments[0], item)
                    _begin(builder, place)
            return context.get_dummy_value()

        return types.void(state, slots, start), generate

    return prefetch


def _begin(builder: Any, place: Any) -> None:
    function = builder.module.declare_intrinsic(
        "llvm.prefetch", [BYTE], ir.FunctionType(ir.VoidType(), [BYTE, SHORT, SHORT, SHORT])
    )
    for_writing, keep, data = SHORT(1), SHORT(3), SHORT(1)
    builder.call(function, [place, for_writing, keep, data])

"""What the loops need besides a rule's arithmetic: values of a block, sums, counts."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from streamlasso.simd.kinds import BLOCK, SHORT, WORD, Numbers, llvm
from streamlasso.simd.memory import place_of, size_of

__all__ = ["add_in_order", "add_signs", "how_many", "repeats", "sum_of", "values_at"]


def _below(builder: Any, size: Any, count: int) -> Any:
    """Whether each of so many is below ``size``."""
    kind = ir.VectorType(SHORT, count)
    empty, size = ir.Constant(kind, ir.Undefined), builder.trunc(size, SHORT)
    first = builder.insert_element(empty, size, SHORT(0))
    limit = builder.shuffle_vector(first, first, ir.Constant(kind, [0] * count))
    return builder.icmp_signed("<", ir.Constant(kind, list(range(count))), limit)


def _loaded(context: Any, builder: Any, kind: Any, arguments: Any, given: Any, other: Any) -> Any:
    """``array[start : start + size]``, filled up with numbers of another vector.

    A masked load would need no test for the array's end, but takes twice as long (measured).
    """
    array = arguments[0]
    start, size = (context.cast(builder, arguments[i], given[i], types.int64) for i in (1, 2))
    count = builder.extract_value(context.make_array(kind)(context, builder, array).shape, 0)
    align, vector, last = size_of(kind.dtype), other.type, builder.sub(size, WORD(1))
    inside = builder.icmp_signed("<=", builder.add(start, WORD(BLOCK)), count)
    with builder.if_else(inside, likely=True) as (all_there, at_the_end):
        with all_there:
            pointer = place_of(context, builder, kind, array, start)
            whole = builder.load(builder.bitcast(pointer, vector.as_pointer()), align=align)
            ends = [(whole, builder.block)]
        with at_the_end:
            some = ir.Constant(vector, ir.Undefined)
            for k in range(BLOCK):
                there = builder.icmp_signed("<", WORD(k), last)
                at = builder.add(start, builder.select(there, WORD(k), last))
                pointer = place_of(context, builder, kind, array, at)
                pointer = builder.bitcast(pointer, vector.element.as_pointer())
                one = builder.load(pointer, align=align)
                some = builder.insert_element(some, one, SHORT(k))
            ends.append((some, builder.block))
    found = builder.phi(vector)
    for value, block in ends:
        found.add_incoming(value, block)
    return builder.select(_below(builder, size, BLOCK), found, other)


@intrinsic
def values_at(typing_context: Any, values: Any, start: Any, size: Any) -> Any:
    """The numbers ``values[start : start + size]``, then zeros."""
    kind = Numbers(values.dtype, BLOCK)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = ir.Constant(kind.vector, [0.0] * BLOCK)
        return _loaded(context, builder, values, arguments, signature.args, zeros)

    return kind(values, start, size), generate


@intrinsic
def repeats(typing_context: Any, slots: Any, start: Any, size: Any) -> Any:
    """Whether one of ``slots[start : start + size]`` is there twice."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(llvm(slots.dtype), BLOCK)
        # No state has that many slots.
        others = ir.Constant(kind, [2**slots.dtype.bitwidth - 1 - k for k in range(BLOCK)])
        found = _loaded(context, builder, slots, arguments, signature.args, others)
        same = ir.Constant(ir.VectorType(ir.IntType(1), BLOCK), [0] * BLOCK)
        for turn in range(1, BLOCK // 2 + 1):
            order = [(k + turn) % BLOCK for k in range(BLOCK)]
            order = ir.Constant(ir.VectorType(SHORT, BLOCK), order)
            turned = builder.shuffle_vector(found, found, order)
            same = builder.or_(same, builder.icmp_signed("==", found, turned))
        bits = builder.bitcast(same, ir.IntType(BLOCK))
        return builder.icmp_signed("!=", bits, ir.IntType(BLOCK)(0))

    return types.boolean(slots, start, size), generate


@intrinsic
def add_in_order(typing_context: Any, total: Any, numbers: Any, size: Any) -> Any:
    """The total plus the first ``size`` numbers, one after another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        result, given, size_given = arguments
        size_given = context.cast(builder, size_given, size, types.int64)
        # To add −0 changes nothing, not even a −0.
        nothing = ir.Constant(numbers.vector, [-0.0] * numbers.count)
        given = builder.select(_below(builder, size_given, numbers.count), given, nothing)
        for k in range(numbers.count):
            result = builder.fadd(result, builder.extract_element(given, SHORT(k)))
        return result

    return total(total, numbers, size), generate


@intrinsic
def sum_of(typing_context: Any, numbers: Any) -> Any:
    """The sum, halves first."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        [value], count = arguments, numbers.count
        while count > 1:
            count //= 2
            kind = ir.VectorType(SHORT, count)
            low, high = list(range(count)), list(range(count, 2 * count))
            value = builder.fadd(
                builder.shuffle_vector(value, value, ir.Constant(kind, low)),
                builder.shuffle_vector(value, value, ir.Constant(kind, high)),
            )
        return builder.extract_element(value, SHORT(0))

    return numbers.kind(numbers), generate


@intrinsic
def how_many(typing_context: Any, signs: Any, size: Any) -> Any:
    """Of how many of the first ``size`` it is true."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        many = context.cast(builder, arguments[1], size, types.int64)
        true = builder.and_(arguments[0], _below(builder, many, signs.count))
        bits = builder.bitcast(true, ir.IntType(signs.count))
        return builder.zext(builder.ctpop(bits), WORD)

    return types.int64(signs, size), generate


@intrinsic
def add_signs(typing_context: Any, counts: Any, signs: Any) -> Any:
    """The whole numbers plus 1 where it is true."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.add(arguments[0], builder.zext(arguments[1], counts.vector))

    return counts(counts, signs), generate

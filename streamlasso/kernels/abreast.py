"""Parts of the loops that treat many slots, or all lanes of a slot, at once (`streamlasso.simd`).

The same bits as one at a time: sums are added in the order of the features, and slots of which one
is there twice are written one after another.
"""

from streamlasso.kernels.names import (
    ACTIVATED,
    ADD_IN_ORDER,
    ADD_SIGNS,
    AHEAD,
    ALL_LANES,
    BLOCK,
    CLOCK,
    DEACTIVATED,
    HOW_MANY,
    INTERCEPT,
    OBSERVE,
    PREFETCH,
    PREFETCH_AT,
    READ,
    REPEATS,
    SCALED,
    SLOTS_AT,
    SUM_OF,
    TOUCHED,
    VALUES_AT,
    WRITE,
)

__all__ = ["score_blocks", "score_lanes", "write_blocks", "write_lanes"]


def score_blocks(
    state, bias, hyper, clock, slots, values, start, stop, intercept, scores, row
):  # fmt: skip
    """`score_one` of one lane, a block of features at a time."""
    score = norm = state.dtype.type(0)
    if intercept:
        score = READ(state, INTERCEPT, 0, bias, clock)
    for i in range(start, stop, BLOCK):
        PREFETCH_AT(state, slots, i + AHEAD)
        size = min(BLOCK, stop - i)
        some = VALUES_AT(values, i, size)
        weights = READ(state, SLOTS_AT(slots, i, size), 0, hyper, clock)
        score = ADD_IN_ORDER(score, weights * some, size)
        norm += SUM_OF(some * some)
    scores[row, 0] = score
    return norm


def write_blocks(state, hyper, counts, events, slots, values, start, stop):
    """`write_features` of one lane, a block of features at a time."""
    clock = counts[CLOCK, 0]
    activated = deactivated = 0
    i = start
    while i < stop:
        size = min(BLOCK, stop - i)
        if REPEATS(slots, i, size):
            size = 1
        some = SLOTS_AT(slots, i, size)
        change = WRITE(state, some, 0, events, VALUES_AT(values, i, size), hyper, clock)
        activated += HOW_MANY(change > 0, size)
        deactivated += HOW_MANY(change < 0, size)
        if TOUCHED >= 0:
            state[some, TOUCHED] = clock + 1
        i += size
    counts[ACTIVATED, 0] += activated
    counts[DEACTIVATED, 0] += deactivated


def score_lanes(
    state, bias, hyper, clock, slots, values, start, stop, intercept, scores, row
):  # fmt: skip
    """`score_one` of all lanes at once."""
    lanes = ALL_LANES()
    norm = state.dtype.type(0)
    last = len(slots) - 1
    scores[row, lanes] = norm
    score = scores[row, lanes]
    if intercept:
        score = READ(state, INTERCEPT, lanes, bias, clock)
    for i in range(start, stop):
        PREFETCH(state, slots[min(i + AHEAD, last)])
        value = state.dtype.type(SCALED(state, slots[i], values[i]))
        score += READ(state, slots[i], lanes, hyper, clock) * value
        norm += values[i] * values[i]
    scores[row, lanes] = score
    return norm


def write_lanes(state, hyper, counts, events, slots, values, start, stop):
    """`write_features` of all lanes at once."""
    clock, lanes = counts[CLOCK, 0], ALL_LANES()
    activated, deactivated = counts[ACTIVATED, lanes], counts[DEACTIVATED, lanes]
    for i in range(start, stop):
        value = state.dtype.type(OBSERVE(state, slots[i], values[i], hyper, clock))
        change = WRITE(state, slots[i], lanes, events, value, hyper, clock)
        activated = ADD_SIGNS(activated, change > 0)
        deactivated = ADD_SIGNS(deactivated, change < 0)
        if TOUCHED >= 0:
            state[slots[i], TOUCHED] = clock + 1
    counts[ACTIVATED, lanes] = activated
    counts[DEACTIVATED, lanes] = deactivated

"""The loops over events and features, written once, as templates.

A template calls ``READ``, ``WRITE``, ``SLOPE_OF`` and so on: names that `specialise.kernels_for`
binds to the functions of one rule and one loss, for a fixed number of lanes, before numba compiles
the copy.

Arrays, the same for all templates:

* ``state[slot, column·LANES + lane]``: one record per slot. Slot 0 is the intercept; slot 1 is
  read for unknown names, always zero and never written.
* ``hyper[which, parameter, lane]``: ``which`` is 0 for the intercept, 1 for features.
* ``counts[CLOCK | REJECTED | ACTIVATED | DEACTIVATED, lane]``: events learned, rows rejected
  because a number was not finite, and changes of activity.
* ``events[SLOPE, lane]``: scratch.

An event is applied to all its features or to none: whether it is safe is known before the first
write. Adding is in the order of the features, so results do not depend on how rows are chunked.
"""

from typing import Any

from streamlasso.rules.base import SLOPE

__all__ = ["CLOCK", "FIRST", "INTERCEPT", "UNSEEN"]

INTERCEPT, UNSEEN, FIRST = 0, 1, 2
CLOCK, REJECTED, ACTIVATED, DEACTIVATED = range(4)
# Bound of slope²·Σx² and of the score: far enough from overflow to add many such squares.
LARGEST_64, LARGEST_32 = 1e290, 1e30

# How many features ahead a record is prefetched, rows after this one included: far enough for main
# memory to answer (measured: 1.8 times as fast at 2²² slots; 48 to 96 are alike).
AHEAD = 64

# What `specialise` binds before compiling.
LANES = 1
_UNBOUND: Any = None
READ = WRITE = SETTLE = TICK = DUE = RESET = _UNBOUND
SLOPE_OF = VALUE = MEAN = CONSTANT = PREFETCH = _UNBOUND
SCORE_ONE = WRITE_FEATURES = ADVANCE = LEARN_ONE = _UNBOUND


def score_one(state, bias, hyper, clock, slots, values, start, stop, intercept, scores, row):
    """Write each lane's score of one row into ``scores[row]``; return Σ value²."""
    norm = state.dtype.type(0)
    last = len(slots) - 1
    if LANES == 1:
        # A local sum: through ``scores`` each addition would wait for a store (measured: 10 %).
        score = norm
        if intercept:
            score = READ(state, INTERCEPT, 0, bias, clock)
        for i in range(start, stop):
            PREFETCH(state, slots[min(i + AHEAD, last)])
            score += READ(state, slots[i], 0, hyper, clock) * values[i]
            norm += values[i] * values[i]
        scores[row, 0] = score
    else:
        for lane in range(LANES):
            scores[row, lane] = READ(state, INTERCEPT, lane, bias, clock) if intercept else norm
        for i in range(start, stop):
            PREFETCH(state, slots[min(i + AHEAD, last)])
            for lane in range(LANES):
                scores[row, lane] += READ(state, slots[i], lane, hyper, clock) * values[i]
            norm += values[i] * values[i]
    return norm


def write_features(state, hyper, counts, events, slots, values, start, stop):
    """Write one event into every feature and lane of its row, counting changes of activity."""
    clock = counts[CLOCK, 0]
    if LANES == 1:
        activated = deactivated = 0
        for i in range(start, stop):
            change = WRITE(state, slots[i], 0, events, values[i], hyper, clock)
            activated += change > 0
            deactivated += change < 0
        counts[ACTIVATED, 0] += activated
        counts[DEACTIVATED, 0] += deactivated
    else:
        for i in range(start, stop):
            for lane in range(LANES):
                change = WRITE(state, slots[i], lane, events, values[i], hyper, clock)
                counts[ACTIVATED, lane] += change > 0
                counts[DEACTIVATED, lane] += change < 0


def advance(state, bias, hyper, clock):
    """Advance the running totals past the event; settle every slot where they must be reset."""
    for lane in range(LANES):
        TICK(bias, lane, clock)
        TICK(hyper, lane, clock)
        if DUE(bias, lane) or DUE(hyper, lane):
            SETTLE(state, INTERCEPT, lane, bias, clock + 1)
            for slot in range(FIRST, len(state)):
                SETTLE(state, slot, lane, hyper, clock + 1)
            RESET(bias, lane)
            RESET(hyper, lane)


def learn_one(
    state, bias, hyper, counts, events, loss_hyper,
    slots, values, start, stop, target, importance, intercept, scores, row,
):  # fmt: skip
    """Score one row, then learn it."""
    clock = counts[CLOCK, 0]
    # Python's floats are float64: rows one by one must round as rows of float32 arrays do.
    target = state.dtype.type(target)
    importance = state.dtype.type(importance)
    norm = SCORE_ONE(state, bias, hyper, clock, slots, values, start, stop, intercept, scores, row)
    largest = LARGEST_64 if state.itemsize == 8 else LARGEST_32
    safe = True
    for lane in range(LANES):
        slope = importance * SLOPE_OF(scores[row, lane], target, loss_hyper)
        events[SLOPE, lane] = slope
        # The score is tested too: a kink can turn a NaN score into a finite slope.
        safe &= slope * slope * (norm + 1) < largest and abs(scores[row, lane]) < largest
    if safe and importance != 0:
        WRITE_FEATURES(state, hyper, counts, events, slots, values, start, stop)
        if intercept:
            for lane in range(LANES):
                WRITE(state, INTERCEPT, lane, events, state.dtype.type(1), bias, clock)
        ADVANCE(state, bias, hyper, clock)
        counts[CLOCK, 0] = clock + 1
    elif importance != 0:
        counts[REJECTED, 0] += 1


# The entry points. They take ``hyper`` apart once a call, into the intercept's part and the
# features'.


def score_row(state, hyper, counts, slots, values, size, intercept, scores):
    """The scores of one row; the first lane's is returned."""
    clock = counts[CLOCK, 0]
    SCORE_ONE(state, hyper[0], hyper[1], clock, slots, values, 0, size, intercept, scores, 0)
    return scores[0, 0]


def score_rows(state, hyper, clock, indptr, slots, values, intercept, scores):
    """The scores of many rows."""
    bias, features = hyper[0], hyper[1]
    for row in range(len(indptr) - 1):
        SCORE_ONE(
            state, bias, features, clock,
            slots, values, indptr[row], indptr[row + 1], intercept, scores, row,
        )  # fmt: skip


def learn_row(
    state, hyper, counts, events, loss_hyper,
    slots, values, size, target, importance, intercept, scores,
):  # fmt: skip
    """Learn one row; the first lane's score from before is returned."""
    LEARN_ONE(
        state, hyper[0], hyper[1], counts, events, loss_hyper,
        slots, values, 0, size, target, importance, intercept, scores, 0,
    )  # fmt: skip
    return scores[0, 0]


def learn_rows(
    state, hyper, counts, events, loss_hyper,
    indptr, slots, values, targets, importances, intercept, scores,
):  # fmt: skip
    """Learn rows in order."""
    bias, features = hyper[0], hyper[1]
    for row in range(len(targets)):
        LEARN_ONE(
            state, bias, features, counts, events, loss_hyper,
            slots, values, indptr[row], indptr[row + 1],
            targets[row], importances[row], intercept, scores, row,
        )  # fmt: skip


def read_all(state, hyper, clock, weights):
    """Every slot's effective weights; return how many features are tracked (ever written)."""
    tracked = 0
    bias, features = hyper[0], hyper[1]
    for slot in range(len(state)):
        touched = False
        for column in range(state.shape[1]):
            touched |= state[slot, column] != 0
        for lane in range(LANES):
            weights[slot, lane] = (
                READ(state, slot, lane, features if slot else bias, clock) if touched else 0.0
            )
        tracked += touched and slot >= FIRST
    return tracked


def survey(state, hyper, clock, sums):
    """Per lane: active features, Σ|w|, max |w|, without storing weights; return tracked ones."""
    tracked = 0
    features = hyper[1]
    for lane in range(LANES):
        sums[0, lane] = sums[1, lane] = sums[2, lane] = 0.0
    for slot in range(FIRST, len(state)):
        touched = False
        for column in range(state.shape[1]):
            touched |= state[slot, column] != 0
        if touched:
            tracked += 1
            for lane in range(LANES):
                weight = abs(READ(state, slot, lane, features, clock))
                sums[0, lane] += weight != 0
                sums[1, lane] += weight
                sums[2, lane] = max(sums[2, lane], weight)
    return tracked


def measure(scores, targets, importances, loss_hyper, sums):
    """Add rows to the running sums of `progressive.Progress`: its docstring names the rows."""
    for row in range(len(targets)):
        importance = importances[row]
        target = targets[row]
        # The same bound as for learning: the square of what passes is finite.
        if not (0 < importance < 1e145 and abs(scores[row]) < 1e145 and abs(target) < 1e145):
            continue
        constant = CONSTANT(sums[5] / sums[6])
        sums[0] += importance
        sums[1] += importance * VALUE(scores[row], target, loss_hyper)
        sums[2] += importance * VALUE(constant, target, loss_hyper)
        sums[3] += importance * MEAN(scores[row])
        sums[4] += importance * target
        sums[5] += importance * target
        sums[6] += importance

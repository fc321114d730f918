"""The loops over events and features, written once, as templates.

A template calls ``READ``, ``WRITE``, ``SLOPE_OF`` and so on: names that `specialise.kernels_for`
binds to the functions of one rule with its penalty, one loss, one scale and one selection, for a
fixed number of lanes, before numba compiles the copy.

Arrays, the same for all templates:

* ``state[slot, shared + column·LANES + lane]``: one record per slot. Slot 0 is the intercept; slot
  1 is read for unknown names, always zero and never written.
* ``hyper[which, parameter, lane]``: ``which`` is 0 for the intercept, 1 for features.
* ``counts[CLOCK | REJECTED | ACTIVATED | DEACTIVATED, lane]``: events learned, rows rejected
  because a number was not finite, and changes of activity.
* ``events[row, lane]``: scratch, the numbers of one event (`streamlasso.events`).
* ``ledger[row, lane]``: the lanes' losses and shares, where one is selected (`selection`).
* ``scores[row, lane]``; where a lane is selected, one more column holds what is served.

An event is applied to all its features or to none: whether it is safe is known before the first
write. Adding is in the order of the features, so results do not depend on how rows are chunked.
"""

from typing import Any

from streamlasso.events import CURVATURE, IMPORTANCE, OWN_SPREAD, SLOPE, SPREAD, TARGET, VARIANCE
from streamlasso.selection import LaneRow

__all__ = ["CLOCK", "FIRST", "INTERCEPT", "UNSEEN"]

INTERCEPT, UNSEEN, FIRST = 0, 1, 2
CLOCK, REJECTED, ACTIVATED, DEACTIVATED = range(4)
# Bound of slope²·Σx² and of the score: far enough from overflow to add many such squares.
LARGEST_64, LARGEST_32 = 1e290, 1e30
LARGEST_LOSS = 1e100  # in the ledger, whose sums must stay finite

# How many features ahead a record is prefetched, rows after this one included: far enough for main
# memory to answer (measured: 1.8 times as fast at 2²² slots; 48 to 96 are alike).
AHEAD = 64

# Penalties that are renewed are so after 64, 128, … events.
FIRST_RENEWAL = 64

# What `specialise` binds before compiling.
LANES = 1
OWN = 0  # first column of the rule: those before it may be set without an event
TOUCHED = -1  # the column of the last event's clock, where the index evicts
MULTI = CURVED = SPREADS = GATHERS = RENEWS = SELECTS = COUNTS = False
_UNBOUND: Any = None
READ = WRITE = STEP = REACH = PLANT = SETTLE = TICK = DUE = RESET = GATHER = RENEW = REPAY = (
    _UNBOUND
)
SCALED = OBSERVE = UNIT = SLOPES = SLOPE_OF = CURVATURE_OF = VARIANCE_OF = _UNBOUND
VALUE = MEAN = CONSTANT = PREFETCH = ELECT = _UNBOUND
TRACKED = SCORE_ONE = SPREAD_ONE = WRITE_FEATURES = ADVANCE = TRACK = LEARN_ONE = SURVEY_LANES = (
    _UNBOUND
)

ALL_LOSS, ALL_WEIGHT, ALL_SQUARE = LaneRow.ALL_LOSS, LaneRow.ALL_WEIGHT, LaneRow.ALL_SQUARE
LOSS, WEIGHT, SQUARE = LaneRow.LOSS, LaneRow.WEIGHT, LaneRow.SQUARE
MEMORY, ACTIVE, SHARE = LaneRow.MEMORY, LaneRow.ACTIVE, LaneRow.SHARE


def tracked(state, slot):
    """Whether an event was ever written into a slot."""
    touched = False
    for column in range(OWN, state.shape[1]):
        touched |= state[slot, column] != 0
    return touched


def score_one(
    state, bias, hyper, clock, ledger, slots, values, start, stop, intercept, scores, row
):  # fmt: skip
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
            value = SCALED(state, slots[i], values[i])
            score += READ(state, slots[i], 0, hyper, clock) * value
            norm += values[i] * values[i]
        scores[row, 0] = score
    else:
        for lane in range(LANES):
            scores[row, lane] = READ(state, INTERCEPT, lane, bias, clock) if intercept else norm
        for i in range(start, stop):
            PREFETCH(state, slots[min(i + AHEAD, last)])
            value = SCALED(state, slots[i], values[i])
            for lane in range(LANES):
                scores[row, lane] += READ(state, slots[i], lane, hyper, clock) * value
            norm += values[i] * values[i]
    if SELECTS:
        served = norm * 0
        for lane in range(LANES):
            if ledger[SHARE, lane] != 0:
                served += ledger[SHARE, lane] * scores[row, lane]
        scores[row, LANES] = served
    return norm


def spread_one(state, bias, hyper, clock, slots, values, start, stop, intercept, events):
    """Σ step·value² of one row into ``events[SPREAD]``."""
    for lane in range(LANES):
        events[SPREAD, lane] = STEP(state, INTERCEPT, lane, bias, clock) if intercept else 0
    for i in range(start, stop):
        value = SCALED(state, slots[i], values[i])
        for lane in range(LANES):
            events[SPREAD, lane] += STEP(state, slots[i], lane, hyper, clock) * value * value


def slopes(scores, row, importance, events, loss_hyper):
    """Slope, and curvature and variance where the rule asks for them, of each lane by itself."""
    for lane in range(LANES):
        score, target = scores[row, lane], events[TARGET, lane]
        if MULTI and target != target:  # this one of several targets is missing
            events[SLOPE, lane] = events[CURVATURE, lane] = events[VARIANCE, lane] = 0
            continue
        events[SLOPE, lane] = importance * SLOPE_OF(score, target, loss_hyper)
        if CURVED:
            events[CURVATURE, lane] = importance * CURVATURE_OF(score, target, loss_hyper)
            events[VARIANCE, lane] = importance * VARIANCE_OF(score, target, loss_hyper)


def write_features(state, hyper, counts, events, slots, values, start, stop):
    """Write one event into every feature and lane of its row, counting changes of activity."""
    clock = counts[CLOCK, 0]
    if GATHERS:
        for i in range(start, stop):
            for lane in range(LANES):
                GATHER(state, slots[i], lane, events, values[i], hyper, clock)
    if LANES == 1:
        activated = deactivated = 0
        for i in range(start, stop):
            if SPREADS:
                part = SCALED(state, slots[i], values[i])
                events[OWN_SPREAD, 0] = STEP(state, slots[i], 0, hyper, clock) * part * part
            value = OBSERVE(state, slots[i], values[i], hyper, clock)
            change = WRITE(state, slots[i], 0, events, value, hyper, clock)
            activated += change > 0
            deactivated += change < 0
            if TOUCHED >= 0:
                state[slots[i], TOUCHED] = clock + 1
        counts[ACTIVATED, 0] += activated
        counts[DEACTIVATED, 0] += deactivated
    else:
        for i in range(start, stop):
            if SPREADS:
                part = SCALED(state, slots[i], values[i])
                for lane in range(LANES):
                    step = STEP(state, slots[i], lane, hyper, clock)
                    events[OWN_SPREAD, lane] = step * part * part
            value = OBSERVE(state, slots[i], values[i], hyper, clock)
            for lane in range(LANES):
                change = WRITE(state, slots[i], lane, events, value, hyper, clock)
                counts[ACTIVATED, lane] += change > 0
                counts[DEACTIVATED, lane] += change < 0
            if TOUCHED >= 0:
                state[slots[i], TOUCHED] = clock + 1


def advance(state, bias, hyper, clock, events):
    """Advance the running totals past the event; settle every slot where they must be reset."""
    for lane in range(LANES):
        TICK(bias, lane, clock, events)
        TICK(hyper, lane, clock, events)
        if DUE(bias, lane) or DUE(hyper, lane):
            SETTLE(state, INTERCEPT, lane, bias, clock + 1)
            for slot in range(FIRST, len(state)):
                SETTLE(state, slot, lane, hyper, clock + 1)
            RESET(bias, lane)
            RESET(hyper, lane)
    now = clock + 1
    if RENEWS and now >= FIRST_RENEWAL and now & (now - 1) == 0:
        for slot in range(FIRST, len(state)):
            # How many records beyond the index there are is not the stream's business.
            if TRACKED(state, slot):
                for lane in range(LANES):
                    REPAY(state, slot, lane, hyper, now)
                    # The intercept's hyper-parameters are those without penalties.
                    RENEW(state, slot, lane, READ(state, slot, lane, bias, now), hyper)


def survey_lanes(state, hyper, clock, ledger):
    """Count the active features of each lane, at events whose number is k·2^j with k < 8."""
    now = clock + 1
    odd = now
    while odd % 2 == 0:
        odd //= 2
    if odd < 8:
        for lane in range(LANES):
            active = 0
            for slot in range(FIRST, len(state)):
                active += READ(state, slot, lane, hyper, now) != 0
            ledger[ACTIVE, lane] = active


def track(ledger, scores, row, events, importance, loss_hyper):
    """Add the event's losses to the lanes' sums."""
    for lane in range(LANES):
        loss = min(VALUE(scores[row, lane], events[TARGET, lane], loss_hyper), LARGEST_LOSS)
        memory = ledger[MEMORY, lane]
        ledger[LOSS, lane] = memory * ledger[LOSS, lane] + importance * loss
        ledger[WEIGHT, lane] = memory * ledger[WEIGHT, lane] + importance
        ledger[SQUARE, lane] = memory * ledger[SQUARE, lane] + importance * loss * loss
        ledger[ALL_LOSS, lane] += importance * loss
        ledger[ALL_WEIGHT, lane] += importance
        ledger[ALL_SQUARE, lane] += importance * loss * loss


def learn_one(
    state, bias, hyper, counts, events, ledger, loss_hyper,
    slots, values, start, stop, importance, intercept, scores, row,
):  # fmt: skip
    """Score one row, then learn it; its target is in ``events``."""
    clock = counts[CLOCK, 0]
    # Python's floats are float64: rows one by one must round as rows of float32 arrays do.
    importance = state.dtype.type(importance)
    norm = SCORE_ONE(
        state, bias, hyper, clock, ledger, slots, values, start, stop, intercept, scores, row
    )
    SLOPES(scores, row, importance, events, loss_hyper)
    largest = LARGEST_64 if state.itemsize == 8 else LARGEST_32
    safe = True
    for lane in range(LANES):
        slope = events[SLOPE, lane]
        # The score is tested too: a kink can turn a NaN score into a finite slope.
        safe &= slope * slope * (norm + 1) < largest and abs(scores[row, lane]) < largest
        events[IMPORTANCE, lane] = importance
        if CURVED:
            safe &= events[CURVATURE, lane] * (norm + 1) < largest
    if safe and importance != 0:
        if SELECTS:
            TRACK(ledger, scores, row, events, importance, loss_hyper)
        if SPREADS:
            SPREAD_ONE(
                state, bias, hyper, clock, slots, values, start, stop, intercept, events
            )  # fmt: skip
        WRITE_FEATURES(state, hyper, counts, events, slots, values, start, stop)
        if intercept:
            for lane in range(LANES):
                if SPREADS:
                    events[OWN_SPREAD, lane] = STEP(state, INTERCEPT, lane, bias, clock)
                WRITE(state, INTERCEPT, lane, events, state.dtype.type(1), bias, clock)
        ADVANCE(state, bias, hyper, clock, events)
        if COUNTS:
            SURVEY_LANES(state, hyper, clock, ledger)
        if SELECTS:
            ELECT(ledger)
        counts[CLOCK, 0] = clock + 1
    elif importance != 0:
        counts[REJECTED, 0] += 1


# The entry points. They take ``hyper`` apart once a call, into the intercept's part and the
# features'.


def score_row(state, hyper, counts, ledger, slots, values, size, intercept, scores):
    """The scores of one row; what is served, or the first lane's, is returned."""
    clock = counts[CLOCK, 0]
    SCORE_ONE(
        state, hyper[0], hyper[1], clock, ledger, slots, values, 0, size, intercept, scores, 0
    )
    return scores[0, LANES if SELECTS else 0]


def score_rows(state, hyper, clock, ledger, indptr, slots, values, intercept, scores):
    """The scores of many rows."""
    bias, features = hyper[0], hyper[1]
    for row in range(len(indptr) - 1):
        SCORE_ONE(
            state, bias, features, clock, ledger,
            slots, values, indptr[row], indptr[row + 1], intercept, scores, row,
        )  # fmt: skip


def learn_row(
    state, hyper, counts, events, ledger, loss_hyper,
    slots, values, size, target, importance, intercept, scores,
):  # fmt: skip
    """Learn one row; its score from before, what was served or the first lane's, is returned."""
    for lane in range(LANES):
        events[TARGET, lane] = target
    LEARN_ONE(
        state, hyper[0], hyper[1], counts, events, ledger, loss_hyper,
        slots, values, 0, size, importance, intercept, scores, 0,
    )  # fmt: skip
    return scores[0, LANES if SELECTS else 0]


def learn_rows(
    state, hyper, counts, events, ledger, loss_hyper,
    indptr, slots, values, targets, importances, intercept, scores,
):  # fmt: skip
    """Learn rows in order; ``targets[row, lane]`` if there are several, else ``[row, 0]``."""
    bias, features = hyper[0], hyper[1]
    for row in range(len(targets)):
        for lane in range(LANES):
            events[TARGET, lane] = targets[row, lane if MULTI else 0]
        LEARN_ONE(
            state, bias, features, counts, events, ledger, loss_hyper,
            slots, values, indptr[row], indptr[row + 1],
            importances[row], intercept, scores, row,
        )  # fmt: skip


# What was learned, in the user's units


def read_slots(state, hyper, clock, slots, weights):
    """The effective weights of some slots."""
    for i in range(len(slots)):
        for lane in range(LANES):
            weights[i, lane] = READ(state, slots[i], lane, hyper[1], clock) / UNIT(state, slots[i])


def read_all(state, hyper, clock, weights):
    """Every slot's effective weights; return how many features are tracked (ever written)."""
    tracked = 0
    bias, features = hyper[0], hyper[1]
    for slot in range(len(state)):
        touched = TRACKED(state, slot)
        for lane in range(LANES):
            weights[slot, lane] = 0.0
            if touched:
                weight = READ(state, slot, lane, features if slot else bias, clock)
                weights[slot, lane] = weight / UNIT(state, slot)
        tracked += touched and slot >= FIRST
    return tracked


def survey(state, hyper, clock, sums):
    """Per lane: active features, Σ|w|, max |w|, without storing weights; return tracked ones."""
    tracked = 0
    features = hyper[1]
    for lane in range(LANES):
        sums[0, lane] = sums[1, lane] = sums[2, lane] = 0.0
    for slot in range(FIRST, len(state)):
        if TRACKED(state, slot):
            tracked += 1
            for lane in range(LANES):
                weight = abs(READ(state, slot, lane, features, clock)) / UNIT(state, slot)
                sums[0, lane] += weight != 0
                sums[1, lane] += weight
                sums[2, lane] = max(sums[2, lane], weight)
    return tracked


def reach_row(state, hyper, clock, slots, values, intercept, reaches):
    """Per lane: how far one more event with |slope| ≤ 1 can move the score of a row."""
    for lane in range(LANES):
        one = state.dtype.type(1)
        reaches[lane] = REACH(state, INTERCEPT, lane, one, hyper[0], clock) if intercept else 0
        for i in range(len(slots)):
            value = SCALED(state, slots[i], values[i])
            reaches[lane] += REACH(state, slots[i], lane, value, hyper[1], clock)


def plant_slots(state, hyper, clock, slots, weights, trust):
    """Make the records of some slots read the given weights; slot 0 is the intercept."""
    for i in range(len(slots)):
        slot = slots[i]
        for lane in range(LANES):
            weight = weights[i] * UNIT(state, slot)
            PLANT(state, slot, lane, weight, trust, hyper[1 if slot else 0], clock)


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

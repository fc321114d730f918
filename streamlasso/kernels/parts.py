"""Parts of the loops: scoring one row, and what learning it takes."""

from streamlasso.kernels.names import (
    ABREAST,
    ACTIVATED,
    ACTIVE,
    AHEAD,
    ALL_LOSS,
    ALL_SQUARE,
    ALL_WEIGHT,
    BLOCKS,
    CLOCK,
    CURVATURE,
    CURVATURE_OF,
    CURVED,
    DEACTIVATED,
    DUE,
    ENCODE,
    FINE,
    FIRST,
    FIRST_RENEWAL,
    GATHER,
    GATHERS,
    INTERCEPT,
    LANES,
    LARGEST_LOSS,
    LENGTH,
    LOSS,
    MEMORY,
    MULTI,
    NO_RECORD,
    OBSERVE,
    ON_FLAGS,
    ON_SLOTS,
    OWN,
    OWN_SPREAD,
    PREFETCH,
    READ,
    READY,
    RENEW,
    RENEWS,
    REPAY,
    RESET,
    SCALED,
    SCORE_BLOCKS,
    SCORE_LANES,
    SELECTS,
    SETTLE,
    SHARE,
    SLOPE,
    SLOPE_OF,
    SPREAD,
    SPREADS,
    SQUARE,
    STATUS,
    STEP,
    TARGET,
    TICK,
    TOUCHED,
    TRACKED,
    UNSIGNED,
    VALUE,
    VARIANCE,
    VARIANCE_OF,
    WEIGHT,
    WHOLE,
    WRITE,
    WRITE_BLOCKS,
    WRITE_LANES,
    array_1,
)

__all__ = [
    "advance",
    "row_size",
    "score_one",
    "slopes",
    "spread_one",
    "survey_lanes",
    "track",
    "tracked",
    "write_features",
]


def tracked(state, slot):
    """Whether an event was ever written into a slot."""
    touched = False
    for column in range(OWN, state.shape[1]):
        touched |= state[slot, column] != 0
    return touched


def row_size(desk, event, at):
    """The length of a row in the buffers; below 0, with the status, where it cannot be taken.

    Without an event ``at`` is the length; with the address of one, that of its layout.
    """
    flags, slots = array_1(desk, ON_FLAGS, WHOLE), array_1(desk, ON_SLOTS, UNSIGNED)
    size = ENCODE(event, at) if event else at
    flags[LENGTH] = size
    if size < 0:
        flags[STATUS] = size
        return size
    highest = slots[0] if size else 0
    for i in range(size):
        highest = max(highest, slots[i])
    if highest >= flags[READY]:
        flags[STATUS] = NO_RECORD
        return -1
    flags[STATUS] = FINE
    return size


def score_one(
    state, bias, hyper, clock, ledger, slots, values, start, stop, intercept, scores, row
):  # fmt: skip
    """Write each lane's score of one row into ``scores[row]``; return Σ value²."""
    # A scale may compute in float64 whatever the state holds.
    norm = state.dtype.type(0)
    last = len(slots) - 1
    if BLOCKS:
        norm = SCORE_BLOCKS(
            state, bias, hyper, clock, slots, values, start, stop, intercept, scores, row
        )
    elif ABREAST:
        norm = SCORE_LANES(
            state, bias, hyper, clock, slots, values, start, stop, intercept, scores, row
        )
    elif LANES == 1:
        # A local sum: through ``scores`` each addition would wait for a store (measured: 10 %).
        score = norm
        if intercept:
            score = READ(state, INTERCEPT, 0, bias, clock)
        for i in range(start, stop):
            PREFETCH(state, slots[min(i + AHEAD, last)])
            value = state.dtype.type(SCALED(state, slots[i], values[i]))
            score += READ(state, slots[i], 0, hyper, clock) * value
            norm += values[i] * values[i]
        scores[row, 0] = score
    else:
        for lane in range(LANES):
            scores[row, lane] = READ(state, INTERCEPT, lane, bias, clock) if intercept else norm
        for i in range(start, stop):
            PREFETCH(state, slots[min(i + AHEAD, last)])
            value = state.dtype.type(SCALED(state, slots[i], values[i]))
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
        value = state.dtype.type(SCALED(state, slots[i], values[i]))
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
    if BLOCKS:
        WRITE_BLOCKS(state, hyper, counts, events, slots, values, start, stop)
    elif ABREAST:
        WRITE_LANES(state, hyper, counts, events, slots, values, start, stop)
    elif LANES == 1:
        activated = deactivated = 0
        for i in range(start, stop):
            if SPREADS:
                part = state.dtype.type(SCALED(state, slots[i], values[i]))
                events[OWN_SPREAD, 0] = STEP(state, slots[i], 0, hyper, clock) * part * part
            value = state.dtype.type(OBSERVE(state, slots[i], values[i], hyper, clock))
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
                part = state.dtype.type(SCALED(state, slots[i], values[i]))
                for lane in range(LANES):
                    step = STEP(state, slots[i], lane, hyper, clock)
                    events[OWN_SPREAD, lane] = step * part * part
            value = state.dtype.type(OBSERVE(state, slots[i], values[i], hyper, clock))
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
        loss = VALUE(scores[row, lane], events[TARGET, lane], loss_hyper)
        if not loss < LARGEST_LOSS:  # also of a NaN
            loss = LARGEST_LOSS
        memory = ledger[MEMORY, lane]
        ledger[LOSS, lane] = memory * ledger[LOSS, lane] + importance * loss
        ledger[WEIGHT, lane] = memory * ledger[WEIGHT, lane] + importance
        ledger[SQUARE, lane] = memory * ledger[SQUARE, lane] + importance * loss * loss
        ledger[ALL_LOSS, lane] += importance * loss
        ledger[ALL_WEIGHT, lane] += importance
        ledger[ALL_SQUARE, lane] += importance * loss * loss

"""Learning one row and many. The entry points take ``hyper`` apart once a call, into the
intercept's part and the features'.
"""

import math

from streamlasso.kernels.names import (
    ABREAST,
    ADVANCE,
    ALL_LANES,
    APART,
    CLOCK,
    COUNTS,
    CURVATURE,
    CURVED,
    DOUBLE,
    ELECT,
    HAS_INTERCEPT,
    IMPORTANCE,
    INTERCEPT,
    LANES,
    LARGEST_32,
    LARGEST_64,
    LEARN_ONE,
    MULTI,
    ON_COUNTS,
    ON_EVENTS,
    ON_FLAGS,
    ON_HYPER,
    ON_LEDGER,
    ON_LOSS,
    ON_SCORES,
    ON_SLOTS,
    ON_STATE,
    ON_VALUES,
    OWN_SPREAD,
    REAL,
    REJECTED,
    ROW_SIZE,
    SCORE_ONE,
    SELECTS,
    SLOPE,
    SLOPES,
    SPREAD_ONE,
    SPREADS,
    STEP,
    SURVEY_LANES,
    TARGET,
    TRACK,
    UNSIGNED,
    VARIANCE,
    WHOLE,
    WRITE,
    WRITE_FEATURES,
    array_1,
    array_2,
    array_3,
)

__all__ = ["learn_one", "learn_row", "learn_rows"]


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
    safe = not APART
    for lane in range(LANES):
        slope = events[SLOPE, lane]
        # The score is tested too: a kink can turn a NaN score into a finite slope.
        fine = slope * slope * (norm + 1) < largest and abs(scores[row, lane]) < largest
        events[IMPORTANCE, lane] = importance
        if CURVED:
            fine &= events[CURVATURE, lane] * (norm + 1) < largest
        if not APART:
            safe &= fine
        elif fine and not (MULTI and events[TARGET, lane] != events[TARGET, lane]):
            safe = True
        else:  # one model that ran away, or whose target is missing, stops no other
            events[SLOPE, lane] = events[CURVATURE, lane] = 0
            events[VARIANCE, lane] = events[IMPORTANCE, lane] = 0
    if safe and importance != 0:
        if SELECTS:
            TRACK(ledger, scores, row, events, importance, loss_hyper)
        if SPREADS:
            SPREAD_ONE(
                state, bias, hyper, clock, slots, values, start, stop, intercept, events
            )  # fmt: skip
        WRITE_FEATURES(state, hyper, counts, events, slots, values, start, stop)
        if intercept and ABREAST and not SPREADS:
            WRITE(state, INTERCEPT, ALL_LANES(), events, state.dtype.type(1), bias, clock)
        elif intercept:
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


def learn_row(desk, event, at, target, importance):
    """Learn one row; its score from before, what was served or the first lane's, is returned.

    The row is that of `row_size`; if there is none, NaN, and nothing is done.
    """
    size = ROW_SIZE(desk, event, at)
    if size < 0:
        return DOUBLE(math.nan)
    has_intercept = array_1(desk, ON_FLAGS, WHOLE)[HAS_INTERCEPT] != 0
    hyper, events = array_3(desk, ON_HYPER, REAL), array_2(desk, ON_EVENTS, REAL)
    scores = array_2(desk, ON_SCORES, REAL)
    for lane in range(LANES):
        events[TARGET, lane] = target
    LEARN_ONE(
        array_2(desk, ON_STATE, REAL), hyper[0], hyper[1], array_2(desk, ON_COUNTS, WHOLE), events,
        array_2(desk, ON_LEDGER, DOUBLE), array_1(desk, ON_LOSS, REAL),
        array_1(desk, ON_SLOTS, UNSIGNED), array_1(desk, ON_VALUES, REAL), 0, size, importance,
        has_intercept, scores, 0,
    )  # fmt: skip
    return DOUBLE(scores[0, LANES if SELECTS else 0])


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

"""Scoring one row and many."""

import math

from streamlasso.kernels.names import (
    CLOCK,
    DOUBLE,
    HAS_INTERCEPT,
    LANES,
    ON_COUNTS,
    ON_FLAGS,
    ON_HYPER,
    ON_LEDGER,
    ON_SCORES,
    ON_SLOTS,
    ON_STATE,
    ON_VALUES,
    REAL,
    ROW_SIZE,
    SCORE_ONE,
    SELECTS,
    UNSIGNED,
    WHOLE,
    array_1,
    array_2,
    array_3,
)

__all__ = ["score_row", "score_rows"]


def score_row(desk, event, at):
    """The scores of one row; what is served, or the first lane's, is returned.

    The row is that of `row_size`; if there is none, NaN, and nothing is done.
    """
    size = ROW_SIZE(desk, event, at)
    if size < 0:
        return DOUBLE(math.nan)
    has_intercept = array_1(desk, ON_FLAGS, WHOLE)[HAS_INTERCEPT] != 0
    hyper, scores = array_3(desk, ON_HYPER, REAL), array_2(desk, ON_SCORES, REAL)
    clock = array_2(desk, ON_COUNTS, WHOLE)[CLOCK, 0]
    SCORE_ONE(
        array_2(desk, ON_STATE, REAL), hyper[0], hyper[1], clock, array_2(desk, ON_LEDGER, DOUBLE),
        array_1(desk, ON_SLOTS, UNSIGNED), array_1(desk, ON_VALUES, REAL), 0, size,
        has_intercept, scores, 0,
    )  # fmt: skip
    return DOUBLE(scores[0, LANES if SELECTS else 0])


def score_rows(state, hyper, clock, ledger, indptr, slots, values, intercept, scores):
    """The scores of many rows."""
    bias, features = hyper[0], hyper[1]
    for row in range(len(indptr) - 1):
        SCORE_ONE(
            state, bias, features, clock, ledger,
            slots, values, indptr[row], indptr[row + 1], intercept, scores, row,
        )  # fmt: skip

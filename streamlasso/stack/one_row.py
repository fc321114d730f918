"""Scoring and learning one row, whose arrays are on a learner's desk (`streamlasso.addresses`)."""

import math

from streamlasso.kernels.names import (
    LATE,
    NO_RECORD,
    ON_FLAGS,
    ON_SLOTS,
    ON_VALUES,
    PENDING,
    STATUS,
)
from streamlasso.stack.binding import (
    DOUBLE,
    ON_BINS,
    ON_BOOK,
    ON_GAINS,
    ON_INPUTS,
    ON_KEPT,
    ON_LANES,
    ON_LATE,
    ON_SCORE,
    ON_SCRATCH,
    ON_STATE,
    REAL,
    SERVED,
    UNSIGNED,
    WHOLE,
    array_1,
    array_2,
    row_size,
)
from streamlasso.stack.rows import learn_one, score_one

__all__ = ["held_size", "learn_row", "score_row"]


def held_size(desk, event, at, flags, kept):
    """The length of a row, as `streamlasso.kernels.parts.row_size`, if there is room for it."""
    size = row_size(desk, event, at)
    if size > len(kept):
        flags[STATUS] = NO_RECORD
        return -1
    return size


def score_row(desk, event, at):
    """The served score of one row; what the second layer sees of it is in ``inputs``.

    If there is no row, NaN, and nothing is done.
    """
    kept, inputs = array_2(desk, ON_KEPT, DOUBLE), array_1(desk, ON_INPUTS, DOUBLE)
    size = held_size(desk, event, at, array_1(desk, ON_FLAGS, WHOLE), kept)
    if size < 0:
        return math.nan
    score_one(
        array_2(desk, ON_STATE, REAL), array_2(desk, ON_LANES, DOUBLE),
        array_1(desk, ON_BOOK, DOUBLE), array_2(desk, ON_SCRATCH, DOUBLE), inputs, kept,
        array_1(desk, ON_SLOTS, UNSIGNED), array_1(desk, ON_VALUES, REAL), 0, size,
    )  # fmt: skip
    return inputs[SERVED]


def learn_row(desk, event, at, target, importance):
    """Learn one row; its served score from before is returned, or NaN as by `score_row`."""
    flags, kept = array_1(desk, ON_FLAGS, WHOLE), array_2(desk, ON_KEPT, DOUBLE)
    size = held_size(desk, event, at, flags, kept)
    if size < 0:
        return math.nan
    scores, late = array_2(desk, ON_SCORE, DOUBLE), flags[LATE] != 0
    learn_one(
        array_2(desk, ON_STATE, REAL), array_2(desk, ON_LANES, DOUBLE),
        array_1(desk, ON_BOOK, DOUBLE), array_2(desk, ON_SCRATCH, DOUBLE),
        array_1(desk, ON_LATE if late else ON_INPUTS, DOUBLE), array_1(desk, ON_GAINS, DOUBLE),
        kept, array_1(desk, ON_BINS, DOUBLE), array_1(desk, ON_SLOTS, UNSIGNED),
        array_1(desk, ON_VALUES, REAL), 0, size, target, importance, late, flags[PENDING],
        scores, 0,
    )  # fmt: skip
    return scores[0, 0]

"""Scoring one row and many."""

from streamlasso.kernels.names import (
    CLOCK,
    LANES,
    SCORE_ONE,
    SELECTS,
)

__all__ = ["score_row", "score_rows"]


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

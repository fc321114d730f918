"""The touch limit: the reads and writes of learning without its arithmetic.

A row of n features costs n random reads, then n random reads and writes of whole records: what the
memory alone costs a loop of this form over these slots, columns and dtype; or, with the learner's
own prefetch, a loop that knows its slots ahead. What is left of the arithmetic is one multiply-add
per feature and one addition per column, so that no compiler can drop the accesses, and the
dependence of all a row's writes on all its reads.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy.typing as npt
from numba import njit

from streamlasso.jitting import JIT
from streamlasso.kernels.names import AHEAD
from streamlasso.numerics import prefetch

__all__ = ["touch"]

Array = npt.NDArray[Any]


@cache
def touch(
    columns: int, prefetched: bool = False
) -> Callable[[Array, Array, Array, Array, Array], None]:
    """The loop ``(state, indptr, slots, values, scores)`` for records of so many columns.

    A row's score is Σ column 0 · value; then it is added to every column of the row's slots. Of a
    state of zeros nothing ever changes, so the numbers stay normal however often it runs.
    """

    def touch_rows(state, indptr, slots, values, scores):  # type: ignore[no-untyped-def]
        last = len(slots) - 1
        for row in range(len(scores)):
            score = state.dtype.type(0)
            for i in range(indptr[row], indptr[row + 1]):
                if prefetched:
                    prefetch(state, slots[min(i + AHEAD, last)])
                score += state[slots[i], 0] * values[i]
            scores[row] = score
            for i in range(indptr[row], indptr[row + 1]):
                for column in range(columns):
                    state[slots[i], column] += score

    return njit(**JIT)(touch_rows)  # type: ignore[no-any-return]

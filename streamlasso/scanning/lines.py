"""From a stretch of bytes to the bounds of its lines."""

from functools import cache
from typing import Any

import numpy as np

from streamlasso.memory import load8
from streamlasso.scanning.bits import BLOCK, equal_mask, trailing_zeros
from streamlasso.scanning.compiling import compile_scanner

__all__ = ["split_lines"]

NEWLINE, RETURN = np.uint8(10), np.uint8(13)


def _split(data, start, stop, starts, stops):
    """Write the bounds of whole lines; their number, and where the line after them begins."""
    rows, begin = 0, start
    for at in range(start, stop, BLOCK):
        ends = equal_mask(data, at, NEWLINE)
        while ends != 0:
            end = at + trailing_zeros(ends)
            if end >= stop or rows == len(starts):
                return rows, begin
            starts[rows] = begin
            begin = end + 1
            while end > starts[rows] and load8(data, end - 1) == RETURN:
                end -= 1
            stops[rows] = end
            rows += 1
            ends &= ends - np.uint64(1)
    return rows, begin


@cache
def _compiled() -> Any:
    return compile_scanner(_split)


def split_lines(data: Any, start: int, stop: int, starts: Any, stops: Any) -> tuple[int, int]:
    """The lines of ``data[start:stop]`` that end with a line feed, as many as there is room for.

    Parameters
    ----------
    data
        uint8, with `PADDING` behind ``stop``.
    starts, stops
        int64, as long as each other; filled with the bounds of the lines without line ends (a line
        feed and any number of carriage returns before it).

    Returns
    -------
    How many lines there are, and where the next line begins.
    """
    return _compiled()(data, start, stop, starts, stops)  # type: ignore[no-any-return]

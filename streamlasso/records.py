"""Room for records: zeros that begin where a cache line does.

A record whose size is a multiple of a line, or an even part of one, then lies in as few lines as it
can, and numbers of its lanes are loaded without crossing from one into the next. NumPy promises 16
bytes; a line has 64.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["aligned", "empty_records"]

LINE = 64


def empty_records(rows: int, width: int, dtype: str) -> npt.NDArray[Any]:
    """Zeros, shape (rows, width), that begin at a cache line."""
    size = rows * width * np.dtype(dtype).itemsize
    room = np.zeros(size + LINE, np.uint8)
    begin = -room.ctypes.data % LINE
    return room[begin : begin + size].view(dtype).reshape(rows, width)


def aligned(records: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The records, copied if they do not begin at a cache line."""
    if records.ctypes.data % LINE == 0:
        return records
    rows, width = records.shape
    room = empty_records(rows, width, str(records.dtype))
    room[:] = records
    return room

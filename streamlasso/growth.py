"""Arrays that grow where they are.

A large array lies at the start of a stretch of addresses that is reserved for it, and takes memory
as far as it was written. Growing is then a longer view of the same memory: nothing is copied, old
and new are never both there, shorter views go on to be true, and what is new is zero. Reserved
addresses count for nothing where the system overcommits, as Linux does by default; elsewhere less
is reserved, or nothing, and growing copies.

The system is asked for huge pages, without which records that are read in no order cost a third
more (numpy asks for them too, but not where an array is resized).
"""

import mmap
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["aligned", "extended", "zeros"]

Array = npt.NDArray[Any]

LARGE = 1 << 24
"""Bytes from which on an array has a reservation."""

LINE = 64
"""Bytes of a cache line, at whose start arrays begin: NumPy promises 16, and numbers of all lanes
would be loaded from two lines."""

RESERVATIONS = (64, 8, 2)
"""Times the size of an array that is reserved for it; where that is refused, the next."""

# Named by Python from 3.13 on; Linux has another number only on processors that are rare.
NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)


def zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """``numpy.zeros`` that begin at a cache line, with room to grow if there are many."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    mapping = _reserve(size) if size >= LARGE else None
    if mapping is not None:
        return _view(mapping, shape, dtype)
    room = np.zeros(size + LINE, np.uint8)
    begin = -room.ctypes.data % LINE
    return room[begin : begin + size].view(dtype).reshape(shape)


def aligned(array: Array) -> Array:
    """The array, or a copy that begins at a cache line."""
    if array.ctypes.data % LINE == 0:
        return array
    copy = zeros(array.shape, array.dtype)
    copy[:] = array
    return copy


def extended(array: Array, rows: int) -> Array:
    """The array with more rows, of zeros. It must be the whole of what `zeros` or this gave."""
    shape = (rows, *array.shape[1:])
    size = rows * array.itemsize * int(np.prod(array.shape[1:], dtype=np.int64))
    mapping = _mapping_of(array)
    if mapping is not None and size <= len(mapping):
        return _view(mapping, shape, array.dtype)
    grown = zeros(shape, array.dtype)
    grown[: len(array)] = array
    return grown


def _reserve(size: int) -> mmap.mmap | None:
    if not hasattr(mmap, "MAP_ANONYMOUS"):
        return None
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE
    for times in RESERVATIONS:
        try:
            mapping = mmap.mmap(-1, times * size, flags=flags)
        except (OSError, ValueError, OverflowError):
            continue
        if hasattr(mmap, "MADV_HUGEPAGE"):
            mapping.madvise(mmap.MADV_HUGEPAGE)
        return mapping
    return None


def _view(mapping: mmap.mmap, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    count = int(np.prod(shape, dtype=np.int64))
    # Not ``numpy.ndarray(buffer=…)``: this one holds the mapping while the array lives.
    return np.frombuffer(mapping, dtype, count).reshape(shape)


def _mapping_of(array: Array) -> mmap.mmap | None:
    """The mapping at whose start the array is."""
    flat = array.base if isinstance(array.base, np.ndarray) else array
    mapping = getattr(flat.base, "obj", None)
    if isinstance(mapping, mmap.mmap) and array.ctypes.data == flat.ctypes.data:
        return mapping
    return None

"""Finding a name that comes twice in a record, for compiled functions.

``seen`` is an open-addressed table that is never emptied: an entry holds the upper 40 bits of a key
and the number of the record that it is of, so that those of other records count as free. Two keys
that only look alike make a record that is asked of the library, which is harmless.
"""

from typing import Any

import numpy as np
from numba import njit

from streamlasso.specialise import PART

__all__ = ["LAST_STAMP", "all_new", "new_seen"]

STAMP_BITS = np.uint64((1 << 24) - 1)
LAST_STAMP = (1 << 24) - 1

FEWEST = 64


def new_seen(longest: int) -> Any:
    """A table for records of so many bytes, none of whose names takes less than two."""
    return np.zeros(max(FEWEST, 1 << int(longest).bit_length()), np.uint64)


@njit(forceinline=True, **PART)
def _begin_record(seen, counted, size):
    """The stamp of a new record of so many bytes, and the mask of the places that it uses.

    ``counted[0]`` is the stamp of the record before.
    """
    if counted[0] == LAST_STAMP:
        seen[:] = np.uint64(0)
        counted[0] = 0
    counted[0] += 1
    places = FEWEST
    while places < size:  # few places, so that they stay in the nearest cache
        places *= 2
    return np.uint64(counted[0]), np.uint64(places - 1)


@njit(forceinline=True, **PART)
def all_new(seen, counted, size, keys, begin, end):
    """Whether no two features of a record of so many bytes have the same key."""
    stamp, mask = _begin_record(seen, counted, size)
    for each in range(begin, end):
        place, entry = keys[each] & mask, (keys[each] & ~STAMP_BITS) | stamp
        while (seen[place] & STAMP_BITS) == stamp:
            if seen[place] == entry:
                return False
            place = (place + np.uint64(1)) & mask
        seen[place] = entry
    return True

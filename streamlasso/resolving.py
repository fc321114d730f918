"""From the hashes of many names to their slots, in compiled code without a Python object a name."""

import sys

import numpy as np

from streamlasso import numerics
from streamlasso.kernels import FIRST, UNSEEN
from streamlasso.numerics import prefetch
from streamlasso.table import CELL, U, cell_of, enter, has_room, slot_at, top

__all__ = ["first_seen", "resolve_rows", "shift_keys"]

AHEAD = 12  # names; fewer cost more where the table is large, more gain nothing (measured)

_top = top(sys.modules[__name__], numerics)


@_top
def resolve_rows(
    table, places, arena, counts, keys, checks, names_at, names_size, buffer, others,
    indptr, allocate, slots, first, last, begin,
):  # fmt: skip
    """The slots of the features of these rows, from feature ``begin`` on.

    Returns the feature at which the arrays had no room for a new name, or the end.
    """
    end = np.int64(indptr[last])
    behind = np.int64(len(table) * 8 - CELL)
    for row in range(first, last):
        for j in range(max(np.int64(indptr[row]), begin), indptr[row + 1]):
            if j + AHEAD < end:
                prefetch(table, np.int64((keys[j + AHEAD] << U(4)) & U(behind)) >> 3)
            cell = cell_of(table, keys[j], checks[j])
            slot = slot_at(table, cell)
            if slot == 0:
                slot = UNSEEN
                if allocate[row]:
                    size = np.int64(names_size[j])
                    if not has_room(table, places, arena, counts, size):
                        return j
                    at = names_at[j]
                    if at >= 0:
                        slot = enter(table, places, arena, counts, cell, keys[j], checks[j],
                                      buffer, at, size, 0)  # fmt: skip
                    else:
                        slot = enter(table, places, arena, counts, cell, keys[j], checks[j],
                                      others, ~at, size, 0)  # fmt: skip
            slots[j] = slot
    return end


@_top
def shift_keys(keys, slots, shift, start, stop):
    """The slots of a hashing index: the upper bits of the keys, without 0 and 1."""
    for j in range(start, stop):
        slot = keys[j] >> shift
        slots[j] = slot + U(FIRST) if slot < U(FIRST) else slot


@_top
def first_seen(seen, indptr, slots, allocate, first, last, found):
    """Find the features in rows to be learned whose slot was not seen; returns how many.

    ``seen`` has a bit for each slot.
    """
    count = 0
    for row in range(first, last):
        if allocate[row]:
            for j in range(indptr[row], indptr[row + 1]):
                bit = np.uint8(1) << np.uint8(slots[j] & 7)
                if not seen[slots[j] >> 3] & bit:
                    seen[slots[j] >> 3] |= bit
                    found[count] = j
                    count += 1
    return count

"""From the hashes of many names to their slots, for compiled code: no Python object a name."""

import numpy as np

from streamlasso.kernels import FIRST, UNSEEN
from streamlasso.numerics import prefetch
from streamlasso.table import AHEAD, CELL, HEAD, U, append, cell_of, enter, has_room, slot_at

__all__ = ["note_rows", "resolve_rows", "shift_keys"]


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


def shift_keys(keys, slots, shift, start, stop):
    """The slots of a hashing index: the upper bits of the keys, without 0 and 1."""
    for j in range(start, stop):
        slot = keys[j] >> shift
        slots[j] = slot + U(FIRST) if slot < U(FIRST) else slot


def note_rows(
    seen, places, arena, used, names_at, names_size, buffer, others,
    indptr, allocate, slots, first, last, begin,
):  # fmt: skip
    """Keep the names of slots that have none, in rows to be learned, from feature ``begin`` on.

    ``seen`` has a bit for each slot, set where it has a name: small enough to stay in the cache.
    Returns the feature whose name the arena has no room for, or the end.
    """
    for row in range(first, last):
        if allocate[row]:
            for j in range(max(np.int64(indptr[row]), begin), indptr[row + 1]):
                bit = np.uint8(1) << np.uint8(slots[j] & 7)
                if not seen[slots[j] >> 3] & bit:
                    size = np.int64(names_size[j])
                    if used[0] + size + HEAD > len(arena):
                        return j
                    at = names_at[j]
                    if at >= 0:
                        place = append(arena, used, 0, buffer, at, size, 0)
                    else:
                        place = append(arena, used, 0, others, ~at, size, 0)
                    places[slots[j]] = place + 1
                    seen[slots[j] >> 3] |= bit
    return np.int64(indptr[last])

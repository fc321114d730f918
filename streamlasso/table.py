"""The arrays of a growing index, and the functions that search and extend them when compiled.

``table`` (uint64) has two words for each cell: the key, which is the name's `hash64`, and
``check·2³² + slot``; a cell with slot 0 is empty. A name's cell is the first from ``key mod cells``
on that has its key and check (linear probing, at most three quarters full; a removed name's cell is
filled from behind, so that no marks are left). ``arena`` (uint8) has the names, each behind a
number of 7 bits a byte, ``2·size + other``: other is 1 for names that are no str, which stand there
by their ``repr`` and are hashed with seed 1. ``places`` (int64) says of each slot from 2 on where
its name is in the arena, plus 1; 0 where it has none. ``counts`` (int64) is below.

Names are compared by 96 bits, not byte by byte: one cache line a name is read, not two. Among ten
million names two are taken for one with probability 6·10⁻¹⁶ (N²/2⁹⁷). Comparing the bytes would
cost 3.4 ns a feature among 10⁴ names and 5–7 ns among 10⁷, a third to a half more (measured).
"""

import numpy as np
from numba import njit

from streamlasso.hashing import hash64, hash_both
from streamlasso.kernels import FIRST, UNSEEN
from streamlasso.memory import copy_bytes, load8, load64, store8, store64
from streamlasso.numerics import prefetch
from streamlasso.specialise import PART

__all__ = [
    "AHEAD",
    "CELL",
    "COUNTS",
    "FILLED",
    "HEAD",
    "NAMES",
    "USED",
    "WASTED",
    "U",
    "append",
    "cell_of",
    "claim_name",
    "drop_name",
    "enter",
    "enter_all",
    "find_name",
    "has_room",
    "packed",
    "place_name",
    "slot_at",
    "spread",
]

NAMES, FILLED, USED, WASTED = range(4)
"""``counts``: slots given, freed ones included; cells that are not empty; bytes used in the arena;
of these the bytes of names that are gone."""
COUNTS = 4

CELL = 16  # bytes
HEAD = 10  # bytes that the head of a name takes at most
AHEAD = 24  # names; among 10⁷ 12 take a tenth more and 4 six times as long (measured)

U = np.uint64
LOW = np.uint64(0xFFFFFFFF)


@njit(**PART)
def cell_of(table, key, check):
    """The first byte of the name's cell, or of the empty one where it would be."""
    last = np.int64(len(table) * 8 - CELL)
    at = np.int64((key << U(4)) & U(last))
    while True:
        word = load64(table, at + 8)
        if word == 0 or (load64(table, at) == key and word >> U(32) == U(check)):
            return at
        at = (at + CELL) & last


@njit(**PART)
def slot_at(table, at):
    """The slot in a cell; 0 of an empty one."""
    return np.int64(load64(table, at + 8) & LOW)


@njit(**PART)
def _fill(table, at, key, check, slot):
    store64(table, at, key)
    store64(table, at + 8, (U(check) << U(32)) | U(slot))


@njit(**PART)
def _empty(table, at):
    """Empty a cell, and move up those behind that are away from home."""
    last = np.int64(len(table) * 8 - CELL)
    hole = at
    while True:
        at = (at + CELL) & last
        word = load64(table, at + 8)
        if word == 0:
            break
        key = load64(table, at)
        home = np.int64((key << U(4)) & U(last))
        if (at - home) & last >= (at - hole) & last:
            store64(table, hole, key)
            store64(table, hole + 8, word)
            hole = at
    store64(table, hole + 8, U(0))


@njit(**PART)
def has_room(table, places, arena, counts, size):
    """Whether one more name of so many bytes fits in."""
    cells = np.int64(len(table) // 2)
    fits = counts[NAMES] < len(places) and counts[USED] + size + HEAD <= len(arena)
    return fits and 4 * (counts[FILLED] + 1) <= 3 * cells


@njit(**PART)
def append(arena, counts, used, data, start, size, other):
    """Write a name behind the others in the arena, ``counts[used]`` bytes; where it is."""
    place = counts[used]
    head = U(2 * size + other)
    at = place
    while head >= 128:
        store8(arena, at, np.uint8(head & U(127)) | np.uint8(128))
        head >>= U(7)
        at += 1
    store8(arena, at, np.uint8(head))
    copy_bytes(arena, at + 1, data, start, size)
    counts[used] = at + 1 + size
    return place


@njit(**PART)
def _head(arena, place):
    """Where a name begins, its size, and whether it is no str."""
    head = U(0)
    turn = U(0)
    at = place
    while True:
        byte = U(load8(arena, at))
        at += 1
        head |= (byte & U(127)) << turn
        turn += U(7)
        if byte < 128:
            return at, np.int64(head >> U(1)), np.int64(head & U(1))


@njit(**PART)
def enter(table, places, arena, counts, cell, key, check, data, start, size, other):
    """Give a name that has none the next slot, and its cell."""
    slot = counts[NAMES] + FIRST
    places[counts[NAMES]] = 1 + append(arena, counts, USED, data, start, size, other)
    counts[NAMES] += 1
    counts[FILLED] += 1
    _fill(table, cell, key, check, slot)
    return slot


def find_name(table, data, size, other):
    """The slot of the name in the first bytes of ``data``, or 1."""
    key, check = hash_both(data, 0, size, U(other))
    slot = slot_at(table, cell_of(table, key, check))
    return slot if slot else UNSEEN


def claim_name(table, places, arena, counts, data, size, other):
    """Its slot, the next one if it has none; 0 where the arrays have no room."""
    key, check = hash_both(data, 0, size, U(other))
    cell = cell_of(table, key, check)
    slot = slot_at(table, cell)
    if slot:
        return slot
    if not has_room(table, places, arena, counts, size):
        return 0
    return enter(table, places, arena, counts, cell, key, check, data, 0, size, other)


def place_name(table, places, arena, counts, data, size, other, slot):
    """Give a name that has none this slot, which was freed; 0 where there is no room."""
    if not has_room(table, places, arena, counts, size):
        return 0
    key, check = hash_both(data, 0, size, U(other))
    places[slot - FIRST] = 1 + append(arena, counts, USED, data, 0, size, other)
    counts[FILLED] += 1
    _fill(table, cell_of(table, key, check), key, check, slot)
    return slot


def drop_name(table, places, arena, counts, slot):
    """Take the name from a slot that has one."""
    place = places[slot - FIRST] - 1
    start, size, other = _head(arena, place)
    key, check = hash_both(arena, start, start + size, U(other))
    _empty(table, cell_of(table, key, check))
    places[slot - FIRST] = 0
    counts[FILLED] -= 1
    counts[WASTED] += start + size - place


def spread(table, cells, first):
    """Make a table that had so many cells, and was extended to twice as many, right again.

    Each name moves by itself: from its cell to the first empty one from its new home on, cluster by
    cluster from behind an empty cell. The names before that cell are the end of a cluster that ran
    over the end of the table; their cells must be empty when names run over the new end. Meanwhile
    they are in ``first`` (uint64), which has two words for each.
    """
    stop = np.int64(0)
    while load64(table, CELL * stop + 8) != 0:
        stop += 1
    for i in range(2 * stop):
        first[i] = load64(table, 8 * np.int64(i))
        store64(table, 8 * np.int64(i), U(0))
    for i in range(stop, cells):
        at = CELL * np.int64(i)
        word = load64(table, at + 8)
        if word != 0:
            key = load64(table, at)
            store64(table, at + 8, U(0))
            _fill(table, cell_of(table, key, word >> U(32)), key, word >> U(32), word & LOW)
    for i in range(stop):
        key, word = first[2 * i], first[2 * i + 1]
        _fill(table, cell_of(table, key, word >> U(32)), key, word >> U(32), word & LOW)


@njit(**PART)
def _nearing(table, arena, at, stop):
    """Begin to load the cell of the name at a place; where the next one is."""
    if at >= stop:
        return at
    start, size, other = _head(arena, at)
    key = hash64(arena, start, start + size, U(other))
    prefetch(table, np.int64((key << U(4)) & U(len(table) * 8 - CELL)) >> 3)
    return start + size


def enter_all(table, places, arena, counts, slots, stop):
    """Fill table and places from an arena with one name after the other up to byte ``stop``.

    ``slots`` are theirs, ascending; if there are none, 2, 3, … It goes on from where it was, and
    returns whether it came to the end: otherwise table or places had no room.
    """
    ahead = counts[USED]
    for _ in range(AHEAD):
        ahead = _nearing(table, arena, ahead, stop)
    while counts[USED] < stop:
        ahead = _nearing(table, arena, ahead, stop)
        i = counts[FILLED]
        slot = np.int64(slots[i]) if len(slots) else i + FIRST
        if slot - FIRST >= len(places) or 8 * (i + 1) > 3 * len(table):
            return False
        start, size, other = _head(arena, counts[USED])
        key, check = hash_both(arena, start, start + size, U(other))
        _fill(table, cell_of(table, key, check), key, check, slot)
        places[slot - FIRST] = counts[USED] + 1
        counts[NAMES] = slot - FIRST + 1
        counts[FILLED] = i + 1
        counts[USED] = start + size
    return True


def packed(places, arena, counts, out):
    """Copy the names to ``out``, in the order of their slots and without gaps; the bytes taken."""
    to = np.int64(0)
    for i in range(counts[NAMES]):
        if places[i]:
            place = places[i] - 1
            start, size, _ = _head(arena, place)
            whole = start + size - place
            copy_bytes(out, to, arena, place, whole)
            to += whole
    return to

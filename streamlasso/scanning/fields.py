"""The fields that were seen, in arrays: what their keys mean, and which one follows which.

A field is a row of ``fields``; ``texts`` holds its key, and its feature's name with ``=`` behind
it; ``heads`` is an open-addressed table of rows, −1 where free. Keys of flat events repeat in the
same order, so a key is first compared with the one that followed the one before it the last time:
then there is nothing to hash. ``STAMP`` is the number of the last record that had the field, which
finds repeated keys. Rows 0 and 1 are no fields but what comes before the first key of an event and
of its nested features.
"""

import numpy as np
from numba import njit

from streamlasso.hashing import hash_both
from streamlasso.memory import store8
from streamlasso.scanning.text import copy_text, same_text
from streamlasso.specialise import PART

__all__ = ["COLUMNS", "KINDS", "field_of", "insert_field"]

(LEVEL, KIND, KEY_AT, KEY_SIZE, KEY_HASH, NAME_AT, NAME_SIZE, NAME_HASH, NAME_CHECK, NEXT, STAMP,
 GROUP) = range(12)  # fmt: skip
COLUMNS = 16
"""128 bytes, two cache lines."""

AUTO, CATEGORICAL, NUMERIC, LOG1P, UNPLANNED, IGNORE, ID, TARGET, IMPORTANCE, NESTED = range(10)
"""The first four are features."""

KINDS = {"auto": AUTO, "ignore": IGNORE, "categorical": CATEGORICAL, "numeric": NUMERIC,
         "log1p": LOG1P}  # fmt: skip

COUNT, TEXTS, DEFAULT = range(3)
"""Of ``held``: how many rows and how many bytes of texts are in use; the kind of new fields."""

NO_ROOM = -1
LONGEST_KEY = 255
SEED = np.uint64(0)
EQUALS = np.uint8(ord("="))


@njit(forceinline=True, **PART)
def insert_field(data, at, size, level, table, hashes):
    """A new row for a key, which is not in the table; its place in ``heads`` is the caller's."""
    fields, _, texts, held = table
    row, key_at = held[COUNT], held[TEXTS]
    if row == len(fields) or key_at + size + 64 > len(texts):
        return NO_ROOM
    end = copy_text(texts, key_at, data, at, size)
    store8(texts, end, EQUALS)
    held[COUNT], held[TEXTS] = row + 1, end + 1
    fields[row, LEVEL], fields[row, KIND] = level, held[DEFAULT]
    fields[row, KEY_AT], fields[row, KEY_SIZE] = key_at, size
    fields[row, NAME_AT], fields[row, NAME_SIZE] = key_at, size
    fields[row, KEY_HASH] = fields[row, NAME_HASH] = np.int64(hashes[0])
    fields[row, NAME_CHECK] = np.int64(hashes[1])
    fields[row, NEXT], fields[row, STAMP], fields[row, GROUP] = 0, 0, row
    return row


@njit(forceinline=True, **PART)
def field_of(data, at, size, level, table):
    """The row of a key, a new one if need be, or `NO_ROOM`."""
    fields, heads, texts, _ = table
    hashes = hash_both(data, at, at + size, SEED)
    last = len(heads) - 1
    place = np.int64(hashes[0] >> np.uint64(20)) + level & last
    while heads[place] >= 0:
        row = heads[place]
        if (
            fields[row, KEY_HASH] == np.int64(hashes[0])
            and fields[row, LEVEL] == level
            and fields[row, KEY_SIZE] == size
            and same_text(data, at, texts, fields[row, KEY_AT], size)
        ):
            return np.int64(row)
        place = place + 1 & last
    row = insert_field(data, at, size, level, table, hashes)
    if row >= 0:
        heads[place] = row
    return row

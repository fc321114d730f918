"""Events with strings, read by compiled code: a dict to a row in one call.

As `streamlasso.objects`, for dicts whose values are texts, numbers and None, in any mixture. A text
is the feature ``name=value``: its UTF-8 is written behind that of ``name=``, hashed, and the hash
looked up in the arrays of the index, which get the names that are new and to be learned.

What was found for a field is kept beside its bytes, and a text that is the same again, byte by
byte, is not hashed again: an event that is predicted and then learned, or a category that stays.
"""

from functools import cache
from typing import Any

import numpy as np
from numba import njit, types

from streamlasso import addresses, hashing, jitting, memory, numerics, objects, table
from streamlasso.addresses import array_1, array_2
from streamlasso.hashing import hash_both
from streamlasso.jitting import PART, compile_top, digest_of
from streamlasso.kernels import FIRST, UNSEEN
from streamlasso.memory import copy_bytes, load8, load32, load64
from streamlasso.numerics import prefetch
from streamlasso.objects import (
    FOUND,
    NOT_SIMPLE,
    ROW_SLOTS,
    ROW_VALUES,
    SINGLE,
    SLOTS,
    STR,
    TYPE,
    clear,
    half,
    number_of,
    put_double,
    put_half,
    put_single,
    put_word,
    values_of,
    word,
)
from streamlasso.table import CELL, cell_of, enter, has_room, slot_at

__all__ = ["COLUMNS", "NO_ROOM", "NO_SLOT", "ROOM", "encode_texts"]

U = np.uint64

NO_ROOM, NO_SLOT = -3, -4
"""What the compiled code returns besides what `streamlasso.objects` names: the index must grow, by
a name of ``NEEDED`` bytes; a number's name was not met yet."""

# Words behind those of `streamlasso.objects.Layout`. Four each: arrays, as the lines of a desk.
TEXT, FIELDS, DATA = objects.WORDS, objects.WORDS + 4, objects.WORDS + 8
NAMES, SHIFT, SELECTIVE, NONE, NEEDED = range(objects.WORDS + 12, objects.WORDS + 17)
WORDS = objects.WORDS + 17

START, PREFIX, SIZE, KEY, CHECK, SLOT, PLACE = range(7)
"""Of a field: where in the data its name begins; the size of ``name=``, or −1 where only Python can
make the name; size of the text behind it, −1 for none yet; hashes and slot, 0 for none, of the
whole; its place in the row, −1 where it is no text now."""
COLUMNS = 8

ROOM = 256
"""Bytes for the text of a field; Python takes longer ones."""

WHOLE, BYTE = np.int64, np.uint8

utf8_of = types.ExternalFunction("PyUnicode_AsUTF8AndSize", types.int64(types.int64, types.int64))


@njit(**PART)
def _same(data, start, text, size):
    """Whether the text stands in the data."""
    at = np.int64(0)
    while at + 8 <= size:
        if load64(data, start + at) != load64(text, at):
            return False
        at += 8
    if at + 4 <= size:
        if load32(data, start + at) != load32(text, at):
            return False
        at += 4
    while at < size:
        if load8(data, start + at) != load8(text, at):
            return False
        at += 1
    return True


@njit(**PART)
def _read_text(table, field, data, value):
    """Have the text of a field in the data, with its hashes and its slot if that is known."""
    text_at = table + 8 * TEXT
    address = utf8_of(value, text_at + 8)
    if address == 0:
        clear()  # half of a surrogate pair
        return False
    put_word(text_at, address)
    text, size = array_1(text_at, 0, BYTE), word(text_at + 8)
    begin = field[START] + field[PREFIX]
    if size == field[SIZE] and _same(data, begin, text, size):
        return True
    if size > ROOM or field[PREFIX] < 0:
        return False
    copy_bytes(data, begin, text, np.int64(0), size)
    key, check = hash_both(data, field[START], begin + size, U(0))
    field[SIZE], field[KEY], field[CHECK], field[SLOT] = size, np.int64(key), check, 0
    shift = word(table + 8 * SHIFT)
    if shift:
        slot = np.int64(key >> U(shift))
        field[SLOT] = slot if slot >= FIRST else slot + FIRST
    else:
        names = array_1(word(table + 8 * NAMES), 0, U)
        prefetch(names, np.int64((key << U(4)) & U(len(names) * 8 - CELL)) >> 3)
    return True


@njit(**PART)
def _put(table, at, number):
    """Write a value of the row."""
    values = word(table + 8 * ROW_VALUES)
    if word(table + 8 * SINGLE):
        put_single(values + 4 * at, np.float32(number))
    else:
        put_double(values + 8 * at, number)


@njit(**PART)
def _read(table, fields, data, count):
    """Write the values of the row, and the slots of its numbers; its length."""
    found, slots = word(table + 8 * FOUND), word(table + 8 * SLOTS)
    row = word(table + 8 * ROW_SLOTS)
    at = 0
    for i in range(count):
        value = word(found + 8 * i)
        fields[i, PLACE] = -1
        if value == word(table + 8 * NONE):
            continue
        if word(value + TYPE) == word(table + 8 * STR):
            if not _read_text(table, fields[i], data, value):
                return NOT_SIMPLE
            fields[i, PLACE] = at
            number = 1.0
        else:
            number, slot = number_of(value, table), half(slots + 4 * i)
            if number != number:
                return NOT_SIMPLE
            if slot == 0:
                return NO_SLOT
            put_half(row + 4 * at, slot)
        _put(table, at, number)
        at += 1
    return at


@njit(**PART)
def _find(table, fields, count):
    """Write the slots of the texts; how many have none."""
    names, row = array_1(word(table + 8 * NAMES), 0, U), word(table + 8 * ROW_SLOTS)
    unknown = 0
    for i in range(count):
        field = fields[i]
        if field[PLACE] >= 0:
            slot = field[SLOT]
            if slot == 0:
                slot = slot_at(names, cell_of(names, U(field[KEY]), field[CHECK]))
                field[SLOT] = slot
                unknown += slot == 0
            put_half(row + 4 * field[PLACE], np.uint32(slot if slot else UNSEEN))
    return unknown


@njit(**PART)
def _add(table, fields, data, count):
    """Give slots to the texts that have none, in their order; whether there was room."""
    lines, row = word(table + 8 * NAMES), word(table + 8 * ROW_SLOTS)
    names, places = array_1(lines, 0, U), array_1(lines, 1, WHOLE)
    arena, counts = array_1(lines, 2, BYTE), array_1(lines, 3, WHOLE)
    for i in range(count):
        field = fields[i]
        if field[PLACE] < 0 or field[SLOT] != 0:
            continue
        key, check = U(field[KEY]), np.uint32(field[CHECK])
        cell = cell_of(names, key, check)
        slot = slot_at(names, cell)  # of a name that is twice in the event
        if slot == 0:
            size = field[PREFIX] + field[SIZE]
            if not has_room(names, places, arena, counts, size):
                put_word(table + 8 * NEEDED, size)
                return False
            slot = enter(names, places, arena, counts, cell, key, check,
                         data, field[START], size, 0)  # fmt: skip
        field[SLOT] = slot
        put_half(row + 4 * field[PLACE], np.uint32(slot))
    return True


def _encode_texts(event, table, allocate):
    count = values_of(event, table)
    fields, data = array_2(table + 8 * FIELDS, 0, WHOLE), array_1(table + 8 * DATA, 0, BYTE)
    size = _read(table, fields, data, count) if count >= 0 else count
    if size >= 0 and _find(table, fields, count) and allocate:
        if word(table + 8 * SELECTIVE):
            return NOT_SIMPLE  # the index decides on each name
        if not _add(table, fields, data, count):
            return NO_ROOM
    return size


@cache
def encode_texts() -> Any:
    """The compiled function of a dict's address, its layout's table and whether names are added.

    It returns the length of the row, or why there is none, and then nothing was added but, with
    `NO_ROOM`, the first of the new names.
    """
    modules = (addresses, hashing, jitting, memory, numerics, objects, table)
    files = [__file__, *(str(module.__file__) for module in modules)]
    _encode_texts.__qualname__ = f"encode_texts_{digest_of(files)}"
    return compile_top(_encode_texts, nogil=False)

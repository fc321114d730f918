"""The parts of the JSON scanner: where quotes are, which field a key is, what a feature is."""

import math

import numpy as np
from numba import njit

from streamlasso.scanning.bits import BLOCK, below_mask, equal_mask, ones, trailing_zeros
from streamlasso.scanning.decimals import text_number
from streamlasso.scanning.fields import (
    CATEGORICAL,
    GROUP,
    KEY_AT,
    KEY_SIZE,
    KIND,
    LOG1P,
    LONGEST_KEY,
    NAME_AT,
    NAME_CHECK,
    NAME_HASH,
    NAME_SIZE,
    NEXT,
    STAMP,
    field_of,
)
from streamlasso.scanning.scanned import ASK
from streamlasso.scanning.shapes import FLAG, QUOTE, TEXT, canonical
from streamlasso.scanning.text import copy_text, plain_text, same_text
from streamlasso.specialise import PART

__all__ = ["PLAN", "ROOM", "find_quotes", "key_field", "write_feature"]

BACKSLASH, BLANK = np.uint8(ord("\\")), np.uint8(0x20)

PLAN, ROOM = 3, 4
"""What stops a scan at a record: fields to be planned; no room for another field."""

U = np.uint64
"""Also of places in arrays where it counts: of a signed number it is asked whether it is < 0."""


@njit(forceinline=True, **PART)
def find_quotes(data, start, stop, quotes):
    """Where quotes are; how many, −1 if the record cannot be simple."""
    count, others = 0, U(0)
    for at in range(start, stop, BLOCK):
        found = equal_mask(data, at, QUOTE)
        other = below_mask(data, at, BLANK) | equal_mask(data, at, BACKSLASH)
        if stop - at < BLOCK:
            inside = (U(1) << U(stop - at)) - U(1)
            found, other = found & inside, other & inside
        others |= other
        place = count
        count += ones(found)
        while found != 0:  # several at a time, the last ones of no use: fewer turns to guess
            for each in range(place, place + 8):
                quotes[U(each)] = at + trailing_zeros(found)
                found &= found - U(1)
            place += 8
    if count & 1:
        return -1
    if others != 0:
        for each in range(0, count, 2):
            if not plain_text(data, quotes[each] + 1, quotes[each + 1]):
                return -1
    return count


@njit(forceinline=True, **PART)
def key_field(data, at, size, before, level, stamp, table):
    """The field of a key; below 0 what becomes of a record where it is repeated or has no room."""
    fields, texts = table[0], table[2]
    field = U(fields[U(before), NEXT])
    if fields[field, KEY_SIZE] != size or not same_text(
        data, at, texts, fields[field, KEY_AT], size
    ):
        if size > LONGEST_KEY:
            return -ASK
        found = field_of(data, at, size, level, table)
        if found < 0:
            return -ROOM
        field = U(found)
        fields[U(before), NEXT] = found
    group = U(fields[field, GROUP])
    if fields[group, STAMP] == stamp:
        return -ASK
    fields[group, STAMP] = stamp
    return np.int64(field)


@njit(**PART)
def _number_in_text(data, at):
    """As `text_number`; called, since it is rare."""
    return text_number(data, at)


@njit(forceinline=True, **PART)
def write_feature(data, key, at, end, shape, number, row, table, features, count, used):
    """Write a feature of a present value; the arena in use after it, −1 if not simple."""
    fields, texts = table[0], table[2]
    keys, checks, names_at, names_size, values, arena = features
    row, count = U(row), U(count)
    kind, name_at, name_size = fields[row, KIND], fields[row, NAME_AT], fields[row, NAME_SIZE]
    if shape == TEXT and kind > CATEGORICAL:
        number, stop = _number_in_text(data, at + 1)
        if stop != end - 1:
            return -1
    elif shape == TEXT or kind == CATEGORICAL:
        text, stop = at, end
        if shape == TEXT:
            text, stop = at + 1, end - 1
        elif shape != FLAG and not canonical(data, at, end):
            return -1
        begin = used
        used = copy_text(arena, used, texts, name_at, name_size + 1)
        used = copy_text(arena, used, data, text, stop - text)
        names_at[count], names_size[count], values[count] = ~begin, used - begin, 1.0
        return used
    if kind == LOG1P:
        number = math.copysign(math.log1p(abs(number)), number)
    names_at[count], names_size[count], values[count] = key, name_size, number
    keys[count], checks[count] = U(fields[row, NAME_HASH]), fields[row, NAME_CHECK]
    if name_at != fields[row, KEY_AT]:
        names_at[count] = ~used
        used = copy_text(arena, used, texts, name_at, name_size)
    return used

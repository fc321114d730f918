"""The scanner of CSV: cells by their columns, quoted ones where the quotes hold nothing special."""

import math

import numpy as np
from numba import njit

from streamlasso.memory import load8, load64
from streamlasso.scanning.bits import BLOCK, below_mask, equal_mask, trailing_zeros
from streamlasso.scanning.decimals import text_number
from streamlasso.scanning.fields import (
    CATEGORICAL,
    ID,
    IGNORE,
    IMPORTANCE,
    LOG1P,
    NESTED,
    NUMERIC,
    TARGET,
    UNPLANNED,
)
from streamlasso.scanning.naming import hash_names
from streamlasso.scanning.scanned import ASK, NOTHING, TAKEN
from streamlasso.scanning.shapes import NUMBER, TEXT, digits_only
from streamlasso.scanning.targets import importance_of, target_of
from streamlasso.scanning.text import copy_text, is_blank, valid_text
from streamlasso.specialise import PART

__all__ = [
    "COLUMNS",
    "IS_NUMERIC",
    "KIND",
    "NAME_AT",
    "NAME_SIZE",
    "PLAN",
    "scan_csv",
]

QUOTE, RETURN, FEED, ZERO_BYTE = (np.uint8(ord(each)) for each in '"\r\n\0')
MINUS, ZERO = (ord(each) for each in "-0")

KIND, IS_NUMERIC, NAME_AT, NAME_SIZE, COLUMNS = range(5)
"""Of each column: its kind, whether its cells are numbers, where in the arena its feature's name
is (an equals sign stands behind it)."""

MOST_BYTES, MOST_FEATURES, OVERHEAD = range(3)
"""Of ``limits``; the last one is what the names of the columns and numbers take in JSON."""

WIDEST = 6
LONGEST_CELL = 100_000
"""Python's csv refuses cells of more than 131,072 characters."""

ROOM, PLAN = 3, 4
"""What stops a scan at a record: no room for its names; a column to be planned."""

BARE, OPENED, CLOSED = range(3)
"""Quotes of a cell."""

LONGEST_WHOLE = 15
LARGEST_MISSING = 4

U = np.uint64


def _word(text):
    return int.from_bytes(text.encode(), "little") | len(text) << 56


MISSING = np.array([_word(text) for text in ("NA", "N/A", "NaN", "nan", "null", "None")], U)


@njit(forceinline=True, **PART)
def _is_missing(data, at, size):
    if size > LARGEST_MISSING:
        return False
    if size == 0:
        return True
    word = (load64(data, at) << U(64 - 8 * size)) >> U(64 - 8 * size) | (U(size) << U(56))
    found = False
    for each in MISSING:
        found |= word == each
    return found


@njit(forceinline=True, **PART)
def _is_canonical(data, at, stop):
    """Whether this is an int below 2^53 as Python writes it."""
    minus = load8(data, at) == MINUS
    at += minus
    zero = load8(data, at) == ZERO
    if not 1 <= stop - at <= LONGEST_WHOLE or (zero and (minus or stop - at > 1)):
        return False
    return digits_only(data, at, stop)


@njit(forceinline=True, **PART)
def _special(kind, shape, number, data, at, end, row, rules, positive, results):
    """Write a record's id, target or importance; whether it is simple."""
    targets, importances, ids_at, ids_size = results
    simple = True
    if kind == ID:
        ids_at[row], ids_size[row] = at, end - at
    elif kind == TARGET:
        targets[row], simple = target_of(shape, number, data, at, end, rules, positive)
    else:
        importances[row], simple = importance_of(shape, number)
    return simple


@njit(forceinline=True, **PART)
def _feature(data, at, end, shape, number, columns, column, features, count, used):
    """Write a feature; the arena in use after it, −1 if it is not simple."""
    _, _, names_at, names_size, values, arena = features
    kind, name_at, size = (
        columns[column, KIND],
        columns[column, NAME_AT],
        columns[column, NAME_SIZE],
    )
    if shape == TEXT or kind == CATEGORICAL:
        if kind in (NUMERIC, LOG1P) or (shape == NUMBER and not _is_canonical(data, at, end)):
            return -1
        begin = used
        used = copy_text(arena, used, arena, name_at, size + 1)
        used = copy_text(arena, used, data, at, end - at)
        names_at[count], names_size[count], values[count] = ~begin, used - begin, 1.0
        return used
    if kind == LOG1P:
        number = math.copysign(math.log1p(abs(number)), number)
    names_at[count], names_size[count], values[count] = ~name_at, size, number
    return used


@njit(forceinline=True, **PART)
def _cell(data, at, end, row, columns, column, count, used, rules, positive, features, results):
    """Read one cell: (what becomes of the record, features so far, the arena in use)."""
    kind = columns[column, KIND]
    if kind == IGNORE or _is_missing(data, at, end - at):
        return TAKEN, count, used
    shape, number = TEXT, 0.0
    if columns[column, IS_NUMERIC] != 0:
        number, last = text_number(data, at)
        number += 0.0  # a whole number is an int, which has no −0
        if last != end:
            return ASK, count, used
        shape = NUMBER
    if kind in (ID, TARGET, IMPORTANCE):
        simple = _special(kind, shape, number, data, at, end, row, rules, positive, results)
        return (TAKEN if simple else ASK), count, used
    if kind == UNPLANNED:
        return PLAN, count, used
    if kind == NESTED:  # of the same name as another column
        return ASK, count, used
    if used + columns[column, NAME_SIZE] + end - at + 24 > len(features[5]):
        return ROOM, count, used
    used = _feature(data, at, end, shape, number, columns, column, features, count, used)
    return (TAKEN if used >= 0 else ASK), count + 1, used


@njit(forceinline=True, **PART)
def _record(data, start, stop, row, begin, used, delimiter, columns, lines, limits, rules, positive,
            features, results):  # fmt: skip
    """Read one record: (what became of it, where its features end, the arena in use).

    Instead of the second it is the column where one is to be planned.
    """
    ask = ASK, begin, used
    token, quotes, close, column, count, first = start, BARE, 0, 0, begin, used
    beyond = np.uint64(0)
    for block in range(start, stop + 1, BLOCK):
        found = equal_mask(data, block, delimiter) | equal_mask(data, block, QUOTE)
        found |= equal_mask(data, block, RETURN) | equal_mask(data, block, FEED)
        others = below_mask(data, block, ZERO_BYTE)
        if stop - block < BLOCK:
            inside = (np.uint64(1) << np.uint64(stop - block)) - np.uint64(1)
            others &= inside
            found = (found & inside) | (np.uint64(1) << np.uint64(stop - block))
        beyond |= others
        while found != 0:
            end = block + trailing_zeros(found)
            found &= found - np.uint64(1)
            byte = load8(data, end)
            if end < stop and byte == QUOTE:
                if quotes == BARE and end == token:
                    quotes = OPENED
                elif quotes == OPENED:
                    quotes, close = CLOSED, end
                else:
                    return ask
                continue
            if end < stop and byte != delimiter:
                return ask
            at, last = token, end
            if quotes != BARE:
                if quotes == OPENED or close + 1 != end:
                    return ask
                at, last = token + 1, close
            if column == len(columns) or last - at > LONGEST_CELL:
                return ask
            state, count, used = _cell(
                data, at, last, row, columns, column, count, used, rules, positive, features,
                results,
            )  # fmt: skip
            if state != TAKEN:
                return state, (column if state == PLAN else begin), first
            token, quotes = end + 1, BARE
            column += 1
    if column != len(columns) or (beyond != 0 and not valid_text(data, start, stop)):
        return ask
    if WIDEST * (stop - start) + limits[OVERHEAD] > limits[MOST_BYTES]:
        return ask
    hash_names(data, features, begin, count, lines)
    return TAKEN, count, used


def scan_csv(
    data, starts, stops, first, counted, delimiter, columns, lines, limits, rules, positive,
    indptr, status, features, results,
):  # fmt: skip
    """Scan records from ``first`` on: the record it stopped at, and a column to be planned or −1.

    ``counted[1]`` is how many bytes of the arena are in use.
    """
    used = counted[1]
    targets, importances, _, ids_size = results
    for row in range(first, len(starts)):
        start, stop, begin = starts[row], stops[row], indptr[row]
        targets[row], importances[row], ids_size[row] = np.nan, 1.0, -1
        state, end = NOTHING, begin
        if not is_blank(data, start, stop):
            state, end, used = _record(
                data, start, stop, row, begin, used, delimiter, columns, lines, limits, rules,
                positive, features, results,
            )  # fmt: skip
            if state >= ROOM:
                return row, (end if state == PLAN else -1)
        if state == ASK:
            targets[row], importances[row], ids_size[row] = np.nan, 1.0, -1
        status[row] = state
        indptr[row + 1] = end
        counted[1] = used
    return len(starts), -1

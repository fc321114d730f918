"""The JSON scanner: flat and nested events of names, numbers, texts, true, false and null.

A record is read twice. The first pass takes 64 bytes at a time and notes where quotes are, and
whether any byte is not printable ASCII, or a backslash. Without backslashes quotes open and close
in turn, so that the second pass, over keys and values, knows where each text ends.
"""

import numpy as np
from numba import njit

from streamlasso.memory import load8, load16
from streamlasso.scanning.fields import (
    ID,
    IMPORTANCE,
    KIND,
    LOG1P,
    NESTED,
    TARGET,
    UNPLANNED,
)
from streamlasso.scanning.json_parts import (
    PLAN,
    find_quotes,
    key_field,
    write_feature,
)
from streamlasso.scanning.naming import hash_arena_names
from streamlasso.scanning.scanned import ASK, TAKEN
from streamlasso.scanning.shapes import ABSENT, OBJECT, QUOTE, TEXT, skip, value_of
from streamlasso.scanning.targets import importance_of, target_of
from streamlasso.specialise import PART

__all__ = ["scan_json"]

OPEN, CLOSE, COLON, COMMA = (ord(each) for each in "{}:,")
COMMA_QUOTE = np.uint16(int.from_bytes(b',"', "little"))

RECORDS, WAITING, ARENA = range(3)
"""Of ``progress``: records so far, fields that wait to be planned, bytes of names in use."""

MOST_BYTES, MOST_FEATURES, BLANK_IS = range(3)
"""Of ``limits``; the last one is the status of a record of blanks."""

FLAT_LEVEL, NESTED_LEVEL = 0, 1

U = np.uint64


@njit(forceinline=True, **PART)
def _ask_for(progress, waiting, field, shape):
    """Note a field to be planned."""
    place = progress[WAITING]
    if place < len(waiting):
        waiting[place, 0], waiting[place, 1] = field, shape == TEXT
        progress[WAITING] = place + 1


@njit(forceinline=True, **PART)
def _special(kind, shape, number, data, at, end, rules, positive, results, row):
    """Write a record's id, target or importance; whether it is simple."""
    targets, importances, ids_at, ids_size = results
    if shape == ABSENT:
        return True
    simple = True
    if kind == ID:
        ids_at[row], ids_size[row] = at, end - at
    elif kind == TARGET:
        targets[row], simple = target_of(shape, number, data, at + 1, end - 1, rules, positive)
    else:
        importances[row], simple = importance_of(shape, number)
    return simple


@njit(forceinline=True, **PART)
def _record(
    data, at, stop, quotes, row, begin, used,
    table, progress, waiting, limits, rules, positive, lines, features, results,
):  # fmt: skip
    """Read one record: (what became of it, where its features end, the arena in use)."""
    fields = table[0]
    ask = ASK, begin, used
    stamp = progress[RECORDS] = progress[RECORDS] + 1
    progress[WAITING] = 0
    count, arena_begin, members, quote = begin, used, 0, 0
    level, inside, before, outer = FLAT_LEVEL, True, 0, 0
    at = skip(data, at + 1, stop)
    while True:
        if load8(data, at) == QUOTE:
            if at >= stop:
                return ask
            key, closing = at + 1, quotes[U(quote + 1)]
            quote += 2
            at = skip(data, closing + 1, stop)
            if load8(data, at) != COLON:
                return ask
            at = skip(data, at + 1, stop)
            if at >= stop:
                return ask
            field = key_field(data, key, closing - key, before, level, stamp, table)
            if field < 0:
                return -field, begin, used
            before, kind = field, fields[U(field), KIND]
            shape, number, end = value_of(data, at, quotes[U(quote + 1)])
            quote += 2 * (shape == TEXT)
            if shape >= OBJECT or end > stop:
                if shape != OBJECT or kind != NESTED:
                    return ask
                level, outer, before = NESTED_LEVEL, field, 1
                count, arena_begin, members = begin, used, 0
                progress[WAITING] = 0
                at = skip(data, at + 1, stop)
                continue
            if kind in (ID, TARGET, IMPORTANCE):
                if not _special(kind, shape, number, data, at, end, rules, positive, results, row):
                    return ask
            elif inside:
                members += 1
                if shape != ABSENT and kind <= LOG1P:
                    arena_begin = write_feature(
                        data, key, at, end, shape, number, field, table, features, count,
                        arena_begin,
                    )  # fmt: skip
                    if arena_begin < 0:
                        return ask
                    count += 1
                elif shape != ABSENT and kind == NESTED:
                    return ask
                elif shape != ABSENT and kind == UNPLANNED:
                    _ask_for(progress, waiting, field, shape)
            at = end + 1
            if load16(data, end) == COMMA_QUOTE:
                continue
            at = skip(data, end, stop)
        elif load8(data, at) != CLOSE:
            return ask
        if level == NESTED_LEVEL and load8(data, at) == CLOSE:
            level, inside, before = FLAT_LEVEL, False, outer
            at = skip(data, at + 1, stop)
        if load8(data, at) == COMMA:
            at = skip(data, at + 1, stop)
            if load8(data, at) != QUOTE:
                return ask
            continue
        if level == NESTED_LEVEL or load8(data, at) != CLOSE or at >= stop:
            return ask
        break
    if skip(data, at + 1, stop) != stop or members > limits[MOST_FEATURES]:
        return ask
    if progress[WAITING] > 0:
        return PLAN, begin, used
    hash_arena_names(features, begin, count, lines)
    return TAKEN, count, arena_begin


def scan_json(
    data, starts, stops, first, quotes,
    table, progress, waiting, limits, rules, positive, lines, indptr, status, features, results,
):  # fmt: skip
    """Scan records from ``first`` on: the record it stopped at and why, or their number and 0."""
    used = progress[ARENA]
    targets, importances, _, ids_size = results
    for row in range(first, len(starts)):
        start, stop = starts[row], stops[row]
        targets[row], importances[row], ids_size[row] = np.nan, 1.0, -1
        begin = indptr[row]
        state, end = ASK, begin
        at = skip(data, start, stop)
        if at == stop:
            state = limits[BLANK_IS]
        elif (
            load8(data, at) == OPEN
            and stop - start <= limits[MOST_BYTES]
            and find_quotes(data, at, stop, quotes) >= 0
        ):
            state, end, used = _record(
                data, at, stop, quotes, row, begin, used,
                table, progress, waiting, limits, rules, positive, lines, features, results,
            )  # fmt: skip
            if state >= PLAN:
                return row, state
        if state == ASK:
            targets[row], importances[row], ids_size[row] = np.nan, 1.0, -1
        status[row] = state
        indptr[row + 1] = end
        progress[ARENA] = used
    return len(starts), TAKEN

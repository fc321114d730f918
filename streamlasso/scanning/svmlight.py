"""The scanner of svmlight: ``target index:value … # comment``, in ASCII."""

import numpy as np
from numba import njit

from streamlasso.memory import load8, load32
from streamlasso.scanning.bits import BLOCK, below_mask, equal_mask, trailing_zeros
from streamlasso.scanning.decimals import text_number
from streamlasso.scanning.naming import hash_names
from streamlasso.scanning.repeats import all_new
from streamlasso.scanning.scanned import ASK, NOTHING, TAKEN
from streamlasso.scanning.shapes import NUMBER
from streamlasso.scanning.targets import target_of
from streamlasso.scanning.text import is_blank
from streamlasso.specialise import PART

__all__ = ["scan_svmlight"]

BLANK, TAB, COLON, HASH = (np.uint8(ord(each)) for each in " \t:#")
FIRST_PRINTABLE = np.uint8(33)
ZERO, NINE = ord("0"), ord("9")
QUERY_WORD = np.uint32(int.from_bytes(b"qid:", "little"))

MOST_BYTES, MOST_FEATURES, OVERHEAD = range(3)
"""Of ``limits``; the last one is what an event takes in JSON besides its features."""

WIDEST, WIDEST_NUMBER = 6, 32
"""Bytes in JSON of a byte of a name at most, and of a number with what stands around it."""

LONGEST_INDEX = 9

TARGET, INDEX, VALUE, QUERY = range(4)
"""What stands before the next blank or colon."""


@njit(forceinline=True, **PART)
def _name(data, at, stop, named, names_at, names_size, count):
    """Write where the name of an index is; its size, 0 if it is not simple.

    ``named`` has where the i-th name begins in the arena, and behind the last where it ends.
    """
    names_at[count], names_size[count] = at, stop - at
    if len(named) == 0:
        return stop - at
    if stop - at > LONGEST_INDEX:
        return 0
    place = 0
    while at < stop:
        digit = load8(data, at)
        if not ZERO <= digit <= NINE:
            return 0
        place = 10 * place + digit - ZERO
        at += 1
    if not 1 <= place < len(named):
        return 0
    size = named[place] - named[place - 1]
    names_at[count], names_size[count] = ~named[place - 1], size
    return size + (size == 0)


@njit(forceinline=True, **PART)
def _body(data, start, stop, row, begin, named, rules, positive, features, targets):
    """Write target, names and values: (what became of it, where they end, bytes of names)."""
    _, _, names_at, names_size, values, _ = features
    ask = ASK, begin, 0
    state, token, count, written = TARGET, start, begin, 0
    for block in range(start, stop + 1, BLOCK):
        found = equal_mask(data, block, COLON) | below_mask(data, block, FIRST_PRINTABLE)
        found |= equal_mask(data, block, HASH)
        if stop - block < BLOCK:
            found &= (np.uint64(1) << np.uint64(stop - block)) - np.uint64(1)
            found |= np.uint64(1) << np.uint64(stop - block)  # as if a blank followed
        while found != 0:
            end = block + trailing_zeros(found)
            found &= found - np.uint64(1)
            byte = BLANK if end == stop else load8(data, end)
            over = byte == HASH
            if over:
                byte = BLANK
            if byte == COLON:
                if state != INDEX or end == token:
                    return ask
                state = VALUE
                if end - token == 3 and load32(data, token) == QUERY_WORD:
                    state = QUERY
                else:
                    size = _name(data, token, end, named, names_at, names_size, count)
                    if size == 0:
                        return ask
                    written += size
            elif byte not in (BLANK, TAB):
                return ask
            elif state == VALUE:
                number, last = text_number(data, token)
                if last != end:
                    return ask
                values[count] = number
                count += 1
                state = INDEX
            elif state == QUERY:
                state = INDEX
            elif end > token:
                if state == INDEX:
                    return ask
                number, last = text_number(data, token)
                targets[row], simple = target_of(
                    NUMBER, number, data, token, token, rules, positive
                )
                if last != end or not simple:
                    return ask
                state = INDEX
            if over:
                return (ASK if state == TARGET else TAKEN), count, written
            token = end + 1
    return (ASK if state == TARGET else TAKEN), count, written


@njit(forceinline=True, **PART)
def _record(data, start, stop, row, begin, named, seen, lines, counted, limits, rules, positive,
            features, targets):  # fmt: skip
    """Read one record: (what became of it, where its features end)."""
    state, end, written = _body(
        data, start, stop, row, begin, named, rules, positive, features, targets
    )
    if state != TAKEN:
        return state, begin
    written = WIDEST * written + WIDEST_NUMBER * (end - begin)
    if end - begin > limits[MOST_FEATURES] or written + limits[OVERHEAD] > limits[MOST_BYTES]:
        return ASK, begin
    hash_names(data, features, begin, end, lines)
    if not all_new(seen, counted, stop - start, features[0], begin, end):
        return ASK, begin
    return TAKEN, end


@njit(forceinline=True, **PART)
def _is_comment(data, at, stop):
    while at < stop and load8(data, at) != HASH:
        if not is_blank(data, at, at + 1):
            return False
        at += 1
    return True


def scan_svmlight(
    data, starts, stops, first, counted, seen, lines, named, limits, rules, positive,
    indptr, status, features, results,
):  # fmt: skip
    """Scan records from ``first`` on; their number."""
    targets, importances, _, ids_size = results
    for row in range(first, len(starts)):
        start, stop, begin = starts[row], stops[row], indptr[row]
        targets[row], importances[row], ids_size[row] = np.nan, 1.0, -1
        state, end = NOTHING, begin
        if not _is_comment(data, start, stop):
            state, end = _record(
                data, start, stop, row, begin, named, seen, lines, counted, limits, rules, positive,
                features, targets,
            )  # fmt: skip
        if state == ASK:
            targets[row] = np.nan
        status[row] = state
        indptr[row + 1] = end
    return len(starts)

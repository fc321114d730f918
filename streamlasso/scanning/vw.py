"""The scanner of VowpalWabbit's text: plain labels, and features with and without namespaces.

A line is read twice. The first pass takes 64 bytes at a time and goes from one blank, bar or colon
to the next; the second hashes the names, which by then are all in memory, and looks for one that
comes twice.
"""

import math

import numpy as np
from numba import njit

from streamlasso.memory import load8, store8
from streamlasso.scanning.bits import BLOCK, below_mask, equal_mask, trailing_zeros
from streamlasso.scanning.decimals import text_number
from streamlasso.scanning.naming import hash_names
from streamlasso.scanning.repeats import all_new
from streamlasso.scanning.scanned import ASK, NOTHING, TAKEN
from streamlasso.scanning.shapes import NUMBER
from streamlasso.scanning.targets import importance_of, target_of
from streamlasso.scanning.text import copy_text, is_blank, valid_text
from streamlasso.specialise import PART

__all__ = ["scan_vw"]

BLANK, TAB, RETURN, BAR, COLON, QUOTE = (np.uint8(ord(each)) for each in " \t\r|:'")
HAT, ZERO_BYTE, ASCII_END = np.uint8(ord("^")), np.uint8(0), np.uint8(128)

MOST_BYTES, MOST_FEATURES, OVERHEAD = range(3)
"""Of ``limits``; the last one is what an event takes in JSON besides its features and its id."""

WIDEST, WIDEST_NUMBER = 6, 32
"""Bytes in JSON of a byte of a name at most, and of a number with what stands around it."""

ROOM = 3
"""What stops a scan at a record: no room for its names."""

FEATURE, NAMESPACE, VALUE, SCALE = range(4)
"""What stands before the next blank, bar or colon."""


@njit(forceinline=True, **PART)
def _word(data, at, stop):
    """Where the next word before the bar begins and ends; both at the bar if there is none."""
    while at < stop and load8(data, at) == BLANK:
        at += 1
    end = at
    while end < stop and load8(data, end) != BLANK:
        end += 1
    return at, end


@njit(forceinline=True, **PART)
def _head(data, start, bar, row, rules, positive, results):
    """Write label, importance and tag; whether they are simple."""
    targets, importances, ids_at, ids_size = results
    numbers, simple = 0, True
    at, end = _word(data, start, bar)
    while at < bar:
        following, after = _word(data, end, bar)
        if end == bar or (following == bar and load8(data, at) == QUOTE):
            at += load8(data, at) == QUOTE
            if at < end:
                ids_at[row], ids_size[row] = at, end - at
            return True
        number, stop = text_number(data, at)
        if stop != end or numbers == 3:
            return False
        if numbers == 0:
            targets[row], simple = target_of(NUMBER, number, data, at, at, rules, positive)
        elif numbers == 1:
            importances[row], simple = importance_of(NUMBER, number)
        else:
            simple = number == 0.0
        if not simple:
            return False
        numbers += 1
        at, end = following, after
    return True


@njit(forceinline=True, **PART)
def _delimiters(data, at, stop):
    """Blanks, bars and colons of 64 bytes; whether any byte is beyond ASCII, or refused."""
    found = equal_mask(data, at, BLANK) | equal_mask(data, at, BAR) | equal_mask(data, at, COLON)
    others = below_mask(data, at, BLANK)
    inside = ~np.uint64(0)
    if stop - at < BLOCK:
        inside = (np.uint64(1) << np.uint64(stop - at)) - np.uint64(1)
    beyond = refused = np.uint64(0)
    if (others & inside) != 0:
        found |= equal_mask(data, at, TAB)
        beyond = below_mask(data, at, ZERO_BYTE) & inside
        refused = equal_mask(data, at, RETURN) & inside
    return found & inside, beyond, refused


@njit(forceinline=True, **PART)
def _body(data, at, stop, begin, used, features):
    """Write names and values: (what became of the record, where they end, the arena in use).

    ``at`` is the first bar.
    """
    _, _, names_at, names_size, values, arena = features
    ask = ASK, begin, used
    state, token, count = NAMESPACE, at + 1, begin
    other = np.uint64(0)
    prefix_at, prefix, scale = 0, 0, 1.0
    for block in range(at + 1, stop + 1, BLOCK):
        found, beyond, refused = _delimiters(data, block, stop)
        other |= beyond
        if refused != 0:
            return ask
        if stop - block < BLOCK:
            found |= np.uint64(1) << np.uint64(stop - block)  # as if a blank followed
        while found != 0:
            end = block + trailing_zeros(found)
            found &= found - np.uint64(1)
            size = end - token
            byte = BLANK if end == stop else load8(data, end)
            if state == FEATURE:
                if size > 0:
                    names_at[count], names_size[count], values[count] = token, size, scale
                    if prefix > 0:
                        if used + prefix + size + 16 > len(arena):
                            return ROOM, begin, used
                        names_at[count], names_size[count] = ~used, prefix + size
                        used = copy_text(arena, used, arena, prefix_at, prefix)
                        used = copy_text(arena, used, data, token, size)
                    count += 1
                    if byte == COLON:
                        state = VALUE
                elif byte == COLON:
                    return ask
            elif state == VALUE:
                number, last = text_number(data, token)
                number = number * scale + 0.0
                if last != end or byte == COLON or not math.isfinite(number):
                    return ask
                values[count - 1] = number
                state = FEATURE
            elif state == NAMESPACE:
                prefix, scale, state = 0, 1.0, FEATURE
                if size > 0:
                    if used + size + 16 > len(arena):
                        return ROOM, begin, used
                    prefix_at, prefix = used, size + 1
                    used = copy_text(arena, used, data, token, size)
                    store8(arena, used, HAT)
                    used += 1
                    if byte == COLON:
                        state = SCALE
                elif byte == COLON:
                    return ask
            else:
                scale, last = text_number(data, token)
                scale += 0.0  # a sum that begins with 0 is not −0
                if last != end or byte == COLON:
                    return ask
                state = FEATURE
            token = end + 1
            if byte == BAR:
                state = NAMESPACE
    if other != 0 and not valid_text(data, at, stop):
        return ask
    return TAKEN, count, used


@njit(forceinline=True, **PART)
def _find_bar(data, start, stop):
    """Where the first bar is; −1 if there is none, or a tab or a carriage return before it."""
    at, beyond = start, False
    while at < stop:
        byte = load8(data, at)
        if byte == BAR:
            return -1 if beyond and not valid_text(data, start, at) else at
        if byte in (TAB, RETURN):
            return -1
        beyond |= byte >= ASCII_END
        at += 1
    return -1


@njit(forceinline=True, **PART)
def _record(data, start, stop, row, begin, used, limits, rules, positive, seen, lines, counted,
            features, results):  # fmt: skip
    """Read one record: (what became of it, where its features end, the arena in use)."""
    ask = ASK, begin, used
    bar = _find_bar(data, start, stop)
    if bar < 0 or not _head(data, start, bar, row, rules, positive, results):
        return ask
    state, end, after = _body(data, bar, stop, begin, used, features)
    if state != TAKEN:
        return state, begin, used
    written = WIDEST * (stop - start + after - used) + WIDEST_NUMBER * (end - begin)
    if end - begin > limits[MOST_FEATURES] or written + limits[OVERHEAD] > limits[MOST_BYTES]:
        return ask
    hash_names(data, features, begin, end, lines)
    if not all_new(seen, counted, stop - start, features[0], begin, end):
        return ask
    return TAKEN, end, after


def scan_vw(
    data, starts, stops, first, counted, seen, lines, limits, rules, positive,
    indptr, status, features, results,
):  # fmt: skip
    """Scan records from ``first`` on: the record it stopped at, for want of room, or their number.

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
                data, start, stop, row, begin, used, limits, rules, positive, seen, lines, counted,
                features, results,
            )  # fmt: skip
            if state == ROOM:
                return row
        if state == ASK:
            targets[row], importances[row], ids_size[row] = np.nan, 1.0, -1
        status[row] = state
        indptr[row + 1] = end
        counted[1] = used
    return len(starts)

"""Texts in byte arrays, for compiled functions: comparing, copying, whether one is plain or valid.

Words of 8 bytes are read and written: as many must be there behind each text, and 16 where it is
copied, as behind the copy.
"""

import numpy as np
from numba import njit

from streamlasso.memory import load8, load64, store64
from streamlasso.specialise import PART

__all__ = ["copy_text", "is_blank", "plain_text", "same_text", "valid_text"]

U = np.uint64
UPPER_BITS = U(0x8080808080808080)
EACH = U(0x0101010101010101)
BLANKS = EACH * U(0x20)
TAB, RETURN, BLANK = 9, 13, 32
BACKSLASHES = EACH * U(ord("\\"))


@njit(forceinline=True, **PART)
def same_text(data, at, other, start, size):
    """Whether so many bytes are the same in both."""
    if 0 < size <= 8:
        return ((load64(data, at) ^ load64(other, start)) << U(64 - 8 * size)) == 0
    last = size & 7
    for word in range(0, size - last, 8):
        if load64(data, at + word) != load64(other, start + word):
            return False
    if last == 0:
        return True
    differ = load64(data, at + size - last) ^ load64(other, start + size - last)
    return (differ << U(64 - 8 * last)) == 0


@njit(forceinline=True, **PART)
def copy_text(target, at, source, start, size):
    """Copy so many bytes, and up to 16 more; where they end."""
    first, second = load64(source, start), load64(source, start + 8)
    store64(target, at, first)
    store64(target, at + 8, second)
    for word in range(16, size, 8):
        store64(target, at + word, load64(source, start + word))
    return at + size


@njit(forceinline=True, **PART)
def _following(data, at, count):
    """Whether so many bytes that follow a first one are here."""
    found = 0
    for each in range(at, at + count):
        found += (load8(data, each) & 0xC0) == 0x80
    return found == count


@njit(forceinline=True, **PART)
def _character(data, at):
    """The bytes of the character that begins here with a byte beyond ASCII; 0 if it is none.

    Not allowed are more bytes than needed, halves of UTF-16 and what is beyond U+10FFFF.
    """
    first, second = load8(data, at), load8(data, at + 1)
    if 0xC2 <= first <= 0xDF:
        return 2 * _following(data, at + 1, 1)
    if 0xE0 <= first <= 0xEF:
        fits = (first != 0xE0 or second >= 0xA0) and (first != 0xED or second < 0xA0)
        return 3 * (fits and _following(data, at + 1, 2))
    if 0xF0 <= first <= 0xF4:
        fits = (first != 0xF0 or second >= 0x90) and (first != 0xF4 or second < 0x90)
        return 4 * (fits and _following(data, at + 1, 3))
    return 0


@njit(forceinline=True, **PART)
def plain_text(data, at, stop):
    """Whether this is valid UTF-8 without control bytes and backslashes."""
    while at < stop:
        word = load64(data, at)
        # The upper bit of a byte: beyond ASCII, below 32, a backslash (or wrongly behind such).
        other = (word | (word - BLANKS) | ((word ^ BACKSLASHES) - EACH)) & UPPER_BITS
        if other == 0:
            at += 8
            continue
        end = min(at + 8, stop)
        while at < end:
            byte = load8(data, at)
            size = 1
            if byte >= 0x80:
                size = _character(data, at)
            if size == 0 or byte < 0x20 or byte == 0x5C or at + size > stop:
                return False
            at += size
    return True


@njit(forceinline=True, **PART)
def valid_text(data, at, stop):
    """Whether this is valid UTF-8."""
    while at < stop:
        if load64(data, at) & UPPER_BITS == 0:
            at += 8
            continue
        end = min(at + 8, stop)
        while at < end:
            size = 1 if load8(data, at) < 0x80 else _character(data, at)
            if size == 0 or at + size > stop:
                return False
            at += size
    return True


@njit(forceinline=True, **PART)
def is_blank(data, at, stop):
    """Whether there is nothing but what `bytes.strip` takes away."""
    while at < stop and (load8(data, at) == BLANK or TAB <= load8(data, at) <= RETURN):
        at += 1
    return at == stop

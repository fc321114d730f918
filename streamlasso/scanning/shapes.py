"""Shapes of JSON values, for compiled functions."""

import numpy as np
from numba import njit

from streamlasso.memory import load8, load32
from streamlasso.scanning.decimals import json_number
from streamlasso.specialise import PART

__all__ = [
    "ABSENT",
    "FLAG",
    "NUMBER",
    "OBJECT",
    "ODD",
    "QUOTE",
    "TEXT",
    "canonical",
    "digits_only",
    "skip",
    "value_of",
]

ABSENT, TEXT, NUMBER, FLAG, OBJECT, ODD = range(6)

QUOTE = np.uint8(ord('"'))
OPEN, MINUS, ZERO, NINE, BLANK = (ord(each) for each in "{-09 ")
T, F, N = (ord(each) for each in "tfn")
TRUE, ALSE, NULL = (
    np.uint32(int.from_bytes(each, "little")) for each in (b"true", b"alse", b"null")
)


@njit(forceinline=True, **PART)
def skip(data, at, stop):
    """Where the next byte is that is no white space of JSON."""
    while load8(data, at) <= BLANK and at < stop and load8(data, at) in (32, 9, 10, 13):
        at += 1
    return at


@njit(forceinline=True, **PART)
def digits_only(data, at, stop):
    """Whether these bytes are digits."""
    while at < stop:
        if not ZERO <= load8(data, at) <= NINE:
            return False
        at += 1
    return True


@njit(forceinline=True, **PART)
def canonical(data, at, stop):
    """Whether a number of JSON is an int whose text in Python is the same."""
    minus = load8(data, at) == MINUS
    if minus and load8(data, at + 1) == ZERO:
        return False
    return stop - at < 19 and digits_only(data, at + minus, stop)


@njit(forceinline=True, **PART)
def value_of(data, at, closing):
    """(shape, number, end) of the value that begins here; a text has its ``closing`` quote."""
    byte = load8(data, at)
    if byte == QUOTE:
        return TEXT, 0.0, closing + 1
    if byte == MINUS or ZERO <= byte <= NINE:
        number, end = json_number(data, at)
        if number == 0.0 and end == at + 2:
            number = 0.0  # of the int -0
        return (NUMBER if end >= 0 else ODD), number, end
    if byte == T and load32(data, at) == TRUE:
        return FLAG, 1.0, at + 4
    if byte == F and load32(data, at + 1) == ALSE:
        return FLAG, 0.0, at + 5
    if byte == N and load32(data, at) == NULL:
        return ABSENT, 0.0, at + 4
    return (OBJECT if byte == OPEN else ODD), 0.0, at

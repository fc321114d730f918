"""From decimal digits to the nearest float64, for compiled functions.

``json_number(data, at)`` reads a number by JSON's grammar, ``text_number(data, at)`` one by that of
Python's ``float`` without words, underscores and blanks. Both give ``(value, end)``, where ``end``
is behind the last byte of the number, and −1 where the text is not simple: no number; more than 19
digits that count; too near the middle of two floats to say; below the normal floats or above the
largest. A value is Python's ``float`` of the text to the bit. The caller looks what stands at
``end``, and whether that is beyond its record: digits are read as long as there are any. 8 bytes
behind the number must be there.

References
----------
W. Clinger, "How to read floating point numbers accurately", PLDI 1990.
D. Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience 51, 2021.
"""

import numpy as np
from numba import njit

from streamlasso.memory import load8, load64
from streamlasso.scanning.bits import (
    float_of,
    leading_zeros,
    product_high,
    product_low,
    trailing_zeros,
)
from streamlasso.scanning.powers import FIVES, LARGEST, SMALLEST, TENS, WHOLE_TENS
from streamlasso.specialise import PART

__all__ = ["NOT_SIMPLE", "json_number", "text_number"]

NOT_SIMPLE = -1
MOST_DIGITS = 19
MOST_EXPONENT_DIGITS = 5
EXACT = np.uint64(1 << 53)
PLUS, MINUS, POINT, ZERO, E = (ord(each) for each in "+-.0e")
LOWER = 0x20

U = np.uint64
ZEROS = U(0x3030303030303030)
TEN_AND_MORE = U(0x7676767676767676)
UPPER_BITS = U(0x8080808080808080)
PAIRS = U(0x000000FF000000FF)
FIRST_PAIRS = U(100 + (1_000_000 << 32))
LAST_PAIRS = U(1 + (10_000 << 32))


@njit(forceinline=True, **PART)
def _digits(data, at, number):
    """The number with the digits from ``at`` on put behind it, and where they end."""
    while True:
        # Digits become 0 … 9, the first in the lowest byte; anything else sets its upper bit.
        word = load64(data, at) ^ ZEROS
        others = ((word + TEN_AND_MORE) | word) & UPPER_BITS
        size = trailing_zeros(others) >> 3
        if size < 8:
            word = (word << U(56 - 8 * size)) << U(8)
        # Neighbours become pairs, pairs fours, fours eights.
        word = word * U(10) + (word >> U(8))
        eight = ((word & PAIRS) * FIRST_PAIRS + ((word >> U(16)) & PAIRS) * LAST_PAIRS) >> U(32)
        number = number * WHOLE_TENS[size] + eight
        at += size
        if size < 8:
            return number, at


@njit(forceinline=True, **PART)
def _leading(data, at, stop):
    """How many zeros stand before the first other digit."""
    zeros = 0
    while at < stop and (load8(data, at) == ZERO or load8(data, at) == POINT):
        zeros += load8(data, at) == ZERO
        at += 1
    return zeros


@njit(forceinline=True, **PART)
def _nearest(number, power):
    """number·10^power by Lemire's algorithm 1, and whether that is certain; number > 0."""
    if power < SMALLEST or power > LARGEST:
        return 0.0, False
    shift = leading_zeros(number)
    word = number << U(shift)
    place = 2 * (power - SMALLEST)
    upper, lower = product_high(word, FIVES[place]), product_low(word, FIVES[place])
    if (upper & U(0x1FF)) == U(0x1FF):  # what is cut off may change the bits that are kept
        more = product_high(word, FIVES[place + 1])
        lower += more
        upper += U(lower < more)
    if lower == U(0xFFFFFFFFFFFFFFFF) and (power < -27 or power > 55):
        return 0.0, False
    top = upper >> U(63)
    digits = upper >> (top + U(9))  # 53 bits and one for rounding
    exponent = ((217706 * power) >> 16) + 1086 + np.int64(top) - shift  # 217706/2^16 ≈ log2 10
    if exponent <= 0:
        return 0.0, False
    exact = (digits << (top + U(9))) == upper
    if lower <= U(1) and -4 <= power <= 23 and (digits & U(3)) == U(1) and exact:
        digits &= ~U(1)  # in the middle of two: to the even one
    digits = (digits + (digits & U(1))) >> U(1)
    if digits == EXACT:
        digits >>= U(1)
        exponent += 1
    bits = (digits & (EXACT // U(2) - U(1))) | (U(exponent) << U(52))
    return float_of(bits), exponent < 2047


@njit(forceinline=True, **PART)
def _scaled(number, power):
    """number·10^power, and whether that is certain."""
    if power == 0 or number == 0:
        return np.float64(number), True
    if number <= EXACT and -22 <= power <= 22:  # both exact, one operation: rounded once [Clinger]
        value = np.float64(number)
        return (value / TENS[-power] if power < 0 else value * TENS[power]), True
    return _nearest(number, power)


@njit(forceinline=True, **PART)
def _exponent(data, at):
    """The number behind an ``e``, and where it ends."""
    sign = load8(data, at)
    if sign in (PLUS, MINUS):
        at += 1
    number, end = _digits(data, at, U(0))
    if end == at or end - at > MOST_EXPONENT_DIGITS:
        return 0, NOT_SIMPLE
    return (-np.int64(number) if sign == MINUS else np.int64(number)), end


@njit(forceinline=True, **PART)
def _number(data, at, strict):
    """An unsigned number; ``strict`` for JSON's grammar."""
    number, point = _digits(data, at, U(0))
    whole, end, fraction = point - at, point, 0
    if strict and (whole == 0 or (whole > 1 and load8(data, at) == ZERO)):
        return 0.0, NOT_SIMPLE
    if load8(data, point) == POINT:
        number, end = _digits(data, point + 1, number)
        fraction = end - point - 1
        if fraction == 0 and strict:
            return 0.0, NOT_SIMPLE
    size = whole + fraction
    if size == 0:
        return 0.0, NOT_SIMPLE
    if size > MOST_DIGITS and size - _leading(data, at, end) > MOST_DIGITS:  # wrapped around
        return 0.0, NOT_SIMPLE
    power = 0
    if (load8(data, end) | LOWER) == E:
        power, end = _exponent(data, end + 1)
        if end < 0:
            return 0.0, NOT_SIMPLE
    value, certain = _scaled(number, power - fraction)
    return value, (end if certain else NOT_SIMPLE)


@njit(forceinline=True, **PART)
def json_number(data, at):
    """A number of JSON; ``-0`` is −0.0 here, and an int, so 0, to who reads JSON into Python."""
    if load8(data, at) == MINUS:
        value, end = _number(data, at + 1, True)
        return -value, end
    return _number(data, at, True)


@njit(forceinline=True, **PART)
def text_number(data, at):
    """A number with or without a sign, with digits before or behind the point."""
    first = load8(data, at)
    if first == MINUS:
        value, end = _number(data, at + 1, False)
        return -value, end
    return _number(data, at + (first == PLUS), False)

"""Targets and importances of scanned records, for compiled functions."""

import numpy as np
from numba import njit

from streamlasso.memory import load64
from streamlasso.scanning.shapes import FLAG, NUMBER, TEXT
from streamlasso.scanning.text import same_text
from streamlasso.specialise import PART

__all__ = ["importance_of", "target_of"]

TASK, TRUE, FALSE, POSITIVE = range(4)
"""Of ``rules``: what a target is; what true and false are, NaN where neither class; the number
that is the positive class, NaN where none is."""

REAL, COUNT, BINARY, NAMED = range(4)
"""Tasks: any number; one from 0 on; two classes, by their usual signs; by the name of one."""

LARGEST_IMPORTANCE = 1e12
LARGEST_WHOLE = float(1 << 53)
NO = (0.0, False)

U = np.uint64


def _word(text):
    return int.from_bytes(text.encode(), "little") | len(text) << 56


POSITIVE_WORDS = np.array([_word(text) for text in ("1", "+1", "1.0", "true", "True")], U)
NEGATIVE_WORDS = np.array([_word(text) for text in ("0", "-1", "0.0", "-1.0", "false", "False")], U)


@njit(forceinline=True, **PART)
def _usual_text(data, start, size):
    if not 1 <= size <= 5:
        return NO
    word = (load64(data, start) << U(64 - 8 * size)) >> U(64 - 8 * size) | (U(size) << U(56))
    for each in POSITIVE_WORDS:
        if word == each:
            return 1.0, True
    for each in NEGATIVE_WORDS:
        if word == each:
            return 0.0, True
    return NO


@njit(forceinline=True, **PART)
def target_of(shape, number, data, start, stop, rules, positive):
    """The target, and whether it is simple; ``data[start:stop]`` is a TEXT, ``positive`` a name."""
    task = rules[TASK]
    if shape == NUMBER:
        if task == BINARY:
            return np.float64(number == 1.0), number in (1.0, 0.0, -1.0)
        if task == NAMED:
            return np.float64(number == rules[POSITIVE]), abs(number) < LARGEST_WHOLE
        return number, task == REAL or number >= 0
    if task < BINARY:
        return NO
    if shape == FLAG:
        return (rules[TRUE] if number == 1.0 else rules[FALSE]), True
    if shape != TEXT:
        return NO
    size = stop - start
    if task == BINARY:
        return _usual_text(data, start, size)
    same = size == len(positive) - 8 and same_text(data, start, positive, 0, size)
    return np.float64(same), True


@njit(forceinline=True, **PART)
def importance_of(shape, number):
    """The importance, and whether it is simple."""
    return number, shape == NUMBER and 0.0 <= number <= LARGEST_IMPORTANCE

"""Real targets: their mean and deviation, and what is done to a wild one.

A target further than 10·b from the mean is cut to that; the bound doubles with each further one in
a row and the fifth is believed, so that a shift of level gets through. The first five are believed;
if one of them was wild, the learner begins anew (`astray`).
"""

import math

from streamlasso.stack.places import Book

__all__ = ["astray", "mean_target", "settle_targets", "take_target"]

FAR, BELIEVED, YOUNG = 10.0, 5.0, 5.0
ASTRAY = 1000.0


def mean_target(book):
    """μ, of t."""
    return book[Book.TARGETS] / book[Book.EVENTS] if book[Book.EVENTS] > 0 else 0.0


def take_target(book, target):
    """y as t, cut where it is wild."""
    if book[Book.EVENTS] == 0:
        book[Book.ORIGIN] = target
    t = target - book[Book.ORIGIN]
    mean = mean_target(book)
    bound = FAR * book[Book.SIZE]
    if book[Book.WILD] > 0:
        bound *= 2.0 ** min(book[Book.WILD], 60.0)
    if book[Book.ROWS] >= YOUNG and book[Book.DEVIATIONS] > 0 and abs(t - mean) > bound:
        book[Book.WILD] += 1.0
        if book[Book.WILD] < BELIEVED:
            t = min(max(t, mean - bound), mean + bound)
    else:
        book[Book.WILD] = 0.0
    return t


def settle_targets(book, target, importance):
    """Mean, deviation and range of the targets with one more."""
    before = mean_target(book)
    book[Book.EVENTS] += importance
    book[Book.TARGETS] += importance * target
    away = target - before
    if book[Book.EVENTS] > importance:
        book[Book.DEVIATIONS] += importance * away * (target - mean_target(book))
    deviation = math.sqrt(max(book[Book.DEVIATIONS], 0.0) / book[Book.EVENTS])
    book[Book.SIZE] = deviation if deviation > 0 else 1.0
    book[Book.NEWER] += importance
    newer = target - book[Book.NEWER_MEAN]
    book[Book.NEWER_MEAN] += newer * importance / book[Book.NEWER]
    book[Book.NEWER_SQUARES] += importance * newer * (target - book[Book.NEWER_MEAN])
    book[Book.LOW] = min(book[Book.LOW], target)
    book[Book.HIGH] = max(book[Book.HIGH], target)


def astray(book):
    """Whether a wild target among the first rows set the scale of everything.

    At rows 8, 16 and 32: whether the targets of all rows vary a thousand times more than those of
    the later half. Where they do, the learner begins anew; what is lost are these rows.
    """
    rows = book[Book.ROWS]
    if rows != 4 and rows != 8 and rows != 16 and rows != 32:
        return False
    newer = math.sqrt(book[Book.NEWER_SQUARES] / max(book[Book.NEWER], 1e-300))
    wild = rows > 4 and newer > 0 and book[Book.SIZE] > ASTRAY * newer
    if not wild:
        book[Book.NEWER] = book[Book.NEWER_MEAN] = book[Book.NEWER_SQUARES] = 0.0
    return wild

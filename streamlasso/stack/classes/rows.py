"""Scoring and learning whole rows of many classes; reading what was learned."""

import math

from streamlasso.stack.binding import (
    BLOCK,
    BLOCKS,
    CENTRE,
    FULL,
    LEVEL,
    MET,
    MODELS,
    MOST_LEVELS,
    SERVED,
    WEIGHTS,
    begin_classes,
    combine_classes,
    gather_classes,
    learn_classes,
    load,
    settle_shares,
    slopes_of_classes,
    soft,
    softmax_loss,
    spread,
    store,
    tau_for,
    total,
    unit,
    upper,
    write_classes,
)
from streamlasso.stack.classes.places import ClassBook, ClassLevel, ClassScratch, Each, Row

__all__ = [
    "learn_one",
    "learn_row",
    "learn_rows",
    "read_slots",
    "score_row",
    "score_rows",
    "start",
    "survey",
]

FIRST = 2
WARM_UP = 30.0
LARGEST = 1e290
LARGEST_SINGLE = 1e16


def fits(state, norm, target, importance, classes):
    """Whether the target is a class and sums of squares stay finite in the row's records."""
    most = math.sqrt(LARGEST) if state.itemsize == 8 else LARGEST_SINGLE
    return norm < most * most and importance < most and 0 <= target < classes


def learn_one(
    state, lanes, book, each, scratch, inputs, work, gradient, kept, bins, slots, values,
    start, stop, target, importance, late, pending, scores, row,
):  # fmt: skip
    """Score a row, then learn it; with ``late`` the inputs are those it was predicted with."""
    # As for two classes: float32 arrays round.
    importance = state.dtype.type(importance) + 0.0
    seen = work if late else inputs
    norm = gather_classes(state, lanes, book, each, scratch, seen, kept, slots, values, start, stop)
    if not late:
        combine_classes(lanes, book, each, scratch, inputs)
    classes = each.shape[1]
    for k in range(classes):
        scores[row, k] = inputs[k, SERVED]
    if importance == 0:
        return
    if not fits(state, norm, target, importance, classes):
        book[0, ClassBook.REJECTED] += 1
        return
    right = int(target)
    book[0, ClassBook.LIFE] += importance
    book[0, ClassBook.LIFE_SERVED] += importance * softmax_loss(inputs, classes, SERVED, right)
    book[0, ClassBook.LIFE_FULL] += importance * softmax_loss(inputs, classes, FULL, right)
    slopes_of_classes(lanes, each, scratch, inputs, right, importance)
    power = write_classes(
        state, lanes, book, each, scratch, inputs, kept, slots, values, start, stop
    )
    settle_class_intercepts(lanes, each, scratch)
    patience = 1.0 if pending == 0 else (1.0 + pending) ** -0.25
    learn_classes(lanes, book, each, inputs, work, gradient, right, importance, patience)
    rows = book[0, ClassBook.ROWS] + 1.0
    book[0, ClassBook.ROWS] = rows
    book[0, ClassBook.POWER] += (power - book[0, ClassBook.POWER]) / rows
    steep = math.sqrt(max(1.0, book[0, ClassBook.POWER])) - 1.0
    book[0, ClassBook.RHO] = 1.0 + steep * WARM_UP / (WARM_UP + rows)
    if book[0, ClassBook.MOST] > 0:
        limit_classes(state, lanes, book, each, bins)


def settle_class_intercepts(lanes, each, scratch):
    """A Newton step of the intercepts of the classes that the row teaches."""
    classes = each.shape[1]
    for k in range(classes):
        if each[Each.LESSON, k] != 0:
            at = k * MODELS
            precision, fade = load(lanes, Row.Q, at), load(lanes, Row.FADE, at)
            bend = load(scratch, ClassScratch.BEND, at)
            others = load(scratch, ClassScratch.SPREAD, at) - spread(1.0) / precision
            damp = bend * upper(others, spread(0.0)) + 1.0
            rise = load(scratch, ClassScratch.RISE, at) / damp
            change = rise - fade * (precision - load(lanes, Row.FIRST_Q, at))
            slope = load(scratch, ClassScratch.SLOPE, at) / damp
            bias = load(lanes, Row.Z, at) / precision * -1.0
            store(lanes, Row.Z, at, load(lanes, Row.Z, at) + slope - change * bias)
            store(lanes, Row.Q, at, precision + change)


def score_row(state, lanes, book, each, scratch, inputs, kept, slots, values, size):
    """Every class's served score of one row is in ``inputs``."""
    gather_classes(state, lanes, book, each, scratch, inputs, kept, slots, values, 0, size)
    combine_classes(lanes, book, each, scratch, inputs)


def learn_row(
    state, lanes, book, each, scratch, inputs, work, gradient, kept, bins, slots, values, size,
    target, importance, late, pending, scores,
):  # fmt: skip
    """Learn one row; the served scores from before are in ``scores``."""
    learn_one(
        state, lanes, book, each, scratch, inputs, work, gradient, kept, bins, slots, values,
        0, size, target, importance, late, pending, scores, 0,
    )  # fmt: skip


def learn_rows(
    state, lanes, book, each, scratch, inputs, work, gradient, kept, bins, indptr, slots, values,
    targets, importances, scores,
):  # fmt: skip
    """Learn rows in order; ``scores[row, class]`` are the served ones from before."""
    for row in range(len(targets)):
        learn_one(
            state, lanes, book, each, scratch, inputs, work, gradient, kept, bins, slots, values,
            indptr[row], indptr[row + 1], targets[row], importances[row], False, 0, scores, row,
        )  # fmt: skip


def score_rows(
    state, lanes, book, each, scratch, inputs, kept, indptr, slots, values, scores
):  # fmt: skip
    """Scores of many rows, as for `learn_rows`."""
    classes = each.shape[1]
    for row in range(len(indptr) - 1):
        gather_classes(
            state, lanes, book, each, scratch, inputs, kept, slots, values,
            indptr[row], indptr[row + 1],
        )  # fmt: skip
        combine_classes(lanes, book, each, scratch, inputs)
        for k in range(classes):
            scores[row, k] = inputs[k, SERVED]


def full_class(state, lanes, book, slot, k):
    """The full model's weight of a class at a slot, of scaled values."""
    base = load(lanes, Row.BASE, 0) * book[0, ClassBook.RHO]
    at = BLOCKS + k * BLOCK
    deviation = load(state, slot, at + MODELS)
    growth = load(lanes, Row.RATE, 0) + load(lanes, Row.OWN, 0) * deviation
    precision = base + growth * deviation
    w = soft(load(state, slot, at), load(lanes, Row.THETA, 0) * deviation) / precision * -1.0
    return total(load(book, 0, WEIGHTS) * w)


def class_worth(state, lanes, book, slot, k):
    """½w²H in nats; −1 for a weight of 0."""
    full = full_class(state, lanes, book, slot, k)
    if full == 0:
        return -1.0
    return 0.5 * full * full * state[slot, BLOCKS + k * BLOCK + 2 * MODELS]


def read_slots(state, lanes, book, classes, slots, weights):
    """Served weights in the user's units: one column a class, then the centre."""
    level = int(book[0, ClassBook.CHOSEN])
    slope = 1.0 + book[0, LEVEL + ClassLevel.SLOPE * MOST_LEVELS + level]
    tau = book[0, LEVEL + level]
    for i in range(len(slots)):
        slot = slots[i]
        own = unit(state, slot)
        for k in range(classes):
            served = class_worth(state, lanes, book, slot, k) >= tau
            full = full_class(state, lanes, book, slot, k)
            weights[i, k] = full * slope / own if served else 0.0
        weights[i, classes] = state[slot, CENTRE]


def survey(state, lanes, book, classes, counts):
    """Features tracked, and those served in any class."""
    counts[0] = counts[1] = 0
    tau = book[0, LEVEL + int(book[0, ClassBook.CHOSEN])]
    for slot in range(FIRST, len(state)):
        if state[slot, MET] != 0:
            counts[0] += 1
            for k in range(classes):
                if class_worth(state, lanes, book, slot, k) >= tau:
                    counts[1] += 1
                    break


def limit_classes(state, lanes, book, each, bins):
    """`streamlasso.stack.rows.limit_served`, a feature being worth what it is to any class."""
    odd = int(book[0, ClassBook.ROWS])
    while odd % 2 == 0:
        odd //= 2
    if odd >= 8:
        return
    for i in range(len(bins)):
        bins[i] = 0
    classes = each.shape[1]
    for slot in range(FIRST, len(state)):
        worth = -1.0
        if state[slot, MET] != 0:
            for k in range(classes):
                worth = max(worth, class_worth(state, lanes, book, slot, k))
        if worth > 0:
            place = len(bins) // 2 + 8.0 * math.log2(worth)
            bins[int(min(max(place, 0.0), len(bins) - 1.0))] += 1
    book[0, LEVEL] = tau_for(bins, book[0, ClassBook.MOST])


def start(lanes, book, each):
    """Before the first row."""
    begin_classes(book)
    settle_shares(lanes, book, each)

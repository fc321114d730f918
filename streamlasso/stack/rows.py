"""Scoring and learning whole rows; reading what was learned."""

import math

from streamlasso.stack.binding import (
    CENTRE,
    DUALS,
    FULL,
    INFORMATION,
    INPUTS,
    LEVEL,
    MET,
    MODELS,
    MOST_LEVELS,
    SERVED,
    SQUARES,
    combine,
    full_curvature,
    gather,
    learn_layer,
    load,
    loss_of,
    root,
    served_score,
    settle_intercepts,
    slopes,
    soft,
    spread,
    store,
    take_target,
    total,
    unit,
    upper,
    write,
)
from streamlasso.stack.places import Book, Level, Row, Scratch

__all__ = [
    "learn_one",
    "learn_row",
    "learn_rows",
    "read_slots",
    "score_one",
    "score_row",
    "score_rows",
    "start",
    "survey",
    "worths",
]

FIRST = 2
WARM_UP = 30.0
LARGEST = 1e290
LARGEST_TARGET = 1e145


def score_one(state, lanes, book, scratch, inputs, kept, slots, values, start, stop):
    """What the second layer sees of a row, and its scores; return Σ value²."""
    norm = gather(state, lanes, book, scratch, inputs, kept, slots, values, start, stop)
    combine(lanes, book, scratch, inputs)
    inputs[SERVED] = served_score(book, inputs)
    return norm


def learn_one(
    state, lanes, book, scratch, inputs, gains, kept, slots, values, start, stop,
    target, importance, late, pending, scores, row,
):  # fmt: skip
    """Score a row, then learn it; with ``late`` the inputs are those it was predicted with."""
    if late:
        norm = gather(state, lanes, book, scratch, gains, kept, slots, values, start, stop)
    else:
        norm = score_one(
            state, lanes, book, scratch, inputs, kept, slots, values, start, stop
        )
    scores[row, 0], scores[row, 1] = inputs[SERVED], inputs[FULL]
    if importance == 0:
        return
    if not (norm < LARGEST and abs(target) < LARGEST_TARGET and importance < LARGEST_TARGET):
        book[Book.REJECTED] += 1
        return
    book[Book.LIFE] += importance
    book[Book.LIFE_SERVED] += importance * min(loss_of(inputs[SERVED], target), LARGEST)
    book[Book.LIFE_FULL] += importance * min(loss_of(inputs[FULL], target), LARGEST)
    target = take_target(book, target)
    curvature = importance * full_curvature(inputs)
    patience = 1.0 if pending == 0 else (1.0 + pending) ** -0.25
    learn_layer(lanes, book, inputs, gains, target, importance, patience)
    slopes(lanes, book, scratch, target, importance)
    bias, variance = load(scratch, Scratch.BIAS, 0), load(scratch, Scratch.SPREAD, 0)
    power = write(
        state, lanes, book, scratch, kept, slots, values, start, stop, curvature
    )
    own = spread(1.0) / load(lanes, Row.Q, 0)
    bend = load(scratch, Scratch.BEND, 0)
    damp = bend * upper(variance - own, spread(0.0)) + 1.0
    slope, rise = load(scratch, Scratch.SLOPE, 0), load(scratch, Scratch.RISE, 0)
    settle_intercepts(lanes, bias, slope, rise, damp)
    rows = book[Book.ROWS] + 1.0
    book[Book.ROWS] = rows
    book[Book.POWER] += (power - book[Book.POWER]) / rows
    steep = math.sqrt(max(1.0, book[Book.POWER])) - 1.0
    book[Book.RHO] = 1.0 + steep * WARM_UP / (WARM_UP + rows)


def score_row(state, lanes, book, scratch, inputs, kept, slots, values, size):
    """The served score of one row; what the second layer sees of it is in ``inputs``."""
    score_one(state, lanes, book, scratch, inputs, kept, slots, values, 0, size)
    return inputs[SERVED]


def learn_row(
    state, lanes, book, scratch, inputs, gains, kept, slots, values, size,
    target, importance, late, pending, scores,
):  # fmt: skip
    """Learn one row; its served score from before is returned."""
    learn_one(
        state, lanes, book, scratch, inputs, gains, kept, slots, values, 0, size,
        target, importance, late, pending, scores, 0,
    )  # fmt: skip
    return scores[0, 0]


def learn_rows(
    state, lanes, book, scratch, inputs, gains, kept, indptr, slots, values,
    targets, importances, scores,
):  # fmt: skip
    """Learn rows in order; ``scores[row]`` are the served and the full score from before."""
    for row in range(len(targets)):
        learn_one(
            state, lanes, book, scratch, inputs, gains, kept, slots, values,
            indptr[row], indptr[row + 1], targets[row], importances[row], False, 0, scores, row,
        )  # fmt: skip


def score_rows(state, lanes, book, scratch, inputs, kept, indptr, slots, values, scores):
    """Scores of many rows, as for `learn_rows`."""
    for row in range(len(indptr) - 1):
        score_one(
            state, lanes, book, scratch, inputs, kept, slots, values, indptr[row], indptr[row + 1]
        )
        scores[row, 0], scores[row, 1] = inputs[SERVED], inputs[FULL]


def weights_at(state, lanes, book, slot):
    """The weights of a slot's lanes, of scaled values."""
    base = load(lanes, Row.BASE, 0) * book[Book.RHO]
    n = load(state, slot, SQUARES)
    deviation = root(n)
    precision = base + load(lanes, Row.RATE, 0) * deviation + load(lanes, Row.OWN, 0) * n
    theta = load(lanes, Row.THETA, 0)
    return soft(load(state, slot, DUALS), theta * deviation) / precision * -1.0


def served_at(state, lanes, book, slot, level):
    """The full model's weight at a slot where it is worth the level's τ, otherwise 0."""
    full = total(load(lanes, Row.WEIGHT, 0) * weights_at(state, lanes, book, slot))
    worth = 0.5 / book[Book.NATS] * full * full * state[slot, INFORMATION]
    return full if full != 0 and worth >= book[LEVEL + level] else 0.0


def read_slots(state, lanes, book, slots, weights):
    """Weights in the user's units: one column a lane, then the served one, then the centre."""
    level = int(book[Book.CHOSEN])
    slope = 1.0 + book[LEVEL + Level.SLOPE * MOST_LEVELS + level]
    for i in range(len(slots)):
        slot = slots[i]
        own = unit(state, slot)
        store(weights, i, 0, weights_at(state, lanes, book, slot) / own)
        weights[i, MODELS] = served_at(state, lanes, book, slot, level) * slope / own
        weights[i, MODELS + 1] = state[slot, CENTRE]


def survey(state, lanes, book, counts):
    """Features tracked, served, and active in each lane and level: ``counts[2 + …]``."""
    chosen, levels = int(book[Book.CHOSEN]), int(book[Book.LEVELS])
    for i in range(len(counts)):
        counts[i] = 0
    for slot in range(FIRST, len(state)):
        if state[slot, MET] != 0:
            counts[0] += 1
            full = total(load(lanes, Row.WEIGHT, 0) * weights_at(state, lanes, book, slot))
            worth = 0.5 / book[Book.NATS] * full * full * state[slot, INFORMATION]
            counts[1] += full != 0 and worth >= book[LEVEL + chosen]
            for level in range(levels):
                counts[2 + level] += full != 0 and worth >= book[LEVEL + level]


def worths(state, lanes, book, found):
    """What each slot is worth to the full model, in nats."""
    for slot in range(FIRST, len(state)):
        full = total(load(lanes, Row.WEIGHT, 0) * weights_at(state, lanes, book, slot))
        found[slot] = 0.5 / book[Book.NATS] * full * full * state[slot, INFORMATION]


def start(lanes, book):
    """Before the first row."""
    for lane in range(MODELS):
        lanes[Row.Q, lane] = lanes[Row.FIRST_Q, lane]
        lanes[Row.RATE, lane] = lanes[Row.FULL_RATE, lane]
        lanes[Row.THETA, lane] = lanes[Row.FULL_THETA, lane]
    book[Book.RHO] = book[Book.SIZE] = book[Book.NATS] = 1.0
    begin(lanes, book)
    mixture_shares(lanes, 1.0)
    book[Book.GUARD] = 0.5 if INPUTS else 0.0
    settle_weights(lanes, book)

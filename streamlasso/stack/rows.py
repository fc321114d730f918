"""Scoring and learning whole rows; reading what was learned."""

import math

from streamlasso.stack.binding import (
    CENTRE,
    COUNTS,
    DUALS,
    FULL,
    INFORMATION,
    INPUTS,
    LEVEL,
    MET,
    MODELS,
    MOST_LEVELS,
    ROOTS,
    SERVED,
    astray,
    begin,
    combine,
    gather,
    learn_layer,
    load,
    mixture_shares,
    served_score,
    settle,
    settle_intercepts,
    settle_weights,
    slopes,
    soft,
    spread,
    store,
    take_target,
    tau_for,
    total,
    unit,
    upper,
    write,
)
from streamlasso.stack.places import Book, Level, Row, Scratch

__all__ = [
    "begin_anew",
    "learn_one",
    "learn_rows",
    "limit_served",
    "read_slots",
    "score_one",
    "score_rows",
    "start",
    "survey",
]

FIRST = 2
WARM_UP = 30.0
LEVEL_PRIOR = 0.01
LARGEST = 1e290
LARGEST_SINGLE, LARGEST_COUNT = 1e16, 1e15


def score_one(state, lanes, book, scratch, inputs, kept, slots, values, start, stop):
    """What the second layer sees of a row, and its scores; return Σ value²."""
    norm = gather(state, lanes, book, scratch, inputs, kept, slots, values, start, stop)
    combine(lanes, book, scratch, inputs)
    inputs[SERVED] = served_score(book, inputs)
    return norm


def fits(state, norm, target, importance):
    """Whether sums of the squares of a row's numbers stay finite in its records.

    A count of 10^15 or more is none.
    """
    most = math.sqrt(LARGEST) if state.itemsize == 8 else LARGEST_SINGLE
    size = abs(target)
    if COUNTS and not target < LARGEST_COUNT:
        return False
    return norm < most * most and size < most and importance < most and size * importance < most


def learn_one(
    state, lanes, book, scratch, inputs, gains, kept, bins, slots, values, start, stop,
    target, importance, late, pending, scores, row,
):  # fmt: skip
    """Score a row, then learn it; with ``late`` the inputs are those it was predicted with."""
    # Python's floats are float64: rows one by one must round as rows of float32 arrays do.
    importance, target = state.dtype.type(importance) + 0.0, state.dtype.type(target) + 0.0
    if late:
        norm = gather(state, lanes, book, scratch, gains, kept, slots, values, start, stop)
    else:
        norm = score_one(state, lanes, book, scratch, inputs, kept, slots, values, start, stop)
    scores[row, 0], scores[row, 1] = inputs[SERVED], inputs[FULL]
    if importance == 0:
        return
    if not fits(state, norm, target, importance):
        book[Book.REJECTED] += 1
        return
    book[Book.LIFE] += importance
    given, target = target, take_target(book, target)
    patience = 1.0 if pending == 0 else (1.0 + pending) ** -0.25
    curvature = learn_layer(
        lanes, book, inputs, gains, given, target, importance, patience
    )  # fmt: skip
    slopes(lanes, book, scratch, target, importance)
    variance = load(scratch, Scratch.SPREAD, 0)
    power = settle(state, lanes, book, kept, slots, values, start, stop)
    write(state, lanes, book, scratch, kept, slots, start, stop, curvature)
    own = spread(1.0) / load(lanes, Row.Q, 0)
    bias = load(lanes, Row.Z, 0) * own * -1.0  # with what moves of centres gave it
    bend = load(scratch, Scratch.BEND, 0)
    damp = bend * upper(variance - own, spread(0.0)) + 1.0
    slope, rise = load(scratch, Scratch.SLOPE, 0), load(scratch, Scratch.RISE, 0)
    settle_intercepts(lanes, bias, slope, rise, damp)
    rows = book[Book.ROWS] + 1.0
    book[Book.ROWS] = rows
    book[Book.CLOCK] += 1.0
    book[Book.POWER] += (power - book[Book.POWER]) / rows
    steep = math.sqrt(max(1.0, book[Book.POWER])) - 1.0
    book[Book.RHO] = 1.0 + steep * WARM_UP / (WARM_UP + rows)
    if astray(book):
        begin_anew(state, lanes, book)
    elif book[Book.MOST] > 0:
        limit_served(state, lanes, book, bins)


def begin_anew(state, lanes, book):
    """Forget all that was learned; what is counted and what was chosen stay."""
    for slot in range(len(state)):
        for column in range(state.shape[1]):
            state[slot, column] = 0
    origin = book[Book.ORIGIN] + book[Book.NEWER_MEAN]
    kept = (
        book[Book.CLOCK], book[Book.LEVELS], book[Book.TOLERANCE], book[Book.MOST],
        book[Book.LIFE], book[Book.LIFE_SERVED], book[Book.LIFE_FULL], book[Book.REJECTED],
    )  # fmt: skip
    for i in range(len(book)):
        if not LEVEL <= i < LEVEL + MOST_LEVELS:  # the levels' τ
            book[i] = 0.0
    (
        book[Book.CLOCK], book[Book.LEVELS], book[Book.TOLERANCE], book[Book.MOST],
        book[Book.LIFE], book[Book.LIFE_SERVED], book[Book.LIFE_FULL], book[Book.REJECTED],
    ) = kept  # fmt: skip
    book[Book.ORIGIN] = origin  # until the next target
    for lane in range(MODELS):
        lanes[Row.Z, lane] = lanes[Row.SQUARES, lane] = lanes[Row.LOSS, lane] = 0.0
    start(lanes, book)


def learn_rows(
    state, lanes, book, scratch, inputs, gains, kept, bins, indptr, slots, values,
    targets, importances, scores,
):  # fmt: skip
    """Learn rows in order; ``scores[row]`` are the served and the full score from before."""
    for row in range(len(targets)):
        learn_one(
            state, lanes, book, scratch, inputs, gains, kept, bins, slots, values,
            indptr[row], indptr[row + 1], 1.0 * targets[row], 1.0 * importances[row], False, 0,
            scores, row,
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
    deviation = load(state, slot, ROOTS)
    growth = load(lanes, Row.RATE, 0) + load(lanes, Row.OWN, 0) * deviation
    precision = base + growth * deviation
    theta = load(lanes, Row.THETA, 0)
    return soft(load(state, slot, DUALS), theta * deviation) / precision * -1.0


def full_at(state, lanes, book, slot):
    """The full model's weight at a slot."""
    return total(load(lanes, Row.WEIGHT, 0) * weights_at(state, lanes, book, slot))


def worth_at(state, lanes, book, slot):
    """½w²H in nats: what the full model would lose without the feature; −1 for a weight of 0."""
    full = full_at(state, lanes, book, slot)
    if full == 0:
        return -1.0
    return 0.5 / book[Book.NATS] * full * full * state[slot, INFORMATION]


def read_slots(state, lanes, book, slots, weights):
    """Weights in the user's units: one column a lane, then the served one, then the centre."""
    level = int(book[Book.CHOSEN])
    slope = 1.0 + book[LEVEL + Level.SLOPE * MOST_LEVELS + level]
    for i in range(len(slots)):
        slot = slots[i]
        own = unit(state, slot)
        store(weights, i, 0, weights_at(state, lanes, book, slot) / own)
        served = worth_at(state, lanes, book, slot) >= book[LEVEL + level]
        full = full_at(state, lanes, book, slot)
        weights[i, MODELS] = full * slope / own if served else 0.0
        weights[i, MODELS + 1] = state[slot, CENTRE]


def survey(state, lanes, book, counts):
    """Features tracked, those served, and the active ones of each lane, in ``counts``."""
    chosen = int(book[Book.CHOSEN])
    for i in range(len(counts)):
        counts[i] = 0
    for slot in range(FIRST, len(state)):
        if state[slot, MET] != 0:
            counts[0] += 1
            counts[1] += worth_at(state, lanes, book, slot) >= book[LEVEL + chosen]


def limit_served(state, lanes, book, bins):
    """Raise τ until no more features are worth it than may be served.

    At rows whose number is k·2^j with k < 8. Worths are counted in bins, eight an octave, so a
    few features fewer may be served than there is room for.
    """
    odd = int(book[Book.ROWS])
    while odd % 2 == 0:
        odd //= 2
    if odd >= 8:
        return
    for i in range(len(bins)):
        bins[i] = 0
    for slot in range(FIRST, len(state)):
        worth = worth_at(state, lanes, book, slot)
        if worth > 0:
            place = len(bins) // 2 + 8.0 * math.log2(worth)
            bins[int(min(max(place, 0.0), len(bins) - 1.0))] += 1
    book[LEVEL] = tau_for(bins, book[Book.MOST])


def start(lanes, book):
    """Before the first row."""
    for lane in range(MODELS):
        lanes[Row.Q, lane] = lanes[Row.FIRST_Q, lane]
        lanes[Row.RATE, lane] = lanes[Row.FULL_RATE, lane]
        lanes[Row.THETA, lane] = lanes[Row.FULL_THETA, lane]
    book[Book.RHO] = book[Book.SIZE] = book[Book.NATS] = 1.0
    for level in range(MOST_LEVELS):
        book[LEVEL + Level.C_SLOPE * MOST_LEVELS + level] = LEVEL_PRIOR
        book[LEVEL + Level.C_BIAS * MOST_LEVELS + level] = LEVEL_PRIOR
    begin(lanes, book)
    mixture_shares(lanes, 1.0)
    book[Book.GUARD] = 0.5 if INPUTS else 0.0
    settle_weights(lanes, book)

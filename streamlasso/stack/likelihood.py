"""Lanes, second layer and served levels for a log likelihood: labels of two classes, and counts.

A lane's score is cut to ±min(8, log(2t + 1)) after t rows (for counts: around the log of their
mean): nobody is surer than t equal labels would make him. Inputs of the second layer: each lane's
cut score less the mixture's M; M; three means of the labels with memories of 2, 10 and 50 rows, as
links less the link of the long mean; 1.

Counts vary more than Poisson's law says: squared residuals over the mean, discounted, are the nats
that losses and residuals are divided by.
"""

import math

from streamlasso.stack.binding import (
    COUNTS,
    FULL,
    HELPERS,
    LEVEL,
    MIXTURE,
    MODELS,
    MOST_LEVELS,
    SUMS,
    TOP,
    C,
    U,
    absorb,
    choose_level,
    curvature_of,
    filter_level,
    level_score,
    link_of,
    mean_of,
    mixture_shares,
    recall,
    settle_weights,
    stacked,
    tell,
    value_of,
)
from streamlasso.stack.places import Book, Level, Row, Scratch

__all__ = [
    "astray",
    "begin",
    "combine",
    "full_curvature",
    "learn_layer",
    "served_score",
    "slopes",
    "take_target",
]

MEMORIES = (0.5, 0.9, 0.98)
HALF_LIFE = 0.5 ** (1 / 3000)
GUARD_HALF_LIFE = 0.5 ** (1 / 1000)
LARGEST = 8.0
SMALLEST = 1e-5
PRIOR_LANE, PRIOR_REST = 0.005, 0.01


def begin(lanes, book):
    """Before the first row."""
    book[Book.TARGETS], book[Book.EVENTS] = 0.5, 1.0
    for i in range(MODELS + HELPERS + 2):
        prior = PRIOR_LANE if i < MODELS else PRIOR_REST
        book[TOP + i] = prior
        book[C + i * (MODELS + HELPERS + 3)] = prior


def take_target(book, target):
    """Nothing is to be done to a label or a count."""
    return target


def astray(book):
    """Labels and counts have a scale."""
    return False


def centre_of(book):
    """Where the bounds of scores lie around."""
    return link_of(book[Book.TARGETS] / book[Book.EVENTS]) if COUNTS else 0.0


def bound_of(book):
    """How far a score may be from there."""
    return min(LARGEST, math.log(2.0 * book[Book.ROWS] + 1.0))


def combine(lanes, book, scratch, inputs):
    """What the second layer sees of a row, and the full model's score."""
    centre, bound = centre_of(book), bound_of(book)
    mixture = 0.0
    for lane in range(MODELS):
        score = min(max(scratch[Scratch.SCORE, lane], centre - bound), centre + bound)
        inputs[lane] = score
        mixture += lanes[Row.SHARE, lane] * score
    for lane in range(MODELS):
        inputs[lane] = lanes[Row.USED, lane] * (inputs[lane] - mixture)
    inputs[MODELS] = mixture
    for place in range(HELPERS):
        inputs[MODELS + 1 + place] = book[Book.HELPER_0 + place]
    inputs[MODELS + 1 + HELPERS] = 1.0
    inputs[MIXTURE] = mixture
    inputs[FULL] = mixture + book[Book.GUARD] * stacked(book, inputs)


def served_score(book, inputs):
    """The score of the level that is served, no surer than the rows so far allow."""
    level = int(book[Book.CHOSEN])
    centre, bound = centre_of(book), math.log(2.0 * book[Book.ROWS] + 1.0)
    score = level_score(book, level, inputs[SUMS + level])
    return min(max(score, centre - bound), centre + bound)


def slopes(lanes, book, scratch, target, importance):
    """Slope and curvature of each lane at its own score."""
    centre, bound = centre_of(book), 2.0 * LARGEST
    for lane in range(MODELS):
        score = scratch[Scratch.SCORE, lane]
        if COUNTS:
            score = min(max(score, centre - bound), centre + bound)
        mean = mean_of(score)
        curvature = max(curvature_of(mean), SMALLEST)
        used = importance * lanes[Row.USED, lane]
        scratch[Scratch.SLOPE, lane] = used * (mean - target)
        scratch[Scratch.RISE, lane] = used * curvature
        scratch[Scratch.BEND, lane] = importance * curvature * lanes[Row.DAMPED, lane]


def full_curvature(inputs):
    """h at the full model's score, of what features are worth."""
    return curvature_of(mean_of(inputs[FULL]))


def learn_layer(lanes, book, inputs, gains, target, importance, patience):
    """Losses, shares, filters and the served level after a label."""
    nats = book[Book.NATS]
    mixture = inputs[MIXTURE]
    fade = HALF_LIFE**importance if importance != 1.0 else HALF_LIFE
    for lane in range(MODELS):
        score = inputs[lane] + mixture
        loss = value_of(score, mean_of(score), target)
        lanes[Row.LOSS, lane] = lanes[Row.LOSS, lane] * fade + importance * loss
    levels = int(book[Book.LEVELS])
    centre, bound = centre_of(book), math.log(2.0 * book[Book.ROWS] + 1.0)
    low, high = centre - bound, centre + bound
    for level in range(levels):
        own = min(max(inputs[SUMS + level], low), high)
        score = min(max(level_score(book, level, inputs[SUMS + level]), low), high)
        place = LEVEL + Level.LOSS * MOST_LEVELS + level
        mean = mean_of(score)
        book[place] = book[place] * fade + importance * value_of(score, mean, target)
        curvature = max(curvature_of(mean), SMALLEST) * importance / nats
        residual = (target - mean) * importance / nats
        filter_level(book, level, own, 1.0, residual, curvature)
    score = mixture + stacked(book, inputs)
    mean = mean_of(score)
    gain = value_of(mixture, mean_of(mixture), target) - value_of(score, mean, target)
    book[Book.GAIN] = book[Book.GAIN] * GUARD_HALF_LIFE + importance * gain / nats
    curvature = max(curvature_of(mean), 1e-4) * importance / nats
    residual = (target - mean) * importance / nats
    absorb(book, inputs, gains, residual, curvature, patience)
    if COUNTS:
        mean = mean_of(inputs[FULL])
        away = target - mean
        excess = away * away / max(curvature_of(mean), SMALLEST)
        book[Book.EXCESS] = book[Book.EXCESS] * fade + importance * min(excess, 1e6)
    book[Book.SEEN] = book[Book.SEEN] * fade + importance
    for place in range(HELPERS):
        memory = MEMORIES[place]
        tell(book, Book.PAST_0, Book.PAST_WEIGHT_0, memory, place, target, importance)
    book[Book.TARGETS] += importance * target
    book[Book.EVENTS] += importance
    # What follows from it.
    if COUNTS:
        book[Book.NATS] = max(1.0, (book[Book.EXCESS] + 1.0) / (book[Book.SEEN] + 1.0))
    mixture_shares(lanes, book[Book.NATS])
    book[Book.GUARD] = 1.0 / (1.0 + math.exp(-min(max(book[Book.GAIN], -30.0), 30.0)))
    settle_weights(lanes, book)
    mean = book[Book.TARGETS] / book[Book.EVENTS]
    long = link_of(mean)
    offset = book[U + MODELS + 1 + HELPERS]
    for place in range(HELPERS):
        recent = recall(book, Book.PAST_0, Book.PAST_WEIGHT_0, place, mean)
        book[Book.HELPER_0 + place] = link_of(recent) - long
        offset += book[U + MODELS + 1 + place] * book[Book.HELPER_0 + place]
    book[Book.OFFSET] = book[Book.GUARD] * offset
    choose_level(book, 1.0 + book[Book.TOLERANCE])

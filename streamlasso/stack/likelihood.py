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
    INPUTS,
    MIXTURE,
    MODELS,
    SERVED,
    SUMS,
    TOP,
    C,
    U,
    absorb,
    at,
    choose_level,
    curvatures_of,
    exponential,
    faded,
    filter_levels,
    four,
    level_row,
    level_score,
    link_of,
    links_of,
    load,
    load_levels,
    lower,
    means_of,
    mixture_shares,
    put_level_row,
    settle_weights,
    spread_four,
    stacked,
    store,
    total,
    upper,
    values_of,
)
from streamlasso.stack.places import Book, Level, Row, Scratch

__all__ = [
    "astray",
    "begin",
    "combine",
    "learn_layer",
    "served_score",
    "slopes",
    "take_target",
]

HALF_LIFE = 0.5 ** (1 / 3000)
GUARD_HALF_LIFE = 0.5 ** (1 / 1000)
LARGEST = 8.0
SMALLEST = 1e-5
MOST_LOSS = 1e290
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
    return min(LARGEST, sure_of(book))


def sure_of(book):
    """The same of what is served."""
    return math.log(2.0 * book[Book.ROWS] + 1.0)


def combine(lanes, book, scratch, inputs):
    """What the second layer sees of a row, and the full model's score."""
    centre, bound = centre_of(book), bound_of(book)
    scores = lower(upper(load(scratch, Scratch.SCORE, 0), centre - bound), centre + bound)
    mixture = total(load(lanes, Row.SHARE, 0) * scores)
    apart = load(lanes, Row.USED, 0) * (scores - mixture)
    store(inputs, 0, 0, apart)
    inputs[MODELS] = mixture
    moved = total(apart * load(book, 0, U)) + book[U + MODELS] * mixture + book[U + INPUTS - 1]
    for place in range(HELPERS):
        helper = book[Book.HELPER_0 + place]
        inputs[MODELS + 1 + place] = helper
        moved += book[U + MODELS + 1 + place] * helper
    inputs[INPUTS - 1] = 1.0
    inputs[MIXTURE] = mixture
    inputs[FULL] = mixture + book[Book.GUARD] * moved


def served_score(book, inputs):
    """The score of the level that is served, no surer than the rows so far allow."""
    level = int(book[Book.CHOSEN])
    centre, bound = centre_of(book), sure_of(book)
    score = level_score(book, level, inputs[SUMS + level])
    return min(max(score, centre - bound), centre + bound)


def slopes(lanes, book, scratch, target, importance):
    """Slope and curvature of each lane at its own score."""
    scores = load(scratch, Scratch.SCORE, 0)
    if COUNTS:
        centre, bound = centre_of(book), 2.0 * LARGEST
        scores = lower(upper(scores, centre - bound), centre + bound)
    means = means_of(scores)
    curvatures = upper(curvatures_of(means), SMALLEST) * importance
    used = load(lanes, Row.USED, 0)
    store(scratch, Scratch.SLOPE, 0, (means - target) * (used * importance))
    store(scratch, Scratch.RISE, 0, used * curvatures)
    store(scratch, Scratch.BEND, 0, curvatures * load(lanes, Row.DAMPED, 0))


def learn_levels(book, inputs, target, importance, fade):
    """Losses and filters of the levels."""
    centre, bound = centre_of(book), sure_of(book)
    low, high = centre - bound, centre + bound
    sums = load_levels(inputs, 0, SUMS)
    scores = sums + level_row(book, Level.SLOPE) * sums + level_row(book, Level.BIAS)
    scores = lower(upper(scores, low), high)
    means = means_of(scores)
    losses = values_of(scores, means, target) * importance
    put_level_row(book, Level.LOSS, level_row(book, Level.LOSS) * fade + losses)
    weight = importance / book[Book.NATS]
    curvatures = upper(curvatures_of(means), SMALLEST) * weight
    own = lower(upper(sums, low), high)
    filter_levels(book, own, (means - target) * -weight, curvatures)


def learn_stacked(book, inputs, work, target, importance, patience):
    """The second layer's filter, what it gains over the mixture, and losses over the life.

    Returns mean and curvature at the full model's score.
    """
    mixture, weight = inputs[MIXTURE], importance / book[Book.NATS]
    scores = four(inputs[SERVED], inputs[FULL], mixture, mixture + stacked(book, inputs))
    means = means_of(scores)
    losses, curvatures = values_of(scores, means, target), curvatures_of(means)
    book[Book.LIFE_SERVED] += importance * min(at(losses, 0), MOST_LOSS)
    book[Book.LIFE_FULL] += importance * min(at(losses, 1), MOST_LOSS)
    gain = weight * (at(losses, 2) - at(losses, 3))
    book[Book.GAIN] = book[Book.GAIN] * GUARD_HALF_LIFE + gain
    curvature = max(at(curvatures, 3), 1e-4) * weight
    absorb(book, inputs, work, (target - at(means, 3)) * weight, curvature, patience)
    return at(means, 1), at(curvatures, 1)


def learn_layer(lanes, book, inputs, work, given, target, importance, patience):
    """Losses, shares, filters and the served level after a label.

    Returns h at the full model's score, of what features are worth.
    """
    fade = HALF_LIFE**importance if importance != 1.0 else HALF_LIFE
    scores = load(inputs, 0, 0) + inputs[MIXTURE]
    losses = values_of(scores, means_of(scores), target) * importance
    store(lanes, Row.LOSS, 0, load(lanes, Row.LOSS, 0) * fade + losses)
    learn_levels(book, inputs, target, importance, fade)
    mean, curvature = learn_stacked(book, inputs, work, target, importance, patience)
    book[Book.SEEN] = book[Book.SEEN] * fade + importance
    if COUNTS:
        excess = (target - mean) * (target - mean) / max(curvature, SMALLEST)
        book[Book.EXCESS] = book[Book.EXCESS] * fade + importance * min(excess, 1e6)
        book[Book.NATS] = max(1.0, (book[Book.EXCESS] + 1.0) / (book[Book.SEEN] + 1.0))
    book[Book.TARGETS] += importance * target
    book[Book.EVENTS] += importance
    mixture_shares(lanes, book[Book.NATS])
    settle_guard(book)
    settle_weights(lanes, book)
    settle_helpers(book, target, importance)
    choose_level(book, 1.0 + book[Book.TOLERANCE])
    return importance * curvature


def settle_guard(book):
    """The second layer's share: how likely it is better than the mixture."""
    gain = min(max(book[Book.GAIN], -30.0), 30.0)
    book[Book.GUARD] = 1.0 / (1.0 + at(exponential(spread_four(-gain)), 0))


def settle_helpers(book, target, importance):
    """What the second layer is told of recent labels, with memories of 2, 10 and 50 rows."""
    memories = four(0.5, 0.9, 0.98, 0.0)
    sums, weights = faded(book, Book.PAST_0, memories, target, importance)
    mean = book[Book.TARGETS] / book[Book.EVENTS]
    recent = (sums + mean) / (weights + 1.0)
    links = links_of(four(at(recent, 0), at(recent, 1), at(recent, 2), mean))
    links = links - at(links, 3)
    offset = book[U + INPUTS - 1]
    for place in range(HELPERS):
        book[Book.HELPER_0 + place] = at(links, place)
        offset += book[U + MODELS + 1 + place] * at(links, place)
    book[Book.OFFSET] = book[Book.GUARD] * offset

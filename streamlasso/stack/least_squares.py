"""Lanes, second layer and served levels for the squared loss, in any unit of the target.

t = y − y₁; b the deviation of t so far, used only at the moment of use. A lane's score is cut to
the range of targets so far; its gradient to six times the root of its mean squared error r. Inputs
of the second layer: (c − M)/b of each lane; (M − μ)/b; three means of t with memories of 2, 10 and
50 rows, less the long mean μ, over b; three means of the residual t − M with memories of 1, 2 and
10 rows, over b; 1. All but the second are cut to ±3.

A target further than 10·b from the mean is cut to that; the bound doubles with each further one in
a row and the fifth is believed, so that a shift of level gets through. The first five are believed;
if one of them was wild, the learner begins anew (`astray`).
"""

import math

from streamlasso.stack.binding import (
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
    filter_level,
    level_score,
    mixture_shares,
    recall,
    settle_weights,
    stacked,
    tell,
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
ECHOES = (0.0, 0.5, 0.9)
HALF_LIFE = 0.5 ** (1 / 3000)
GUARD_HALF_LIFE = 0.5 ** (1 / 300)
PRIOR_LANE, PRIOR_REST = 0.005, 0.003
CUT, LARGEST_STEP = 3.0, 6.0
FAR, BELIEVED, YOUNG = 10.0, 5.0, 5.0
USED_FROM = 10.0
LOUDEST = 50.0
ASTRAY = 1000.0


def begin(lanes, book):
    """Before the first row."""
    book[Book.LOW] = book[Book.HIGH] = 0.0
    for i in range(MODELS + HELPERS + 2):
        prior = PRIOR_LANE if i < MODELS else PRIOR_REST
        book[TOP + i] = prior
        book[C + i * (MODELS + HELPERS + 3)] = prior


def mean_target(book):
    """μ, of t."""
    return book[Book.TARGETS] / book[Book.EVENTS] if book[Book.EVENTS] > 0 else 0.0


def take_target(book, target):
    """y as t, cut where it is wild."""
    if book[Book.EVENTS] == 0:
        book[Book.ORIGIN] = target
    t = target - book[Book.ORIGIN]
    mean = mean_target(book)
    bound = FAR * book[Book.SIZE] * 2.0 ** min(book[Book.WILD], 60.0)
    if book[Book.ROWS] >= YOUNG and book[Book.DEVIATIONS] > 0 and abs(t - mean) > bound:
        book[Book.WILD] += 1.0
        if book[Book.WILD] < BELIEVED:
            t = min(max(t, mean - bound), mean + bound)
    else:
        book[Book.WILD] = 0.0
    return t


def combine(lanes, book, scratch, inputs):
    """What the second layer sees of a row, and the full model's score."""
    low, high = book[Book.LOW], book[Book.HIGH]
    unit = 1.0 / book[Book.SIZE]
    mixture = 0.0
    for lane in range(MODELS):
        score = min(max(scratch[Scratch.SCORE, lane], low), high)
        inputs[lane] = score
        mixture += lanes[Row.SHARE, lane] * score
    for lane in range(MODELS):
        inputs[lane] = lanes[Row.USED, lane] * cut_input((inputs[lane] - mixture) * unit)
    mean = mean_target(book)
    inputs[MODELS] = (mixture - mean) * unit
    for place in range(3):
        recent = recall(book, Book.PAST_0, Book.PAST_WEIGHT_0, place, mean)
        inputs[MODELS + 1 + place] = cut_input((recent - mean) * unit)
        echo = recall(book, Book.ECHO_0, Book.ECHO_WEIGHT_0, place, 0.0)
        inputs[MODELS + 4 + place] = cut_input(echo * unit)
    inputs[MODELS + 1 + HELPERS] = 1.0
    inputs[MIXTURE] = mixture
    full = mixture + book[Book.GUARD] * book[Book.SIZE] * stacked(book, inputs)
    inputs[FULL] = full + book[Book.ORIGIN]


def cut_input(value):
    """Within ±3 deviations."""
    return min(max(value, -CUT), CUT)


def served_score(book, inputs):
    """The prediction of the level that is served."""
    return level_prediction(book, int(book[Book.CHOSEN]), inputs) + book[Book.ORIGIN]


def level_prediction(book, level, inputs):
    """S + slope·(S − μ) + bias·b."""
    score, size = inputs[SUMS + level], book[Book.SIZE]
    away = (score - mean_target(book)) / size
    return score + size * (level_score(book, level, away) - away)


def slopes(lanes, book, scratch, target, importance):
    """The gradient at each lane's cut score, itself cut."""
    low, high = book[Book.LOW], book[Book.HIGH]
    unit = 1.0 / book[Book.SIZE]
    for lane in range(MODELS):
        error = min(max(scratch[Scratch.SCORE, lane], low), high) - target
        bound = LARGEST_STEP * math.sqrt(lanes[Row.LOSS, lane] / max(book[Book.SEEN], 1e-9))
        used = importance * lanes[Row.USED, lane]
        slope = used * min(max(error, -bound), bound)
        scratch[Scratch.SLOPE, lane] = slope
        scratch[Scratch.BEND, lane] = importance * lanes[Row.DAMPED, lane]
        rise = used
        if lanes[Row.FADE, lane] == 0 and lanes[Row.DAMPED, lane] == 0:
            squares = lanes[Row.SQUARES, lane]
            more = squares + slope * unit * slope * unit
            rise = math.sqrt(more) - math.sqrt(squares)
            lanes[Row.SQUARES, lane] = more
        scratch[Scratch.RISE, lane] = rise


def full_curvature(inputs):
    """That of ½(y − s)²; what a feature is worth is divided by the mean squared error."""
    return 1.0


def learn_layer(lanes, book, inputs, gains, target, importance, patience):
    """Losses, shares, filters and the served level after a target, given as t."""
    size, mixture, mean = book[Book.SIZE], inputs[MIXTURE], mean_target(book)
    known = book[Book.DEVIATIONS] > 0
    levels = int(book[Book.LEVELS])
    for level in range(levels):  # with what they were predicted with
        gains[level] = target - level_prediction(book, level, inputs)
    fade = HALF_LIFE**importance if importance != 1.0 else HALF_LIFE
    book[Book.SEEN] = book[Book.SEEN] * fade + importance
    least = 1e300
    for lane in range(MODELS):
        error = inputs[lane] * size + mixture - target
        lanes[Row.LOSS, lane] = lanes[Row.LOSS, lane] * fade + importance * error * error
        if lanes[Row.USED, lane] != 0:
            least = min(least, lanes[Row.LOSS, lane])
    least = max(least / book[Book.SEEN], 1e-300)
    settle_targets(book, target, importance)
    if not known:
        size = book[Book.SIZE]
    noise = max(least / (size * size), 1e-12)
    for level in range(levels):
        error = gains[level]
        place = LEVEL + Level.LOSS * MOST_LEVELS + level
        book[place] = book[place] * fade + importance * error * error
        away = (inputs[SUMS + level] - mean) / size
        error /= size
        own = max(noise, error * error / 36.0)
        filter_level(book, level, away, 1.0, importance * error / own, importance / own)
    plain = (target - mixture) / size
    error = plain - stacked(book, inputs)
    gain = min(max(0.5 * (plain * plain - error * error) / noise, -LOUDEST), LOUDEST)
    book[Book.GAIN] = book[Book.GAIN] * GUARD_HALF_LIFE + importance * gain
    clipped = min(max(error, -CUT), CUT)
    book[Book.NOISE] = book[Book.NOISE] * GUARD_HALF_LIFE + importance * clipped * clipped
    book[Book.NOISES] = book[Book.NOISES] * GUARD_HALF_LIFE + importance
    own = max((book[Book.NOISE] + 0.01) / (book[Book.NOISES] + 0.01), error * error / 36.0)
    absorb(book, inputs, gains, importance * error / own, importance / own, patience)
    for place in range(3):
        memory = MEMORIES[place]
        tell(book, Book.PAST_0, Book.PAST_WEIGHT_0, memory, place, target, importance)
        memory = ECHOES[place]
        left = target - mixture
        tell(book, Book.ECHO_0, Book.ECHO_WEIGHT_0, memory, place, left, importance)
    for lane in range(MODELS):
        lanes[Row.RATE, lane] = lanes[Row.FULL_RATE, lane] / book[Book.SIZE]
        lane_noise = 1.0
        if lanes[Row.OWN, lane] != 0:
            lane_noise = math.sqrt(lanes[Row.LOSS, lane] / book[Book.SEEN])
        lanes[Row.THETA, lane] = lanes[Row.FULL_THETA, lane] * lane_noise
    mixture_shares(lanes, 2.0 * least)
    book[Book.NATS] = least
    used = book[Book.ROWS] + importance >= USED_FROM
    guard = 1.0 / (1.0 + math.exp(-min(max(book[Book.GAIN], -30.0), 30.0)))
    book[Book.GUARD] = guard if used else 0.0
    settle_weights(lanes, book)
    size, mean = book[Book.SIZE], mean_target(book)
    offset = book[U + MODELS + 1 + HELPERS] * size - book[U + MODELS] * mean
    for place in range(3):
        recent = recall(book, Book.PAST_0, Book.PAST_WEIGHT_0, place, mean)
        offset += book[U + MODELS + 1 + place] * size * cut_input((recent - mean) / size)
        echo = recall(book, Book.ECHO_0, Book.ECHO_WEIGHT_0, place, 0.0)
        offset += book[U + MODELS + 4 + place] * size * cut_input(echo / size)
    book[Book.OFFSET] = book[Book.GUARD] * offset
    margin = 1.0 + book[Book.TOLERANCE]
    choose_level(book, margin * margin)


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

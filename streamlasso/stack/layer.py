"""The second layer, whatever the loss: a Kalman filter over the lanes' scores.

With X the inputs of a row (`likelihood`, `least_squares`), u its weights and C their covariance,
e the residual in nats per unit of score and h the curvature: G = CX, d = 1 + h·X·G,

    u ← u + G·e/d        C ← C − G·Gᵀ·h/d

then C grows by 1/.9999 as long as no variance exceeds its prior. First-order mixing has no rate
that is safe; this extrapolates too: weights below 0 and above 1.

A level (`streamlasso.stack.serving`) has a filter of its own over its score and 1.
"""

import math

from streamlasso.stack.binding import (
    INPUTS,
    LEVEL,
    MODELS,
    MOST_LEVELS,
    TOP,
    C,
    U,
    load,
    store,
)
from streamlasso.stack.places import Book, Level, Row

__all__ = [
    "absorb",
    "choose_level",
    "filter_level",
    "level_score",
    "mixture_shares",
    "recall",
    "settle_intercepts",
    "settle_weights",
    "stacked",
    "tau_for",
    "tell",
]

GROW = 1 / 0.9999
LEVEL_PRIOR = 0.01
LOUD = math.inf
NEGLIGIBLE = 40.0


def stacked(book, inputs):
    """u·X."""
    score = 0.0
    for i in range(INPUTS):
        score += book[U + i] * inputs[i]
    return score


def absorb(book, inputs, gains, residual, curvature, patience):
    """The filter's step; ``patience`` ≤ 1 makes it smaller where labels are late."""
    # C is symmetric: by columns, so that no sum waits for its last term.
    for i in range(INPUTS):
        gains[i] = 0.0
    for k in range(INPUTS):
        one = inputs[k]
        for i in range(INPUTS):
            gains[i] += book[C + k * INPUTS + i] * one
    spread_of_score = 0.0
    for i in range(INPUTS):
        spread_of_score += gains[i] * inputs[i]
    # Rounding after a row of huge importance can leave less than nothing of a variance.
    scale = 1.0 / (1.0 + curvature * max(spread_of_score, 0.0))
    shrink = curvature * scale
    step = residual * scale * patience
    largest = 0.0
    for i in range(INPUTS):
        book[U + i] += gains[i] * step
        variance = book[C + i * INPUTS + i] - gains[i] * gains[i] * shrink
        largest = max(largest, variance / book[TOP + i])
    grow = GROW if largest <= 0 else min(GROW, 1.0 / largest)
    for k in range(INPUTS):
        part = gains[k] * shrink
        for i in range(INPUTS):
            place = C + k * INPUTS + i
            book[place] = (book[place] - part * gains[i]) * grow


def level_score(book, level, score):
    """(1 + slope)·score + bias."""
    slope = book[LEVEL + Level.SLOPE * MOST_LEVELS + level]
    return score + slope * score + book[LEVEL + Level.BIAS * MOST_LEVELS + level]


def filter_level(book, level, score, unit, residual, curvature):
    """The filter's step of one level over (score, unit)."""
    at = LEVEL + level
    c_slope = book[at + Level.C_SLOPE * MOST_LEVELS]
    c_both = book[at + Level.C_BOTH * MOST_LEVELS]
    c_bias = book[at + Level.C_BIAS * MOST_LEVELS]
    first = c_slope * score + c_both * unit
    second = c_both * score + c_bias * unit
    scale = 1.0 / (1.0 + curvature * max(first * score + second * unit, 0.0))
    book[at + Level.SLOPE * MOST_LEVELS] += first * residual * scale
    book[at + Level.BIAS * MOST_LEVELS] += second * residual * scale
    shrink = curvature * scale
    c_slope -= first * first * shrink
    c_both -= first * second * shrink
    c_bias -= second * second * shrink
    largest = max(c_slope, c_bias) / LEVEL_PRIOR
    grow = GROW if largest <= 0 else min(GROW, 1.0 / largest)
    book[at + Level.C_SLOPE * MOST_LEVELS] = c_slope * grow
    book[at + Level.C_BOTH * MOST_LEVELS] = c_both * grow
    book[at + Level.C_BIAS * MOST_LEVELS] = c_bias * grow


def tell(book, first, weights, memory, place, value, importance):
    """Take a value into a fading mean."""
    book[first + place] = memory * book[first + place] + importance * value
    book[weights + place] = memory * book[weights + place] + importance


def recall(book, first, weights, place, prior):
    """A fading mean, shrunk to ``prior`` by one row."""
    return (book[first + place] + prior) / (book[weights + place] + 1.0)


def mixture_shares(lanes, nats):
    """v ∝ e^(−discounted loss / nats − prior), by lane."""
    least = LOUD
    for lane in range(MODELS):
        if lanes[Row.USED, lane] != 0:
            least = min(least, lanes[Row.LOSS, lane] / nats + lanes[Row.PRIOR, lane])
    all_shares = 0.0
    for lane in range(MODELS):
        share = 0.0
        if lanes[Row.USED, lane] != 0:
            excess = lanes[Row.LOSS, lane] / nats + lanes[Row.PRIOR, lane] - least
            if excess < NEGLIGIBLE:
                share = math.exp(-excess)
        lanes[Row.SHARE, lane] = share
        all_shares += share
    for lane in range(MODELS):
        lanes[Row.SHARE, lane] /= all_shares


def settle_weights(lanes, book):
    """The full model as one linear model: a = v·(1 + g·(u_M − Σu)) + g·u, g the guard's share."""
    guard = book[Book.GUARD]
    rest = book[U + MODELS]
    for lane in range(MODELS):
        rest -= book[U + lane]
    for lane in range(MODELS):
        share = lanes[Row.SHARE, lane]
        lanes[Row.WEIGHT, lane] = share * (1.0 + guard * rest) + guard * book[U + lane]


def choose_level(book, margin):
    """Serve the sparsest level whose discounted loss is within the margin of the best."""
    levels = int(book[Book.LEVELS])
    losses = LEVEL + Level.LOSS * MOST_LEVELS
    least = LOUD
    for level in range(levels):
        least = min(least, book[losses + level])
    chosen = 0
    for level in range(levels):
        if book[losses + level] <= least * margin:
            chosen = level
    book[Book.CHOSEN] = chosen


def tau_for(bins, most):
    """The τ that no more than so many are worth, of counts in bins, eight an octave."""
    count = 0.0
    place = len(bins) - 1
    while place >= 0 and count + bins[place] <= most:
        count += bins[place]
        place -= 1
    return 2.0 ** ((place + 1 - len(bins) // 2) / 8.0) if place >= 0 else 0.0


def settle_intercepts(lanes, bias, slope, rise, damp):
    """A Newton step of each lane's intercept: q grows by the curvature, less what it forgets."""
    precision = load(lanes, Row.Q, 0)
    fade = load(lanes, Row.FADE, 0)
    change = rise / damp - fade * (precision - load(lanes, Row.FIRST_Q, 0))
    store(lanes, Row.Z, 0, load(lanes, Row.Z, 0) + slope / damp - change * bias)
    store(lanes, Row.Q, 0, precision + change)

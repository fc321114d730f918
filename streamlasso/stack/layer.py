"""The second layer, whatever the loss: a Kalman filter over the lanes' scores.

With X the inputs of a row (`likelihood`, `least_squares`), u its weights and C their covariance,
e the residual in nats per unit of score and h the curvature: G = CX, d = 1 + h·X·G,

    u ← u + G·e/d        C ← C − G·Gᵀ·h/d

then C grows by 1/.9999 as long as no variance exceeds its prior. First-order mixing has no rate
that is safe; this extrapolates too: weights below 0 and above 1.

A level (`streamlasso.stack.serving`) has a filter of its own over its score and 1.
"""

from streamlasso.stack.binding import (
    INPUTS,
    LEVEL,
    MODELS,
    MOST_LEVELS,
    TOP,
    C,
    U,
    at,
    exponential,
    fused,
    largest,
    load,
    load_four,
    load_inputs,
    load_levels,
    lower,
    ordinal,
    pick,
    smallest,
    spread_levels,
    store,
    store_inputs,
    store_levels,
    total,
    upper,
)
from streamlasso.stack.places import Book, Level, Row

__all__ = [
    "absorb",
    "choose_level",
    "faded",
    "filter_levels",
    "level_row",
    "level_score",
    "mixture_shares",
    "put_level_row",
    "settle_intercepts",
    "settle_weights",
    "stacked",
    "tau_for",
]

GROW = 1 / 0.9999
LEVEL_PRIOR = 0.01
LOUD = 1e300
LEAST = 1e-300
NEGLIGIBLE = 40.0


def stacked(book, inputs):
    """u·X."""
    score = total(load(book, 0, U) * load(inputs, 0, 0))
    for i in range(MODELS, INPUTS):
        score += book[U + i] * inputs[i]
    return score


def absorb(book, inputs, work, residual, curvature, patience):
    """The filter's step; ``patience`` ≤ 1 makes it smaller where labels are late."""
    seen = load_inputs(inputs, 0, 0)
    gains = others = seen * 0.0
    # C is symmetric: by columns, in two sums, so that neither waits long for its last term.
    for i in range(INPUTS):
        work[i] = book[C + i * INPUTS + i]
    for i in range(0, INPUTS - 1, 2):
        gains = fused(load_inputs(book, 0, C + i * INPUTS), inputs[i], gains)
        others = fused(load_inputs(book, 0, C + (i + 1) * INPUTS), inputs[i + 1], others)
    if INPUTS % 2:
        gains = fused(load_inputs(book, 0, C + (INPUTS - 1) * INPUTS), inputs[INPUTS - 1], gains)
    gains = gains + others
    spread_of_score = total(gains * seen)
    # Rounding after a row of huge importance can leave less than nothing of a variance.
    scale = 1.0 / (1.0 + curvature * max(spread_of_score, 0.0))
    shrink = curvature * scale
    weights = load_inputs(book, 0, U) + gains * (residual * scale * patience)
    store_inputs(book, 0, U, weights)
    left = load_inputs(work, 0, 0) - gains * gains * shrink
    peak = largest(left / upper(load_inputs(book, 0, TOP), LEAST))
    grow = GROW if peak <= 0 else min(GROW, 1.0 / peak)
    part = gains * shrink
    for i in range(INPUTS):
        place = C + i * INPUTS
        column = load_inputs(book, 0, place) - part * at(gains, i)
        store_inputs(book, 0, place, column * grow)


def level_score(book, level, score):
    """(1 + slope)·score + bias."""
    slope = book[LEVEL + Level.SLOPE * MOST_LEVELS + level]
    return score + slope * score + book[LEVEL + Level.BIAS * MOST_LEVELS + level]


def level_row(book, row):
    """One of the numbers of all levels."""
    return load_levels(book, 0, LEVEL + row * MOST_LEVELS)


def put_level_row(book, row, numbers):
    """Write one of the numbers of all levels."""
    store_levels(book, 0, LEVEL + row * MOST_LEVELS, numbers)


def filter_levels(book, scores, residuals, curvatures):
    """The filters' steps of all levels over (score, 1)."""
    c_slope, c_bias = level_row(book, Level.C_SLOPE), level_row(book, Level.C_BIAS)
    c_both = level_row(book, Level.C_BOTH)
    first = c_slope * scores + c_both
    second = c_both * scores + c_bias
    scale = spread_levels(1.0) / (curvatures * upper(first * scores + second, 0.0) + 1.0)
    step = residuals * scale
    put_level_row(book, Level.SLOPE, level_row(book, Level.SLOPE) + first * step)
    put_level_row(book, Level.BIAS, level_row(book, Level.BIAS) + second * step)
    shrink = curvatures * scale
    c_slope = c_slope - first * first * shrink
    c_both = c_both - first * second * shrink
    c_bias = c_bias - second * second * shrink
    # The prior over the larger variance: it grows by that, and by no more than GROW.
    room = spread_levels(LEVEL_PRIOR) / upper(upper(c_slope, c_bias), LEAST)
    grow = lower(room, GROW)
    put_level_row(book, Level.C_SLOPE, c_slope * grow)
    put_level_row(book, Level.C_BOTH, c_both * grow)
    put_level_row(book, Level.C_BIAS, c_bias * grow)


def faded(book, first, memories, value, importance):
    """Take a value into three fading means; return Σ and weights, four numbers each.

    The fourth is no part of it.
    """
    sums = load_four(book, 0, first) * memories + importance * value
    weights = load_four(book, 0, first + 3) * memories + importance
    for place in range(3):
        book[first + place] = at(sums, place)
        book[first + 3 + place] = at(weights, place)
    return sums, weights


def mixture_shares(lanes, nats):
    """v ∝ e^(−discounted loss / nats − prior), by lane."""
    losses = load(lanes, Row.LOSS, 0) / nats + load(lanes, Row.PRIOR, 0)
    losses = pick(load(lanes, Row.USED, 0), 0.5, losses, LOUD)
    excess = losses - smallest(losses)
    shares = pick(NEGLIGIBLE, excess, exponential(excess * -1.0), 0.0)
    store(lanes, Row.SHARE, 0, shares / total(shares))


def settle_weights(lanes, book):
    """The full model as one linear model: a = v·(1 + g·(u_M − Σu)) + g·u, g the guard's share."""
    guard, u = book[Book.GUARD], load(book, 0, U)
    rest = 1.0 + guard * (book[U + MODELS] - total(u))
    store(lanes, Row.WEIGHT, 0, load(lanes, Row.SHARE, 0) * rest + u * guard)


def choose_level(book, margin):
    """Serve the sparsest level whose discounted loss is within the margin of the best."""
    losses = pick(level_row(book, Level.TAU), LOUD, LOUD, level_row(book, Level.LOSS))
    book[Book.CHOSEN] = largest(pick(smallest(losses) * margin, losses, ordinal(losses), 0.0))


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

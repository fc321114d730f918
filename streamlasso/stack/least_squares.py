"""Lanes, second layer and served levels for the squared loss, in any unit of the target.

t = y − y₁; b the deviation of t so far, used only at the moment of use. A lane's score is cut to
the range of targets so far; its gradient to six times the root of its mean squared error r. Inputs
of the second layer: (c − M)/b of each lane; (M − μ)/b; three means of t with memories of 2, 10 and
50 rows, less the long mean μ, over b; three means of the residual t − M with memories of 1, 2 and
10 rows, over b; 1. All but the second are cut to ±3.
"""

from streamlasso.stack.binding import (
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
    exponential,
    faded,
    filter_levels,
    four,
    level_row,
    level_score,
    load,
    load_four,
    load_levels,
    lower,
    mean_target,
    mixture_shares,
    pick,
    put_level_row,
    root,
    settle_targets,
    settle_weights,
    smallest,
    spread_four,
    spread_levels,
    stacked,
    store,
    total,
    upper,
)
from streamlasso.stack.places import Book, Level, Row, Scratch

__all__ = [
    "begin",
    "combine",
    "learn_layer",
    "served_score",
    "slopes",
]

HALF_LIFE = 0.5 ** (1 / 3000)
GUARD_HALF_LIFE = 0.5 ** (1 / 300)
PRIOR_LANE, PRIOR_REST = 0.005, 0.003
CUT, LARGEST_STEP = 3.0, 6.0
USED_FROM = 10.0
LOUDEST = 50.0
MOST_LOSS = 1e290
LEAST = 1e-300


def begin(lanes, book):
    """Before the first row."""
    book[Book.LOW] = book[Book.HIGH] = 0.0
    for i in range(MODELS + HELPERS + 2):
        prior = PRIOR_LANE if i < MODELS else PRIOR_REST
        book[TOP + i] = prior
        book[C + i * (MODELS + HELPERS + 3)] = prior


def combine(lanes, book, scratch, inputs):
    """What the second layer sees of a row, and the full model's score."""
    unit = 1.0 / book[Book.SIZE]
    scores = lower(upper(load(scratch, Scratch.SCORE, 0), book[Book.LOW]), book[Book.HIGH])
    mixture = total(load(lanes, Row.SHARE, 0) * scores)
    store(inputs, 0, 0, load(lanes, Row.USED, 0) * cut_inputs((scores - mixture) * unit))
    inputs[MODELS] = (mixture - mean_target(book)) * unit
    news, echoes = helpers(book)
    for place in range(3):
        inputs[MODELS + 1 + place] = at(news, place)
        inputs[MODELS + 4 + place] = at(echoes, place)
    inputs[INPUTS - 1] = 1.0
    inputs[MIXTURE] = mixture
    full = mixture + book[Book.GUARD] * book[Book.SIZE] * stacked(book, inputs)
    inputs[FULL] = full + book[Book.ORIGIN]


def cut_inputs(numbers):
    """Within ±3 deviations."""
    return lower(upper(numbers, -CUT), CUT)


def helpers(book):
    """What the second layer is told of recent targets and of the mixture's recent errors."""
    mean, unit = mean_target(book), 1.0 / book[Book.SIZE]
    targets = load_four(book, 0, Book.PAST_0) + mean
    news = targets / (load_four(book, 0, Book.PAST_WEIGHT_0) + 1.0) - mean
    echoes = load_four(book, 0, Book.ECHO_0) / (load_four(book, 0, Book.ECHO_WEIGHT_0) + 1.0)
    return cut_inputs(news * unit), cut_inputs(echoes * unit)


def served_score(book, inputs):
    """The prediction of the level that is served: S + slope·(S − μ) + bias·b."""
    level = int(book[Book.CHOSEN])
    score, size = inputs[SUMS + level], book[Book.SIZE]
    away = (score - mean_target(book)) / size
    return score + size * (level_score(book, level, away) - away) + book[Book.ORIGIN]


def judge(book, inputs, target, importance):
    """Losses over the life, of a target as it was given."""
    for place, score in ((Book.LIFE_SERVED, inputs[SERVED]), (Book.LIFE_FULL, inputs[FULL])):
        error = score - target
        book[place] += importance * min(0.5 * error * error, MOST_LOSS)


def slopes(lanes, book, scratch, target, importance):
    """The gradient at each lane's cut score, itself cut."""
    unit = 1.0 / book[Book.SIZE]
    scores = lower(upper(load(scratch, Scratch.SCORE, 0), book[Book.LOW]), book[Book.HIGH])
    bounds = root(load(lanes, Row.LOSS, 0) / max(book[Book.SEEN], 1e-9)) * LARGEST_STEP
    errors = lower(upper(scores - target, bounds * -1.0), bounds)
    used = load(lanes, Row.USED, 0) * importance
    gradients = errors * used
    store(scratch, Scratch.SLOPE, 0, gradients)
    damped = load(lanes, Row.DAMPED, 0)
    store(scratch, Scratch.BEND, 0, damped * importance)
    # Neither damped nor forgetful: the root of the squared gradients in deviations.
    squares, relative = load(lanes, Row.SQUARES, 0), gradients * unit
    grows = pick(damped + load(lanes, Row.FADE, 0), LEAST, 0.0, 1.0)
    more = squares + grows * relative * relative
    store(lanes, Row.SQUARES, 0, more)
    store(scratch, Scratch.RISE, 0, pick(grows, 0.5, root(more) - root(squares), used))


def learn_levels(book, inputs, target, away, importance, fade):
    """Losses of the levels' predictions, S + slope·(S − μ) + bias·b; their errors.

    ``away`` is (S − μ)/b.
    """
    moved = level_row(book, Level.SLOPE) * away + level_row(book, Level.BIAS)
    errors = load_levels(inputs, 0, SUMS) + moved * book[Book.SIZE]
    errors = errors * -1.0 + target
    losses = errors * errors * importance
    put_level_row(book, Level.LOSS, level_row(book, Level.LOSS) * fade + losses)
    return errors


def learn_stacked(book, inputs, work, plain, noise, importance, patience):
    """The second layer's filter, and what it gains over the mixture, whose error is ``plain``."""
    error = plain - stacked(book, inputs)
    gain = min(max(0.5 * (plain * plain - error * error) / noise, -LOUDEST), LOUDEST)
    book[Book.GAIN] = book[Book.GAIN] * GUARD_HALF_LIFE + importance * gain
    clipped = min(max(error, -CUT), CUT)
    book[Book.NOISE] = book[Book.NOISE] * GUARD_HALF_LIFE + importance * clipped * clipped
    book[Book.NOISES] = book[Book.NOISES] * GUARD_HALF_LIFE + importance
    own = max((book[Book.NOISE] + 0.01) / (book[Book.NOISES] + 0.01), error * error / 36.0)
    weight = importance / own
    absorb(book, inputs, work, error * weight, weight, patience)


def learn_lanes(lanes, book, inputs, target, importance, fade):
    """Losses of the lanes; return the least mean squared error."""
    errors = load(inputs, 0, 0) * book[Book.SIZE] + (inputs[MIXTURE] - target)
    losses = load(lanes, Row.LOSS, 0) * fade + errors * errors * importance
    store(lanes, Row.LOSS, 0, losses)
    return max(
        smallest(pick(load(lanes, Row.USED, 0), 0.5, losses, 1e300)) / book[Book.SEEN], LEAST
    )


def learn_layer(lanes, book, inputs, work, given, target, importance, patience):
    """Losses, shares, filters and the served level after a target, as it was given and as t.

    Returns h, that of ½(y − s)²: what a feature is worth is divided by the mean squared error.
    """
    judge(book, inputs, given, importance)
    size, mixture, mean = book[Book.SIZE], inputs[MIXTURE], mean_target(book)
    known = book[Book.DEVIATIONS] > 0
    fade = HALF_LIFE**importance if importance != 1.0 else HALF_LIFE
    book[Book.SEEN] = book[Book.SEEN] * fade + importance
    apart = load_levels(inputs, 0, SUMS) - mean
    errors = learn_levels(book, inputs, target, apart / size, importance, fade)
    least = learn_lanes(lanes, book, inputs, target, importance, fade)
    settle_targets(book, target, importance)
    if not known:
        size = book[Book.SIZE]
    noise = max(least / (size * size), 1e-12)
    errors = errors / size
    weights = spread_levels(importance) / upper(errors * errors / 36.0, noise)
    filter_levels(book, apart / size, errors * weights, weights)
    learn_stacked(book, inputs, work, (target - mixture) / size, noise, importance, patience)
    faded(book, Book.PAST_0, four(0.5, 0.9, 0.98, 0.0), target, importance)
    faded(book, Book.ECHO_0, four(0.0, 0.5, 0.9, 0.0), target - mixture, importance)
    settle_rates(lanes, book)
    mixture_shares(lanes, 2.0 * least)
    book[Book.NATS] = least
    settle_guard(book, importance)
    settle_weights(lanes, book)
    settle_offset(book)
    margin = 1.0 + book[Book.TOLERANCE]
    choose_level(book, margin * margin)
    return importance


def settle_rates(lanes, book):
    """Rates in deviations of the target; thresholds of Newton lanes in their own errors'."""
    store(lanes, Row.RATE, 0, load(lanes, Row.FULL_RATE, 0) / book[Book.SIZE])
    noises = root(load(lanes, Row.LOSS, 0) / book[Book.SEEN])
    noises = pick(load(lanes, Row.OWN, 0), 0.5, noises, 1.0)
    store(lanes, Row.THETA, 0, load(lanes, Row.FULL_THETA, 0) * noises)


def settle_guard(book, importance):
    """The second layer's share: how likely it is better than the mixture; 0 at first."""
    gain = min(max(book[Book.GAIN], -30.0), 30.0)
    guard = 1.0 / (1.0 + at(exponential(spread_four(-gain)), 0))
    book[Book.GUARD] = guard if book[Book.ROWS] + importance >= USED_FROM else 0.0


def settle_offset(book):
    """What the second layer adds to every score, in the target's unit."""
    size = book[Book.SIZE]
    news, echoes = helpers(book)
    offset = book[U + INPUTS - 1] * size - book[U + MODELS] * mean_target(book)
    for place in range(3):
        offset += book[U + MODELS + 1 + place] * size * at(news, place)
        offset += book[U + MODELS + 4 + place] * size * at(echoes, place)
    book[Book.OFFSET] = book[Book.GUARD] * offset

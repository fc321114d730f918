"""What a row does to its features: score them, learn them. All lanes at once.

Of a value v the feature's centre is taken off, then it is divided by the feature's size s
(`streamlasso.scales`, kind ``rms-max``): x = (v − centre)/s, and a lane's weight is

    w = −S(z, θ√n)/q,    q = base·ρ + rate·√n + own·n

The record holds √n, which all of it needs and which only writing takes a root for.

AdaGrad lanes have own = 0, base = β/α and rate = 1/α; Newton lanes own = 1, base = 1/σ² and rate 0.

The centre of a feature that more than nine rows of ten have is m·max(0, 1 − 9·var/(c·m²)), m and
var the mean and variance of its c values: a mean that may be zero is left alone. Others have the
centre 0; no mean is kept of those that less than half of the rows have. When a centre moves, every
lane's intercept takes up what its weight would have changed; an absent feature counts as one at its
centre.
"""

from streamlasso.stack.binding import (
    AVERAGED,
    CENTRE,
    DUALS,
    INFORMATION,
    LEVEL,
    MEAN,
    MET,
    RATIO,
    ROOTS,
    SCATTER,
    SUMS,
    TOUCHED,
    UNIT,
    X,
    cut,
    fused,
    load,
    load_levels,
    lower,
    observe,
    pick,
    prefetch,
    root,
    scaled,
    spread,
    spread_levels,
    store,
    store_levels,
    total,
    upper,
)
from streamlasso.stack.places import Book, Row, Scratch

__all__ = ["gather", "rescale", "settle", "settle_centre", "soft", "weaken", "write"]

AHEAD = 32
PRESENT, HALF = 0.9, 0.5
DOUBT = 9.0
LAST_COUNT = 2**24 - 2


def soft(vector, amount):
    """S(v, a), by lane."""
    return vector - lower(upper(vector, amount * -1.0), amount)


def rescale(state, slot, lane, ratio, kept, place):
    """Have `write` make the record what it would be had the scale always been so."""
    kept[place, RATIO] = ratio


def weaken(state, slot, lane, ratio, kept, place):
    """Have `write` forget a wild value: w ← w/ratio, n as it is."""
    kept[place, RATIO] = -ratio


def settle_centre(state, slot, value, rows):
    """Take a value into its feature's mean; return how far the centre moves."""
    before = state[slot, CENTRE]
    if state.itemsize == 4 and rows >= LAST_COUNT:
        return 0 * before  # a float32 counter stops at 2^24: centres stay
    one = state.dtype.type(1)
    met = state[slot, MET] + one
    state[slot, MET] = met
    if met <= HALF * (rows + 1):
        # Far from being centred: its mean begins anew when it has come so often.
        if state[slot, AVERAGED] != 0:
            state[slot, AVERAGED] = state[slot, MEAN] = state[slot, SCATTER] = 0
            state[slot, CENTRE] = 0
        return state[slot, CENTRE] - before
    count = state[slot, AVERAGED] + one
    state[slot, AVERAGED] = count
    away = value - state[slot, MEAN]
    mean = state[slot, MEAN] + away / count
    state[slot, MEAN] = mean
    state[slot, SCATTER] += away * (value - mean)
    if met > PRESENT * (rows + 1) and mean != 0:
        # DOUBT·var/(count·mean²), in an order that no large value overflows
        whole = count * mean
        ratio = (state[slot, SCATTER] / whole) / whole
        state[slot, CENTRE] = mean * max(0.0, 1.0 - DOUBT * ratio)
    elif before != 0:
        state[slot, CENTRE] = 0
    return state[slot, CENTRE] - before


def gather(state, lanes, book, scratch, inputs, kept, slots, values, start, stop):
    """Lanes' scores and variances, and the scores of the levels; return Σ value².

    A level's score is of the full model's weights that are worth τ: ½w²H/nats ≥ τ.
    """
    base = load(lanes, Row.BASE, 0) * book[Book.RHO]
    rate, own = load(lanes, Row.RATE, 0), load(lanes, Row.OWN, 0)
    theta, weight = load(lanes, Row.THETA, 0), load(lanes, Row.WEIGHT, 0)
    precision = load(lanes, Row.Q, 0)
    bias = load(lanes, Row.Z, 0) / precision * -1.0
    score, variance = bias, spread(1.0) / precision
    taus, sums = load_levels(book, 0, LEVEL), spread_levels(0.0)
    half = 0.5 / book[Book.NATS]
    norm = 0.0
    last = len(slots) - 1
    for i in range(start, stop):
        slot = slots[i]
        prefetch(state, slots[min(i + AHEAD, last)])
        value = values[i]
        norm += value * value
        x = scaled(state, slot, value - state[slot, CENTRE])
        deviation = load(state, slot, ROOTS)
        inverse = spread(1.0) / fused(fused(own, deviation, rate), deviation, base)
        w = soft(load(state, slot, DUALS), theta * deviation) * inverse * -1.0
        store(kept, i - start, 0, w)
        score = fused(w, x, score)
        variance = fused(inverse, x * x, variance)
        full = total(weight * w)  # without a branch on 0, which no processor could foresee
        worth = half * full * full * state[slot, INFORMATION]
        sums = sums + pick(worth, taus, full * x, 0.0)
    store(scratch, Scratch.SCORE, 0, score)
    store(scratch, Scratch.SPREAD, 0, variance)
    constant = total(weight * bias) + book[Book.OFFSET]
    store_levels(inputs, 0, SUMS, sums + constant)
    return norm


def settle(state, lanes, book, kept, slots, values, start, stop):
    """Take a row into the centres and scales of its features; return Σ x² as it is learned.

    x, and by what the scale's move changes the record, are left in ``kept`` for `write`: apart,
    the processor works on several features at once. The intercepts take up what centres moved.
    """
    rows = book[Book.ROWS]
    moved = spread(0.0)
    power = 0.0
    for i in range(start, stop):
        slot, place = slots[i], i - start
        away = cut(state, slot, values[i] - state[slot, CENTRE])
        before = state[slot, UNIT]
        shift = settle_centre(state, slot, state[slot, CENTRE] + away, rows)
        if shift != 0:
            away -= shift
            if before > 0:
                moved = moved + load(kept, place, 0) * (shift / before)
        kept[place, RATIO] = 1.0
        x = observe(state, slot, away, kept, place)
        kept[place, X] = x
        power += x * x
        if TOUCHED >= 0:
            state[slot, TOUCHED] = book[Book.CLOCK] + 1
    if total(moved * moved) != 0:
        precision = load(lanes, Row.Q, 0)
        store(lanes, Row.Z, 0, load(lanes, Row.Z, 0) - moved * precision)
    return power


def write(state, lanes, book, scratch, kept, slots, start, stop, curvature):
    """Write a row into the lanes of its features.

    ``curvature`` is that of the full model, which a feature's worth is measured by.
    """
    base = load(lanes, Row.BASE, 0) * book[Book.RHO]
    rate, own = load(lanes, Row.RATE, 0), load(lanes, Row.OWN, 0)
    theta, adagrad = load(lanes, Row.THETA, 0), load(lanes, Row.ADAGRAD, 0)
    slope, bend = load(scratch, Scratch.SLOPE, 0), load(scratch, Scratch.BEND, 0)
    variance = load(scratch, Scratch.SPREAD, 0)
    for i in range(start, stop):
        slot, place = slots[i], i - start
        x, ratio = kept[place, X], kept[place, RATIO]
        if x == 0:
            continue
        z, deviation = load(state, slot, DUALS), load(state, slot, ROOTS)
        if ratio < 0:
            beyond = soft(z, theta * deviation)
            z = z - beyond + beyond / -ratio
            ratio = 1.0
        z, deviation = z * ratio, deviation * ratio
        precision = fused(fused(own, deviation, rate), deviation, base)
        square = x * x
        # D = damped/precision = 1 + h·(V − x²/q): one division gives 1/q and 1/D. Rounding can
        # leave less than nothing of the variance beside one huge value.
        others = upper(fused(variance, precision, -square), 0.0)
        damped = fused(bend, others, precision)
        both = spread(1.0) / (precision * damped)
        opposed = soft(z, theta * deviation) * (both * damped)  # −w
        damp = both * precision * precision
        gradient = slope * x * damp
        curved = fused(bend * square, damp, deviation * deviation)
        more = root(fused(adagrad * gradient, gradient, curved))
        change = fused(fused(own, more, rate), more, base) - precision
        store(state, slot, DUALS, fused(change, opposed, z + gradient))
        store(state, slot, ROOTS, more)
        state[slot, INFORMATION] = state[slot, INFORMATION] * ratio * ratio + curvature * square

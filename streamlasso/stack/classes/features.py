"""What a row does to its features, for every class: `streamlasso.stack.features` class by class.

Scale and centre belong to the feature; z, n and H to the feature and a class.
"""

from streamlasso.stack.binding import (
    BLOCK,
    BLOCKS,
    CENTRE,
    LEVEL,
    MODELS,
    SUMS,
    TOUCHED,
    UNIT,
    WEIGHTS,
    cut,
    load,
    load_levels,
    observe,
    pick,
    prefetch,
    root,
    scaled,
    settle_centre,
    soft,
    spread,
    spread_levels,
    store,
    store_levels,
    total,
    upper,
)
from streamlasso.stack.classes.places import ClassBook, ClassScratch, Each, Row

__all__ = ["gather_classes", "rescale", "weaken", "write_classes"]

AHEAD = 8


def rescale(state, slot, lane, ratio, hyper, clock):
    """What the record would be had the scale always been so."""
    for at in range(BLOCKS, state.shape[1], BLOCK):
        store(state, slot, at, load(state, slot, at) * ratio)
        store(state, slot, at + MODELS, load(state, slot, at + MODELS) * ratio)
        state[slot, at + 2 * MODELS] *= ratio * ratio


def weaken(state, slot, lane, ratio, hyper, clock):
    """w ← w/ratio, n as it is: a wild value is forgotten, what was learned besides stays."""
    theta = load(hyper, Row.THETA, 0)
    for at in range(BLOCKS, state.shape[1], BLOCK):
        z = load(state, slot, at)
        beyond = soft(z, theta * load(state, slot, at + MODELS))
        store(state, slot, at, z - beyond + beyond / ratio)


def gather_classes(
    state, lanes, book, each, scratch, inputs, kept, slots, values, start, stop
):  # fmt: skip
    """Lanes' scores and variances of each class, and the scores of the levels; return Σ value²."""
    base = load(lanes, Row.BASE, 0) * book[0, ClassBook.RHO]
    rate, own = load(lanes, Row.RATE, 0), load(lanes, Row.OWN, 0)
    theta, weight = load(lanes, Row.THETA, 0), load(book, 0, WEIGHTS)
    classes = each.shape[1]
    taus = load_levels(book, 0, LEVEL)
    for k in range(classes):
        at = k * MODELS
        precision = load(lanes, Row.Q, at)
        bias = load(lanes, Row.Z, at) / precision * -1.0
        store(scratch, ClassScratch.SCORE, at, bias)
        store(scratch, ClassScratch.SPREAD, at, spread(1.0) / precision)
        constant = total(weight * bias) + each[Each.OFFSET, k]
        store_levels(inputs, k, SUMS, spread_levels(constant))
    norm = 0.0
    last = len(slots) - 1
    for i in range(start, stop):
        slot = slots[i]
        prefetch(state, slots[min(i + AHEAD, last)])
        value = values[i]
        norm += value * value
        x = scaled(state, slot, value - state[slot, CENTRE])
        for k in range(classes):
            at, lane = BLOCKS + k * BLOCK, k * MODELS
            deviation = load(state, slot, at + MODELS)
            inverse = spread(1.0) / (base + (rate + own * deviation) * deviation)
            w = soft(load(state, slot, at), theta * deviation) * inverse * -1.0
            store(kept, i - start, lane, w)
            score = load(scratch, ClassScratch.SCORE, lane) + w * x
            store(scratch, ClassScratch.SCORE, lane, score)
            variance = load(scratch, ClassScratch.SPREAD, lane) + inverse * (x * x)
            store(scratch, ClassScratch.SPREAD, lane, variance)
            full = total(weight * w)
            if full != 0:
                worth = 0.5 * full * full * state[slot, at + 2 * MODELS]
                part = pick(worth, taus, full * x, 0.0)
                store_levels(inputs, k, SUMS, load_levels(inputs, k, SUMS) + part)
    return norm


def write_classes(
    state, lanes, book, each, scratch, inputs, kept, slots, values, start, stop
):  # fmt: skip
    """Write a row into its features, of the classes that it teaches; return Σ x²."""
    base = load(lanes, Row.BASE, 0) * book[0, ClassBook.RHO]
    rate, own = load(lanes, Row.RATE, 0), load(lanes, Row.OWN, 0)
    theta, adagrad = load(lanes, Row.THETA, 0), load(lanes, Row.ADAGRAD, 0)
    rows = book[0, ClassBook.ROWS]
    classes = each.shape[1]
    power = 0.0
    for k in range(classes):
        store(scratch, ClassScratch.MOVED, k * MODELS, spread(0.0))
    for i in range(start, stop):
        slot = slots[i]
        away = cut(state, slot, values[i] - state[slot, CENTRE])
        before = state[slot, UNIT]
        shift = settle_centre(state, slot, state[slot, CENTRE] + away, rows)
        if shift != 0:
            away -= shift
            if before > 0:
                for k in range(classes):
                    lane = k * MODELS
                    more = load(kept, i - start, lane) * (shift / before)
                    moved = load(scratch, ClassScratch.MOVED, lane) + more
                    store(scratch, ClassScratch.MOVED, lane, moved)
        x = observe(state, slot, away, lanes, 0)
        if x != 0:
            square = x * x
            power += square
            for k in range(classes):
                if each[Each.LESSON, k] != 0:
                    at, lane = BLOCKS + k * BLOCK, k * MODELS
                    z, deviation = load(state, slot, at), load(state, slot, at + MODELS)
                    precision = base + (rate + own * deviation) * deviation
                    bend = load(scratch, ClassScratch.BEND, lane)
                    variance = load(scratch, ClassScratch.SPREAD, lane)
                    others = upper(variance * precision - square, spread(0.0))
                    damped = precision + bend * others
                    both = spread(1.0) / (precision * damped)
                    w = soft(z, theta * deviation) * (both * damped) * -1.0
                    damp = both * precision * precision
                    gradient = load(scratch, ClassScratch.SLOPE, lane) * x * damp
                    n = deviation * deviation + adagrad * gradient * gradient
                    more = root(n + bend * square * damp)
                    change = base + (rate + own * more) * more - precision
                    store(state, slot, at, z + gradient - change * w)
                    store(state, slot, at + MODELS, more)
                    state[slot, at + 2 * MODELS] += each[Each.LESSON, k] * square
        if TOUCHED >= 0:
            state[slot, TOUCHED] = rows + 1
    for k in range(classes):
        lane = k * MODELS
        moved = load(scratch, ClassScratch.MOVED, lane) * load(lanes, Row.Q, lane)
        store(lanes, Row.Z, lane, load(lanes, Row.Z, lane) - moved)
    return power

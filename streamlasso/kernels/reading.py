"""What was learned, in the user's units; planting weights; measuring scores."""

from streamlasso.kernels.names import (
    CONSTANT,
    FIRST,
    INTERCEPT,
    LANES,
    MEAN,
    PLANT,
    REACH,
    READ,
    SCALED,
    TRACKED,
    UNIT,
    VALUE,
)

__all__ = ["measure", "plant_slots", "reach_row", "read_all", "read_slots", "survey"]


def read_slots(state, hyper, clock, slots, weights):
    """The effective weights of some slots."""
    for i in range(len(slots)):
        for lane in range(LANES):
            weights[i, lane] = READ(state, slots[i], lane, hyper[1], clock) / UNIT(state, slots[i])


def read_all(state, hyper, clock, weights):
    """Every slot's effective weights; return how many features are tracked (ever written)."""
    tracked = 0
    bias, features = hyper[0], hyper[1]
    for slot in range(len(state)):
        touched = TRACKED(state, slot)
        for lane in range(LANES):
            weights[slot, lane] = 0.0
            if touched:
                weight = READ(state, slot, lane, features if slot else bias, clock)
                weights[slot, lane] = weight / UNIT(state, slot)
        tracked += touched and slot >= FIRST
    return tracked


def survey(state, hyper, clock, sums):
    """Per lane: active features, Σ|w|, max |w|, without storing weights; return tracked ones."""
    tracked = 0
    features = hyper[1]
    for lane in range(LANES):
        sums[0, lane] = sums[1, lane] = sums[2, lane] = 0.0
    for slot in range(FIRST, len(state)):
        if TRACKED(state, slot):
            tracked += 1
            for lane in range(LANES):
                weight = abs(READ(state, slot, lane, features, clock)) / UNIT(state, slot)
                sums[0, lane] += weight != 0
                sums[1, lane] += weight
                sums[2, lane] = max(sums[2, lane], weight)
    return tracked


def reach_row(state, hyper, clock, slots, values, intercept, reaches):
    """Per lane: how far one more event with |slope| ≤ 1 can move the score of a row."""
    for lane in range(LANES):
        one = state.dtype.type(1)
        reaches[lane] = REACH(state, INTERCEPT, lane, one, hyper[0], clock) if intercept else 0
        for i in range(len(slots)):
            value = SCALED(state, slots[i], values[i])
            reaches[lane] += REACH(state, slots[i], lane, value, hyper[1], clock)


def plant_slots(state, hyper, clock, slots, weights, trust):
    """Make the records of some slots read the given weights; slot 0 is the intercept."""
    for i in range(len(slots)):
        slot = slots[i]
        for lane in range(LANES):
            weight = weights[i] * UNIT(state, slot)
            PLANT(state, slot, lane, weight, trust, hyper[1 if slot else 0], clock)


def measure(scores, targets, importances, loss_hyper, sums):
    """Add rows to the running sums of `progressive.Progress`: its docstring names the rows."""
    for row in range(len(targets)):
        importance = importances[row]
        target = targets[row]
        # The same bound as for learning: the square of what passes is finite.
        if not (0 < importance < 1e145 and abs(scores[row]) < 1e145 and abs(target) < 1e145):
            continue
        constant = CONSTANT(sums[5] / sums[6])
        sums[0] += importance
        sums[1] += importance * VALUE(scores[row], target, loss_hyper)
        sums[2] += importance * VALUE(constant, target, loss_hyper)
        sums[3] += importance * MEAN(scores[row])
        sums[4] += importance * target
        sums[5] += importance * target
        sums[6] += importance

"""The second layer for many classes: one u for all of them, under a softmax.

X_c = (c_kc − M_c for each lane k; M_c; log of the recent over the long share of class c), with c_kc
the lane's score cut to ±min(8, log(2t + 1)) and M_c = Σ v_k c_kc; p = softmax(M_c + u·X_c). With
e_c = 1[y = c] − p_c a Newton step on the log loss:

    P ← .9999·P + .0001·P₀ + Σ_c p_c (X_c − X̄)(X_c − X̄)ᵀ      u ← u + P⁻¹ Σ_c e_c X_c

Lanes are one against the rest; a class with |p_c − 1[y = c]| < .003 is not taught by the
row.
"""

import math

from streamlasso.stack.binding import (
    FULL,
    INPUTS,
    LEVEL,
    LOSSES,
    MODELS,
    MOST_LEVELS,
    PRIOR,
    SERVED,
    SHARES,
    SUMS,
    WEIGHTS,
    P,
    U,
    sigmoid,
)
from streamlasso.stack.classes.places import ClassBook, ClassLevel, ClassScratch, Each, Row

__all__ = ["begin_classes", "combine_classes", "learn_classes", "slopes_of_classes"]

HALF_LIFE = 0.5 ** (1 / 3000)
GUARD_HALF_LIFE = 0.5 ** (1 / 1000)
MEMORY = 0.9
LARGEST = 8.0
SMALLEST = 1e-5
TAUGHT = 0.003
KEEP = 0.9999
HEAVIEST = 1e12
"""What an importance counts for at most beside the priors: more would drown them in rounding."""
PRIOR_LANE, PRIOR_REST, PRIOR_LEVEL = 0.005, 0.01, 0.01


def begin_classes(book):
    """Before the first row."""
    book[0, ClassBook.RHO], book[0, ClassBook.GUARD] = 1.0, 0.5
    for i in range(INPUTS):
        prior = 1.0 / (PRIOR_LANE if i < MODELS else PRIOR_REST)
        book[0, PRIOR + i] = prior
        book[0, P + i * INPUTS + i] = prior
    for level in range(MOST_LEVELS):
        book[0, LEVEL + ClassLevel.PRECISION * MOST_LEVELS + level] = 1.0 / PRIOR_LEVEL


def settle_shares(lanes, book, each):
    """Shares of the lanes, the full model as one linear model, and its intercepts."""
    least = 1e300
    for lane in range(MODELS):
        if lanes[Row.USED, lane] != 0:
            least = min(least, book[0, LOSSES + lane])
    whole = 0.0
    for lane in range(MODELS):
        share = 0.0
        if lanes[Row.USED, lane] != 0:
            share = math.exp(least - book[0, LOSSES + lane])
        book[0, SHARES + lane] = share
        whole += share
    guard = book[0, ClassBook.GUARD]
    rest = book[0, U + MODELS]
    for lane in range(MODELS):
        book[0, SHARES + lane] /= whole
        rest -= book[0, U + lane]
    for lane in range(MODELS):
        share = book[0, SHARES + lane]
        book[0, WEIGHTS + lane] = share * (1.0 + guard * rest) + guard * book[0, U + lane]
    classes = each.shape[1]
    for k in range(classes):
        each[Each.OFFSET, k] = guard * book[0, U + MODELS + 1] * recency(book, each, k)


def recency(book, each, k):
    """Log of the recent over the long share of a class."""
    mean = (each[Each.COUNT, k] + 0.5) / (book[0, ClassBook.EVENTS] + 0.5 * each.shape[1])
    return math.log((each[Each.RECENT, k] + mean) / (each[Each.RECENT_WEIGHT, k] + 1.0) / mean)


def softmax_loss(scores, classes, column, target):
    """log Σ e^s − s_y over a column of the classes; ``scores`` may have more rows than these."""
    most = scores[0, column]
    for k in range(1, classes):
        most = max(most, scores[k, column])
    whole = 0.0
    for k in range(classes):
        whole += math.exp(scores[k, column] - most)
    return most + math.log(whole) - scores[target, column]


def lane_loss(inputs, lane, target):
    """The same of a lane's cut scores."""
    most = -1e300
    for k in range(len(inputs)):
        most = max(most, inputs[k, lane] + inputs[k, MODELS])
    whole = 0.0
    for k in range(len(inputs)):
        whole += math.exp(inputs[k, lane] + inputs[k, MODELS] - most)
    return most + math.log(whole) - inputs[target, lane] - inputs[target, MODELS]


def combine_classes(lanes, book, each, scratch, inputs):
    """What the second layer sees of a row, the full scores and the served ones."""
    classes = each.shape[1]
    sure = math.log(2.0 * book[0, ClassBook.ROWS] + 1.0)
    bound = min(LARGEST, sure)
    guard, level = book[0, ClassBook.GUARD], int(book[0, ClassBook.CHOSEN])
    slope = 1.0 + book[0, LEVEL + ClassLevel.SLOPE * MOST_LEVELS + level]
    for k in range(classes):
        mixture = 0.0
        for lane in range(MODELS):
            score = scratch[ClassScratch.SCORE, k * MODELS + lane]
            score = min(max(score, -bound), bound)
            inputs[k, lane] = score
            mixture += book[0, SHARES + lane] * score
        for lane in range(MODELS):
            inputs[k, lane] = lanes[Row.USED, lane] * (inputs[k, lane] - mixture)
        inputs[k, MODELS] = mixture
        inputs[k, MODELS + 1] = recency(book, each, k)
        moved = 0.0
        for i in range(INPUTS):
            moved += book[0, U + i] * inputs[k, i]
        inputs[k, FULL] = mixture + guard * moved
        inputs[k, SERVED] = slope * min(max(inputs[k, SUMS + level], -sure), sure)


def slopes_of_classes(lanes, each, scratch, inputs, target, importance):
    """Slope and curvature of each lane of the classes that the row teaches."""
    classes = each.shape[1]
    most = inputs[0, FULL]
    for k in range(1, classes):
        most = max(most, inputs[k, FULL])
    whole = 0.0
    for k in range(classes):
        whole += math.exp(inputs[k, FULL] - most)
    for k in range(classes):
        right = 1.0 if k == target else 0.0
        p = math.exp(inputs[k, FULL] - most) / whole
        each[Each.LESSON, k] = 0.0
        if abs(p - right) >= TAUGHT:
            each[Each.LESSON, k] = importance * max(p * (1.0 - p), SMALLEST)
            for lane in range(k * MODELS, (k + 1) * MODELS):
                own = sigmoid(scratch[ClassScratch.SCORE, lane])
                used = importance * lanes[Row.USED, lane]
                curvature = used * max(own * (1.0 - own), SMALLEST)
                scratch[ClassScratch.SLOPE, lane] = used * (own - right)
                scratch[ClassScratch.RISE, lane] = curvature
                scratch[ClassScratch.BEND, lane] = curvature * lanes[Row.DAMPED, lane]


def learn_levels(book, inputs, work, target, importance, fade):
    """The slope of each level, its loss, and which one is served."""
    classes = len(inputs)
    levels = int(book[0, ClassBook.LEVELS])
    losses = LEVEL + ClassLevel.LOSS * MOST_LEVELS
    least = 1e300
    sure = math.log(2.0 * book[0, ClassBook.ROWS] + 1.0)
    heavy = min(importance, HEAVIEST)
    for level in range(levels):
        at = LEVEL + level
        for k in range(classes):
            inputs[k, SUMS + level] = min(max(inputs[k, SUMS + level], -sure), sure)
        slope = 1.0 + book[0, at + ClassLevel.SLOPE * MOST_LEVELS]
        for k in range(classes):
            work[k, 0] = slope * inputs[k, SUMS + level]
        loss = softmax_loss(work, classes, 0, target)
        most = work[target, 0] + loss  # log Σ e^s
        mean = square = 0.0
        for k in range(classes):
            p = math.exp(work[k, 0] - most)
            mean += p * inputs[k, SUMS + level]
            square += p * inputs[k, SUMS + level] * inputs[k, SUMS + level]
        place = at + ClassLevel.PRECISION * MOST_LEVELS
        curvature = max(square - mean * mean, 0.0)
        book[0, place] = KEEP * book[0, place] + (1 - KEEP) / PRIOR_LEVEL + heavy * curvature
        step = heavy * (inputs[target, SUMS + level] - mean) / book[0, place]
        book[0, at + ClassLevel.SLOPE * MOST_LEVELS] += step
        book[0, losses + level] = book[0, losses + level] * fade + importance * loss
        least = min(least, book[0, losses + level])
    for level in range(levels):
        if book[0, losses + level] <= least * (1.0 + book[0, ClassBook.TOLERANCE]):
            book[0, ClassBook.CHOSEN] = level


def solve(book, work, gradient):
    """P⁻¹ of a gradient, by Cholesky's factors in ``work``; the solution is left in it."""
    for i in range(INPUTS):
        for j in range(i + 1):
            left = book[0, P + i * INPUTS + j]
            for m in range(j):
                left -= work[i, m] * work[j, m]
            work[i, j] = math.sqrt(max(left, 1e-12)) if i == j else left / work[j, j]
    for i in range(INPUTS):
        for m in range(i):
            gradient[i] -= work[i, m] * gradient[m]
        gradient[i] /= work[i, i]
    for i in range(INPUTS - 1, -1, -1):
        for m in range(i + 1, INPUTS):
            gradient[i] -= work[m, i] * gradient[m]
        gradient[i] /= work[i, i]


def learn_classes(lanes, book, each, inputs, work, gradient, target, importance, patience):
    """Losses, shares, u and the served level after a label."""
    classes = each.shape[1]
    fade = HALF_LIFE**importance if importance != 1.0 else HALF_LIFE
    for lane in range(MODELS):
        loss = lane_loss(inputs, lane, target)
        book[0, LOSSES + lane] = book[0, LOSSES + lane] * fade + importance * loss
    book[0, ClassBook.SEEN] = book[0, ClassBook.SEEN] * fade + importance
    learn_levels(book, inputs, work, target, importance, fade)
    for k in range(classes):
        score = inputs[k, MODELS]
        for i in range(INPUTS):
            score += book[0, U + i] * inputs[k, i]
        work[k, 0] = score
    loss = softmax_loss(work, classes, 0, target)
    most = work[target, 0] + loss
    gain = softmax_loss(inputs, classes, MODELS, target) - loss
    book[0, ClassBook.GAIN] = book[0, ClassBook.GAIN] * GUARD_HALF_LIFE + importance * gain
    for k in range(classes):
        work[k, 1] = math.exp(work[k, 0] - most)
    heavy = min(importance, HEAVIEST)
    for i in range(INPUTS):
        mean = 0.0
        for k in range(classes):
            mean += work[k, 1] * inputs[k, i]
        gradient[i] = heavy * (inputs[target, i] - mean)
        gradient[INPUTS + i] = mean
    for i in range(INPUTS):
        for j in range(INPUTS):
            both = 0.0
            for k in range(classes):
                left, right = inputs[k, i] - gradient[INPUTS + i], inputs[k, j]
                both += work[k, 1] * left * (right - gradient[INPUTS + j])
            place = P + i * INPUTS + j
            prior = book[0, PRIOR + i] if i == j else 0.0
            book[0, place] = KEEP * book[0, place] + (1 - KEEP) * prior + heavy * both
    solve(book, work, gradient)
    for i in range(INPUTS):
        book[0, U + i] += patience * gradient[i]
    for k in range(classes):
        right = importance if k == target else 0.0
        each[Each.COUNT, k] += right
        each[Each.RECENT, k] = MEMORY * each[Each.RECENT, k] + right
        each[Each.RECENT_WEIGHT, k] = MEMORY * each[Each.RECENT_WEIGHT, k] + importance
    book[0, ClassBook.EVENTS] += importance
    gain = min(max(book[0, ClassBook.GAIN], -30.0), 30.0)
    book[0, ClassBook.GUARD] = 1.0 / (1.0 + math.exp(-gain))
    settle_shares(lanes, book, each)

"""Means, curvatures and losses of scores, by lane: of labels and of counts.

What `streamlasso.losses` has for one score, in the same formulas, for vectors of them.
"""

from collections.abc import Callable
from typing import Any

from streamlasso import numerics
from streamlasso.stack.binding import exponential, logarithm, lower, pick, upper

__all__ = ["LINKS", "deviances"]

BEND, HEIGHT = numerics.BEND, numerics.HEIGHT
SURE = 1e-15


def sigmoids(scores):
    """1/(1 + e^(−s)), exponentiating only negative numbers."""
    odds = exponential(lower(scores, scores * -1.0))
    return pick(scores, 0.0, 1.0, odds) / (odds + 1.0)


def bernoullis(means):
    """p(1 − p)."""
    return means * (means * -1.0 + 1.0)


def log_losses(scores, means, target):
    """log(1 + e^s) − y·s, of scores whose means are known: no exponential."""
    likelier = upper(means, means * -1.0 + 1.0)
    return upper(scores, 0.0) - logarithm(likelier) - scores * target


def logits(means):
    """log(p/(1 − p)), of means that rounding made 0 or 1 too."""
    means = lower(upper(means, SURE), 1.0 - SURE)
    return logarithm(means / (means * -1.0 + 1.0))


def bounded_exponentials(scores):
    """`numerics.bounded_exp`."""
    powers = exponential(lower(scores, BEND))
    return pick(scores, BEND, (scores - (BEND - 1.0)) * HEIGHT, powers)


def counts_bend(means):
    """The variance of a count."""
    return means


def deviances(scores, means, target):
    """Half the deviance of a count: its loss less that of a perfect prediction, never below 0."""
    least = 0.0
    if target > 0:
        best = numerics.bounded_log(target)
        least = numerics.bounded_exp_integral(best) - target * best
    beyond = upper(scores - BEND, 0.0)
    integrals = exponential(lower(scores, BEND)) * (beyond * (beyond * 0.5 + 1.0) + 1.0)
    return upper(integrals - scores * target - least, 0.0)


def bounded_logarithms(means):
    """`numerics.bounded_log`."""
    logs = logarithm(lower(means, HEIGHT))
    return pick(means, HEIGHT, (means / HEIGHT) + (BEND - 1.0), logs)


LINKS: dict[str, dict[str, Callable[..., Any]]] = {
    "logistic": {"means_of": sigmoids, "curvatures_of": bernoullis, "values_of": log_losses,
                 "links_of": logits, "link_of": numerics.bounded_log},
    "poisson": {"means_of": bounded_exponentials, "curvatures_of": counts_bend,
                "values_of": deviances, "links_of": bounded_logarithms,
                "link_of": numerics.bounded_log},
}  # fmt: skip
"""Loss → what the kernels call. ``link_of`` is of one number, where counts' scores lie around."""

"""Slopes, curvatures and variances of the losses, each as its definition states it.

Notation: score s, target y, residual r = s − y, sign ±1 = 2y − 1, margin m = ±s.
"""

import math
from dataclasses import dataclass

LOSSES = (
    "squared",
    "logistic",
    "hinge",
    "squared_hinge",
    "huber",
    "quantile",
    "epsilon_insensitive",
    "poisson",
)


@dataclass(frozen=True)
class LossParameters:
    """Of Huber, quantile and ε-insensitive."""

    delta: float = 1.0
    tau: float = 0.5
    epsilon: float = 0.1


DEFAULT = LossParameters()


def value(loss: str, score: float, target: float, parameters: LossParameters = DEFAULT) -> float:
    """ℓ(s, y)."""
    r = score - target
    margin = score if target == 1 else -score
    if loss == "squared":
        return r**2 / 2
    if loss == "logistic":
        return math.log(1 + math.exp(score)) - target * score
    if loss == "hinge":
        return max(0.0, 1 - margin)
    if loss == "squared_hinge":
        return max(0.0, 1 - margin) ** 2 / 2
    if loss == "huber":
        delta = parameters.delta
        return r**2 / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2)
    if loss == "quantile":
        return max(-parameters.tau * r, (1 - parameters.tau) * r)
    if loss == "epsilon_insensitive":
        return max(0.0, abs(r) - parameters.epsilon)
    if loss == "poisson":
        return math.exp(score) - target * score
    raise ValueError(f"no reference for the loss {loss!r}")


def slope(loss: str, score: float, target: float, parameters: LossParameters = DEFAULT) -> float:
    """∂ℓ/∂s; 0 at the kinks of hinge, quantile and ε-insensitive.

    ½r² gives r; log(1 + e^s) − ys gives p − y; max(0, 1 − m) gives ∓1 inside the margin and its
    half square ∓(1 − m); Huber gives r cut at ±δ; max(−τr, (1 − τ)r) gives −τ below the target and
    1 − τ above it; max(0, |r| − ε) gives sgn(r) outside the tube; e^s − ys gives e^s − y.
    """
    r = score - target
    sign = 1 if target == 1 else -1
    if loss == "squared":
        return r
    if loss == "logistic":
        return 1 / (1 + math.exp(-score)) - target
    if loss == "hinge":
        return -sign if sign * score < 1 else 0
    if loss == "squared_hinge":
        return -sign * max(0.0, 1 - sign * score)
    if loss == "huber":
        return max(-parameters.delta, min(parameters.delta, r))
    if loss == "quantile":
        if r == 0:
            return 0.0
        return -parameters.tau if r < 0 else 1 - parameters.tau
    if loss == "epsilon_insensitive":
        return math.copysign(1, r) if abs(r) > parameters.epsilon else 0.0
    if loss == "poisson":
        return math.exp(score) - target
    raise ValueError(f"no reference for the loss {loss!r}")


def curvature(
    loss: str, score: float, target: float, parameters: LossParameters = DEFAULT
) -> float:
    """∂²ℓ/∂s², where that says something; slope² for the losses made of straight lines.

    Huber: min(1, δ/|r|), the curvature of the parabola that touches the loss at ±r.
    """
    r = score - target
    margin = score if target == 1 else -score
    if loss == "squared":
        return 1.0
    if loss == "logistic":
        p = 1 / (1 + math.exp(-score))
        return p * (1 - p)
    if loss == "squared_hinge":
        return 1.0 if margin < 1 else 0.0
    if loss == "huber":
        return 1.0 if r == 0 else min(1.0, parameters.delta / abs(r))
    if loss == "poisson":
        return math.exp(score)
    return slope(loss, score, target, parameters) ** 2


def variance(loss: str, score: float, target: float, parameters: LossParameters = DEFAULT) -> float:
    """The variance of the slope: the curvature where the model states it, else slope²."""
    if loss in ("logistic", "poisson"):
        return curvature(loss, score, target, parameters)
    return slope(loss, score, target, parameters) ** 2


def distance_to_jump(
    loss: str, score: float, target: float, parameters: LossParameters = DEFAULT
) -> float:
    """How far the score is from where the slope jumps (or, smooth, from where it is 0: there a
    first step changes its sign).
    """
    if loss in ("hinge", "squared_hinge"):
        return abs(1 - abs(score))
    if loss == "epsilon_insensitive":
        return abs(abs(score - target) - parameters.epsilon)
    if loss == "quantile":
        return abs(score - target)
    if loss == "poisson" and target == 0:
        # e^s is never 0.
        return math.inf
    return abs(slope(loss, score, target, parameters))

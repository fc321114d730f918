"""Hinge losses: nothing to pay beyond a margin of 1."""

from dataclasses import dataclass
from typing import ClassVar

from streamlasso.losses.base import Loss
from streamlasso.numerics import sigmoid

__all__ = ["Hinge", "SquaredHinge"]


@dataclass(frozen=True)
class Hinge(Loss):
    """Hinge loss of the linear support vector machine.

    Domain: targets 0 and 1, read as signs ±1 = 2y − 1. Link: the logistic of the score; it orders
    events as the score does, but is no calibrated probability. Formula: max(0, 1 − (2y − 1)s).
    Kink: at a margin of exactly 1 the slope is 0. The second derivative is 0 wherever there is
    one, so curvature and variance are the slope squared (the empirical Fisher information).
    """

    name: ClassVar[str] = "hinge"
    domain: ClassVar[str] = "binary"

    @staticmethod
    def value(score, target, loss_hyper):  # noqa: D102
        return max(0.0, 1.0 - (2.0 * target - 1.0) * score)

    @staticmethod
    def slope(score, target, loss_hyper):  # noqa: D102
        sign = 2.0 * target - 1.0
        return -sign if sign * score < 1.0 else 0.0 * sign

    @staticmethod
    def curvature(score, target, loss_hyper):  # noqa: D102
        return 1.0 if (2.0 * target - 1.0) * score < 1.0 else 0.0

    @staticmethod
    def variance(score, target, loss_hyper):  # noqa: D102
        return 1.0 if (2.0 * target - 1.0) * score < 1.0 else 0.0

    @staticmethod
    def mean(score):  # noqa: D102
        return sigmoid(score)

    @staticmethod
    def constant(mean_target):  # noqa: D102
        return 1.0 if mean_target > 0.5 else -1.0


@dataclass(frozen=True)
class SquaredHinge(Loss):
    """Squared hinge loss: smooth, and harder on what is far on the wrong side.

    Domain: targets 0 and 1, read as signs ±1 = 2y − 1. Link: (s + 1)/2, clipped to [0, 1]: the
    score that costs least for a share p of positives is 2p − 1. Formula: ½·max(0, 1 − (2y − 1)s)²
    (others leave out the ½), with a slope that is continuous. Kink: of the slope, at a margin of
    exactly 1; the curvature is 1 below and 0 from there on. The variance is the slope squared.
    """

    name: ClassVar[str] = "squared_hinge"
    domain: ClassVar[str] = "binary"

    @staticmethod
    def value(score, target, loss_hyper):  # noqa: D102
        return 0.5 * max(0.0, 1.0 - (2.0 * target - 1.0) * score) ** 2

    @staticmethod
    def slope(score, target, loss_hyper):  # noqa: D102
        sign = 2.0 * target - 1.0
        lacking = 1.0 - sign * score
        return 0.0 * sign if lacking <= 0.0 else -sign * lacking

    @staticmethod
    def curvature(score, target, loss_hyper):  # noqa: D102
        return 1.0 if (2.0 * target - 1.0) * score < 1.0 else 0.0

    @staticmethod
    def variance(score, target, loss_hyper):  # noqa: D102
        return max(0.0, 1.0 - (2.0 * target - 1.0) * score) ** 2

    @staticmethod
    def mean(score):  # noqa: D102
        return min(max(0.5 * (score + 1.0), 0.0), 1.0)

    @staticmethod
    def constant(mean_target):  # noqa: D102
        return 2.0 * mean_target - 1.0

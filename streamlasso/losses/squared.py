"""Squared error."""

from dataclasses import dataclass
from typing import ClassVar

from streamlasso.losses.base import Loss

__all__ = ["Squared"]


@dataclass(frozen=True)
class Squared(Loss):
    """Squared error.

    Domain: real targets. Link: identity. Formula: ½(s − y)², slope s − y (others use 2(s − y)),
    curvature 1, variance (s − y)².
    """

    name: ClassVar[str] = "squared"
    domain: ClassVar[str] = "real"

    @staticmethod
    def value(score, target, loss_hyper):  # noqa: D102
        return 0.5 * (score - target) ** 2

    @staticmethod
    def slope(score, target, loss_hyper):  # noqa: D102
        return score - target

    @staticmethod
    def curvature(score, target, loss_hyper):  # noqa: D102
        return 1.0

    @staticmethod
    def variance(score, target, loss_hyper):  # noqa: D102
        return (score - target) ** 2

    @staticmethod
    def mean(score):  # noqa: D102
        return score

    @staticmethod
    def constant(mean_target):  # noqa: D102
        return mean_target

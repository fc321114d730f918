"""Poisson loss."""

from dataclasses import dataclass
from typing import ClassVar

from streamlasso.losses.base import Loss
from streamlasso.numerics import BEND, bounded_exp, bounded_exp_integral, bounded_log

__all__ = ["Poisson"]


@dataclass(frozen=True)
class Poisson(Loss):
    """Poisson loss for counts, rates and other amounts, whose mean is a product of factors.

    Domain: targets ≥ 0, whole or not. Link: μ = e^s. Formula: half the unit deviance,
    μ − y·s + (y·log y − y), which is ≥ 0 and 0 where μ = y; slope μ − y, curvature and variance μ.

    Beyond a score of 20, μ goes on along its tangent, e^20·(1 + s − 20): a wrong step must not
    explode. The slope is still μ − y, the loss is the integral of this slope, and the curvature
    stays at e^20.

    References
    ----------
    McCullagh, Nelder, "Generalized Linear Models", Chapman and Hall 1989, section 2.3.
    """

    name: ClassVar[str] = "poisson"
    domain: ClassVar[str] = "count"

    @staticmethod
    def value(score, target, loss_hyper):  # noqa: D102
        if target <= 0.0:
            return bounded_exp_integral(score)
        # ∫(μ − y) from the score at which μ = y; the least value is 0 but for rounding.
        best = bounded_log(target)
        rise = bounded_exp_integral(score) - bounded_exp_integral(best)
        return max(0.0, rise - target * (score - best))

    @staticmethod
    def slope(score, target, loss_hyper):  # noqa: D102
        return bounded_exp(score) - target

    @staticmethod
    def curvature(score, target, loss_hyper):  # noqa: D102
        return bounded_exp(min(score, BEND))

    @staticmethod
    def variance(score, target, loss_hyper):  # noqa: D102
        return bounded_exp(min(score, BEND))

    @staticmethod
    def mean(score):  # noqa: D102
        return bounded_exp(score)

    @staticmethod
    def constant(mean_target):  # noqa: D102
        return bounded_log(mean_target)

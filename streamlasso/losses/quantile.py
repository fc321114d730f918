"""Quantile loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from streamlasso.losses.base import Loss

__all__ = ["Quantile"]


@dataclass(frozen=True)
class Quantile(Loss):
    """Quantile loss, also called pinball loss: the score is to lie above a share τ of targets.

    Domain: real targets. Link: identity. Formula: with r = s − y, (1 − τ)r for r > 0, −τr for
    r < 0; the slope is 1 − τ above the target, −τ below. Kink: at the target itself the slope
    is 0. The second derivative is 0 wherever there is one, so curvature and variance are the slope
    squared (the empirical Fisher information).

    Parameters
    ----------
    tau
        Between 0 and 1: 0.5 is the median, and then the loss is half the absolute error.

    References
    ----------
    Koenker, Bassett, "Regression Quantiles", Econometrica 1978.
    """

    tau: float = 0.5

    name: ClassVar[str] = "quantile"
    domain: ClassVar[str] = "real"
    bounds: ClassVar[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
        "tau": (lambda tau: 0 < tau < 1, "> 0 and < 1")
    }

    @staticmethod
    def value(score, target, loss_hyper):  # noqa: D102
        residual = score - target
        return max((1.0 - loss_hyper[0]) * residual, -loss_hyper[0] * residual)

    @staticmethod
    def slope(score, target, loss_hyper):  # noqa: D102
        residual = score - target
        # 0·residual is 0, or NaN where the target is not finite.
        if residual > 0.0:
            return 1.0 - loss_hyper[0] + 0.0 * residual
        if residual < 0.0:
            return -loss_hyper[0] + 0.0 * residual
        return 0.0 * residual

    @staticmethod
    def curvature(score, target, loss_hyper):  # noqa: D102
        if score > target:
            return (1.0 - loss_hyper[0]) ** 2
        return loss_hyper[0] ** 2 if score < target else 0.0

    @staticmethod
    def variance(score, target, loss_hyper):  # noqa: D102
        if score > target:
            return (1.0 - loss_hyper[0]) ** 2
        return loss_hyper[0] ** 2 if score < target else 0.0

    @staticmethod
    def mean(score):  # noqa: D102
        return score

    @staticmethod
    def constant(mean_target):  # noqa: D102
        return mean_target

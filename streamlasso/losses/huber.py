"""Huber's loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from streamlasso.losses.base import Loss

__all__ = ["Huber"]


@dataclass(frozen=True)
class Huber(Loss):
    """Huber's loss: squared for small errors, absolute for large ones, so no outlier rules.

    Domain: real targets. Link: identity. Formula: with r = s − y, ½r² for abs(r) ≤ δ, beyond
    δ(abs(r) − ½δ); the slope is r clipped to [−δ, δ]. Kink: of the slope, at abs(r) = δ. The
    curvature is min(1, δ/abs(r)), that of the parabola which touches the loss here and lies above
    it everywhere; the variance is the slope squared.

    Parameters
    ----------
    delta
        δ > 0, in units of the target: from there on an error counts as an outlier.

    References
    ----------
    Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 1964.
    Böhning, Lindsay, "Monotonicity of quadratic-approximation algorithms", AISM 1988.
    """

    delta: float = 1.0

    name: ClassVar[str] = "huber"
    domain: ClassVar[str] = "real"
    bounds: ClassVar[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
        "delta": (lambda delta: delta > 0, "finite and > 0")
    }

    @staticmethod
    def value(score, target, loss_hyper):  # noqa: D102
        delta = loss_hyper[0]
        size = abs(score - target)
        return 0.5 * size * size if size <= delta else delta * (size - 0.5 * delta)

    @staticmethod
    def slope(score, target, loss_hyper):  # noqa: D102
        residual = score - target
        # 0·residual is 0, or NaN where the target is infinite.
        return max(-loss_hyper[0], min(residual, loss_hyper[0])) + 0.0 * residual

    @staticmethod
    def curvature(score, target, loss_hyper):  # noqa: D102
        size = abs(score - target)
        return 1.0 if size <= loss_hyper[0] else loss_hyper[0] / size

    @staticmethod
    def variance(score, target, loss_hyper):  # noqa: D102
        return min(abs(score - target), loss_hyper[0]) ** 2

    @staticmethod
    def mean(score):  # noqa: D102
        return score

    @staticmethod
    def constant(mean_target):  # noqa: D102
        return mean_target

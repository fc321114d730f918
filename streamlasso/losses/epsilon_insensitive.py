"""ε-insensitive loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from streamlasso.losses.base import Loss

__all__ = ["EpsilonInsensitive"]


@dataclass(frozen=True)
class EpsilonInsensitive(Loss):
    """ε-insensitive loss of support vector regression: small errors cost nothing.

    Domain: real targets. Link: identity. Formula: max(0, abs(s − y) − ε); the slope is the sign
    of s − y outside the tube of half-width ε. Kink: on its border, as inside, the slope is 0. The
    second derivative is 0 wherever there is one, so curvature and variance are the slope squared
    (the empirical Fisher information).

    Parameters
    ----------
    epsilon
        ε ≥ 0, in units of the target; 0 gives the absolute error.

    References
    ----------
    Vapnik, "The Nature of Statistical Learning Theory", Springer 1995.
    """

    epsilon: float = 0.1

    name: ClassVar[str] = "epsilon_insensitive"
    domain: ClassVar[str] = "real"
    bounds: ClassVar[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
        "epsilon": (lambda epsilon: epsilon >= 0, "finite and ≥ 0")
    }

    @staticmethod
    def value(score, target, loss_hyper):  # noqa: D102
        return max(0.0, abs(score - target) - loss_hyper[0])

    @staticmethod
    def slope(score, target, loss_hyper):  # noqa: D102
        residual = score - target
        # 0·residual is 0, or NaN where the target is not finite.
        if residual > loss_hyper[0]:
            return 1.0 + 0.0 * residual
        if residual < -loss_hyper[0]:
            return -1.0 + 0.0 * residual
        return 0.0 * residual

    @staticmethod
    def curvature(score, target, loss_hyper):  # noqa: D102
        return 1.0 if abs(score - target) > loss_hyper[0] else 0.0

    @staticmethod
    def variance(score, target, loss_hyper):  # noqa: D102
        return 1.0 if abs(score - target) > loss_hyper[0] else 0.0

    @staticmethod
    def mean(score):  # noqa: D102
        return score

    @staticmethod
    def constant(mean_target):  # noqa: D102
        return mean_target

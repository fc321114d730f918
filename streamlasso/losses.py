"""Losses: what an error costs.

A loss is a frozen dataclass of its parameters (none so far) with scalar functions of the score
``s``, the target ``y`` and the parameters as a float array, which `kernels.specialise` compiles
into the loops. Called once per event and lane, so they may branch.

* ``value``: the loss itself.
* ``slope``: ∂value/∂s. At a kink the side is named in the class.
* ``mean``: the link, from a score to what `predict_one` reports.
* ``constant``: the score of the best constant model whose targets have the running mean ``m``;
  the baseline that every model is compared with.
"""

import math
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any, ClassVar

import numpy as np

from streamlasso.numerics import log1pexp, sigmoid

__all__ = ["LOSSES", "Hinge", "Logistic", "Loss", "Squared", "get_loss"]


@dataclass(frozen=True)
class Loss:
    """The contract; ``domain`` is ``"binary"`` (targets 0 and 1) or ``"real"``."""

    name: ClassVar[str]
    domain: ClassVar[str]
    value: ClassVar[Callable[..., Any]]
    slope: ClassVar[Callable[..., Any]]
    mean: ClassVar[Callable[..., Any]]
    constant: ClassVar[Callable[..., Any]]

    def hyper(self) -> np.ndarray[Any, Any]:
        """The parameters as the kernels take them (at least one number: numba types by example)."""
        return np.array([*astuple(self), 0.0], dtype=np.float64)


@dataclass(frozen=True)
class Squared(Loss):
    """Squared error.

    Domain: real targets. Link: identity. Formula: ½(s − y)², slope s − y (others use 2(s − y)).
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
    def mean(score):  # noqa: D102
        return score

    @staticmethod
    def constant(mean_target):  # noqa: D102
        return mean_target


@dataclass(frozen=True)
class Logistic(Loss):
    """Logistic loss, also called log loss or cross entropy.

    Domain: targets 0 and 1. Link: p = 1/(1 + e^(−s)). Formula: log(1 + e^s) − y·s, slope p − y.
    """

    name: ClassVar[str] = "logistic"
    domain: ClassVar[str] = "binary"

    @staticmethod
    def value(score, target, loss_hyper):  # noqa: D102
        return log1pexp(score) - target * score

    @staticmethod
    def slope(score, target, loss_hyper):  # noqa: D102
        return sigmoid(score) - target

    @staticmethod
    def mean(score):  # noqa: D102
        return sigmoid(score)

    @staticmethod
    def constant(mean_target):  # noqa: D102
        return math.log(mean_target / (1.0 - mean_target))


@dataclass(frozen=True)
class Hinge(Loss):
    """Hinge loss of the linear support vector machine.

    Domain: targets 0 and 1, read as signs ±1 = 2y − 1. Link: the logistic of the score; it orders
    events as the score does, but is no calibrated probability. Formula: max(0, 1 − (2y − 1)s).
    Kink: at a margin of exactly 1 the slope is 0.
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
    def mean(score):  # noqa: D102
        return sigmoid(score)

    @staticmethod
    def constant(mean_target):  # noqa: D102
        return 1.0 if mean_target > 0.5 else -1.0


LOSSES: dict[str, type[Loss]] = {loss.name: loss for loss in (Squared, Logistic, Hinge)}


def get_loss(loss: str | Loss, domain: str | None = None) -> Loss:
    """A loss by name, or the loss itself; checked against the domain that the caller needs."""
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ValueError(f"loss = {loss!r} is unknown; choose one of {', '.join(LOSSES)}")
        loss = LOSSES[loss]()
    if domain is not None and loss.domain != domain:
        fitting = ", ".join(name for name, kind in LOSSES.items() if kind.domain == domain)
        raise ValueError(
            f"loss = {loss.name!r} is for {loss.domain} targets, this estimator has {domain} ones; "
            f"choose one of {fitting}"
        )
    return loss

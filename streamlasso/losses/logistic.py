"""Logistic loss."""

import math
from dataclasses import dataclass
from typing import ClassVar

from streamlasso.losses.base import Loss
from streamlasso.numerics import log1pexp, sigmoid

__all__ = ["Logistic"]


@dataclass(frozen=True)
class Logistic(Loss):
    """Logistic loss, also called log loss or cross entropy.

    Domain: targets 0 and 1. Link: p = 1/(1 + e^(−s)). Formula: log(1 + e^s) − y·s, slope p − y,
    curvature and variance p(1 − p).
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
    def curvature(score, target, loss_hyper):  # noqa: D102
        # 1 − p by its own formula: the difference would round to 0 for a score above 37.
        return sigmoid(score) * sigmoid(-score)

    @staticmethod
    def variance(score, target, loss_hyper):  # noqa: D102
        return sigmoid(score) * sigmoid(-score)

    @staticmethod
    def mean(score):  # noqa: D102
        # As `sigmoid`, of which a call from Python costs twice as much.
        if score >= 0:
            return 1.0 / (1.0 + math.exp(-score))
        odds = math.exp(score)
        return odds / (1.0 + odds)

    @staticmethod
    def constant(mean_target):  # noqa: D102
        return math.log(mean_target / (1.0 - mean_target))

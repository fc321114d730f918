"""The rules that keep the weights themselves."""

import math
from typing import Any

import numpy as np
from reference_base import DELTA, Reference, Step, Vector, shrink
from reference_penalties import Given, penalty_from


class GradientReference(Reference):
    """The step sizes, the gradient step, the constraint.

    ``adaptive``: η_j = η/(δ + √n_j) with n_j = Σ g_j², this event's included (Duchi, Hazan,
    Singer, JMLR 2011). Otherwise η_t = η/t^power for all.

    Half-life (adaptive only): when the feature occurs, n_j ← f^(2m)·n_j + g_j² with the m events
    since it occurred last; until it occurs again n_j and η_j stay.
    """

    def __init__(
        self,
        dimension: int,
        loss: str,
        learning_rate: float,
        adaptive: bool,
        power: float,
        **shared: Any,
    ) -> None:
        super().__init__(dimension, loss, **shared)
        if not adaptive and self.half_life != math.inf:
            raise ValueError("half_life needs adaptive=True")
        self.learning_rate, self.adaptive, self.power = learning_rate, adaptive, power
        self.n: Vector = np.zeros_like(self.w)
        self.last = [0] * len(self.w)

    def _rates(self, step: Step) -> Vector:
        now = self.events + 1
        if not self.adaptive:
            return np.full_like(self.w, self.learning_rate / now**self.power)
        for j in np.flatnonzero(step.touched):
            missed = now - self.last[j]
            self.n[j] = self.fade ** (2 * missed) * self.n[j] + step.gradient[j] ** 2
            self.last[j] = now
        return self.learning_rate / (DELTA + np.sqrt(self.n))

    def rescale(self, coordinate: int, ratio: float) -> None:
        self.w[coordinate] /= ratio
        self.n[coordinate] *= ratio**2

    def weaken(self, coordinate: int, ratio: float) -> None:
        self.w[coordinate] /= ratio


class TruncatedGradient(GradientReference):
    """Langford, Li, Zhang, "Sparse Online Learning via Truncated Gradient", JMLR 2009.

    Section 3.3: w ← w − ηg; after every K-th event w_j ← T1(w_j, η·K·G, θ) for all j, which is
    S(w_j, ηKG) if |w_j| ≤ θ, else w_j. Non-negative: w ← max(w − ηg, 0), then the same.
    """

    def __init__(
        self,
        dimension: int,
        loss: str,
        learning_rate: float,
        gravity: float,
        period: int,
        threshold: float,
        adaptive: bool,
        power: float,
        **shared: Any,
    ) -> None:
        super().__init__(dimension, loss, learning_rate, adaptive, power, **shared)
        self.gravity, self.period, self.threshold = gravity, period, threshold

    def _update(self, step: Step) -> None:
        rates = self._rates(step)
        self.w -= rates * step.gradient
        if self.nonnegative:
            self.w[1:] = np.maximum(self.w[1:], 0.0)
        if (self.events + 1) % self.period:
            return
        for j in range(1, len(self.w)):
            if self.w[j] != 0:
                self.gap = min(self.gap, abs(abs(self.w[j]) - self.threshold))
            if abs(self.w[j]) <= self.threshold:
                self.w[j] = shrink(self.w[j], rates[j] * self.period * self.gravity)


class SoftThreshold(GradientReference):
    """FOBOS: Duchi, Singer, "Efficient Online and Batch Learning Using Forward Backward
    Splitting", JMLR 2009: a gradient step, then argmin_w ½‖w − w'‖² + η(λ1‖w‖₁ + ½λ2‖w‖²), whose
    solution is

        w_j ← S(w_j − ηg_j, ηλ1) / (1 + ηλ2)            for all j,
        w_j ← max(w_j − ηg_j − ηλ1, 0) / (1 + ηλ2)      non-negative.
    """

    def __init__(
        self,
        dimension: int,
        loss: str,
        learning_rate: float,
        l1: Given,
        l2: float,
        adaptive: bool,
        power: float,
        **shared: Any,
    ) -> None:
        super().__init__(dimension, loss, learning_rate, adaptive, power, **shared)
        self.l2 = l2
        size = len(self.w)
        self.shrinkage = penalty_from(l1, size, rule="soft threshold", allowed=("adaptive",))

    def _update(self, step: Step) -> None:
        rates = self._rates(step)
        self.w -= rates * step.gradient
        for j in range(1, len(self.w)):
            amount = rates[j] * self.shrinkage.threshold(j, 1.0, 0.0)
            kept = max(self.w[j] - amount, 0.0) if self.nonnegative else shrink(self.w[j], amount)
            self.w[j] = kept / (1 + rates[j] * self.l2)

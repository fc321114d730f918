"""The rules that keep sums of gradients, and read every weight from them after every event."""

import math
from typing import Any

import numpy as np
from reference_base import DELTA, Look, Reference, Step, Vector, shrink
from reference_penalties import Given, penalty_from

FLOOR = 1e-5
"""Of the curvature in Newton's rule."""


class DualReference(Reference):
    """z and n of each coordinate, and its age: with T events so far, T = Σ_{s<T} f^s.

    With ``since_birth``, T counts from the first event in which g_j was not 0, that one included.
    """

    def __init__(
        self, dimension: int, loss: str, *, since_birth: bool = False, **shared: Any
    ) -> None:
        super().__init__(dimension, loss, **shared)
        self.since_birth = since_birth
        self.z: Vector = np.zeros_like(self.w)
        self.n: Vector = np.zeros_like(self.w)
        self.age: Vector = np.zeros_like(self.w)
        self.born: list[int | None] = [None] * len(self.w)

    def _grow_older(self, gradient: Vector) -> None:
        for j, g in enumerate(gradient):
            if g != 0 and self.born[j] is None:
                self.born[j] = self.events
            if not self.since_birth or self.born[j] is not None:
                self.age[j] = self.age[j] * self.fade + 1

    def _read(self) -> None:
        self.w = np.array([self._constrained(j, self._weight(j)) for j in range(len(self.w))])

    def _constrained(self, j: int, weight: float) -> float:
        return max(0.0, weight) if self.nonnegative and j > 0 else weight

    def _weight(self, j: int) -> float:
        raise NotImplementedError

    def _divided(self, dual: float, curvature: float) -> float:
        """−z/q, which is 0 where nothing has been seen, even if q is 0 there."""
        return 0.0 if dual == 0 else float(-dual / curvature)

    def rescale(self, coordinate: int, ratio: float) -> None:
        self.z[coordinate] *= ratio
        self.n[coordinate] *= ratio**2
        self._read()

    def _threshold(self, j: int) -> float:
        """What |z_j| has to exceed."""
        raise NotImplementedError

    def weaken(self, coordinate: int, ratio: float) -> None:
        threshold = self._threshold(coordinate)
        beyond = abs(self.z[coordinate]) - threshold
        if beyond > 0:
            self.z[coordinate] = math.copysign(threshold + beyond / ratio, self.z[coordinate])
        self._read()


class FTRLProximal(DualReference):
    """McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, Algorithm 1:

        σ_j = (√(n_j + g_j²) − √n_j)/α,   z_j ← z_j + g_j − σ_j w_j,   n_j ← n_j + g_j²,
        w_j = 0 if |z_j| ≤ λ1, else −(z_j − sgn(z_j)λ1) / ((β + √n_j)/α + λ2),

    where before an event's own gradient z_j ← f·z_j and √n_j ← f·√n_j; w_j in the first line is the
    weight that the event was scored with.

    ``penalty="per_event"``: McMahan, "Follow-the-Regularized-Leader and Mirror Descent", AISTATS
    2011: the penalty is added at each event, so after t events it weighs T·λ1 and T·λ2.
    """

    def __init__(
        self,
        dimension: int,
        loss: str,
        alpha: float,
        beta: float,
        l1: Given,
        l2: float,
        penalty: str,
        since_birth: bool,
        **shared: Any,
    ) -> None:
        super().__init__(dimension, loss, since_birth=since_birth, **shared)
        self.alpha, self.beta, self.l2 = alpha, beta, l2
        self.per_event = penalty == "per_event"
        allowed = ("adaptive",) if self.per_event else ("adaptive", "evidence")
        self.shrinkage = penalty_from(l1, len(self.w), rule="FTRL", allowed=allowed)

    def _update(self, step: Step) -> None:
        self.z *= self.fade
        self.n *= self.fade**2
        for j, g in enumerate(step.gradient):
            sigma = (math.sqrt(self.n[j] + g**2) - math.sqrt(self.n[j])) / self.alpha
            self.z[j] += g - sigma * self.w[j]
            self.n[j] += g**2
        self._grow_older(step.gradient)

    def _threshold(self, j: int) -> float:
        age = float(self.age[j]) if self.per_event else 1.0
        return self.shrinkage.threshold(j, age, math.sqrt(self.n[j]))

    def _weight(self, j: int) -> float:
        age = float(self.age[j]) if self.per_event else 1.0
        root = math.sqrt(self.n[j])
        dual = shrink(self.z[j], self._threshold(j))
        l2 = 0.0 if j == 0 else age * self.l2
        return self._divided(dual, (self.beta + root) / self.alpha + l2)

    def _unpenalised(self) -> Vector:
        q = (self.beta + np.sqrt(self.n)) / self.alpha
        return np.array([self._divided(*pair) for pair in zip(self.z, q, strict=True)])


class DualAveraging(DualReference):
    """L1-RDA: Xiao, "Dual Averaging Methods for Regularized Stochastic Learning and Online
    Optimization", JMLR 2010, with γ = 1/η, its elastic net (λ2), and the AdaGrad form of Duchi,
    Hazan, Singer, JMLR 2011. With z_j the sum of the gradients:

        plain     w_j = −S(z_j, λ1·T) / (λ2·T + √T/η)
        adaptive  w_j = −S(z_j, λ1·T) / (λ2·T + (δ + √n_j)/η)

    Before an event's own gradient z_j ← f·z_j, n_j ← f²·n_j.
    """

    def __init__(
        self,
        dimension: int,
        loss: str,
        learning_rate: float,
        l1: Given,
        l2: float,
        adaptive: bool,
        since_birth: bool,
        **shared: Any,
    ) -> None:
        super().__init__(dimension, loss, since_birth=since_birth, **shared)
        self.learning_rate, self.l2, self.adaptive = learning_rate, l2, adaptive
        allowed = ("adaptive", "evidence") if adaptive else ("adaptive",)
        self.shrinkage = penalty_from(l1, len(self.w), rule="dual averaging", allowed=allowed)

    def _update(self, step: Step) -> None:
        self.z *= self.fade
        self.n *= self.fade**2
        self.z += step.gradient
        self.n += step.gradient**2
        self._grow_older(step.gradient)

    def _inverse_rate(self, j: int) -> float:
        root = DELTA + math.sqrt(self.n[j]) if self.adaptive else math.sqrt(self.age[j])
        return root / self.learning_rate

    def _threshold(self, j: int) -> float:
        return self.shrinkage.threshold(j, float(self.age[j]), math.sqrt(self.n[j]))

    def _weight(self, j: int) -> float:
        age = float(self.age[j])
        dual = shrink(self.z[j], self._threshold(j))
        l2 = 0.0 if j == 0 else age * self.l2
        return self._divided(dual, l2 + self._inverse_rate(j))

    def _unpenalised(self) -> Vector:
        pairs = [(self.z[j], self._inverse_rate(j)) for j in range(len(self.w))]
        return np.array([self._divided(*pair) for pair in pairs])


class Newton(DualReference):
    """The diagonal Bayesian rule. With q_j = 1/σ² + n_j, curvature h = i·max(ℓ'', 1e-5), the
    intercept being a coordinate with x = 1:

        V = Σ x_j²/q_j,   D_j = 1 + h·(V − x_j²/q_j),   Δ_j = h·x_j²/D_j,
        z_j ← z_j + i·ℓ'·x_j/D_j − Δ_j w_j,   n_j ← n_j + Δ_j,   w_j = −S(z_j, threshold)/q_j.

    V and D are of the moment in which the event was scored; then z_j ← f·z_j and n_j ← f·n_j, then
    the third line. Evidence: θ√(n_j·r), r = Σ i·variance / Σ i·curvature (without the floor).
    """

    def __init__(
        self, dimension: int, loss: str, prior_variance: float, l1: Given, **shared: Any
    ) -> None:
        super().__init__(dimension, loss, **shared)
        self.variance = prior_variance
        allowed = ("adaptive", "evidence")
        self.shrinkage = penalty_from(l1, len(self.w), rule="Newton", allowed=allowed)
        self.sum_variance = 0.0
        self.sum_curvature = 0.0

    def look(self, x: Vector) -> Look:
        return Look(super().look(x).score, self._dense(x) ** 2 / self._q())

    def _q(self) -> Vector:
        return 1 / self.variance + self.n

    def _update(self, step: Step) -> None:
        push = step.push
        h = push.importance * max(push.curvature, FLOOR)
        damping = 1 + h * (step.shares.sum() - step.shares)
        growth = h * step.x**2 / damping
        self.z *= self.fade
        self.n *= self.fade
        self.z += step.gradient / damping - growth * self.w
        self.n += growth
        self.sum_variance += push.importance * push.variance
        self.sum_curvature += push.importance * push.curvature

    def _noise(self) -> float:
        return self.sum_variance / self.sum_curvature if self.sum_curvature > 0 else 1.0

    def _threshold(self, j: int) -> float:
        return self.shrinkage.threshold(j, 1.0, math.sqrt(self.n[j] * self._noise()))

    def _weight(self, j: int) -> float:
        dual = shrink(self.z[j], self._threshold(j))
        return self._divided(dual, self._q()[j])

    def _unpenalised(self) -> Vector:
        return -self.z / self._q()

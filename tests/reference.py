"""The learning rules as their papers state them: naive, eager, dense; the tests' yardstick.

Independent of the package, which is lazy: here every coordinate is updated at every event, its
weight is a number that is always up to date, and an absent feature is a zero in a dense vector.
Nothing is rearranged for speed or for accuracy. Notation: event t = 1, 2, …, features x, target y,
importance i, score s = b + Σ w_j x_j, gradient g_j = i·ℓ'(s, y)·x_j. The intercept b is coordinate
0 of the vectors, with x_0 = 1; its penalties are 0.

Two computations that round differently agree only away from the points where a rule jumps. `gap`
is the smallest distance to such a point that the events so far have come to.
"""

import math

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

DELTA = 1e-8
"""δ of the per-coordinate rate η/(δ + √n)."""


def slope(loss: str, score: float, target: float) -> float:
    """∂ℓ/∂s: ½(s − y)² gives s − y; log(1 + e^s) − ys gives p − y; max(0, 1 − ys) with y = ±1
    gives −y inside the margin, 0 on and outside it, its half square −y(1 − ys) and 0.

    With r = s − y: Huber's loss, r where |r| ≤ 1 and else its sign; the pinball at the median, half
    the sign of r; max(0, |r| − 0.1), the sign of r outside the tube. Poisson: e^s − y, where e^s
    is its Taylor polynomial of degree 1 about 20 for s > 20.
    """
    if loss == "squared":
        return score - target
    if loss == "logistic":
        return 1 / (1 + math.exp(-score)) - target
    if loss == "hinge":
        sign = 1 if target == 1 else -1
        return -sign if sign * score < 1 else 0
    if loss == "squared_hinge":
        sign = 1 if target == 1 else -1
        return -sign * max(0.0, 1 - sign * score)
    residual = score - target
    if loss == "huber":
        return residual if -1 <= residual <= 1 else math.copysign(1, residual)
    if loss == "quantile":
        return float(np.sign(residual)) / 2
    if loss == "epsilon_insensitive":
        return float(np.sign(residual)) if abs(residual) > 0.1 else 0.0
    if loss == "poisson":
        mean = math.exp(score) if score <= 20 else math.exp(20) + math.exp(20) * (score - 20)
        return mean - target
    raise ValueError(f"no reference for the loss {loss!r}")


def shrink(weight: float, amount: float) -> float:
    """S(w, a) = sgn(w)·max(|w| − a, 0): soft-thresholding."""
    return math.copysign(max(abs(weight) - amount, 0.0), weight)


class Reference:
    """What the rules share: the dense vector, the score, the clock."""

    def __init__(self, dimension: int, loss: str, *, fit_intercept: bool = True) -> None:
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.events = 0
        self.gap = math.inf
        self.w: Vector = np.zeros(1 + dimension)
        self.penalised: Vector = np.ones(1 + dimension)
        self.penalised[0] = 0

    @property
    def weights(self) -> Vector:
        """The features' weights."""
        return self.w[1:]

    @property
    def intercept(self) -> float:
        """b."""
        return float(self.w[0])

    def _dense(self, x: Vector) -> Vector:
        return np.array([1.0 if self.fit_intercept else 0.0, *x])

    def score(self, x: Vector) -> float:
        """s = b + Σ w_j x_j."""
        return float(self.w @ self._dense(x))

    def learn(self, x: Vector, target: float, importance: float = 1.0) -> float:
        """Learn an event; return its score from before. Importance 0 is no event."""
        score = self.score(x)
        if importance > 0:
            steepness = slope(self.loss, score, target)
            self._watch(score, target, steepness)
            self._update(importance * steepness * self._dense(x))
            self.events += 1
        return score

    def _watch(self, score: float, target: float, steepness: float) -> None:
        """The margin of the hinges, the jumps of the pinball and of the tube; elsewhere a slope of
        0, where a first step changes its sign. A model of zeros has no rounding errors yet.
        """
        if not self.w.any():
            return
        if self.loss in ("hinge", "squared_hinge"):
            self.gap = min(self.gap, abs(1 - abs(score)))
        elif self.loss == "quantile":
            self.gap = min(self.gap, abs(score - target))
        elif self.loss == "epsilon_insensitive":
            self.gap = min(self.gap, abs(abs(score - target) - 0.1))
        else:
            self.gap = min(self.gap, abs(steepness))

    def _update(self, gradient: Vector) -> None:
        raise NotImplementedError


class FTRLProximal(Reference):
    """McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, Algorithm 1:

        σ_j = (√(n_j + g_j²) − √n_j)/α,   z_j ← z_j + g_j − σ_j w_j,   n_j ← n_j + g_j²,
        w_j = 0 if |z_j| ≤ λ1, else −(z_j − sgn(z_j)λ1) / ((β + √n_j)/α + λ2).

    ``penalty="per_event"``: McMahan, "Follow-the-Regularized-Leader and Mirror Descent", AISTATS
    2011: the penalty is added at each event, so after t events it weighs t·λ1 and t·λ2. With
    ``since_birth``, t counts from the first event in which g_j was not 0, that one included.
    """

    def __init__(
        self,
        dimension: int,
        loss: str,
        alpha: float,
        beta: float,
        l1: float,
        l2: float,
        penalty: str,
        since_birth: bool,
        fit_intercept: bool = True,
    ) -> None:
        super().__init__(dimension, loss, fit_intercept=fit_intercept)
        self.alpha, self.beta, self.l1, self.l2 = alpha, beta, l1, l2
        self.per_event, self.since_birth = penalty == "per_event", since_birth
        self.z: Vector = np.zeros_like(self.w)
        self.n: Vector = np.zeros_like(self.w)
        self.born: list[int | None] = [None] * len(self.w)

    def _update(self, gradient: Vector) -> None:
        for j, g in enumerate(gradient):
            if g != 0 and self.born[j] is None:
                self.born[j] = self.events
            sigma = (math.sqrt(self.n[j] + g**2) - math.sqrt(self.n[j])) / self.alpha
            self.z[j] += g - sigma * self.w[j]
            self.n[j] += g**2
        for j in range(len(self.w)):
            self.w[j] = self._solve(j, self.events + 1)

    def _solve(self, j: int, events: int) -> float:
        age = 1
        if self.per_event:
            born = self.born[j]
            age = events - born if self.since_birth and born is not None else events
        l1 = age * self.l1 * self.penalised[j]
        l2 = age * self.l2 * self.penalised[j]
        if abs(self.z[j]) <= l1:
            return 0.0
        curvature = (self.beta + math.sqrt(self.n[j])) / self.alpha + l2
        return float(-(self.z[j] - math.copysign(l1, self.z[j])) / curvature)


class GradientReference(Reference):
    """What the two gradient rules share: the step sizes.

    ``adaptive``: η_j = η/(δ + √n_j) with n_j = Σ g_j², this event's included (Duchi, Hazan,
    Singer, JMLR 2011). Otherwise η_t = η/t^power for all.
    """

    def __init__(
        self,
        dimension: int,
        loss: str,
        learning_rate: float,
        adaptive: bool,
        power: float,
        fit_intercept: bool = True,
    ) -> None:
        super().__init__(dimension, loss, fit_intercept=fit_intercept)
        self.learning_rate, self.adaptive, self.power = learning_rate, adaptive, power
        self.n: Vector = np.zeros_like(self.w)

    def _rates(self, gradient: Vector) -> Vector:
        self.n += gradient**2
        if self.adaptive:
            return self.learning_rate / (DELTA + np.sqrt(self.n))
        return np.full_like(self.w, self.learning_rate / (self.events + 1) ** self.power)


class TruncatedGradient(GradientReference):
    """Langford, Li, Zhang, "Sparse Online Learning via Truncated Gradient", JMLR 2009.

    Section 3.3: w ← w − ηg; after every K-th event w_j ← T1(w_j, η·K·G, θ) for all j, which is
    S(w_j, ηKG) if |w_j| ≤ θ, else w_j.
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
        fit_intercept: bool = True,
    ) -> None:
        super().__init__(dimension, loss, learning_rate, adaptive, power, fit_intercept)
        self.gravity, self.period, self.threshold = gravity, period, threshold

    def _update(self, gradient: Vector) -> None:
        rates = self._rates(gradient)
        self.w -= rates * gradient
        if (self.events + 1) % self.period:
            return
        for j, rate in enumerate(rates):
            if self.w[j] != 0 and self.penalised[j]:
                self.gap = min(self.gap, abs(abs(self.w[j]) - self.threshold))
            if abs(self.w[j]) <= self.threshold:
                amount = rate * self.period * self.gravity * self.penalised[j]
                self.w[j] = shrink(self.w[j], amount)


class SoftThreshold(GradientReference):
    """FOBOS: Duchi, Singer, "Efficient Online and Batch Learning Using Forward Backward
    Splitting", JMLR 2009: a gradient step, then argmin_w ½‖w − w'‖² + η(λ1‖w‖₁ + ½λ2‖w‖²), whose
    solution is

        w_j ← S(w_j − ηg_j, ηλ1) / (1 + ηλ2)   for all j.
    """

    def __init__(
        self,
        dimension: int,
        loss: str,
        learning_rate: float,
        l1: float,
        l2: float,
        adaptive: bool,
        power: float,
        fit_intercept: bool = True,
    ) -> None:
        super().__init__(dimension, loss, learning_rate, adaptive, power, fit_intercept)
        self.l1, self.l2 = l1, l2

    def _update(self, gradient: Vector) -> None:
        rates = self._rates(gradient)
        self.w -= rates * gradient
        for j, rate in enumerate(rates):
            l1, l2 = self.l1 * self.penalised[j], self.l2 * self.penalised[j]
            self.w[j] = shrink(self.w[j], rate * l1) / (1 + rate * l2)


REFERENCES: dict[str, type[Reference]] = {
    "ftrl": FTRLProximal,
    "truncated_gradient": TruncatedGradient,
    "soft_threshold": SoftThreshold,
}

"""What the naive stack is made of: lanes, faded sums, filters, and what a feature has seen."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from reference_base import shrink
from reference_scales import Values

__all__ = ["LANES", "STEADY", "Faded", "Fading", "Feature", "Filter", "Lane", "clip", "dot",
           "sigmoid", "softmax", "solve"]  # fmt: skip


HALF_LIFE = 3000.0
MEMORIES = (0.5, 0.9, 0.98)


def clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score)) if score > -700 else 0.0


def softmax(scores: Sequence[float]) -> list[float]:
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / math.fsum(powers) for power in powers]


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """By Gauss's elimination; the matrix is positive definite."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        for j in range(i + 1, size):
            ratio = rows[j][i] / rows[i][i]
            rows[j] = [b - ratio * a for a, b in zip(rows[i], rows[j], strict=True)]
    x = [0.0] * size
    for i in reversed(range(size)):
        x[i] = (rows[i][size] - dot(rows[i][i + 1 : size], x[i + 1 :])) / rows[i][i]
    return x


class Lane(NamedTuple):
    """Step: α of AdaGrad, σ² of Newton, the rate of a steady lane."""

    newton: bool
    step: float
    fast: bool = False
    steady: bool = False

    @property
    def damped(self) -> bool:
        return self.newton or self.steady


STEADY = 0.1
LANES = (
    Lane(False, 4 * STEADY, steady=True),
    *(Lane(False, alpha) for alpha in (0.1, 0.3, 1.5)),
    *(Lane(True, variance) for variance in (0.3, 3.0)),
    Lane(False, 0.2, True),
    Lane(False, 2.0, True),
)


class Faded:
    """Σ of what was added, older ones times the fades since."""

    def __init__(self) -> None:
        self.past: list[tuple[float, float]] = []

    def add(self, value: float, fade: float) -> None:
        self.past.append((value, fade))

    @property
    def total(self) -> float:
        factors = [1.0]
        for _, fade in reversed(self.past[1:]):
            factors.append(factors[-1] * fade)
        return math.fsum(v * f for (v, _), f in zip(self.past, reversed(factors), strict=False))


class Fading:
    """A mean with a short memory, shrunk to a prior by one row."""

    def __init__(self, memory: float) -> None:
        self.memory = memory
        self.sum, self.weights = Faded(), Faded()

    def add(self, value: float, importance: float) -> None:
        self.sum.add(importance * value, self.memory)
        self.weights.add(importance, self.memory)

    def mean(self, prior: float) -> float:
        return (self.sum.total + prior) / (self.weights.total + 1)


class Filter:
    """Weights u with covariance C: a Kalman filter that grows by 1/.9999 up to its prior."""

    def __init__(self, priors: Sequence[float]) -> None:
        self.priors = list(priors)
        self.u = [0.0] * len(self.priors)
        self.C = [
            [prior if i == k else 0.0 for k in range(len(self.u))]
            for i, prior in enumerate(self.priors)
        ]

    def score(self, X: Sequence[float]) -> float:
        return math.fsum(a * b for a, b in zip(self.u, X, strict=True))

    def learn(self, X: Sequence[float], residual: float, h: float, patience: float = 1.0) -> None:
        size = range(len(X))
        G = [math.fsum(self.C[i][k] * X[k] for k in size) for i in size]
        d = 1 + h * math.fsum(G[i] * X[i] for i in size)
        self.u = [self.u[i] + patience * G[i] * residual / d for i in size]
        C = [[self.C[i][k] - G[i] * G[k] * h / d for k in size] for i in size]
        full = max(C[i][i] / self.priors[i] for i in size)
        grow = min(1 / 0.9999, 1 / full)
        self.C = [[entry * grow for entry in row] for row in C]


class Feature:
    """What a feature has seen, and its duals and squares, lane by lane."""

    def __init__(self, lanes: int) -> None:
        self.sizes = Values("rms-max")
        self.met = 0
        self.values: list[float] = []
        self.centre = 0.0
        self.z, self.n = [0.0] * lanes, [0.0] * lanes
        self.information = 0.0

    def scaled(self, value: float) -> float:
        """(v − centre)/s as it is scored; of an unknown feature the sign."""
        away = value - self.centre
        if not self.sizes.sizes:
            return math.copysign(1.0, away) if away else 0.0
        return self.sizes.clip(away) / self.sizes.scale

    def settle(self, value: float, rows: int) -> float:
        """Take the value into the mean; how far the centre moves."""
        self.met += 1
        before, self.centre = self.centre, 0.0
        if self.met <= 0.5 * (rows + 1):
            self.values = []
            return -before
        self.values.append(value)
        count = len(self.values)
        mean = math.fsum(self.values) / count
        if self.met > 0.9 * (rows + 1) and mean != 0:
            variance = math.fsum((v - mean) ** 2 for v in self.values) / count
            self.centre = mean * max(0.0, 1 - 9 * variance / (count * mean**2))
        return self.centre - before

    def observe(self, away: float, thresholds: Sequence[float]) -> float:
        """Take a value into the scale; what comes to be learned."""
        away = self.sizes.clip(away)
        if away == 0:
            return 0.0
        before = self.sizes.scale if self.sizes.sizes else None
        self.sizes.add(away)
        if before is not None:
            ratio = before / self.sizes.scale
            if ratio <= 4:
                self.z = [z * ratio for z in self.z]
                self.n = [n * ratio**2 for n in self.n]
            else:
                for k, (z, n) in enumerate(zip(self.z, self.n, strict=True)):
                    beyond = shrink(z, thresholds[k] * math.sqrt(n))
                    self.z[k] = z - beyond + beyond / ratio

            if ratio <= 4:
                self.information *= ratio**2
        return away / self.sizes.scale

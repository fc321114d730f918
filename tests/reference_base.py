"""What the naive references share: the dense vector, the score, the clock, an event's push."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from reference_losses import DEFAULT, LossParameters, curvature, distance_to_jump, slope, variance
from reference_penalties import Constant

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DELTA = 1e-8
"""δ of the per-coordinate rate η/(δ + √n)."""


def shrink(weight: float, amount: float) -> float:
    """S(w, a) = sgn(w)·max(|w| − a, 0): soft-thresholding."""
    return math.copysign(max(abs(weight) - amount, 0.0), weight)


class Push(NamedTuple):
    """What an event says about the score; each is still to be multiplied by the importance."""

    slope: float
    curvature: float
    variance: float
    importance: float


class Look(NamedTuple):
    """What is seen of an event before it is learned."""

    score: float
    shares: Vector
    """Of each coordinate in the score's variance V = Σ shares; only Newton has it, else zeros."""


@dataclass
class Step:
    """An event as the rules take it; vectors with the intercept at 0."""

    x: Vector
    gradient: Vector
    """i·ℓ'(s, y)·x_j"""
    touched: Flags
    """The coordinate occurs in the event, be it with the value 0."""
    push: Push
    shares: Vector


class Reference:
    """A rule without its update.

    ``half_life`` h: what happened h events ago counts half, f = 2^(−1/h) per event.
    ``nonnegative``: all weights but the intercept's are ≥ 0.
    """

    shrinkage: Constant = Constant(0.0)

    def __init__(
        self,
        dimension: int,
        loss: str,
        *,
        fit_intercept: bool = True,
        half_life: float = math.inf,
        nonnegative: bool = False,
        loss_parameters: LossParameters = DEFAULT,
    ) -> None:
        self.loss, self.loss_parameters = loss, loss_parameters
        self.fit_intercept, self.nonnegative = fit_intercept, nonnegative
        self.half_life = half_life
        self.fade = 2.0 ** (-1.0 / half_life)
        self.events = 0
        self.gap = math.inf
        self.w: Vector = np.zeros(1 + dimension)
        self.known: Flags = np.zeros(1 + dimension, bool)

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

    def look(self, x: Vector) -> Look:
        """s = b + Σ w_j x_j, and the shares of its variance."""
        return Look(float(self.w @ self._dense(x)), np.zeros_like(self.w))

    def score(self, x: Vector) -> float:
        """s."""
        return self.look(x).score

    def learn(
        self, x: Vector, target: float, importance: float = 1.0, present: Flags | None = None
    ) -> float:
        """Learn an event; return its score from before. Importance 0 is no event.

        ``present`` says which features occur in it; by default those that are not 0.
        """
        look = self.look(x)
        if importance > 0:
            known = self.loss, look.score, target, self.loss_parameters
            if self.weights.any() or self.intercept:
                self.gap = min(self.gap, distance_to_jump(*known))
            push = Push(slope(*known), curvature(*known), variance(*known), importance)
            self.step(x, x != 0 if present is None else present, push, look)
        return look.score

    def step(self, x: Vector, present: Flags, push: Push, look: Look) -> None:
        """Learn from a push on the score that `look` saw."""
        dense = self._dense(x)
        gradient = push.importance * push.slope * dense
        touched = np.array([self.fit_intercept, *present])
        self._update(Step(dense, gradient, touched, push, look.shares))
        self.events += 1
        self.known |= gradient != 0
        self.shrinkage.after(self.events, self._unpenalised(), self.known)
        self._read()

    def _update(self, step: Step) -> None:
        """Take the event into the state."""
        raise NotImplementedError

    def _read(self) -> None:
        """Set ``w`` by the state, in the rules that keep something else than weights."""

    def _unpenalised(self) -> Vector:
        """The weights as they would be read with λ1 = λ2 = 0."""
        return self.w.copy()

    def rescale(self, coordinate: int, ratio: float) -> None:
        """The feature's values are from now on ``ratio`` times what they were."""
        raise NotImplementedError

    def weaken(self, coordinate: int, ratio: float) -> None:
        """w ← w/ratio, and nothing else that can be helped."""
        raise NotImplementedError

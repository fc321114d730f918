"""Lazy soft-thresholding: a gradient step, then the proximal step of the elastic net, each event.

Only the features of an event are touched; what an absent feature misses has a closed form.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from streamlasso.numerics import soft_threshold
from streamlasso.rules.base import SLOPE
from streamlasso.rules.rates import RatedRule, rate, step

__all__ = ["SoftThreshold"]

WEIGHT, STAMP, SQUARES = range(3)  # w (with a common rate: w/P); clock or Q at the last touch; n
LEARNING_RATE, L1, L2, POWER, SCALE, PULL = range(6)  # ..., P, Q
ADAPTIVE = True
SMALLEST_SCALE = 1e-64  # P far above underflow, Q ≤ about 1/P far below overflow


def read(state, slot, lane, hyper, clock):
    """The weight after every proximal step since the last touch.

    Common rate: w = P·S(w_τ/P_τ, λ1(Q − Q_τ)). Per-coordinate rate η, m steps missed,
    q = m·log1p(ηλ2): |w| = max(e^(−q)|w_τ| + (λ1/λ2)·expm1(−q), 0), or S(w_τ, mηλ1) for λ2 = 0.
    """
    weight = state[slot, WEIGHT + lane]
    l1 = hyper[L1, lane]
    l2 = hyper[L2, lane]
    if not ADAPTIVE:
        missed = hyper[PULL, lane] - state[slot, STAMP + lane]
        return hyper[SCALE, lane] * soft_threshold(weight, l1 * missed)
    missed = clock - state[slot, STAMP + lane]
    eta = rate(state, slot, lane, hyper, clock)
    if l2 == 0:
        return soft_threshold(weight, missed * eta * l1)
    decay = missed * math.log1p(eta * l2)
    return soft_threshold(math.exp(-decay) * weight, -(l1 / l2) * math.expm1(-decay))


def write(state, slot, lane, events, value, hyper, clock):
    """w ← w − ηg; the proximal step of this event is left pending."""
    gradient = events[SLOPE, lane] * value
    before = read(state, slot, lane, hyper, clock)
    if ADAPTIVE:
        state[slot, SQUARES + lane] += gradient * gradient
    after = before - rate(state, slot, lane, hyper, clock) * gradient
    if ADAPTIVE:
        state[slot, WEIGHT + lane] = after
        state[slot, STAMP + lane] = clock
    else:
        state[slot, WEIGHT + lane] = after / hyper[SCALE, lane]
        state[slot, STAMP + lane] = hyper[PULL, lane]
    return int(after != 0) - int(before != 0)


def settle(state, slot, lane, hyper, clock):
    """Store the effective weight; with a common rate relative to P = 1, Q = 0."""
    state[slot, WEIGHT + lane] = read(state, slot, lane, hyper, clock)
    state[slot, STAMP + lane] = clock if ADAPTIVE else 0


def tick(hyper, lane, clock):
    """Q ← Q + η/P;  P ← P/(1 + ηλ2)."""
    if not ADAPTIVE:
        eta = hyper[LEARNING_RATE, lane] / (1.0 + clock) ** hyper[POWER, lane]
        hyper[PULL, lane] += eta / hyper[SCALE, lane]
        hyper[SCALE, lane] /= 1.0 + eta * hyper[L2, lane]


def due(hyper, lane):
    """P nears underflow."""
    return (not ADAPTIVE) and hyper[SCALE, lane] < SMALLEST_SCALE


def reset(hyper, lane):
    """P = 1, Q = 0."""
    hyper[SCALE, lane] = 1.0
    hyper[PULL, lane] = 0.0


@dataclass(frozen=True)
class SoftThreshold(RatedRule):
    """Forward-backward splitting with a lazy elastic net.

    Each event, for all features: w ← S(w − ηg, ηλ1)/(1 + ηλ2).

    Parameters
    ----------
    learning_rate
        Step size η > 0 (with ``adaptive``, of a feature's first steps).
    l1, l2
        Penalties λ1, λ2 ≥ 0 per event of λ1·|w| + ½·λ2·w².
    adaptive
        True: per-coordinate rates η/(δ + √n) with n the sum of squared gradients (AdaGrad).
        False: one rate η/(1 + t)^power for all.
    power
        Decay of the common rate; 0 keeps it constant. Needs ``adaptive=False``.

    References
    ----------
    Duchi, Singer, "Efficient Online and Batch Learning Using Forward Backward Splitting", JMLR
    2009.
    Lipton, Elkan, "Efficient Elastic Net Regularization for Sparse Linear Models", 2015.
    """

    learning_rate: float = 0.05
    l1: float = 1e-4
    l2: float = 0.0
    adaptive: bool = True
    power: float = 0.0

    name: ClassVar[str] = "soft_threshold"
    parameters: ClassVar[tuple[str, ...]] = ("learning_rate", "l1", "l2", "power")
    totals: ClassVar[tuple[str, ...]] = ("scale", "pull")
    penalties: ClassVar[tuple[str, ...]] = ("l1", "l2")
    positive: ClassVar[tuple[str, ...]] = ("learning_rate",)
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "rate": rate,
        "read": read,
        "write": write,
        "step": step,
        "settle": settle,
        "tick": tick,
        "due": due,
        "reset": reset,
    }

    def initial_totals(self) -> list[float]:
        """P = 1, Q = 0."""
        return [1.0, 0.0]

"""Lazy soft-thresholding: a gradient step, then the proximal step of the elastic net, each event.

Only the features of an event are touched; what an absent feature misses has a closed form.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from streamlasso.events import SLOPE
from streamlasso.penalties import Penalty
from streamlasso.penalties.base import threshold
from streamlasso.rules.base import shrink
from streamlasso.rules.rates import RatedRule, grow, rate, reach, step

__all__ = ["SoftThreshold"]

# w (with a common rate: w/P); clock or Q at the last touch; n and its clock
WEIGHT, STAMP, SQUARES, TOUCH = range(4)
LEARNING_RATE, L1, L2, POWER, FADE, SCALE, PULL = range(7)  # ..., P, Q
ADAPTIVE = True
FORGETS = False
SMALLEST_SCALE = 1e-64  # P far above underflow, Q ≤ about 1/P far below overflow


def read(state, slot, lane, hyper, clock):
    """The weight after every proximal step since the last touch.

    Common rate: w = P·S(w_τ/P_τ, λ1(Q − Q_τ)). Per-coordinate rate η, m steps missed,
    q = m·log1p(ηλ2): |w| = max(e^(−q)|w_τ| + (λ1/λ2)·expm1(−q), 0), or S(w_τ, mηλ1) for λ2 = 0.
    """
    weight = state[slot, WEIGHT + lane]
    l1 = threshold(state, slot, lane, hyper[L1, lane], 1.0, 0.0)
    l2 = hyper[L2, lane]
    if not ADAPTIVE:
        missed = hyper[PULL, lane] - state[slot, STAMP + lane]
        return hyper[SCALE, lane] * shrink(weight, l1 * missed, hyper, lane)
    missed = clock - state[slot, STAMP + lane]
    eta = rate(state, slot, lane, hyper, clock)
    if l2 == 0:
        return shrink(weight, missed * eta * l1, hyper, lane)
    decay = missed * math.log1p(eta * l2)
    return shrink(math.exp(-decay) * weight, -(l1 / l2) * math.expm1(-decay), hyper, lane)


def write(state, slot, lane, events, value, hyper, clock):
    """w ← w − ηg; the proximal step of this event is left pending."""
    gradient = events[SLOPE, lane] * value
    before = read(state, slot, lane, hyper, clock)
    if ADAPTIVE:
        grow(state, slot, lane, gradient, hyper, clock)
    after = before - rate(state, slot, lane, hyper, clock) * gradient
    if ADAPTIVE:
        state[slot, WEIGHT + lane] = after
        state[slot, STAMP + lane] = clock
    else:
        state[slot, WEIGHT + lane] = after / hyper[SCALE, lane]
        state[slot, STAMP + lane] = hyper[PULL, lane]
    return int(shrink(after, 0.0, hyper, lane) != 0) - int(before != 0)


def pull_of(state, slot, lane, weight, hyper):
    """λ1 + λ2·|w|."""
    l1 = threshold(state, slot, lane, hyper[L1, lane], 1.0, 0.0)
    return l1 + hyper[L2, lane] * weight


def weaken(state, slot, lane, ratio, hyper, clock):
    """w ← w/ratio once what is pending is paid; n stays as it is."""
    _store(state, slot, lane, read(state, slot, lane, hyper, clock) / ratio, hyper, clock)


def rescale(state, slot, lane, ratio, hyper, clock):
    """What is pending is paid in the old unit; then w ∝ 1/value and n ∝ value²."""
    weaken(state, slot, lane, ratio, hyper, clock)
    if ADAPTIVE:
        state[slot, SQUARES + lane] *= ratio * ratio


def plant(state, slot, lane, weight, trust, hyper, clock):
    """The weight, and n = trust²."""
    _store(state, slot, lane, weight, hyper, clock)
    if ADAPTIVE:
        state[slot, SQUARES + lane] = trust * trust
    if FORGETS:
        state[slot, TOUCH + lane] = clock


def _store(state, slot, lane, weight, hyper, clock):
    """Nothing pending."""
    if ADAPTIVE:
        state[slot, WEIGHT + lane] = weight
        state[slot, STAMP + lane] = clock
    else:
        state[slot, WEIGHT + lane] = weight / hyper[SCALE, lane]
        state[slot, STAMP + lane] = hyper[PULL, lane]


def repay(state, slot, lane, hyper, clock):
    """Store the effective weight."""
    _store(state, slot, lane, read(state, slot, lane, hyper, clock), hyper, clock)


def settle(state, slot, lane, hyper, clock):
    """Store the effective weight; with a common rate relative to P = 1, Q = 0."""
    state[slot, WEIGHT + lane] = read(state, slot, lane, hyper, clock)
    state[slot, STAMP + lane] = clock if ADAPTIVE else 0


def tick(hyper, lane, clock, events):
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
    l1
        Penalty λ1 ≥ 0 per event of λ1·|w|, or a penalty of `streamlasso.penalties`.
    l2
        Penalty λ2 ≥ 0 per event of ½·λ2·w².
    adaptive
        True: per-coordinate rates η/(δ + √n) with n the sum of squared gradients (AdaGrad).
        False: one rate η/(1 + t)^power for all.
    power
        Decay of the common rate; 0 keeps it constant. Needs ``adaptive=False``.
    half_life
        With ``adaptive``: events after which the past counts half in the step sizes: at a touch
        n ← n·f^(2m) + g² with f = 2^(−1/half_life), m the events since the last touch. Weights
        need no forgetting of their own: each step follows the stream.
    nonnegative
        Weights below zero are zero.

    References
    ----------
    Duchi, Singer, "Efficient Online and Batch Learning Using Forward Backward Splitting", JMLR
    2009.
    Lipton, Elkan, "Efficient Elastic Net Regularization for Sparse Linear Models", 2015.
    """

    learning_rate: float = 0.05
    l1: float | Penalty | str = 1e-4
    l2: float = 0.0
    adaptive: bool = True
    power: float = 0.0
    half_life: float = math.inf
    nonnegative: bool = False

    name: ClassVar[str] = "soft_threshold"
    parameters: ClassVar[tuple[str, ...]] = ("learning_rate", "l1", "l2", "power", "half_life")
    totals: ClassVar[tuple[str, ...]] = ("scale", "pull")
    penalties: ClassVar[tuple[str, ...]] = ("l1", "l2")
    takes: ClassVar[tuple[str, ...]] = ("constant", "adaptive")
    positive: ClassVar[tuple[str, ...]] = ("learning_rate",)
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "rate": rate,
        "read": read,
        "write": write,
        "step": step,
        "grow": grow,
        "pull_of": pull_of,
        "reach": reach,
        "weaken": weaken,
        "rescale": rescale,
        "_store": _store,
        "plant": plant,
        "repay": repay,
        "settle": settle,
        "tick": tick,
        "due": due,
        "reset": reset,
    }

    def initial_totals(self) -> list[float]:
        """P = 1, Q = 0."""
        return [1.0, 0.0]

"""Truncated gradient: plain gradient steps, and every K events a pull of all weights to zero."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from streamlasso.events import SLOPE
from streamlasso.rules.base import shrink
from streamlasso.rules.rates import RatedRule, grow, rate, reach, step

__all__ = ["TruncatedGradient"]

WEIGHT, STAMP, SQUARES, TOUCH = range(4)  # w; the running total at the last touch; n, its clock
LEARNING_RATE, GRAVITY, PERIOD, THRESHOLD, POWER, FADE, PULL = range(7)
ADAPTIVE = True
FORGETS = False


def read(state, slot, lane, hyper, clock):
    """|w| ≤ θ: S(w, a), a the sum of the missed truncations; otherwise w.

    One truncation by the sum equals the missed ones in turn: w never leaves [−θ, θ] by them.
    """
    weight = shrink(state[slot, WEIGHT + lane], 0.0, hyper, lane)
    pull = hyper[PULL, lane] - state[slot, STAMP + lane]
    if ADAPTIVE:
        eta = rate(state, slot, lane, hyper, clock)
        pull *= eta * hyper[PERIOD, lane] * hyper[GRAVITY, lane]
    if abs(weight) <= hyper[THRESHOLD, lane]:
        return shrink(weight, pull, hyper, lane)
    return weight


def write(state, slot, lane, events, value, hyper, clock):
    """w ← T(w) − ηg; this event's own truncation, if any, is left pending."""
    gradient = events[SLOPE, lane] * value
    before = read(state, slot, lane, hyper, clock)
    if ADAPTIVE:
        grow(state, slot, lane, gradient, hyper, clock)
    after = before - rate(state, slot, lane, hyper, clock) * gradient
    state[slot, WEIGHT + lane] = after
    state[slot, STAMP + lane] = hyper[PULL, lane]
    return int(shrink(after, 0.0, hyper, lane) != 0) - int(before != 0)


def pull_of(state, slot, lane, weight, hyper):
    """K·G: what one truncation takes off, per step size."""
    return hyper[GRAVITY, lane] * hyper[PERIOD, lane]


def weaken(state, slot, lane, ratio, hyper, clock):
    """w ← w/ratio once what is pending is paid; n stays as it is."""
    state[slot, WEIGHT + lane] = read(state, slot, lane, hyper, clock) / ratio
    state[slot, STAMP + lane] = hyper[PULL, lane]


def rescale(state, slot, lane, ratio, hyper, clock):
    """What is pending is paid in the old unit; then w ∝ 1/value and n ∝ value²."""
    weaken(state, slot, lane, ratio, hyper, clock)
    if ADAPTIVE:
        state[slot, SQUARES + lane] *= ratio * ratio


def plant(state, slot, lane, weight, trust, hyper, clock):
    """The weight, and n = trust²."""
    state[slot, WEIGHT + lane] = weight
    state[slot, STAMP + lane] = hyper[PULL, lane]
    if ADAPTIVE:
        state[slot, SQUARES + lane] = trust * trust
    if FORGETS:
        state[slot, TOUCH + lane] = clock


def settle(state, slot, lane, hyper, clock):
    """Pay what is pending."""
    state[slot, WEIGHT + lane] = read(state, slot, lane, hyper, clock)
    state[slot, STAMP + lane] = hyper[PULL, lane]


def tick(hyper, lane, clock, events):
    """At the events that truncate add η·K·G, or count them where each slot has its own η."""
    period = hyper[PERIOD, lane]
    if (clock + 1) % int(period) == 0:
        if ADAPTIVE:
            hyper[PULL, lane] += 1.0
        else:
            eta = hyper[LEARNING_RATE, lane] / (1.0 + clock) ** hyper[POWER, lane]
            hyper[PULL, lane] += eta * period * hyper[GRAVITY, lane]


@dataclass(frozen=True)
class TruncatedGradient(RatedRule):
    """Truncated gradient (Langford, Li, Zhang 2009).

    w ← w − ηg at each event; after every K-th event, for all features,
    w ← S(w, a) where |w| ≤ θ, with a = η·K·G.

    Parameters
    ----------
    learning_rate
        Step size η > 0 (with ``adaptive``, of a feature's first steps).
    gravity
        G ≥ 0: the pull towards zero, per event; an l1 penalty in disguise.
    period
        K ≥ 1: events between two truncations.
    threshold
        θ > 0: weights beyond it are never shrunk.
    adaptive
        True: per-coordinate rates η/(δ + √n) with n the sum of squared gradients (AdaGrad).
        False: one rate η/(1 + t)^power for all.
    power
        Decay of the common rate; 0 keeps it constant. Needs ``adaptive=False``.
    l2
        Only 0: a finite θ and an l2 have no common closed form; `SoftThreshold` takes an l2.
    half_life
        With ``adaptive``: events after which the past counts half in the step sizes: at a touch
        n ← n·f^(2m) + g² with f = 2^(−1/half_life), m the events since the last touch. Weights
        need no forgetting of their own: each step follows the stream.
    nonnegative
        Weights below zero are zero.

    References
    ----------
    Langford, Li, Zhang, "Sparse Online Learning via Truncated Gradient", JMLR 2009.
    Duchi, Hazan, Singer, "Adaptive Subgradient Methods", JMLR 2011.
    """

    learning_rate: float = 0.05
    gravity: float = 1e-4
    period: int = 10
    threshold: float = math.inf
    adaptive: bool = True
    power: float = 0.0
    l2: float = 0.0
    half_life: float = math.inf
    nonnegative: bool = False

    name: ClassVar[str] = "truncated_gradient"
    parameters: ClassVar[tuple[str, ...]] = (
        "learning_rate",
        "gravity",
        "period",
        "threshold",
        "power",
        "half_life",
    )
    totals: ClassVar[tuple[str, ...]] = ("pull",)
    penalties: ClassVar[tuple[str, ...]] = ("gravity",)
    positive: ClassVar[tuple[str, ...]] = ("learning_rate", "period", "threshold")
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
        "plant": plant,
        "settle": settle,
        "tick": tick,
    }

    def _mode_faults(self) -> list[str]:
        faults = super()._mode_faults()
        if isinstance(self.period, float) and self.period % 1 != 0:
            faults.append(f"period = {self.period!r} must be a whole number of events")
        if self.l2:
            faults.append(
                f"l2 = {self.l2!r}: truncated gradient has no closed form with the l2 penalty; "
                "use SoftThreshold(l1=..., l2=...)"
            )
        return faults

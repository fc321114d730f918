"""L1 dual averaging: the weight is read off the average of all gradients so far."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from streamlasso.events import SLOPE
from streamlasso.numerics import nearing
from streamlasso.penalties import Penalty
from streamlasso.penalties.base import threshold
from streamlasso.rules.base import Rule, shrink
from streamlasso.rules.clocks import age, faded, one_fade
from streamlasso.rules.rates import DELTA

__all__ = ["DualAveraging"]

DUAL, ROOT, BIRTH, STAMP = range(4)  # G, √n; the clocks of birth and last touch
LEARNING_RATE, L1, L2, FADE = range(4)
ADAPTIVE = SINCE_BIRTH = FORGETS = False


def _scale(root, events, hyper, lane):
    """λ2·T + 1/step: (δ + √n)/η, or √T/η."""
    if ADAPTIVE:
        return events * hyper[L2, lane] + (DELTA + root) / hyper[LEARNING_RATE, lane]
    return events * hyper[L2, lane] + math.sqrt(events) / hyper[LEARNING_RATE, lane]


def read(state, slot, lane, hyper, clock):
    """w = −S(G, λ1·T) / (λ2·T + 1/step)."""
    events = age(state, slot, lane, hyper, clock)
    fade = faded(state, slot, lane, hyper, clock)
    root = state[slot, ROOT + lane] * fade
    amount = threshold(state, slot, lane, hyper[L1, lane], events, root)
    pull = shrink(-(state[slot, DUAL + lane] * fade), amount, hyper, lane)
    if pull == 0:
        return pull  # also before the first event, where the plain step is infinite
    return pull / _scale(root, events, hyper, lane)


def write(state, slot, lane, events, value, hyper, clock):
    """G ← G + g;  n ← n + g²; both fade first where the past does."""
    gradient = events[SLOPE, lane] * value
    before = read(state, slot, lane, hyper, clock)
    fade = faded(state, slot, lane, hyper, clock) * one_fade(state, lane, hyper)
    root = state[slot, ROOT + lane] * fade
    if SINCE_BIRTH and root == 0:
        state[slot, BIRTH + lane] = clock
    state[slot, DUAL + lane] = state[slot, DUAL + lane] * fade + gradient
    state[slot, ROOT + lane] = math.sqrt(root * root + gradient * gradient)
    if FORGETS:
        state[slot, STAMP + lane] = clock + 1
    return int(read(state, slot, lane, hyper, clock + 1) != 0) - int(before != 0)


def step(state, slot, lane, hyper, clock):
    """1 / (λ2·T + 1/step)."""
    events = max(age(state, slot, lane, hyper, clock), state.dtype.type(1))
    root = state[slot, ROOT + lane] * faded(state, slot, lane, hyper, clock)
    return 1 / _scale(root, events, hyper, lane)


def rescale(state, slot, lane, ratio, hyper, clock):
    """Sums of gradients are in proportion to the values."""
    state[slot, DUAL + lane] *= ratio
    state[slot, ROOT + lane] *= ratio


def weaken(state, slot, lane, ratio, hyper, clock):
    """w ← w/ratio, √n as it is."""
    fade = faded(state, slot, lane, hyper, clock)
    events, root = age(state, slot, lane, hyper, clock), state[slot, ROOT + lane] * fade
    amount = threshold(state, slot, lane, hyper[L1, lane], events, root)
    state[slot, DUAL + lane] *= nearing(state[slot, DUAL + lane] * fade, amount, ratio)


def plant(state, slot, lane, weight, trust, hyper, clock):
    """Refused before it comes to this: the weight depends on the clock."""


@dataclass(frozen=True)
class DualAveraging(Rule):
    """Regularised dual averaging (Xiao 2010), plain or with per-coordinate steps.

    With G the sum of a feature's gradients over T events, n that of their squares:
    w = −S(G, λ1·T) / (λ2·T + (δ + √n)/η), or −S(G, λ1·T) / (λ2·T + √T/η) where not adaptive.

    All weights are read off averages, so the selected set is stable and close to the batch lasso's.
    By definition the penalty grows with T: a feature that is born late has to make up for the
    events before, unless ``since_birth``.

    Parameters
    ----------
    learning_rate
        η > 0; 1/γ of the paper.
    l1
        Penalty λ1 ≥ 0 per event of λ1·|w|, or a penalty of `streamlasso.penalties`.
    l2
        Penalty λ2 ≥ 0 per event of ½·λ2·w².
    adaptive
        True: per-coordinate steps η/(δ + √n) (AdaGrad). False: η/√T for all.
    since_birth
        T counts from the feature's first gradient that is not zero instead of from the start.
    half_life
        Events after which the past counts half: G ← fG, n ← f²n, T = Σ f^s.
    nonnegative
        Weights below zero are zero.

    References
    ----------
    Xiao, "Dual Averaging Methods for Regularized Stochastic Learning and Online Optimization", JMLR
    2010.
    Duchi, Hazan, Singer, "Adaptive Subgradient Methods", JMLR 2011.
    """

    learning_rate: float = 0.1
    l1: float | Penalty | str = 1e-4
    l2: float = 0.0
    adaptive: bool = True
    since_birth: bool = False
    half_life: float = math.inf
    nonnegative: bool = False

    name: ClassVar[str] = "dual_averaging"
    parameters: ClassVar[tuple[str, ...]] = ("learning_rate", "l1", "l2", "half_life")
    penalties: ClassVar[tuple[str, ...]] = ("l1", "l2")
    takes: ClassVar[tuple[str, ...]] = ("constant", "evidence", "adaptive")
    positive: ClassVar[tuple[str, ...]] = ("learning_rate",)
    bounded: ClassVar[bool] = False
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "age": age,
        "faded": faded,
        "one_fade": one_fade,
        "_scale": _scale,
        "read": read,
        "write": write,
        "step": step,
        "rescale": rescale,
        "weaken": weaken,
        "plant": plant,
    }

    @property
    def columns(self) -> tuple[str, ...]:
        """G and √n, and the clocks of birth and last touch where they matter."""
        birth = ("birth",) if self.since_birth else ()
        return ("dual", "root", *birth, *(("stamp",) if self.forgets else ()))

    @property
    def mode(self) -> Mapping[str, bool]:
        """Which step is compiled in."""
        return {"ADAPTIVE": self.adaptive, "SINCE_BIRTH": self.since_birth}

    @property
    def fades(self) -> bool:
        """The threshold grows with T; one by evidence does not."""
        return self.l1_penalty.counts_events

"""The Newton rule: a Gaussian belief for each weight, updated by the curvature of the loss."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from streamlasso.events import CURVATURE, IMPORTANCE, OWN_SPREAD, SLOPE, SPREAD, VARIANCE
from streamlasso.numerics import nearing
from streamlasso.penalties import Penalty
from streamlasso.penalties.base import threshold
from streamlasso.rules.base import Rule, shrink
from streamlasso.rules.clocks import faded, one_fade

__all__ = ["Newton"]

DUAL, INFORMATION, STAMP = range(3)  # z; n, the Fisher information; the clock of the last touch
PRIOR_VARIANCE, L1, FADE, NOISE, BEND = range(5)  # ..., means of variance and curvature
FORGETS = False
SMALLEST_CURVATURE, SMALLEST_BEND = 1e-5, 1e-30


def _noise(information, hyper, lane):
    """√(n·r): the size of a sum of slopes, r how much they vary beyond what curvature says."""
    ratio = hyper.dtype.type(1)
    if hyper[BEND, lane] > 0:
        ratio = hyper[NOISE, lane] / max(hyper[BEND, lane], hyper.dtype.type(SMALLEST_BEND))
    return math.sqrt(information * ratio)


def read(state, slot, lane, hyper, clock):
    """w = −S(z, λ)/(1/σ² + n)."""
    fade = faded(state, slot, lane, hyper, clock)
    information = state[slot, INFORMATION + lane] * fade
    one = state.dtype.type(1)
    amount = threshold(state, slot, lane, hyper[L1, lane], one, _noise(information, hyper, lane))
    pull = shrink(-(state[slot, DUAL + lane] * fade), amount, hyper, lane)
    return pull / (one / hyper[PRIOR_VARIANCE, lane] + information)


def write(state, slot, lane, events, value, hyper, clock):
    """D = 1 + h(V − x²/q);  n ← n + hx²/D;  z ← z + slope·x/D − (q' − q)w.

    D damps the step by how far the event's other features will move the score.
    """
    before = read(state, slot, lane, hyper, clock)
    one = state.dtype.type(1)
    fade = faded(state, slot, lane, hyper, clock)
    dual = state[slot, DUAL + lane] * fade
    information = state[slot, INFORMATION + lane] * fade
    smallest = events[IMPORTANCE, lane] * state.dtype.type(SMALLEST_CURVATURE)
    curvature = max(events[CURVATURE, lane], smallest)
    # Rounding can leave less than nothing of the spread beside one huge value.
    others = max(events[SPREAD, lane] - events[OWN_SPREAD, lane], state.dtype.type(0))
    damp = one + curvature * others
    gain = curvature * value * value / damp
    last = one_fade(state, lane, hyper)
    state[slot, DUAL + lane] = dual * last + (events[SLOPE, lane] * value / damp - gain * before)
    state[slot, INFORMATION + lane] = information * last + gain
    if FORGETS:
        state[slot, STAMP + lane] = clock + 1
    return int(read(state, slot, lane, hyper, clock + 1) != 0) - int(before != 0)


def step(state, slot, lane, hyper, clock):
    """1/q = 1/(1/σ² + n): the variance of the belief."""
    one = state.dtype.type(1)
    information = state[slot, INFORMATION + lane] * faded(state, slot, lane, hyper, clock)
    return one / (one / hyper[PRIOR_VARIANCE, lane] + information)


def reach(state, slot, lane, value, hyper, clock):
    """|value|·(|value| + d)/q, d how far threshold and forgetting drive a weight that is not 0.

    For a curvature ≤ 1, and r as it stands.
    """
    one = state.dtype.type(1)
    last = one_fade(state, lane, hyper)
    information = state[slot, INFORMATION + lane] * faded(state, slot, lane, hyper, clock)
    prior = one / hyper[PRIOR_VARIANCE, lane]
    kept = information * last
    size = abs(value)
    weight = abs(read(state, slot, lane, hyper, clock))
    drift = size * 0
    if weight > 0:
        l1 = hyper[L1, lane]
        most = _noise(kept + value * value, hyper, lane)
        amount = last * threshold(state, slot, lane, l1, one, _noise(information, hyper, lane))
        drift = abs(threshold(state, slot, lane, l1, one, most) - amount)
        drift += weight * (one - last) * prior
    return size * (size + drift) / (prior + kept)


def rescale(state, slot, lane, ratio, hyper, clock):
    """z is a sum of gradients, n one of squares."""
    state[slot, DUAL + lane] *= ratio
    state[slot, INFORMATION + lane] *= ratio * ratio


def weaken(state, slot, lane, ratio, hyper, clock):
    """w ← w/ratio, n as it is."""
    fade = faded(state, slot, lane, hyper, clock)
    noise = _noise(state[slot, INFORMATION + lane] * fade, hyper, lane)
    amount = threshold(state, slot, lane, hyper[L1, lane], state.dtype.type(1), noise)
    state[slot, DUAL + lane] *= nearing(state[slot, DUAL + lane] * fade, amount, ratio)


def plant(state, slot, lane, weight, trust, hyper, clock):
    """n = trust²;  z = −w(1/σ² + n) − sgn(w)λ."""
    state[slot, INFORMATION + lane] = trust * trust
    if FORGETS:
        state[slot, STAMP + lane] = clock
    noise = _noise(state[slot, INFORMATION + lane], hyper, lane)
    amount = threshold(state, slot, lane, hyper[L1, lane], state.dtype.type(1), noise)
    dual = -weight / step(state, slot, lane, hyper, clock)
    state[slot, DUAL + lane] = dual + math.copysign(amount, dual) if weight != 0 else 0


def tick(hyper, lane, clock, events):
    """Running means over the events."""
    hyper[NOISE, lane] += (events[VARIANCE, lane] - hyper[NOISE, lane]) / (clock + 1)
    hyper[BEND, lane] += (events[CURVATURE, lane] - hyper[BEND, lane]) / (clock + 1)


@dataclass(frozen=True)
class Newton(Rule):
    """Diagonal Bayesian learning: w ~ N(−z/q, 1/q) with q = 1/σ² + n for each weight.

    With h the curvature of the loss at the score and V = Σ x²/q the variance of the score,
    D = 1 + h(V − x²/q), n ← n + hx²/D, z ← z + slope·x/D − (q' − q)w, and w = −S(z, λ)/q. The step
    is the inverse of what is known, so there is no rate to tune; good where data are scarce.

    Parameters
    ----------
    prior_variance
        σ² > 0 of a weight before its first event.
    l1
        A penalty of `streamlasso.penalties`, by default the evidence threshold ½√(n·r), r the ratio
        of the slopes' variance to the curvature (1 for logistic and Poisson losses); or a number
        λ1 ≥ 0, a total over the run.
    half_life
        Events after which the past counts half: z ← fz, n ← fn.
    nonnegative
        Weights below zero are zero.

    References
    ----------
    Opper, "A Bayesian Approach to On-line Learning", in On-line Learning in Neural Networks, 1998.
    Ollivier, "Online Natural Gradient as a Kalman Filter", Electronic Journal of Statistics 2018.
    """

    prior_variance: float = 1.0
    l1: float | Penalty | str = "evidence"
    half_life: float = math.inf
    nonnegative: bool = False

    name: ClassVar[str] = "newton"
    parameters: ClassVar[tuple[str, ...]] = ("prior_variance", "l1", "half_life")
    totals: ClassVar[tuple[str, ...]] = ("noise", "bend")
    penalties: ClassVar[tuple[str, ...]] = ("l1",)
    takes: ClassVar[tuple[str, ...]] = ("constant", "evidence", "adaptive")
    positive: ClassVar[tuple[str, ...]] = ("prior_variance",)
    spreads: ClassVar[bool] = True
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "faded": faded,
        "one_fade": one_fade,
        "_noise": _noise,
        "read": read,
        "write": write,
        "step": step,
        "reach": reach,
        "rescale": rescale,
        "weaken": weaken,
        "plant": plant,
        "tick": tick,
    }

    @property
    def columns(self) -> tuple[str, ...]:
        """z and n, and the clock of the last touch where the past fades."""
        return ("dual", "information", *(("stamp",) if self.forgets else ()))

    @property
    def fades(self) -> bool:
        """The dual fades faster than the root of the information, and the ratio r can grow."""
        return self.l1_penalty.renews or self.forgets or not self.l1_penalty.counts_events

"""FTRL-Proximal: follow the regularised leader, one dual and one sum of squares per weight."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from streamlasso.events import SLOPE
from streamlasso.numerics import nearing
from streamlasso.penalties import Penalty
from streamlasso.penalties.base import threshold
from streamlasso.rules.base import Rule, counts_events, shrink
from streamlasso.rules.clocks import age, faded, one_fade

__all__ = ["FTRLProximal"]

DUAL, ROOT, BIRTH, STAMP = range(4)  # z and √n of the paper; the clocks of birth and last touch
ALPHA, BETA, L1, L2, FADE = range(5)
PER_EVENT = SINCE_BIRTH = FORGETS = False


def _events(state, slot, lane, hyper, clock):
    """How many events the penalty counts for this slot; 1 when it is a total."""
    if not PER_EVENT:
        return state.dtype.type(1)
    return age(state, slot, lane, hyper, clock)


def read(state, slot, lane, hyper, clock):
    """w = −S(z, λ1) / ((β + √n)/α + λ2), multiplied through by α: one division."""
    events = _events(state, slot, lane, hyper, clock)
    fade = faded(state, slot, lane, hyper, clock)
    alpha = hyper[ALPHA, lane]
    root = state[slot, ROOT + lane] * fade
    amount = threshold(state, slot, lane, hyper[L1, lane], events, root)
    pull = shrink(-(state[slot, DUAL + lane] * fade), amount, hyper, lane)
    return alpha * pull / (hyper[BETA, lane] + root + alpha * (events * hyper[L2, lane]))


def write(state, slot, lane, events, value, hyper, clock):
    """σ = (√(n+g²) − √n)/α;  z ← z + g − σw;  n ← n + g².

    α cancels in σw. Keeping √n saves two roots of three and rounds as often as keeping n. Where the
    past fades, z and √n are first multiplied by f; w stays the weight that was scored.
    """
    gradient = events[SLOPE, lane] * value
    fade = faded(state, slot, lane, hyper, clock)
    dual = state[slot, DUAL + lane] * fade
    root = state[slot, ROOT + lane] * fade
    if SINCE_BIRTH and root == 0:
        state[slot, BIRTH + lane] = clock
    count = _events(state, slot, lane, hyper, clock)
    alpha = hyper[ALPHA, lane]
    l1 = hyper[L1, lane]
    pull = shrink(-dual, threshold(state, slot, lane, l1, count, root), hyper, lane)
    scale = hyper[BETA, lane] + root + alpha * (count * hyper[L2, lane])
    last = one_fade(state, lane, hyper)
    root *= last
    grown = math.sqrt(root * root + gradient * gradient)
    dual = dual * last + (gradient - (grown - root) * pull / scale)
    state[slot, DUAL + lane] = dual
    state[slot, ROOT + lane] = grown
    if FORGETS:
        state[slot, STAMP + lane] = clock + 1
    count = _events(state, slot, lane, hyper, clock + 1)
    after = shrink(-dual, threshold(state, slot, lane, l1, count, grown), hyper, lane)
    return int(after != 0) - int(pull != 0)


def step(state, slot, lane, hyper, clock):
    """1 / ((β + √n)/α + λ2)."""
    events = _events(state, slot, lane, hyper, clock)
    alpha = hyper[ALPHA, lane]
    root = state[slot, ROOT + lane] * faded(state, slot, lane, hyper, clock)
    return alpha / (hyper[BETA, lane] + root + alpha * (events * hyper[L2, lane]))


def reach(state, slot, lane, value, hyper, clock):
    """|value|·(|value| + d)/(q + λ2), d how far penalty and forgetting drive a weight not 0.

    With −z = w(q + λ2) ± λ before the event, the dual that w stays at after it is known; d is the
    distance from there of what z and the threshold become.
    """
    alpha = hyper[ALPHA, lane]
    last = one_fade(state, lane, hyper)
    root = state[slot, ROOT + lane] * faded(state, slot, lane, hyper, clock)
    before = _events(state, slot, lane, hyper, clock)
    after = _events(state, slot, lane, hyper, clock + 1)
    if SINCE_BIRTH and root == 0:
        before, after = before * 0, before * 0 + 1
    fixed = hyper[BETA, lane] + alpha * (after * hyper[L2, lane])
    size = abs(value)
    weight = abs(read(state, slot, lane, hyper, clock))
    drift = size * 0
    if weight > 0:
        l1 = hyper[L1, lane]
        most = math.sqrt(root * root * last * last + value * value)
        amount = last * threshold(state, slot, lane, l1, before, root)
        drift = abs(threshold(state, slot, lane, l1, after, most) - amount)
        was = hyper[BETA, lane] + alpha * (before * hyper[L2, lane])
        drift += weight * abs(last * was - fixed) / alpha
    return alpha * size * (size + drift) / (fixed + root * last)


def rescale(state, slot, lane, ratio, hyper, clock):
    """z and √n are sums of gradients, which are in proportion to the values."""
    state[slot, DUAL + lane] *= ratio
    state[slot, ROOT + lane] *= ratio


def weaken(state, slot, lane, ratio, hyper, clock):
    """w ← w/ratio, √n as it is."""
    fade = faded(state, slot, lane, hyper, clock)
    events, root = _events(state, slot, lane, hyper, clock), state[slot, ROOT + lane] * fade
    amount = threshold(state, slot, lane, hyper[L1, lane], events, root)
    state[slot, DUAL + lane] *= nearing(state[slot, DUAL + lane] * fade, amount, ratio)


def plant(state, slot, lane, weight, trust, hyper, clock):
    """√n = trust;  z = −w((β + √n)/α + λ2) − sgn(w)λ1."""
    state[slot, ROOT + lane] = trust
    if SINCE_BIRTH:
        state[slot, BIRTH + lane] = clock
    if FORGETS:
        state[slot, STAMP + lane] = clock
    events = _events(state, slot, lane, hyper, clock)
    amount = threshold(state, slot, lane, hyper[L1, lane], events, state[slot, ROOT + lane])
    dual = -weight / step(state, slot, lane, hyper, clock)
    state[slot, DUAL + lane] = dual + math.copysign(amount, dual) if weight != 0 else 0


@dataclass(frozen=True)
class FTRLProximal(Rule):
    """FTRL-Proximal with per-coordinate rates (McMahan et al. 2013, Algorithm 1).

    z ← z + g − σw with σ = (√(n + g²) − √n)/α, n ← n + g², and
    w = −S(z, λ1) / ((β + √n)/α + λ2).

    Parameters
    ----------
    alpha
        Rate α > 0 of a weight's first steps; the one parameter worth tuning.
    beta
        β ≥ 0 delays the first steps; the paper finds β = 1 "good enough".
    l1
        Penalty λ1 ≥ 0 of λ1·|w|, or a penalty of `streamlasso.penalties`.
    l2
        Penalty λ2 ≥ 0 of ½·λ2·w².
    penalty
        ``"total"``: λ1 and λ2 weigh against the whole run, as in the paper; a weight is zero while
        |sum of its gradients| ≤ λ1, so sparsity fades as events come. ``"per_event"``: λ1 and λ2
        count once per event (McMahan 2011); only this form converges to a batch lasso with
        λ = l1 per event.
    since_birth
        With ``"per_event"``: count the events since the feature's first gradient that is not zero
        instead of all, so that a late feature does not pay for the time before it existed.
    half_life
        Events after which the past counts half: at each event z ← fz, n ← f²n with
        f = 2^(−1/half_life), and the events that a penalty counts fade alike.
    nonnegative
        Weights below zero are zero.

    References
    ----------
    McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013.
    McMahan, "Follow-the-Regularized-Leader and Mirror Descent", AISTATS 2011.
    """

    alpha: float = 0.1
    beta: float = 1.0
    l1: float | Penalty | str = 1.0
    l2: float = 0.0
    penalty: Literal["total", "per_event"] = "total"
    since_birth: bool = False
    half_life: float = math.inf
    nonnegative: bool = False

    name: ClassVar[str] = "ftrl"
    parameters: ClassVar[tuple[str, ...]] = ("alpha", "beta", "l1", "l2", "half_life")
    penalties: ClassVar[tuple[str, ...]] = ("l1", "l2")
    takes: ClassVar[tuple[str, ...]] = ("constant", "evidence", "adaptive", "group")
    positive: ClassVar[tuple[str, ...]] = ("alpha",)
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "age": age,
        "faded": faded,
        "one_fade": one_fade,
        "_events": _events,
        "read": read,
        "write": write,
        "step": step,
        "reach": reach,
        "rescale": rescale,
        "weaken": weaken,
        "plant": plant,
    }

    def _mode_faults(self) -> list[str]:
        faults = []
        if self.penalty not in ("total", "per_event"):
            faults.append(f"penalty = {self.penalty!r} must be 'total' or 'per_event'")
        elif self.since_birth and self.penalty == "total":
            faults.append("since_birth = True needs penalty = 'per_event': a total has no age")
        elif self.penalty == "per_event" and not counts_events(self.l1):
            faults.append(
                f"penalty = 'per_event' with l1 = {self.l1!r}, which grows with the noise and not "
                "by event; use penalty = 'total'"
            )
        return faults

    @property
    def columns(self) -> tuple[str, ...]:
        """z and √n of the paper, and the clocks of birth and last touch where they matter."""
        birth = ("birth",) if self.since_birth else ()
        return ("dual", "root", *birth, *(("stamp",) if self.forgets else ()))

    @property
    def mode(self) -> Mapping[str, bool]:
        """Which penalty is compiled in."""
        return {"PER_EVENT": self.penalty == "per_event", "SINCE_BIRTH": self.since_birth}

    @property
    def abreast(self) -> bool:
        """Ages and fading ask for branches and exponentials."""
        return not (self.since_birth or self.forgets)

    @property
    def fades(self) -> bool:
        """A threshold that stays or grows can overtake an untouched dual that stays or fades."""
        if not self.l1_penalty.counts_events:
            return False  # dual and noise fade alike
        if "link" in self.l1_penalty.shared:
            return True  # a group dies and lives as a whole
        return self.penalty == "per_event" or self.forgets or self.l1_penalty.renews

    def hyper(self, *, intercept: bool = False) -> list[float]:
        """As the base; β is kept above 0, so that an untouched slot divides 0 by something."""
        column = super().hyper(intercept=intercept)
        column[BETA] = max(column[BETA], 1e-20)
        return column

"""FTRL-Proximal: follow the regularised leader, one dual and one sum of squares per weight."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from streamlasso.numerics import soft_threshold
from streamlasso.rules.base import SLOPE, Rule

__all__ = ["FTRLProximal"]

DUAL, ROOT, BIRTH = range(3)  # z and √n of the paper; the clock at the first touch
ALPHA, BETA, L1, L2 = range(4)
PER_EVENT = SINCE_BIRTH = False


def _age(state, slot, lane, clock):
    """How many events the penalty counts for this slot; 1 when it is a total."""
    one = state.dtype.type(1)
    if not PER_EVENT:
        return one
    age = state.dtype.type(clock)
    if SINCE_BIRTH and state[slot, ROOT + lane] > 0:
        return age - state[slot, BIRTH + lane]
    return age


def read(state, slot, lane, hyper, clock):
    """w = −S(z, λ1) / ((β + √n)/α + λ2), multiplied through by α: one division."""
    age = _age(state, slot, lane, clock)
    alpha = hyper[ALPHA, lane]
    pull = soft_threshold(-state[slot, DUAL + lane], age * hyper[L1, lane])
    root = state[slot, ROOT + lane]
    return alpha * pull / (hyper[BETA, lane] + root + alpha * (age * hyper[L2, lane]))


def write(state, slot, lane, events, value, hyper, clock):
    """σ = (√(n+g²) − √n)/α;  z ← z + g − σw;  n ← n + g².

    α cancels in σw. Keeping √n saves two roots of three and rounds as often as keeping n.
    """
    gradient = events[SLOPE, lane] * value
    dual = state[slot, DUAL + lane]
    root = state[slot, ROOT + lane]
    if SINCE_BIRTH and root == 0:
        state[slot, BIRTH + lane] = clock
    age = _age(state, slot, lane, clock)
    alpha = hyper[ALPHA, lane]
    pull = soft_threshold(-dual, age * hyper[L1, lane])
    grown = math.sqrt(root * root + gradient * gradient)
    scale = hyper[BETA, lane] + root + alpha * (age * hyper[L2, lane])
    dual += gradient - (grown - root) * pull / scale
    state[slot, DUAL + lane] = dual
    state[slot, ROOT + lane] = grown
    age = _age(state, slot, lane, clock + 1)
    return int(abs(dual) > age * hyper[L1, lane]) - int(pull != 0)


def step(state, slot, lane, hyper, clock):
    """1 / ((β + √n)/α + λ2)."""
    age = _age(state, slot, lane, clock)
    alpha = hyper[ALPHA, lane]
    root = state[slot, ROOT + lane]
    return alpha / (hyper[BETA, lane] + root + alpha * (age * hyper[L2, lane]))


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
    l1, l2
        Penalties λ1, λ2 ≥ 0 of λ1·|w| + ½·λ2·w².
    penalty
        ``"total"``: λ1 and λ2 weigh against the whole run, as in the paper; a weight is zero while
        |sum of its gradients| ≤ λ1, so sparsity fades as events come. ``"per_event"``: λ1 and λ2
        count once per event (McMahan 2011); only this form converges to a batch lasso with
        λ = l1 per event.
    since_birth
        With ``"per_event"``: count the events since the feature's first gradient that is not zero
        instead of all, so that a late feature does not pay for the time before it existed.

    References
    ----------
    McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013.
    McMahan, "Follow-the-Regularized-Leader and Mirror Descent", AISTATS 2011.
    """

    alpha: float = 0.1
    beta: float = 1.0
    l1: float = 1.0
    l2: float = 0.0
    penalty: Literal["total", "per_event"] = "total"
    since_birth: bool = False

    name: ClassVar[str] = "ftrl"
    parameters: ClassVar[tuple[str, ...]] = ("alpha", "beta", "l1", "l2")
    penalties: ClassVar[tuple[str, ...]] = ("l1", "l2")
    positive: ClassVar[tuple[str, ...]] = ("alpha",)
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "_age": _age,
        "read": read,
        "write": write,
        "step": step,
    }

    def _mode_faults(self) -> list[str]:
        faults = []
        if self.penalty not in ("total", "per_event"):
            faults.append(f"penalty = {self.penalty!r} must be 'total' or 'per_event'")
        elif self.since_birth and self.penalty == "total":
            faults.append("since_birth = True needs penalty = 'per_event': a total has no age")
        return faults

    @property
    def columns(self) -> tuple[str, ...]:
        """z and √n of the paper, and the clock at birth where it matters."""
        return ("dual", "root", "birth") if self.since_birth else ("dual", "root")

    @property
    def mode(self) -> Mapping[str, bool]:
        """Which penalty is compiled in."""
        return {"PER_EVENT": self.penalty == "per_event", "SINCE_BIRTH": self.since_birth}

    @property
    def fades(self) -> bool:
        """A growing threshold can overtake an untouched dual; a constant one cannot."""
        return self.penalty == "per_event"

    def hyper(self, *, intercept: bool = False) -> list[float]:
        """As the base; β is kept above 0, so that an untouched slot divides 0 by something."""
        column = super().hyper(intercept=intercept)
        column[BETA] = max(column[BETA], 1e-20)
        return column

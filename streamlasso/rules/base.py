"""The contract of a rule: what a learning algorithm does to one slot.

Design:

a. A rule is a frozen dataclass of hyper-parameters beside plain module functions in the same file.
   The functions are compiled by `kernels.specialise`, never called from Python code.
b. They read numbers by the names of columns and rows of ``hyper``. The module assigns offsets for
   one lane (``DUAL, SQUARES = range(2)``); `specialise` rebinds them. Column ``C`` of lane ``k`` is
   ``state[slot, C + k]``, parameter ``P`` is ``hyper[P, k]``.
c. A mode (``adaptive=True``) is a constant that `specialise` binds, so that the branch of the
   other mode is gone from the compiled code. So is a penalty: a rule calls ``threshold`` and
   ``shrink``.
d. The intercept is never penalised nor constrained: the kernels hand its slot a column of
   hyper-parameters in which every penalty is zero, so no rule mentions the intercept.
e. Functions without a branch on a number and without any but √ hold for many slots or lanes at once
   as they stand (`streamlasso.simd`); a rule that says so (``abreast``) is compiled to vectors.

The functions:

* ``read(state, slot, lane, hyper, clock) -> weight``: pure; pending lazy shrinkage applied.
* ``write(state, slot, lane, events, value, hyper, clock) -> change``: one event, whose numbers are
  ``events[SLOPE, lane]`` and so on; returns how activity changed: +1 activated, −1 not, 0.
* ``step(state, slot, lane, hyper, clock) -> step size`` that the slot would take now.
* ``reach(state, slot, lane, value, hyper, clock)``: how far one more event with |slope| ≤ 1
  can move the score through this slot; by default step·value².
* ``rescale(state, slot, lane, ratio, hyper, clock)``: the feature's values are from now on
  ``ratio`` times what they were; the record becomes what it would be had they always been.
* ``weaken(state, slot, lane, ratio, hyper, clock)``: w ← w/ratio; how sure the record is of it
  stays as it is.
* ``plant(state, slot, lane, weight, trust, hyper, clock)``: make the record read ``weight``.
* ``settle(state, slot, lane, hyper, clock)``: write pending shrinkage into the record, as if the
  totals had just been reset.
* ``repay(state, slot, lane, hyper, clock)``: the same under the totals as they stand, before a
  penalty is renewed.
* ``tick(hyper, lane, clock, events)``: advance the lane's running totals after the event;
  ``due(hyper, lane)`` says that they must be reset, which `settle` on every slot and then
  ``reset(hyper, lane)`` do.
* ``gather(state, slot, lane, events, value, hyper, clock)``: called for all features before the
  first ``write``, where the rule or its penalty needs a sum over them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np

from streamlasso.events import SLOPE
from streamlasso.numerics import soft_threshold
from streamlasso.penalties import Penalty, as_penalty

__all__ = ["NEVER", "SLOPE", "Rule", "checked_rule", "counts_events", "shrink"]

NEVER = 1e300
"""A finite half-life that fades nothing: what shares the kernels of those that do."""

NONNEGATIVE = False
FLOOR = 0


def shrink(value, amount, hyper, lane):
    """S(v, a), and not below zero where the rule says so (the intercept's floor is −∞)."""
    pulled = soft_threshold(value, amount)
    if NONNEGATIVE:
        return max(pulled, hyper[FLOOR, lane])
    return pulled


def step(state, slot, lane, hyper, clock):
    """Every rule has its own."""
    return state.dtype.type(0)


def reach(state, slot, lane, value, hyper, clock):
    """step·value²."""
    return step(state, slot, lane, hyper, clock) * value * value


def weaken(state, slot, lane, ratio, hyper, clock):
    """The record stays: the default."""


def tick(hyper, lane, clock, events):
    """Advance no totals: the default for rules that keep none."""


def due(hyper, lane):
    """Never due: the default."""
    return False


def reset(hyper, lane):
    """Reset nothing: the default."""


def settle(state, slot, lane, hyper, clock):
    """Nothing pending: the default."""


def repay(state, slot, lane, hyper, clock):
    """Nothing pending: the default."""


def gather(state, slot, lane, events, value, hyper, clock):
    """Nothing to gather: the default."""


def renew(state, slot, lane, weight, hyper):
    """The penalty never changes: the default."""


def checked_rule(rule: Any) -> "Rule":
    """The rule, or an error for what is none, such as its name or its class."""
    if not isinstance(rule, Rule):
        raise TypeError(f"rule = {rule!r} must be an instance of a rule: FTRLProximal()")
    return rule


def counts_events(l1: Any) -> bool:
    """Whether a penalty, also one with faults, is one that counts events."""
    return l1 != "evidence" and getattr(l1, "counts_events", True)


@dataclass(frozen=True)
class Rule:
    """Base of all rules. Subclasses set the class variables and the module functions."""

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    """Numeric fields, in the order of the rows of ``hyper``."""
    totals: ClassVar[tuple[str, ...]] = ()
    """Running totals per lane; they follow the parameters in ``hyper`` and need float64."""
    penalties: ClassVar[tuple[str, ...]] = ()
    takes: ClassVar[tuple[str, ...]] = ("constant",)
    """The kinds of penalty that its ``l1`` may be."""
    positive: ClassVar[tuple[str, ...]] = ("half_life",)
    """Parameters that must be > 0; all others must be ≥ 0."""
    spreads: ClassVar[bool] = False
    """Whether `write` needs the spread and the curvature."""
    bounded: ClassVar[bool] = True
    """Whether `reach` bounds how far one event moves the score, and `plant` can hold a weight."""
    functions: ClassVar[Mapping[str, Callable[..., Any]]]
    defaults: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "shrink": shrink,
        "step": step,
        "reach": reach,
        "weaken": weaken,
        "tick": tick,
        "due": due,
        "reset": reset,
        "settle": settle,
        "repay": repay,
        "gather": gather,
        "renew": renew,
    }

    def __post_init__(self) -> None:
        faults = [fault for name in self.parameters if (fault := self._fault(name))]
        faults += self._flag_faults() or self._mode_faults()
        if faults:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(faults))
        for name in self.parameters:
            # numpy's numbers made plain: equal rules must print and save alike.
            value = getattr(self, name)
            if not isinstance(value, Penalty | str):
                plain = int(value) if isinstance(value, Integral) else float(value)
                object.__setattr__(self, name, plain)
        if isinstance(getattr(self, "l1", None), str):
            object.__setattr__(self, "l1", self.l1_penalty)

    def _fault(self, name: str) -> str | None:
        value = getattr(self, name)
        default = next(field.default for field in fields(self) if field.name == name)
        if name == "l1" and isinstance(value, str | Penalty):
            fault = self._penalty_fault(value)
            return f"{fault}; the default is {default}" if fault else None
        if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
            none = " (float('inf') forgets nothing)" if name == "half_life" else ""
            return f"{name} = {value!r} must be a number{none}; the default is {default}"
        if math.isnan(value) or value < 0 or (name in (*self.positive, "half_life") and value == 0):
            bound = "> 0" if name in (*self.positive, "half_life") else "≥ 0"
            return f"{name} = {value!r} must be {bound}; the default is {default}"
        if math.isinf(value) and default != math.inf:
            return f"{name} = {value!r} must be finite; the default is {default}"
        return None

    def _penalty_fault(self, value: str | Penalty) -> str | None:
        try:
            penalty = as_penalty(value)
        except ValueError as error:
            return str(error)
        if penalty.name not in self.takes:
            return (
                f"l1 = {penalty!r}: the rule {self.name!r} has no closed form with the penalty "
                f"{penalty.name!r}; it takes {', '.join(self.takes)}"
            )
        return penalty.refusal(self)

    def _flag_faults(self) -> list[str]:
        """Of the fields that are True or False; numpy's are made plain."""
        faults = []
        for name in (field.name for field in fields(self) if isinstance(field.default, bool)):
            value = getattr(self, name)
            if not isinstance(value, bool | np.bool_):
                faults.append(f"{name} = {value!r} must be True or False")
            object.__setattr__(self, name, bool(value))
        return faults

    def _mode_faults(self) -> list[str]:
        return []

    @property
    def l1_penalty(self) -> Penalty:
        """The sparsity penalty: what ``l1`` says."""
        return as_penalty(getattr(self, self.penalties[0]) if self.penalties else 0.0)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the numbers kept per slot and lane, in the order of the record."""
        raise NotImplementedError

    @property
    def mode(self) -> Mapping[str, bool]:
        """Constants that `specialise` binds into the functions."""
        return {}

    @property
    def modes(self) -> Mapping[str, bool]:
        """`mode` with what all rules have."""
        common = {"FORGETS": self.forgets, "NONNEGATIVE": getattr(self, "nonnegative", False)}
        return {**self.mode, **{name: True for name, on in common.items() if on}}

    @property
    def forgets(self) -> bool:
        """Whether the past fades."""
        return getattr(self, "half_life", math.inf) < math.inf

    @property
    def abreast(self) -> bool:
        """Whether `read` and `write` hold for many slots or lanes at once (`streamlasso.simd`).

        They do without a branch on a number and without functions other than √.
        """
        return False

    @property
    def fades(self) -> bool:
        """Whether a weight can reach zero without being touched (a count then needs a sweep)."""
        return True

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the rows of ``hyper``."""
        parameters = ("fade" if name == "half_life" else name for name in self.parameters)
        return (*parameters, *self.totals, *self.l1_penalty.parameters, "floor")

    def value(self, name: str) -> float:
        """A parameter as a number: of a penalty, its strength."""
        value = self.l1_penalty if name == "l1" else getattr(self, name)
        return value.strength if isinstance(value, Penalty) else float(value)

    def hyper(self, *, intercept: bool = False) -> list[float]:
        """One lane's column of hyper-parameters and totals; penalties are 0 for the intercept."""
        values = [
            0.0 if intercept and name in self.penalties else self.value(name)
            for name in self.parameters
        ]
        if "half_life" in self.parameters:
            # log f with f = 2^(−1/half-life), by which an event fades the past.
            at = self.parameters.index("half_life")
            values[at] = -math.log(2.0) / values[at] if values[at] < NEVER else 0.0
        values += self.initial_totals()
        values += [float(getattr(self.l1_penalty, name)) for name in self.l1_penalty.parameters]
        constrained = getattr(self, "nonnegative", False) and not intercept
        return [*values, 0.0 if constrained else -math.inf]

    def initial_totals(self) -> list[float]:
        """The totals before the first event."""
        return [0.0] * len(self.totals)

    def unpenalised(self) -> Self:
        """The same rule with every penalty zero: what refits the effects that this one selects."""
        return replace(self, **dict.fromkeys(self.penalties, 0.0))

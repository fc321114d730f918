"""The contract of a rule: what a learning algorithm does to one slot.

Design:

a. A rule is a frozen dataclass of hyper-parameters beside plain module functions in the same file.
   The functions are compiled by `kernels.specialise`, never called from Python code.
b. They read numbers by the names of columns and parameters. The module assigns the offsets for one
   lane (``DUAL, SQUARES = range(2)``); `specialise` rebinds them for more lanes. Column ``C`` of
   lane ``k`` is ``state[slot, C + k]``, parameter ``P`` is ``hyper[P, k]``.
c. A mode (``adaptive=True``) is a constant that `specialise` binds, so that the branch of the other
   mode is gone from the compiled code.
d. The intercept is never penalised: the kernels hand its slot a column of hyper-parameters in which
   every name in ``penalties`` is zero, so no rule mentions the intercept.

The functions:

* ``read(state, slot, lane, hyper, clock) -> weight``: pure; pending lazy shrinkage applied.
* ``write(state, slot, lane, events, value, hyper, clock) -> change``: one event, whose slope is
  ``events[SLOPE, lane]``; returns how activity changed: +1 activated, −1 deactivated, 0 neither.
* ``step(state, slot, lane, hyper, clock) -> step size`` that the slot would take now.
* ``settle(state, slot, lane, hyper, clock)``: write pending shrinkage into the record, as if the
  totals had just been reset.
* ``tick(hyper, lane, clock)``: advance the lane's running totals after the event; ``due(hyper,
  lane)`` says that they must be reset, which `settle` on every slot and then ``reset(hyper, lane)``
  do.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from streamlasso.events import SLOPE

__all__ = ["SLOPE", "Rule"]


def tick(hyper, lane, clock):
    """Advance no totals: the default for rules that keep none."""


def due(hyper, lane):
    """Never due: the default."""
    return False


def reset(hyper, lane):
    """Reset nothing: the default."""


def settle(state, slot, lane, hyper, clock):
    """Nothing pending: the default."""


@dataclass(frozen=True)
class Rule:
    """Base of all rules. Subclasses set the class variables and the module functions."""

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    """Numeric fields, in the order of the rows of ``hyper``."""
    totals: ClassVar[tuple[str, ...]] = ()
    """Running totals per lane; they follow the parameters in ``hyper`` and need float64."""
    penalties: ClassVar[tuple[str, ...]] = ()
    shared: ClassVar[tuple[str, ...]] = ()
    positive: ClassVar[tuple[str, ...]] = ()
    """Parameters that must be > 0; all others must be ≥ 0."""
    functions: ClassVar[Mapping[str, Callable[..., Any]]]
    defaults: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "tick": tick,
        "due": due,
        "reset": reset,
        "settle": settle,
    }

    def __post_init__(self) -> None:
        faults = [fault for name in self.parameters if (fault := self._fault(name))]
        faults += self._mode_faults()
        if faults:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(faults))
        for name in self.parameters:
            # numpy's numbers made plain: equal rules must print and save alike.
            value = getattr(self, name)
            plain = int(value) if isinstance(value, Integral) else float(value)
            object.__setattr__(self, name, plain)

    def _fault(self, name: str) -> str | None:
        value = getattr(self, name)
        default = next(field.default for field in fields(self) if field.name == name)
        if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
            return f"{name} = {value!r} must be a number; the default is {default}"
        if math.isnan(value) or value < 0 or (name in self.positive and value == 0):
            bound = "> 0" if name in self.positive else "≥ 0"
            return f"{name} = {value!r} must be {bound}; the default is {default}"
        if math.isinf(value) and default != math.inf:
            return f"{name} = {value!r} must be finite; the default is {default}"
        return None

    def _mode_faults(self) -> list[str]:
        return []

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the numbers kept per slot and lane, in the order of the record."""
        raise NotImplementedError

    @property
    def mode(self) -> Mapping[str, bool]:
        """Constants that `specialise` binds into the functions."""
        return {}

    @property
    def fades(self) -> bool:
        """Whether a weight can reach zero without being touched (a count then needs a sweep)."""
        return True

    def hyper(self, *, intercept: bool = False) -> list[float]:
        """One lane's column of hyper-parameters and totals; penalties are 0 for the intercept."""
        values = [
            0.0 if intercept and name in self.penalties else float(getattr(self, name))
            for name in self.parameters
        ]
        return values + self.initial_totals()

    def initial_totals(self) -> list[float]:
        """The totals before the first event."""
        return [0.0] * len(self.totals)

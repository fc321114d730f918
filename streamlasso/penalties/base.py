"""The contract of a sparsity penalty: how large the threshold of one slot is.

A rule's ``l1`` is a penalty; a plain number stands for `Constant`. A penalty is a frozen dataclass
beside module functions that `specialise` compiles into the rule:

* ``threshold(state, slot, lane, strength, events, noise) -> amount``: what soft-thresholding takes
  off the dual. ``strength`` is the penalty's number from ``hyper``, ``events`` how many events the
  penalty counts for this slot (1 where it is a total over the run), ``noise`` the root of the sum
  of the slot's squared gradients, where the rule keeps one.
* ``renew(state, slot, lane, weight, hyper)``: called for every slot after events whose number is
  a power of two, from 64 on, if ``renews``; ``weight`` is what the rule would read without
  penalties.

A penalty may bring columns of its own, and may replace functions of a rule that it names in
``takes_over``.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np

__all__ = ["Constant", "Penalty"]


def threshold(state, slot, lane, strength, events, noise):
    """λ1, once or per event."""
    return strength * events


@dataclass(frozen=True)
class Penalty:
    """Base of all penalties."""

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]] = ()
    """Numeric fields with rows of their own in ``hyper``, besides the strength."""
    columns: ClassVar[tuple[str, ...]] = ()
    """Numbers per slot and lane, before the rule's own."""
    shared: ClassVar[tuple[str, ...]] = ()
    """Numbers per slot for all lanes."""
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {"threshold": threshold}
    takes_over: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {}
    """Rule name → functions of it that this penalty replaces."""
    abreast: ClassVar[bool] = False
    """Whether `threshold` holds for many slots or lanes at once (`streamlasso.simd`)."""

    def __post_init__(self) -> None:
        faults = [fault for name, positive in self.numbers().items()
                  if (fault := _fault(name, getattr(self, name), positive))]  # fmt: skip
        faults += self.other_faults()
        if faults:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(faults))
        for name in self.numbers():
            object.__setattr__(self, name, float(getattr(self, name)))

    def other_faults(self) -> list[str]:
        """What is wrong with the fields that are no numbers."""
        return []

    def numbers(self) -> dict[str, bool]:
        """The numeric fields → whether they must be > 0."""
        return {"l1": False}

    @property
    def strength(self) -> float:
        """The number in the rule's ``hyper``, which is 0 for the intercept."""
        return float(getattr(self, "l1"))  # noqa: B009

    @property
    def counts_events(self) -> bool:
        """Whether the threshold grows with the events that the rule counts."""
        return True

    @property
    def renews(self) -> bool:
        """Whether `renew` is to be called."""
        return False

    @property
    def needs_names(self) -> bool:
        """Whether a slot's record depends on its name, so that a hashing index cannot do."""
        return False

    def head(self, name: Any) -> Any:
        """A name that needs a slot of its own for this name's sake, or None."""
        return None

    def record(self, name: Any, find: Callable[[Any], int]) -> Mapping[str, float]:
        """Column → number that the record of a name begins with; ``find`` gives slots of names."""
        return {}

    def refusal(self, rule: Any) -> str | None:
        """Why the rule, whose kind takes this penalty, does not in this mode."""
        return None

    def scaled(self, strength: float) -> "Penalty":
        """The same with another strength."""
        from dataclasses import replace

        return replace(self, l1=strength)  # type: ignore[call-arg]


def _fault(name: str, value: Any, positive: bool) -> str | None:
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        return f"{name} = {value!r} must be a number"
    number = float(value)
    if not math.isfinite(number) or number < 0 or (positive and number == 0):
        return f"{name} = {value!r} must be finite and {'> 0' if positive else '≥ 0'}"
    return None


@dataclass(frozen=True)
class Constant(Penalty):
    """The lasso's own penalty λ1·|w|: what a plain number for ``l1`` means.

    Parameters
    ----------
    l1
        λ1 ≥ 0.
    """

    l1: float = 1.0

    name: ClassVar[str] = "constant"
    abreast: ClassVar[bool] = True

"""Sparsity penalties. A new one is a file here and a line in `PENALTIES`."""

from typing import Any

from streamlasso.penalties.adaptive import Adaptive
from streamlasso.penalties.base import Constant, Penalty
from streamlasso.penalties.evidence import Evidence
from streamlasso.penalties.group import Group

__all__ = ["PENALTIES", "Adaptive", "Constant", "Evidence", "Group", "Penalty", "as_penalty"]

PENALTIES: dict[str, type[Penalty]] = {
    penalty.name: penalty for penalty in (Constant, Evidence, Adaptive, Group)
}


def as_penalty(value: Any) -> Penalty:
    """A penalty from what a rule's ``l1`` may be: a number, a registered name, a penalty."""
    if isinstance(value, Penalty):
        return value
    if isinstance(value, str):
        if value not in PENALTIES:
            raise ValueError(
                f"l1 = {value!r} must be a number, a penalty or one of {', '.join(PENALTIES)}"
            )
        return PENALTIES[value]()
    return Constant(value)

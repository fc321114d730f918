"""What a set of compiled kernels is made for, and how its record is laid out."""

from dataclasses import dataclass
from typing import Any

from streamlasso import scales
from streamlasso.losses import Loss
from streamlasso.penalties import Penalty
from streamlasso.rules.base import Rule

__all__ = ["TOUCHED", "Recipe"]

TOUCHED = "touched"
"""The shared column that holds the clock of a slot's last event, where the index evicts."""


@dataclass(frozen=True)
class Recipe:
    """What a set of compiled kernels is made for; equal recipes share them."""

    rule: type[Rule]
    penalty: type[Penalty]
    loss: type[Loss]
    mode: tuple[tuple[str, bool], ...]
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    strength: str
    renews: bool
    lanes: int
    scale: str | None
    select: str | None
    several_targets: bool
    evicts: bool
    abreast: bool
    """Whether the rule's functions hold for many slots or lanes at once."""
    dtype: str = "float64"

    @classmethod
    def of(
        cls, rule: Rule, loss: Loss, lanes: int = 1, *, scale: str | None = None,
        select: str | None = None, several_targets: bool = False, evicts: bool = False,
        dtype: str = "float64",
    ) -> "Recipe":  # fmt: skip
        """The recipe of a rule and a loss: hyper-parameters do not matter, modes do."""
        penalty = rule.l1_penalty
        kinds: tuple[Any, Any, Any] = (type(rule), type(penalty), type(loss))
        mode = tuple(sorted(rule.modes.items()))
        strength = rule.penalties[0] if rule.penalties else ""
        return cls(
            *kinds, mode, rule.columns, rule.rows, strength, penalty.renews, lanes, scale, select,
            several_targets, evicts, rule.abreast and penalty.abreast, dtype,
        )  # fmt: skip

    @property
    def shared(self) -> tuple[str, ...]:
        """The columns that all lanes share, in the order of the record."""
        scale = scales.COLUMNS if self.scale else ()
        return (*scale, *self.penalty.shared, *((TOUCHED,) if self.evicts else ()))

    @property
    def offsets(self) -> dict[str, int]:
        """Column → its first place in the record: shared ones, the penalty's, the rule's."""
        shared = self.shared
        own = (*self.penalty.columns, *self.columns)
        places = {name: i for i, name in enumerate(shared)}
        return places | {name: len(shared) + i * self.lanes for i, name in enumerate(own)}

    @property
    def own(self) -> int:
        """The place of the rule's first column."""
        return len(self.shared) + len(self.penalty.columns) * self.lanes

    @property
    def width(self) -> int:
        """Numbers in a record."""
        return self.own + len(self.columns) * self.lanes

    @property
    def label(self) -> str:
        """A name for the kernels that do not depend on the loss."""
        parts = [self.rule.name, *(name.lower() for name, on in self.mode if on)]
        parts += [self.penalty.name] if self.penalty.name != "constant" else []
        parts += ["renewed"] if self.renews else []
        parts += [self.scale.replace("-", "_")] if self.scale else []
        parts += ["select", self.select] if self.select else []
        parts += ["outputs"] if self.several_targets else []
        parts += ["evicting"] if self.evicts else []
        parts += [self.dtype] if self.dtype != "float64" else []
        return "_".join(parts)

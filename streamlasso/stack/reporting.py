"""What stacks of any number of classes say of themselves in the same words."""

from enum import IntEnum
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from streamlasso.growth import aligned, zeros
from streamlasso.losses import Loss
from streamlasso.rules import Rule
from streamlasso.scales import cuts
from streamlasso.specialise import Kernels
from streamlasso.stack.families import Lane
from streamlasso.stack.places import MOST_LEVELS
from streamlasso.taking import TakesRows

__all__ = ["Reporting"]

Array = npt.NDArray[Any]


class Reporting(TakesRows):
    """Rules, losses and levels, for a class that says where they lie."""

    loss: Loss
    models: tuple[Lane, ...]
    lanes_array: Array
    places: ClassVar[Any]
    """Names of the numbers in `numbers`."""
    level_places: ClassVar[type[IntEnum]]

    _at: dict[str, int]
    _kernels: Kernels
    _kept: Array
    _inputs: Array

    outputs = 1
    scale = "rms-max"
    select = "stack"

    @property
    def numbers(self) -> Array:
        """The book, with one dimension."""
        raise NotImplementedError

    @property
    def clock(self) -> int:
        """Events learned so far."""
        raise NotImplementedError

    def _prepare(self) -> None:
        """What is derived and stays out of pickles: kernels and scratch."""
        raise NotImplementedError

    def last_inputs(self) -> Array:
        """What the second layer saw of the row that was scored last: a copy to be kept."""
        return self._inputs.copy()

    def refresh(self) -> None:
        """Forget what was derived from the names: after arrays were put in place."""
        self._prepare()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name[0] != "_"}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)
        self.state = aligned(self.state)
        self._prepare()

    @property
    def touched_column(self) -> int:
        """The column of the clock of a slot's last event, where the index evicts."""
        return self._at["TOUCHED"]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of the lanes."""
        return tuple(lane.rule for lane in self.models)

    @property
    def rule(self) -> Rule:
        """The rule of the first lane."""
        return self.models[0].rule

    @property
    def rule_name(self) -> str:
        """What the learner is called where a rule would be."""
        return "stack"

    @property
    def rejected(self) -> int:
        """Rows left out because a number was not finite or too large to be squared."""
        return int(self.numbers[self.places.REJECTED])

    @property
    def counts(self) -> Array:
        """Events learned, rejected; changes of activity are not counted row by row."""
        counts = np.zeros((4, self.lanes), np.int64)
        counts[0, 0], counts[1, 0] = self.clock, self.rejected
        return counts

    def _life(self, place: int) -> float:
        weight = self.numbers[self.places.LIFE]
        return float(self.numbers[place] / weight) if weight else float("nan")

    @property
    def served_loss(self) -> float:
        """Mean progressive loss of the served model; NaN before the first row."""
        return self._life(self.places.LIFE_SERVED)

    @property
    def full_loss(self) -> float:
        """Mean progressive loss of the full model; NaN before the first row."""
        return self._life(self.places.LIFE_FULL)

    @property
    def tolerance(self) -> float:
        """The share of loss that sparsity may cost."""
        return float(self.numbers[self.places.TOLERANCE])

    @property
    def worth(self) -> float:
        """τ: what a feature must be worth to be served, in nats over the stream so far."""
        return float(self.numbers[self._at["LEVEL"] + int(self.numbers[self.places.CHOSEN])])

    def level_table(self) -> list[dict[str, float]]:
        """For each level: its worth, discounted mean loss, and whether it is the one served."""
        numbers, places = self.numbers, self.places
        chosen, seen = int(numbers[places.CHOSEN]), numbers[places.SEEN]
        half = 0.5 if self.loss.name == "squared" else 1.0
        table = []
        for level in range(int(numbers[places.LEVELS])):
            place = self._at["LEVEL"] + level
            loss = numbers[place + self.level_places["LOSS"] * MOST_LEVELS] * half
            table.append({
                "worth": float(numbers[place]),
                "recent_loss": float(loss / seen) if seen else float("nan"),
                "served": float(level == chosen),
            })  # fmt: skip
        return table

    def seen_values(self, slots: Array, values: Array, size: int) -> tuple[Array, Array]:
        """The entries of a row as they are scored: less their centres, wild ones cut."""
        self._catch_up()
        slots, values = slots[:size], values[:size]
        bounds = cuts(self.state[slots])
        away = values - self.state[slots, self._at["CENTRE"]]
        return slots, np.asarray(np.clip(away, -bounds, bounds))

    def _hold(self, longest: int) -> None:
        """Have room for a row of so many features."""
        if longest > len(self._kept):
            self._kept = zeros((2 * longest, self._kept.shape[1]), np.float64)

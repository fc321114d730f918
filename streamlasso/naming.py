"""Records that depend on a feature's name: factors from a pilot, links to a group's head."""

from typing import Any

import numpy.typing as npt

from streamlasso.index import FeatureIndex
from streamlasso.kernels import FIRST
from streamlasso.recipe import Recipe
from streamlasso.rules import Rule

__all__ = ["Naming"]


class Naming:
    """Prepares the records of new names for the penalties of the lanes."""

    def __init__(self, rules: tuple[Rule, ...], recipe: Recipe) -> None:
        self._penalties = [rule.l1_penalty for rule in rules]
        self._offsets = recipe.offsets
        self._lanes = recipe.lanes
        self.known = FIRST
        """Slots below this one are prepared."""

    @property
    def needed(self) -> bool:
        """Whether any penalty goes by names."""
        return self._penalties[0].needs_names

    def allocate(self, index: FeatureIndex) -> None:
        """Allocate what the new names need besides their own slots: the heads of their groups."""
        for slot in range(self.known, index.size):
            head = self._penalties[0].head(index.name(slot))
            if head is not None:
                index.add(head)

    def prepare(self, index: FeatureIndex, state: npt.NDArray[Any]) -> None:
        """Write the factors and links of the names that are new."""
        for slot in range(self.known, index.size):
            name = index.name(slot)
            for lane in range(self._lanes):
                penalty = self._penalties[min(lane, len(self._penalties) - 1)]
                for column, number in penalty.record(name, index.find).items():
                    own = 0 if column in penalty.shared else lane
                    state[slot, self._offsets[column] + own] = number
        self.known = max(self.known, index.size)

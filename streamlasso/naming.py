"""Records that depend on a feature's name: factors from a pilot, links to a group's head."""

from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.index import FeatureIndex
from streamlasso.kernels import FIRST
from streamlasso.penalties import Adaptive, Group
from streamlasso.penalties.group import HEAD
from streamlasso.rules import Rule
from streamlasso.specialise import Recipe

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
        penalty = self._penalties[0]
        if isinstance(penalty, Group):
            for slot in range(self.known, index.size):
                group = penalty.group_of(index.name(slot))
                if group is not None:
                    index.add((HEAD, group))

    def prepare(self, index: FeatureIndex, state: npt.NDArray[Any]) -> None:
        """Write the factors and links of the names that are new."""
        for slot in range(self.known, index.size):
            name = index.name(slot)
            penalty = self._penalties[0]
            if isinstance(penalty, Group):
                state[slot, self._offsets["link"]] = self._link(penalty, name, index)
            for lane in range(self._lanes):
                penalty = self._penalties[min(lane, len(self._penalties) - 1)]
                if isinstance(penalty, Adaptive):
                    state[slot, self._offsets["factor"] + lane] = penalty.factor(name) - 1.0
        self.known = max(self.known, index.size)

    @staticmethod
    def _link(penalty: Group, name: Any, index: FeatureIndex) -> float:
        if isinstance(name, tuple) and name[:1] == (HEAD,):
            return -1.0
        group = penalty.group_of(name)
        return 0.0 if group is None else float(np.int64(index.find((HEAD, group))))

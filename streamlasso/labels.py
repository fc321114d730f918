"""Class labels of any kind as the targets 0 and 1."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["BinaryLabels"]


@dataclass
class BinaryLabels:
    """Two labels, learned as they come.

    ``False``/``True``, 0/1 and −1/1 keep their sense; of any two others the first to come is the
    negative one.
    """

    negative: Any = False
    positive: Any = True
    seen: set[Any] = field(default_factory=set)

    @property
    def classes(self) -> tuple[Any, Any]:
        """The negative and the positive label."""
        return self.negative, self.positive

    def target(self, label: Any, importance: float) -> float:
        """1.0 for the positive label, 0.0 for the negative one; a third is an error."""
        try:
            if label in self.seen:
                return float(label == self.positive)
        except TypeError:
            pass  # not hashable: refused below
        if not importance > 0:
            return 0.0  # an event that is not learned brings no label
        return self._add(label.item() if isinstance(label, np.generic) else label)

    def _add(self, label: Any) -> float:
        missing = label is None or type(label).__name__ == "NAType" or label != label
        if missing or isinstance(label, list | dict):
            raise ValueError(f"label {label!r} is no class; leave such events out of learning")
        if len(self.seen) == 2:
            raise ValueError(
                f"label {label!r} would be a third class beside {self.negative!r} and "
                f"{self.positive!r}; use river's multiclass.OneVsRestClassifier(model)"
            )
        # The first label is negative unless it is 1; the second is what the first is not.
        positive = self.positive not in self.seen if self.seen else label == 1
        if positive:
            self.positive = label
        else:
            self.negative = label
        self.seen.add(label)
        return float(positive)

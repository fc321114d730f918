"""Class labels of any kind as the numbers 0, 1, 2, …"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

__all__ = ["Labels"]


@dataclass
class Labels:
    """Labels in the order in which they are numbered, learned as they come.

    ``False``/``True``, 0/1 and −1/1 keep their sense; of any two others the first to come is the
    negative one. A third and later ones are numbered as they come.
    """

    classes: tuple[Any, ...] = (False, True)
    seen: set[Any] = field(default_factory=set)
    limit: int | None = 2
    """How many classes there may be; None for any number."""

    def copy(self) -> "Labels":
        """The same, to be tried out."""
        return replace(self, seen=set(self.seen))

    def number(self, label: Any) -> int | None:
        """The number of a label that was learned; None for a new one."""
        try:
            if label in self.seen:
                return self.classes.index(label)
        except TypeError:
            pass  # not hashable: refused when it is learned
        return None

    def target(self, label: Any, importance: float) -> float:
        """The number of a label, which is learned if it is new and the importance is not 0."""
        number = self.number(label)
        if number is not None:
            return float(number)
        if not importance > 0:
            return 0.0  # an event that is not learned brings no label
        return float(self._add(label.item() if isinstance(label, np.generic) else label))

    def _add(self, label: Any) -> int:
        missing = label is None or type(label).__name__ == "NAType" or label != label
        if missing or isinstance(label, list | dict):
            raise ValueError(f"label {label!r} is no class; leave such events out of learning")
        count = len(self.seen)
        if self.limit is not None and count >= self.limit:
            names = ", ".join(map(repr, self.classes))
            raise ValueError(
                f"label {label!r} would be a class beside {names}; more than {self.limit} need the "
                "logistic loss without grid or refit, or river's multiclass.OneVsRestClassifier"
            )
        if count >= 2:
            self.classes = (*self.classes, label)
            self.seen.add(label)
            return count
        # The first label is negative unless it is 1; the second is what the first is not.
        negative, positive = self.classes
        is_positive = positive not in self.seen if self.seen else label == 1
        self.classes = (negative, label) if is_positive else (label, positive)
        self.seen.add(label)
        return int(is_positive)

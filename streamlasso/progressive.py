"""Progressive validation: every event is predicted before it is learned, and the losses are added.

All in O(1) per event, together with a baseline: the best constant model that knows only the running
mean of the targets before each event. That mean is the best constant for the squared, Poisson and
the binary losses (or determines it); for the quantile, Huber and ε-insensitive losses, whose best
constant is another one, the constant model is the running mean all the same.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.arrays import owned
from streamlasso.losses import Loss
from streamlasso.rules import Rule
from streamlasso.specialise import Recipe, kernels_for

__all__ = ["Progress"]

EXAMPLES, LOSS, BASELINE, PREDICTIONS, TARGETS, PRIOR_TARGETS, PRIOR_EXAMPLES = range(7)


@dataclass
class Progress:
    """Running sums over the learned events, each weighted by its importance.

    ``sums`` holds: examples, loss, loss of the constant model, predictions, targets; then the
    constant model's own sums of targets and examples, which begin with one event of target ½
    (binary targets: half of each class; counts: so that no mean is 0) or none (real targets).
    """

    loss: Loss
    sums: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(7))

    def __post_init__(self) -> None:
        if self.sums[PRIOR_EXAMPLES] == 0:
            bounded = self.loss.domain in ("binary", "count")
            self.sums[PRIOR_TARGETS:] = (0.5, 1.0) if bounded else (0.0, 1e-12)

    def add(
        self,
        rule: Rule,
        scores: npt.NDArray[Any],
        targets: npt.NDArray[Any],
        importances: npt.NDArray[Any],
        *,
        compiled: bool = True,
    ) -> None:
        """Add rows; importance 0 leaves a row out. ``rule`` only finds the compiled kernels."""
        scores, targets, importances = (
            owned(array, np.float64) for array in (scores, targets, importances)
        )
        kernel = kernels_for(Recipe.of(rule, self.loss), compiled=compiled).measure
        kernel(scores, targets, importances, self.loss.hyper(), self.sums)

    def _mean(self, which: int) -> float:
        examples = self.sums[EXAMPLES]
        return float(self.sums[which] / examples) if examples else float("nan")

    @property
    def examples(self) -> float:
        """Sum of importances."""
        return float(self.sums[EXAMPLES])

    @property
    def mean_loss(self) -> float:
        """Progressive loss per example; NaN before the first."""
        return self._mean(LOSS)

    @property
    def baseline(self) -> float:
        """The constant model's progressive loss per example."""
        return self._mean(BASELINE)

    @property
    def mean_prediction(self) -> float:
        """Mean prediction; beside the mean target it shows calibration."""
        return self._mean(PREDICTIONS)

    @property
    def mean_target(self) -> float:
        """Mean target."""
        return self._mean(TARGETS)

"""Refitting after selection: effects that the penalty has not shrunk.

The lasso selects and shrinks at once: a weight that it keeps is too small by the price of keeping
it. A companion learns the same events without a penalty, but only on the features that are active
in the model at that moment: the relaxed lasso (Meinshausen, Computational Statistics & Data
Analysis 2007) of a stream. Predictions stay the model's; the companion is for reports.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from streamlasso.learner import Learner

__all__ = ["Companion", "Effect"]


class Effect(NamedTuple):
    """A weight, or a contribution, and what it is without shrinkage."""

    weight: float
    refitted: float


class Companion:
    """An unpenalised learner over the same slots, fed with the active features alone."""

    def __init__(self, model: Learner) -> None:
        self.learner = Learner(
            model.rule.unpenalised(),
            model.loss,
            model.index,
            fit_intercept=model.fit_intercept,
            dtype=model.dtype,
            scale=model.scale,
        )

    def learn(
        self,
        model: Learner,
        row: tuple[npt.NDArray[Any], npt.NDArray[Any]],
        target: float,
        importance: float,
    ) -> None:
        """Learn one row's features that are active in the model, which has just learned it."""
        slots, values = row
        active = model.weights_of(slots) != 0
        kept = np.ascontiguousarray(slots[active])
        self.learner.learn_row(
            kept, np.ascontiguousarray(values[active]), len(kept), target, importance
        )

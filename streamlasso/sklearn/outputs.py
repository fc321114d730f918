"""From several classes to scores side by side: how, is decided here and nowhere else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.arrays import checked_targets
from streamlasso.kernels import FIRST
from streamlasso.learner import Learner
from streamlasso.losses import Logistic, Loss, Softmax
from streamlasso.sklearn.columns import Rows

__all__ = ["Outputs"]

Array = npt.NDArray[Any]


class Outputs:
    """The learners behind one or several scores of a row.

    One learner for a regression or for two classes. For K > 2 classes the logistic loss becomes the
    softmax of K lanes of one learner. Other losses have K learners, one versus rest: learner k has
    the target 1 for class k and 0 for all others.

    Parameters
    ----------
    make
        A new learner over the columns, for a loss.
    loss
        That of a regression or of two classes.
    classes
        How many; 1 for a regression.
    """

    def __init__(self, make: Callable[[Loss], Learner], loss: Loss, classes: int = 1) -> None:
        if classes > 2 and isinstance(loss, Logistic):
            self.learners: tuple[Learner, ...] = (make(Softmax(classes)),)
        else:
            self.learners = tuple(make(loss) for _ in range(classes if classes > 2 else 1))

    @property
    def together(self) -> bool:
        """Whether the scores are lanes of one learner."""
        return self.learners[0].loss.together

    def learn(self, rows: Rows, targets: Array, importances: Array) -> None:
        """Learn rows in order; with K > 2 classes the targets are 0 to K − 1."""
        alone = len(self.learners) == 1
        for k, learner in enumerate(self.learners):
            own = targets if alone else targets == k
            own = checked_targets(own, len(targets), learner.loss, learner.dtype)
            learner.learn_encoded(*rows, own, importances)

    def scores(self, rows: Rows) -> Array:
        """Shape (rows, outputs)."""
        if self.together:
            return self.learners[0].score_rows(*rows)
        return np.stack([learner.score_rows(*rows) for learner in self.learners], axis=1)

    def means(self, scores: Array) -> Array:
        """What the link makes of scores; with one versus rest the shares of their sum."""
        if self.together:
            return Softmax.probabilities(scores)
        link = self.learners[0].loss.mean
        means = np.array([link(score) for score in scores.ravel().tolist()]).reshape(scores.shape)
        if len(self.learners) > 1:
            totals = means.sum(axis=1, keepdims=True)
            means[totals[:, 0] == 0] = 1.0  # all ruled out to the last bit: none is likelier
            means /= means.sum(axis=1, keepdims=True)
        return means

    @property
    def weights(self) -> Array:
        """Effective weights, shape (outputs, columns)."""
        parts = []
        for learner in self.learners:
            weights = learner.effective_weights()[FIRST : learner.index.size]
            parts.append(weights[:, : len(learner.rules)].T)
        return np.concatenate(parts)

    @property
    def intercepts(self) -> Array:
        """Shape (outputs,)."""
        lanes = [(each, lane) for each in self.learners for lane in range(len(each.rules))]
        return np.array([learner.intercept(lane) for learner, lane in lanes])

    @property
    def clock(self) -> int:
        """Events learned so far."""
        return self.learners[0].clock

    @property
    def rejected(self) -> int:
        """Rows that a learner left out because a number was too large to be squared."""
        return max(learner.rejected for learner in self.learners)

"""Softmax loss: one lane for each class."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from streamlasso.events import CURVATURE, SLOPE, TARGET, VARIANCE
from streamlasso.losses.base import Loss

__all__ = ["Softmax"]


@dataclass(frozen=True)
class Softmax(Loss):
    """Multinomial logistic loss, also called cross entropy, of K scores side by side.

    Domain: classes 0 … K − 1. Link: p_k = e^(s_k) / Σ_j e^(s_j). Formula: −log p_y; the slope of
    lane k is p_k − [y = k], curvature and variance p_k(1 − p_k), the diagonal of the Hessian.

    No class is the reference: adding one number to all scores of an event changes nothing, and the
    penalty picks among the equal models.

    Parameters
    ----------
    classes
        K ≥ 2.

    References
    ----------
    Friedman, Hastie, Tibshirani, "Regularization Paths for Generalized Linear Models via
    Coordinate Descent", JSS 2010, section 4.
    """

    classes: int = 2

    name: ClassVar[str] = "softmax"
    domain: ClassVar[str] = "classes"
    together: ClassVar[bool] = True
    bounds: ClassVar[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
        "classes": (lambda classes: classes >= 2 and classes % 1 == 0, "a whole number ≥ 2")
    }

    @staticmethod
    def slopes(scores, row, importance, events, loss_hyper):
        """Fill ``events`` for the target ``events[TARGET, 0]``; lanes beyond K get zeros."""
        classes = int(loss_hyper[0])
        target = events[TARGET, 0]
        largest = scores[row, 0]
        for lane in range(1, classes):
            largest = max(largest, scores[row, lane])
        total = 0.0
        for lane in range(classes):
            events[SLOPE, lane] = math.exp(scores[row, lane] - largest)
            total += events[SLOPE, lane]
        # NaN where the target is not finite: by its slopes the row is rejected.
        nothing = 0.0 * target
        for lane in range(classes):
            share = events[SLOPE, lane] / total
            spread = importance * share * (1.0 - share)
            events[SLOPE, lane] = importance * (share - (target == lane) + nothing)
            events[CURVATURE, lane] = spread
            events[VARIANCE, lane] = spread
        for lane in range(classes, events.shape[1]):
            events[SLOPE, lane] = 0.0
            events[CURVATURE, lane] = 0.0
            events[VARIANCE, lane] = 0.0

    @staticmethod
    def value_of_row(scores, row, target, loss_hyper):
        """−log p_y of one row; NaN for a target that is no class."""
        classes = int(loss_hyper[0])
        if not 0.0 <= target < classes:
            return math.nan
        largest = scores[row, 0]
        for lane in range(1, classes):
            largest = max(largest, scores[row, lane])
        total = 0.0
        for lane in range(classes):
            total += math.exp(scores[row, lane] - largest)
        return math.log(total) + (largest - scores[row, int(target)])

    @staticmethod
    def probabilities(scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The classes' probabilities for scores of shape (…, K), of the same shape.

        Examples
        --------
        >>> import numpy as np
        >>> from streamlasso.losses import Softmax
        >>> Softmax.probabilities(np.log([[1.0, 2.0, 1.0]])).round(3)
        array([[0.25, 0.5 , 0.25]])
        """
        odds: npt.NDArray[Any] = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=-1, keepdims=True))

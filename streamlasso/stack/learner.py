"""`StackLearner`: what is learned without arguments."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.arrays import checked_importances, checked_rows, checked_target_rows, csr_slots
from streamlasso.index import FeatureIndex, GrowingIndex, checked_index
from streamlasso.kernels import FIRST, UNSEEN
from streamlasso.layout import padded
from streamlasso.losses import Loss, get_loss
from streamlasso.stack import compiling
from streamlasso.stack.families import Lane, checked_lanes, lane_rows, lanes_for
from streamlasso.stack.places import MOST_LEVELS, Book, Level, Scratch

__all__ = ["StackLearner"]

Array = npt.NDArray[Any]

LEVELS = (0.0, 0.0003, 0.003, 0.01, 0.03, 0.3, 1.0, 3.0)


class StackLearner:
    def __init__(
        self,
        loss: str | Loss = "logistic",
        index: FeatureIndex | None = None,
        *,
        lanes: Sequence[Any] | None = None,
        tolerance: float = 0.005,
        dtype: str = "float64",
        compiled: bool = True,
    ) -> None:
        self.loss = get_loss(loss)
        self.index: FeatureIndex = GrowingIndex() if index is None else checked_index(index)
        self.given_lanes = lanes_for(self.loss.name) if lanes is None else checked_lanes(lanes)
        self.models = padded(len(self.given_lanes))
        self.dtype, self.compiled = dtype, compiled
        self._prepare()
        self.state: Array = np.zeros((64, self._at["WIDTH"]), dtype)
        self.lanes = lane_rows(self.given_lanes, self.loss.name)
        self.book = np.zeros(self._at["BOOK"])
        level = self._at["LEVEL"]
        self.book[level : level + len(LEVELS)] = LEVELS
        for row in (Level.C_SLOPE, Level.C_BIAS):
            place = level + row * MOST_LEVELS
            self.book[place : place + MOST_LEVELS] = 0.01
        self.book[Book.LEVELS] = len(LEVELS)
        self.book[Book.TOLERANCE] = tolerance
        self._kernels.start(self.lanes, self.book)

    def _prepare(self) -> None:
        self._at = compiling.sizes(self.loss.name, self.models)
        self._kernels = compiling.kernels_for(type(self.loss), self.models, compiled=self.compiled)
        self._scratch = np.zeros((len(Scratch), self.models))
        self._inputs = np.zeros(self._at["INPUTS_SIZE"])
        self._gains = np.zeros(self._at["INPUTS_SIZE"])
        self._kept = np.zeros((64, self.models))

    def _grow(self, longest):
        if self.index.size > len(self.state):
            rows = min(1 << (self.index.size - 1).bit_length(), self.index.limit)
            grown = np.zeros((rows, self.state.shape[1]), self.dtype)
            grown[: len(self.state)] = self.state
            self.state = grown
        if longest > len(self._kept):
            self._kept = np.zeros((2 * longest, self.models))

    def learn_rows(self, indptr, slots, values, targets, importances=None):
        self._grow(int(np.diff(indptr).max(initial=0)))
        n = len(indptr) - 1
        scores = np.zeros((n, 2))
        imp = np.ones(n) if importances is None else importances
        self._kernels.learn_rows(self.state, self.lanes, self.book, self._scratch, self._inputs,
            self._gains, self._kept, indptr, slots, values, targets, imp, scores)
        self.last_full = scores[:, 1]
        return scores[:, 0]

    def survey(self):
        counts = np.zeros(2 + MOST_LEVELS, np.int64)
        self._kernels.survey(self.state, self.lanes, self.book, counts)
        return counts

"""What all learners do with arrays of rows: check them, find slots, have records for them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso import eviction
from streamlasso.arrays import checked_importances, checked_rows, checked_target_rows, csr_slots
from streamlasso.growth import extended
from streamlasso.index import FeatureIndex
from streamlasso.kernels import FIRST, UNSEEN
from streamlasso.losses import Loss

__all__ = ["TakesRows"]

Array = npt.NDArray[Any]


class TakesRows:
    """Learning and scoring of many rows, for a class that does it with checked arrays."""

    loss: Loss
    index: FeatureIndex
    state: Array
    dtype: str
    outputs: int
    _ready: int

    @property
    def lanes(self) -> int:
        """Models side by side, padded to a power of two."""
        raise NotImplementedError

    def learn_encoded(
        self, indptr: Array, slots: Array, values: Array, targets: Array, importances: Array
    ) -> Array:
        """`learn_rows` for arrays that were made by this package: nothing is checked."""
        raise NotImplementedError

    def _score_encoded(self, indptr: Array, slots: Array, values: Array) -> Array:
        """`score_rows` for checked arrays."""
        raise NotImplementedError

    def effective_weights(self) -> Array:
        """Every slot's weight with pending shrinkage applied, shape (capacity, lanes)."""
        raise NotImplementedError

    def idle(self) -> Array:
        """Of every slot whether it can be freed without a change of scores."""
        return np.asarray(~self.effective_weights().any(axis=1))

    def packed(self, records: Array) -> Array:
        """Records without what only pads them."""
        return records

    def unpacked(self, records: Array) -> Array:
        """Records as they are in the state, of what `packed` gave."""
        return records

    @property
    def touched_column(self) -> int:
        """The column of the clock of a slot's last event, where the index evicts."""
        raise NotImplementedError

    def learn_rows(
        self,
        indptr: npt.ArrayLike,
        slots: npt.ArrayLike,
        values: npt.ArrayLike,
        targets: npt.ArrayLike,
        importances: npt.ArrayLike | None = None,
    ) -> Array:
        """Learn rows in order; return each one's score from before it was learned.

        Parameters
        ----------
        indptr
            Row i has the entries ``indptr[i]:indptr[i + 1]``; shape (rows + 1,).
        slots, values
            Slots ≥ 2 of the index, and values. A slot that occurs twice in a row is learned as two
            separate features with one weight. A NaN or infinity anywhere leaves the state
            untouched by that row, which `rejected` counts.
        targets
            In the domain of the loss; shape (rows,), or (rows, outputs) with several.
        importances
            Weights ≥ 0 of the rows. They multiply the slope, so 2 is not the same as learning
            twice; 0 scores without learning.

        Returns
        -------
        Scores, shape (rows,): what is served; or (rows, lanes) of several lanes without a
        selection.
        """
        indptr, slots, values = self._rows(indptr, slots, values, lowest=FIRST)
        eviction.refuse_freed(self, slots)
        rows = len(indptr) - 1
        targets = checked_target_rows(
            targets, rows, self.outputs, self.lanes, self.loss, self.dtype
        )
        importances = checked_importances(importances, rows, self.dtype)
        return self.learn_encoded(indptr, slots, values, targets, importances)

    def score_rows(
        self, indptr: npt.ArrayLike, slots: npt.ArrayLike, values: npt.ArrayLike
    ) -> Array:
        """Scores of rows given as for `learn_rows`; slot 1 stands for an unknown name."""
        return self._score_encoded(*self._rows(indptr, slots, values, lowest=UNSEEN))

    def learn_csr(
        self, X: Any, y: npt.ArrayLike, importances: npt.ArrayLike | None = None
    ) -> Array:
        """`learn_rows` for a scipy CSR matrix: column ``j`` is the feature named ``j``."""
        if self.index.selective:
            return eviction.learn_csr_each(self, X, y, importances)
        slots = csr_slots(X, self.index.add)
        return self.learn_rows(X.indptr, slots, X.data, y, importances)

    def score_csr(self, X: Any) -> Array:
        """`score_rows` for a scipy CSR matrix."""
        slots = csr_slots(X, self.index.find)
        return self.score_rows(X.indptr, slots, X.data)

    def evict(self, number: int, keep: Sequence[int] | Array = ()) -> Array:
        """Free slots: `streamlasso.eviction.evict`."""
        return eviction.evict(self, number, keep)

    def _rows(self, *arrays: npt.ArrayLike, lowest: int) -> tuple[Array, Array, Array]:
        self._grow()
        return checked_rows(*arrays, dtype=self.dtype, lowest=lowest, capacity=len(self.state))

    def _grow(self) -> None:
        """Double the state until the index fits; slots keep their place."""
        if self.index.size > len(self.state):
            rows = min(1 << (self.index.size - 1).bit_length(), self.index.limit)
            self.state = extended(self.state, rows)
        self._ready = len(self.state)

    def _catch_up(self) -> None:
        """Have records for all names, those from events that another learned or none did, too."""
        if self.index.size > self._ready:
            self._grow()

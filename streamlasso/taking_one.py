"""What learners do with one row, at the least cost of a call.

A row is in the caller's buffers, or an event whose names an encoder has met: then the same call
that learns it fills the encoder's buffers (`streamlasso.objects`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.addresses import VOID, Desk
from streamlasso.encoding import RowEncoder
from streamlasso.index import FeatureIndex
from streamlasso.kernels.names import FLAGS, HAS_INTERCEPT, LENGTH, READY, STATUS
from streamlasso.objects import NOT_SIMPLE, OTHER_NAMES

__all__ = ["TakesOne"]

Array = npt.NDArray[Any]


class TakesOne:
    """Learning and scoring of one row, for a class that says which arrays its kernels take."""

    fit_intercept: bool
    index: FeatureIndex
    compiled: bool
    dtype: str
    _ready: int
    _kernels: Any
    _desk: Desk
    _flags: Array

    def _arrays(self) -> tuple[Array, ...]:
        """The arrays of the row kernels in their order, behind the flags and the row's."""
        raise NotImplementedError

    def _grow(self) -> None:
        """Have records for all names of the index."""
        raise NotImplementedError

    def _hold(self, longest: int) -> None:
        """Have room for a row of so many features."""

    def learn_row(
        self, slots: Array, values: Array, size: int, target: float, importance: float = 1.0
    ) -> float:
        """Learn one row, given as the first ``size`` entries of ``slots`` and ``values``.

        For callers that own buffers of the right types (uint32, and the state's; contiguous), and
        take slots from the index: nothing is checked but the importance. With the same two buffers
        at each call it is fastest. Returns the score that was served: that of the selected lane,
        otherwise of the first. With several targets use `learn_rows`.
        """
        if importance < 0:
            raise ValueError(f"importance = {importance!r} must be ≥ 0; drop the event instead")
        desk = self._desk
        if slots is not desk.slots or values is not desk.values:
            desk = self._describe(slots, values)
        score: float = desk.learn_row(desk.handle, 0, size, float(target), float(importance))
        if score != score and self._made_room():
            return TakesOne.learn_row(self, slots, values, size, target, importance)
        return score

    def score_row(self, slots: Array, values: Array, size: int) -> float:
        """The served score of one row, given as for `learn_row`; changes nothing."""
        desk = self._desk
        if slots is not desk.slots or values is not desk.values:
            desk = self._describe(slots, values)
        score: float = desk.score_row(desk.handle, 0, size)
        if score != score and self._made_room():
            return self.score_row(slots, values, size)
        return score

    def learn_event(
        self, event: Mapping[Any, Any], encoder: RowEncoder, target: float, importance: float
    ) -> float | None:
        """Learn a dict that has the layout of the last one; None, and nothing done, if it has not.

        Importance ≥ 0. The encoder must have a layout: `RowEncoder.table`.
        """
        desk = self._desk
        if encoder.slots is not desk.slots or encoder.values is not desk.values:
            desk = self._describe(encoder.slots, encoder.values)
        score: float = desk.learn_row(
            desk.handle, id(event), encoder.table, float(target), float(importance)
        )
        if score != score:
            if self._flags[STATUS] == OTHER_NAMES:
                return None  # the buffers are as they were
            encoder.kept = None
            if self._flags[STATUS] == NOT_SIMPLE:
                return None
            if self._made_room():
                return self.learn_event(event, encoder, target, importance)
        encoder.kept = None
        return score

    def score_event(self, event: Mapping[Any, Any], encoder: RowEncoder) -> float | None:
        """The served score of a dict as for `learn_event`."""
        desk = self._desk
        if encoder.slots is not desk.slots or encoder.values is not desk.values:
            desk = self._describe(encoder.slots, encoder.values)
        score: float = desk.score_row(desk.handle, id(event), encoder.table)
        if score != score:
            if self._flags[STATUS] == OTHER_NAMES:
                return None
            encoder.kept = None
            if self._flags[STATUS] == NOT_SIMPLE:
                return None
            if self._made_room():
                return self.score_event(event, encoder)
        encoder.kept = None
        return score

    def _made_room(self) -> bool:
        """Whether the last row was not taken for want of room, which there is now."""
        if self._flags[STATUS] <= 0:
            return False
        self._grow()
        self._hold(int(self._flags[LENGTH]))
        self._desk = VOID
        return True

    def _describe(self, slots: Array, values: Array) -> Desk:
        """A desk with these buffers of a row, for this call and the next ones."""
        self._flags[HAS_INTERCEPT], self._flags[READY] = self.fit_intercept, self._ready
        # Buffers of other types do as well, at the cost of a copy at each call.
        slots = np.ascontiguousarray(slots, np.uint32)
        values = np.ascontiguousarray(values, self.dtype)
        rest = self._arrays(), self._kernels, self.compiled
        self._desk = Desk(self._flags, slots, values, *rest)
        return self._desk

    def _clear_desk(self) -> None:
        self._flags = np.zeros(FLAGS, np.int64)
        self._desk = VOID

"""From an event's dict to slots and values; what a value means is said in `streamlasso.values`."""

import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso import objects
from streamlasso.checks import refuse_event
from streamlasso.crossing import Crossing
from streamlasso.index import FeatureIndex, Name
from streamlasso.interactions import Interactions
from streamlasso.kernels import UNSEEN
from streamlasso.names import plain_name
from streamlasso.objects import OTHER_NAMES, Layout
from streamlasso.textlayouts import TextLayouts
from streamlasso.values import categorical_name, clamped, number

__all__ = ["RowEncoder", "categorical_name", "frame_rows"]

Array = npt.NDArray[Any]

LAYOUTS_LIMIT = 256


def frame_rows(X: Any) -> Iterator[dict[Name, Any]]:
    """The rows of a pandas frame as dicts."""
    if not hasattr(X, "itertuples"):
        raise TypeError(
            f"X is a {type(X).__name__}; pass a pandas DataFrame, for one X.to_pandas()"
        )
    names = X.columns.tolist()
    return (dict(zip(names, row, strict=True)) for row in X.itertuples(index=False, name=None))


class RowEncoder:
    """Encodes dicts for one learner, remembering what repeats.

    After `encode` the row is the first ``size`` entries of ``slots`` and ``values``, buffers that
    stay the same until a longer row comes. An event with the same names as one before, in the same
    order, is encoded by compiled code (`streamlasso.objects`, `streamlasso.texts`). What is left to
    Python is encoded once if it is predicted and then learned: the last event is kept as a copy and
    compared, never by identity, since generators reuse their dicts. ``interactions`` follow the
    event's own features in its row.
    """

    def __init__(
        self,
        index: FeatureIndex,
        dtype: str = "float64",
        interactions: Interactions = (),
    ) -> None:
        self.index = index
        self.slots: Array = np.empty(64, np.uint32)
        self.values: Array = np.empty(64, dtype)
        self.size = 0
        self._code = "d" if dtype == "float64" else "f"
        self.kept: Mapping[Name, Any] | None = None
        """A copy of the event that is in the buffers; None of one that is not compared."""
        self._complete = False
        self._unseen: list[tuple[int, Name]] = []
        self._packers: dict[tuple[int, str], struct.Struct] = {}
        # A hashing index that keeps names learns them from `add` alone, so finding is not enough.
        self._keeps_names = getattr(index, "names", False) is True
        self._layouts: dict[tuple[Name, ...], Layout] = {}
        crossing = Crossing(index, interactions)
        self._crossing = crossing if crossing.plans.interactions else None
        self._generation = index.generation
        # Where slots change hands, what was remembered of them must be looked at first.
        self._quick = objects.SUPPORTED and self._crossing is None and not index.evicts
        self._texts = TextLayouts(index) if self._quick else None
        self.by_columns = self._crossing is None and not index.selective
        """Whether a row depends on nothing but its own names and values, and which have slots."""
        self.table = 0
        """Of the layout that the last event had; 0 where dicts are encoded by Python."""

    def encode(self, event: Mapping[Any, Any], allocate: bool) -> None:
        """Encode one event; new names get slots only if ``allocate``.

        Then names that the index turns away are left out of the row. Each occurrence of a name
        without a slot in an event to be learned is one `add`, also after a prediction. An event
        that is refused leaves no name behind.
        """
        if self.index.generation != self._generation:  # slots have changed hands
            self._forget()
            self._generation = self.index.generation
        if self.table and type(event) is dict:
            size = objects.encode_numbers(id(event), self.table)
            if size >= 0:
                self.size, self.kept, self._complete = size, None, True
                return
        elif self._texts is not None and self._texts.last is not None and type(event) is dict:
            size = self._texts.last.encode(event, allocate)
            if size >= 0:
                self.size, self.kept, self._complete = size, None, True
                return
        try:
            # In the same order too: another order adds up to other last bits, and after a restart
            # there is nothing to compare with.
            if event == self.kept and list(event) == list(self.kept):
                if self._complete or not allocate:
                    return
                if not self._keeps_names:
                    # Predicted just now: only the names that were unknown then need a slot.
                    self._add_unseen()
                    return
        except (TypeError, ValueError, OverflowError):
            pass  # pandas' NA and arrays have no truth value; numpy refuses huge integers
        self.kept = None
        try:
            self._encode_new(event, allocate)
        except (AttributeError, TypeError):
            refuse_event(event)
            raise

    def _forget(self) -> None:
        self.kept = None
        self._layouts.clear()
        self.table = 0
        if self._texts is not None:
            self._texts.forget()

    def check(self, event: Mapping[Any, Any]) -> None:
        """Raise what learning the event would raise, and change nothing."""
        self.encode(event, allocate=False)
        if not self._complete:
            for _, name in self._unseen:
                plain_name(name)

    def _encode_new(self, event: Mapping[Any, Any], allocate: bool) -> None:
        """Encode an event that is not the last one."""
        names = tuple(event)
        layout = self._layouts.get(names)
        if layout is not None and self._encode_known(event, names, layout):
            return
        status = OTHER_NAMES
        if self._texts is not None:
            status = self._texts.encode(event, names, allocate)
            if status >= 0:
                self.table, self.size, self.kept, self._complete = 0, status, None, True
                return
        self._encode_each(event, names, allocate)
        if self._texts is not None:
            self._texts.meet(event, names, status, (self.slots, self.values))
        # A row that lacks names is not to be taken for the event's when it comes again.
        self.kept = dict(event) if self._complete or not allocate else None

    def _encode_known(
        self, event: Mapping[Any, Any], names: tuple[Name, ...], layout: Layout
    ) -> bool:
        """Encode an event whose names were met; False if it has not only numbers."""
        if self._quick and type(event) is dict:
            self.table = layout.table
            self.size = objects.encode_numbers(id(event), layout.table)
            self._complete = True
            if self.size >= 0:
                return True
        numbers: Collection[Any] = event.values()
        try:
            # A sum that is not NaN says in one pass that no value is (nor a string, nor None).
            total = sum(numbers)
            if total != total:
                return False
            if self._crossing is not None:
                numbers = self._crossing.numbers(event, names)
            self._packer(len(layout.slots)).pack_into(self.values, 0, *numbers)  # type: ignore[arg-type]
        except (TypeError, struct.error, OverflowError):
            return False
        self.size = len(layout.slots)
        self.slots[: self.size] = layout.slots
        self.kept = dict(event)
        self._complete = True
        return True

    def _add_unseen(self) -> None:
        """Offer the row's unknown names to the index; those that get no slot leave the row."""
        for _, name in self._unseen:
            if type(name) is not str:
                plain_name(name)  # all of them before the first is added
        slots = self.slots[: self.size]
        self.index.add_unseen(slots, self._unseen)
        kept = slots != UNSEEN
        self._complete = bool(kept.all())
        if not self._complete:
            self.kept = None
            values = self.values[: self.size][kept]
            self.size = len(values)
            self.slots[: self.size], self.values[: self.size] = slots[kept], values
            self._unseen = []

    def _encode_each(
        self, event: Mapping[Any, Any], names: tuple[Name, ...], allocate: bool
    ) -> None:
        known = self.index.known
        # New names get their slots after the row, when nothing in it can be refused any more.
        lookup = self.index.add if allocate and self._keeps_names else self.index.find
        slots: list[int] = []
        values: list[float] = []
        unseen: list[tuple[int, Name]] = []
        numeric = True
        for name, value in event.items():
            kind = type(value)
            if kind is str:
                numeric = False
                # The frequent case of `categorical_name`, without the call.
                name = name + "=" + value if type(name) is str else categorical_name(name, value)
                value = 1.0
            elif kind is not float and kind is not int and kind is not bool:
                if value is None:
                    continue
                if isinstance(value, str):
                    numeric = False
                    name, value = categorical_name(name, str.__str__(value)), 1.0
                else:
                    value = number(name, value)
            if value == value:
                slot = known.get(name)
                if slot is None:
                    slot = lookup(name)
                    if slot == UNSEEN:
                        unseen.append((len(slots), name))
                slots.append(slot)
                values.append(value)
        ordinary = numeric and len(slots) == len(names)
        if self._crossing is not None:
            self._crossing.extend(event, names, slots, values, unseen, allocate)
        self._store(slots, values)
        self._unseen = unseen
        self._complete = not unseen and (allocate or not self._keeps_names)
        if unseen and allocate:
            self._add_unseen()
        room = len(self._layouts) < LAYOUTS_LIMIT and names not in self._layouts
        if ordinary and self._complete and room:
            slots_row = self.slots[: self.size].copy()
            self._layouts[names] = Layout(names, slots_row, (self.slots, self.values))

    def _store(self, slots: list[int], values: list[float]) -> None:
        size = self.size = len(slots)
        if size > len(self.values):
            self.slots = np.empty(2 * size, np.uint32)
            self.values = np.empty(2 * size, self.values.dtype)
            self._forget()  # layouts write to the buffers
        # Through struct: a third of the time that numpy takes for a list.
        self._packer(size, "I").pack_into(self.slots, 0, *slots)  # type: ignore[arg-type]
        try:
            self._packer(size).pack_into(self.values, 0, *values)  # type: ignore[arg-type]
        except (struct.error, OverflowError):
            self.values[:size] = [clamped(value) for value in values]

    def _packer(self, size: int, code: str = "") -> struct.Struct:
        key = size, code or self._code
        packer = self._packers.get(key)
        if packer is None:
            packer = self._packers[key] = struct.Struct(f"{size}{key[1]}")
        return packer

    def encode_rows(
        self, events: Iterable[Mapping[Any, Any]], *, allocate: bool | Iterable[bool]
    ) -> tuple[Array, Array, Array]:
        """Many events as ``(indptr, slots, values)``; ``allocate`` may differ by event."""
        each = _repeat(allocate) if isinstance(allocate, bool) else iter(allocate)
        slots: list[Array] = [np.empty(0, np.uint32)]
        values: list[Array] = [np.empty(0, self.values.dtype)]
        indptr = [0]
        for event, one in zip(events, each, strict=False):
            self.encode(event, allocate=one)
            slots.append(self.slots[: self.size].copy())
            values.append(self.values[: self.size].copy())
            indptr.append(indptr[-1] + self.size)
        return np.array(indptr, np.int64), np.concatenate(slots), np.concatenate(values)


def _repeat(value: bool) -> Iterable[bool]:
    while True:
        yield value

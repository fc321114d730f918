"""Names of dicts with strings in their order, and what was met of each: `streamlasso.texts`."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso import objects
from streamlasso.addresses import Lines
from streamlasso.growing import GrowingIndex
from streamlasso.hashed import HashingIndex
from streamlasso.index import FeatureIndex
from streamlasso.kernels import UNSEEN
from streamlasso.names import Name
from streamlasso.objects import NOT_SIMPLE, OTHER_NAMES, Layout
from streamlasso.texts import (
    COLUMNS,
    DATA,
    FIELDS,
    NAMES,
    NEEDED,
    NO_ROOM,
    NO_SLOT,
    NONE,
    PREFIX,
    ROOM,
    SELECTIVE,
    SHIFT,
    START,
    WORDS,
    encode_texts,
)

__all__ = ["TextLayouts"]

Array = npt.NDArray[Any]

LAYOUTS_LIMIT = 256
NO_NAMES = Lines((np.zeros(0, np.uint64), np.zeros(0), np.zeros(0, np.uint8), np.zeros(0)))


class TextLayout(Layout):
    """Names of a dict in their order, with what was met of each."""

    def __init__(
        self, names: tuple[Name, ...], index: GrowingIndex | HashingIndex, row: tuple[Array, Array]
    ) -> None:
        super().__init__(names, np.zeros(len(names), np.uint32), row)
        self._index = index
        prefixes = [_prefix(name) for name in names]
        sizes = [0 if prefix is None else len(prefix) + ROOM for prefix in prefixes]
        self._fields = np.full((len(names), COLUMNS), -1, np.int64)
        self._fields[:, START] = np.cumsum([0, *sizes[:-1]])
        self._data = np.zeros(sum(sizes), np.uint8)
        for field, prefix in zip(self._fields, prefixes, strict=True):
            if prefix is not None:
                field[PREFIX], start = len(prefix), field[START]
                self._data[start : start + len(prefix)] = np.frombuffer(prefix, np.uint8)
        self._extend()

    def _extend(self) -> None:
        """Have a table with the words of texts too."""
        table = np.zeros(WORDS, np.int64)
        table[: objects.WORDS] = self._table
        table[FIELDS : FIELDS + 3] = self._fields.ctypes.data, *self._fields.shape
        table[DATA : DATA + 2] = self._data.ctypes.data, len(self._data)
        table[NONE] = id(None)
        if isinstance(self._index, HashingIndex):
            table[SHIFT], self._lines = 64 - self._index.bits, NO_NAMES
        else:
            table[SELECTIVE], self._lines = self._index.selective, self._index.table.lines
        table[NAMES] = self._lines.address
        self._table, self.table = table, table.ctypes.data

    def meet(self, values: Iterable[Any]) -> None:
        """Take the slots that the names of numbers have by now."""
        for i, (name, value) in enumerate(zip(self.names, values, strict=True)):
            if not isinstance(value, str) and value is not None:
                slot = self._index.find(name)
                self.slots[i] = 0 if slot == UNSEEN else slot

    def encode(self, event: dict[Any, Any], allocate: bool) -> int:
        """The length of the event's row, or below 0 why it has none."""
        size: int = encode_texts()(id(event), self.table, allocate)
        while size == NO_ROOM and isinstance(self._index, GrowingIndex):
            self._index.table.grow(int(self._table[NEEDED]))
            size = encode_texts()(id(event), self.table, allocate)
        return size


def _prefix(name: Name) -> bytes | None:
    """What stands before a text; None for names of which only Python makes another."""
    try:
        return name.encode() + b"=" if type(name) is str else None
    except UnicodeEncodeError:
        return None


def _searched(index: FeatureIndex) -> GrowingIndex | HashingIndex | None:
    """The index, if compiled code can find its names."""
    # Not one derived from them, which may find and add in its own way.
    if type(index) is GrowingIndex:
        return index
    # Where names are kept, each is noted by itself.
    return index if type(index) is HashingIndex and not index.names else None


class TextLayouts:
    """The layouts that an encoder met, of which it tries the last event's first."""

    def __init__(self, index: FeatureIndex) -> None:
        self._layouts: dict[tuple[Name, ...], TextLayout] = {}
        self.last: TextLayout | None = None
        self._index = _searched(index)

    def forget(self) -> None:
        """Forget all, as the buffers of the row are others."""
        self._layouts.clear()
        self.last = None

    def encode(self, event: Mapping[Name, Any], names: tuple[Name, ...], allocate: bool) -> int:
        """The length of the row of an event with these names, or below 0 why it has none."""
        layout = self._layouts.get(names)
        if layout is None:
            return OTHER_NAMES
        if type(event) is not dict:
            return NOT_SIMPLE
        size = layout.encode(event, allocate)
        if size >= 0:
            self.last = layout
        return size

    def meet(
        self, event: Mapping[Name, Any], names: tuple[Name, ...], status: int, row: Any
    ) -> None:
        """See an event that Python encoded, since `encode` gave this status."""
        values = event.values()
        if status == NO_SLOT:
            self._layouts[names].meet(values)
        elif status == OTHER_NAMES and self._index is not None:
            room = len(self._layouts) < LAYOUTS_LIMIT and names not in self._layouts
            if room and any(type(value) is str for value in values):
                layout = self._layouts[names] = TextLayout(names, self._index, row)
                layout.meet(values)

"""`NameTable`: names and their slots in arrays, for Python and for compiled functions.

The arrays are described in `streamlasso.table`, with what is done to them; they grow where they are
(`streamlasso.growth`).
"""

import ast
import types
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streamlasso import hashing, jitting, memory, numerics, resolving, table
from streamlasso.addresses import Lines
from streamlasso.growth import extended
from streamlasso.jitting import compile_top, digest_of
from streamlasso.kernels import FIRST
from streamlasso.names import Name, name_bytes
from streamlasso.specialise import Kernels
from streamlasso.table import COUNTS, FILLED, HEAD, NAMES, USED, WASTED

__all__ = ["NO_SLOTS", "NameTable", "NamedRows", "kernels", "pack", "read_only", "unpack"]

Array = npt.NDArray[Any]

CELLS = 64
NO_SLOTS: Array = np.empty(0, np.uint32)


TOP: tuple[Callable[..., Any], ...] = (
    table.find_name, table.claim_name, table.place_name, table.drop_name, table.spread,
    table.enter_all, table.packed,
    resolving.resolve_rows, resolving.shift_keys, resolving.note_rows,
)  # fmt: skip


@cache
def kernels() -> Any:
    """The compiled functions of `streamlasso.table` and `streamlasso.resolving`.

    Their names hold a digest of all sources: numba files its cache by a function's own file.
    """
    modules = (hashing, jitting, memory, numerics, resolving, table)
    digest = digest_of(str(module.__file__) for module in modules)
    made = Kernels("names")
    for function in TOP:
        name = f"{function.__name__}_{digest}"
        copy = types.FunctionType(function.__code__, function.__globals__, name)
        copy.__qualname__ = name
        setattr(made, function.__name__, compile_top(copy))
    return made


class NamedRows(Protocol):
    """Rows of features by name, as a scanner gives them (`streamlasso.scanning.Scanned`)."""

    keys: Array
    checks: Array
    names_at: Array
    names_size: Array
    buffer: Array
    arena: Array
    indptr: Array


def read_only(array: Array) -> Array:
    """A view that cannot be written to: compiled functions take it and others for two types."""
    view = array.view()
    view.flags.writeable = False
    return view


def unpack(arena: Array, place: int) -> tuple[Name, int]:
    """The name that stands at a place of an arena, and where it ends."""
    head, at, turn = 0, place, 0
    while True:
        byte = int(arena[at])
        at += 1
        head |= (byte & 127) << turn
        turn += 7
        if byte < 128:
            break
    stop = at + (head >> 1)
    content = arena[at:stop].tobytes()
    if not head & 1:
        return content.decode("utf-8", "surrogatepass"), stop
    text = content.decode()
    name: Name = ast.literal_eval(text) if text[0] == "(" else int(text)
    return name, stop


def pack(names: Iterable[Name]) -> bytes:
    """Names one after the other, as they stand in an arena."""
    packed = bytearray()
    for name in names:
        content, other = name_bytes(name)
        head = 2 * len(content) + other
        while head >= 128:
            packed.append(head & 127 | 128)
            head >>= 7
        packed.append(head)
        packed += content
    return bytes(packed)


class NameTable:
    """Names with slots from 2 on. A name is plain here (`streamlasso.names.plain_name`)."""

    def __init__(self) -> None:
        self._table: Array = np.zeros(2 * CELLS, np.uint64)
        self._places: Array = np.zeros(CELLS, np.int64)
        self._arena: Array = np.zeros(16 * CELLS, np.uint8)
        self._counts: Array = np.zeros(COUNTS, np.int64)
        self._prepare()

    def _prepare(self) -> None:
        # A name on its way into compiled code: copied into a bytearray in a tenth of the time that
        # an array of its own takes.
        self._kernels = kernels()
        self._bytes = bytearray(256)
        self._name: Array = np.frombuffer(self._bytes, np.uint8)
        self.lines = Lines(self._arrays())
        """The arrays, for compiled code that gets an address."""

    def _arrays(self) -> tuple[Array, ...]:
        return self._table, self._places, self._arena, self._counts

    @property
    def slots(self) -> int:
        """Slots that were given, freed ones included."""
        return int(self._counts[NAMES])

    def __len__(self) -> int:
        return int(self._counts[FILLED])

    def _pass(self, name: Name) -> tuple[int, int]:
        """Put a name where compiled code reads it; its size, and whether it is no str."""
        content, other = name_bytes(name)
        size = len(content)
        if size > len(self._bytes):
            self._bytes = bytearray(2 * size)
            self._name = np.frombuffer(self._bytes, np.uint8)
        self._bytes[:size] = content
        return size, other

    def find(self, name: Name) -> int:
        """The slot of a name, or 1 when it has none."""
        size, other = self._pass(name)
        return self._kernels.find_name(self._table, self._name, size, other)  # type: ignore[no-any-return]

    def claim(self, name: Name) -> int:
        """The slot of a name; the next one if it has none."""
        size, other = self._pass(name)
        while True:
            slot: int = self._kernels.claim_name(
                self._table, self._places, self._arena, self._counts, self._name, size, other
            )
            if slot:
                return slot
            self.grow(size)

    def place(self, name: Name, slot: int) -> None:
        """Give a name that has none a slot that has none."""
        size, other = self._pass(name)
        while not self._kernels.place_name(
            self._table, self._places, self._arena, self._counts, self._name, size, other, slot
        ):
            self.grow(size)

    def drop(self, slot: int) -> None:
        """Take the name from a slot that has one."""
        self._kernels.drop_name(self._table, self._places, self._arena, self._counts, slot)
        if 2 * int(self._counts[WASTED]) > int(self._counts[USED]) > len(self._bytes):
            self._compact()

    def _compact(self) -> None:
        """Leave the bytes of names that are gone."""
        slots, arena = self.named(), self.packed()
        self._arena = np.zeros(2 * len(arena), np.uint8)
        self._arena[: len(arena)] = arena
        given = self.slots
        self._table[:] = 0
        self._enter(slots, len(arena))
        self._counts[NAMES] = given

    def take(self, slots: Array, arena: Array) -> None:
        """Fill an empty table with names that were `packed`; without slots these are 2, 3, …"""
        self._arena = extended(arena, 2 * len(arena) + HEAD)
        self._enter(slots, len(arena))

    def _enter(self, slots: Array, stop: int) -> None:
        self._counts[:] = 0
        slots = slots.astype(np.uint32)
        if len(slots):
            self._reserve(int(slots[-1]) + 1 - FIRST)
        while not self._kernels.enter_all(
            self._table, self._places, self._arena, self._counts, slots, stop
        ):
            self.grow(0)
        self.lines.put(self._arrays())

    def grow(self, size: int) -> None:
        """Have room for one more name of so many bytes, and for many more like the others."""
        counts = self._counts
        if counts[NAMES] == len(self._places):
            self._places = extended(self._places, max(2 * len(self._places), CELLS))
        needed = int(counts[USED]) + size + HEAD
        if needed > len(self._arena):
            self._arena = extended(self._arena, 2 * needed)
        cells = len(self._table) // 2
        if 4 * (counts[FILLED] + 1) > 3 * cells:
            self._table = extended(self._table, 4 * cells)
            self._spread(cells)
        self.lines.put(self._arrays())

    def _spread(self, cells: int) -> None:
        """Move names to where they are to be found in a table of twice as many cells."""
        over = 0
        while self._table[2 * over + 1]:
            over += 1
        self._kernels.spread(self._table, cells, np.empty(2 * over, np.uint64))

    @property
    def nbytes(self) -> int:
        """Bytes in use by names and their table."""
        return self._table.nbytes + 8 * self.slots + int(self._counts[USED])

    def has(self, slot: int) -> bool:
        """Whether the slot has a name."""
        return FIRST <= slot < self.slots + FIRST and self._places[slot - FIRST] != 0

    def name(self, slot: int) -> Name:
        """The name that has the slot."""
        if not self.has(slot):
            raise KeyError(f"slot {slot} has no name: it was freed, or never given")
        return unpack(self._arena, int(self._places[slot - FIRST]) - 1)[0]

    def named(self) -> Array:
        """The slots that have a name, ascending."""
        return np.flatnonzero(self._places[: self.slots]) + FIRST

    def packed(self) -> Array:
        """The names one after the other by slot, as they stand in an arena; a copy."""
        size = int(self._counts[USED] - self._counts[WASTED])
        arena = np.empty(size, np.uint8)
        self._kernels.packed(self._places, self._arena, self._counts, arena)
        return arena

    def reserve(self, slots: int) -> None:
        """Count slots up to this number as given."""
        self._reserve(slots)
        self._counts[NAMES] = max(slots, self.slots)

    def _reserve(self, slots: int) -> None:
        if slots > len(self._places):
            self._places = extended(self._places, slots)
            self.lines.put(self._arrays())

    def resolve(
        self, rows: NamedRows, allocate: Array, slots: Array, first: int, last: int
    ) -> None:
        """Write the slots of the features of rows ``first`` to ``last`` − 1 into ``slots``.

        A name without a slot gets the next one where ``allocate`` says so of its row, otherwise 1.
        """
        buffer, arena = read_only(rows.buffer), read_only(rows.arena)
        begin, end = int(rows.indptr[first]), int(rows.indptr[last])
        while True:
            begin = self._kernels.resolve_rows(
                self._table, self._places, self._arena, self._counts,
                rows.keys, rows.checks, rows.names_at, rows.names_size, buffer, arena,
                rows.indptr, allocate, slots, first, last, begin,
            )  # fmt: skip
            if begin == end:
                return
            self.grow(int(rows.names_size[begin]))

    def __getstate__(self) -> dict[str, Any]:
        used = int(self._counts[USED])
        return {
            "_table": self._table,
            "_places": self._places[: self.slots],
            "_arena": self._arena[:used],
            "_counts": self._counts,
        }

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)
        self._prepare()

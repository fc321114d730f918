"""The values that pass between source, decoding and the loop."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from streamlasso.scanning.scanned import PADDING

__all__ = ["Bad", "Batch", "Block", "Event", "Partition", "Record", "joined"]

Array = npt.NDArray[Any]

BEHIND = bytes(PADDING)  # without it a scanner would copy the buffer


class Partition(NamedTuple):
    """Where a position is counted: a topic's partition, or a file (partition 0)."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> "Partition":
        """The inverse of ``str``."""
        topic, _, number = text.rpartition("/")
        return cls(topic, int(number))


class Record(NamedTuple):
    """One raw event: bytes and where they stand. ``next`` is the position after it.

    ``fault`` says why a line of a file is none; its bytes are then the line's own.
    """

    partition: Partition
    offset: int
    next: int
    value: bytes
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    fault: str = ""


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of one partition, in order: where their values are in one buffer of bytes.

    Parameters
    ----------
    partition
        Of all rows.
    buffer
        uint8, read-only.
    starts, stops
        int64, one a row: the value is ``buffer[start:stop]``; a null value is empty.
    offsets, nexts
        int64, one a row: its position, and the position after it; both ascend.
    """

    partition: Partition
    buffer: Array
    starts: Array
    stops: Array
    offsets: Array
    nexts: Array

    per_row: ClassVar[tuple[str, ...]] = ("starts", "stops", "offsets", "nexts")
    """What has an entry a row, and is cut with them."""

    @classmethod
    def of(cls, records: Sequence[Record]) -> "Block":
        """Of records of one partition, at least one."""
        columns = joined([record.value for record in records])
        offsets = np.array([record.offset for record in records], np.int64)
        nexts = np.array([record.next for record in records], np.int64)
        return Made(records[0].partition, *columns, offsets, nexts, records)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, rows: slice | Array) -> Self:
        """Some of the rows, over the same buffer: a slice, or one bool a row."""
        return replace(self, **{name: getattr(self, name)[rows] for name in self.per_row})

    def value(self, row: int) -> bytes:
        """A copy of one row's value."""
        return self.bytes_at(self.starts[row], self.stops[row])

    def bytes_at(self, start: int, stop: int) -> bytes:
        """A copy of a part of the buffer."""
        return self.buffer[start:stop].tobytes()

    def record(self, row: int) -> Record:
        """One row as a record, with key and headers where the source has them."""
        offset, after = int(self.offsets[row]), int(self.nexts[row])
        return Record(self.partition, offset, after, self.value(row))


@dataclass(frozen=True, eq=False)
class Made(Block):
    """A block of records that are there already."""

    made: Sequence[Record]

    per_row: ClassVar[tuple[str, ...]] = (*Block.per_row, "made")

    def record(self, row: int) -> Record:
        """The record that the row was made of."""
        return self.made[row]


def joined(values: list[bytes]) -> tuple[Array, Array, Array]:
    """Values one after the other: the buffer, `PADDING` at its end, and where each is in it."""
    stops = np.cumsum(np.fromiter(map(len, values), np.int64, len(values)))
    starts = np.zeros_like(stops)
    starts[1:] = stops[:-1]
    return np.frombuffer(b"".join([*values, BEHIND]), np.uint8), starts, stops


class Batch:
    """Records in order within each partition, and the positions after them.

    A source gives ``records`` or ``blocks``; the other is made of them when it is asked for.
    ``positions`` may be further than the last record: control records and gaps are skipped.
    ``moved`` holds positions that begin anew because an accepted gap lies before them.
    """

    def __init__(
        self,
        records: list[Record] | None = None,
        positions: dict[Partition, int] | None = None,
        moved: dict[Partition, int] | None = None,
        *,
        blocks: list[Block] | None = None,
    ) -> None:
        self._records = [] if records is None and blocks is None else records
        self._blocks = blocks
        self.positions = positions or {}
        self.moved = moved or {}

    def __len__(self) -> int:
        """How many records."""
        if self._blocks is not None:
            return sum(map(len, self._blocks))
        return len(self._records or ())

    def __bool__(self) -> bool:
        """Whether it holds anything, positions included."""
        return bool(len(self) or self.positions or self.moved)

    @property
    def records(self) -> list[Record]:
        """One by one."""
        if self._records is None:
            blocks = self._blocks or ()
            self._records = [block.record(row) for block in blocks for row in range(len(block))]
        return self._records

    @property
    def blocks(self) -> list[Block]:
        """Rows of one partition together, in the order of the records."""
        if self._blocks is not None:
            return self._blocks
        runs = groupby(self.records, key=lambda record: record.partition)
        return [Block.of(list(run)) for _, run in runs]


class Event(NamedTuple):
    """A decoded event; ``target`` is None when it is only to be predicted."""

    id: Any
    target: Any
    importance: float
    features: dict[str, Any]


class Bad(NamedTuple):
    """Why a record cannot be learned from: one of `decoding.REASONS` and a sentence."""

    reason: str
    message: str

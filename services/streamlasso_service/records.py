"""The values that pass between source, decoding and the loop."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Bad", "Batch", "Block", "Event", "Partition", "Record"]

Array = npt.NDArray[Any]


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
    headers: tuple[tuple[str, bytes], ...] = ()
    fault: str = ""


@dataclass
class Block:
    """Records of one partition, in order, as one stretch of bytes and where in it each stands.

    Record ``i`` is ``buffer[starts[i]:stops[i]]``, at ``offsets[i]``; ``nexts[i]`` is the position
    after it. ``rest(i)`` gives its key and headers, where records have any.
    """

    partition: Partition
    buffer: Array
    starts: Array
    stops: Array
    offsets: Array
    nexts: Array
    rest: Callable[[int], tuple[bytes | None, tuple[tuple[str, bytes], ...]]] | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def value(self, i: int) -> bytes:
        """The bytes of one record."""
        return bytes(self.buffer[self.starts[i] : self.stops[i]])

    def record(self, i: int) -> Record:
        """One record by itself."""
        key, headers = (None, ()) if self.rest is None else self.rest(i)
        at, after = int(self.offsets[i]), int(self.nexts[i])
        return Record(self.partition, at, after, self.value(i), key, headers)

    def since(self, position: int) -> "Block":
        """Without the records below a position."""
        begin = int(np.searchsorted(self.offsets, position))
        if not begin:
            return self
        rest = self.rest
        return Block(
            self.partition, self.buffer, self.starts[begin:], self.stops[begin:],
            self.offsets[begin:], self.nexts[begin:],
            None if rest is None else lambda i: rest(begin + i),
        )  # fmt: skip

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Block":
        """Records of one partition as a block."""
        found = list(records)
        sizes = np.array([len(record.value) for record in found], np.int64)
        stops = np.cumsum(sizes)
        return cls(
            found[0].partition,
            np.frombuffer(b"".join(record.value for record in found), np.uint8),
            stops - sizes,
            stops,
            np.array([record.offset for record in found], np.int64),
            np.array([record.next for record in found], np.int64),
            lambda i: (found[i].key, found[i].headers),
        )


@dataclass
class Batch:
    """Records in order within each partition, and the positions after them.

    They come one by one, as ``records``, or many together, as ``blocks``. ``positions`` may be
    further than the last record: control records and gaps are skipped. ``moved`` holds positions
    that begin anew because an accepted gap lies before them.
    """

    records: list[Record] = field(default_factory=list)
    positions: dict[Partition, int] = field(default_factory=dict)
    moved: dict[Partition, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def together(self) -> list[Block]:
        """All of them as blocks, the single records too."""
        runs = groupby(self.records, key=lambda record: record.partition)
        return [*self.blocks, *(Block.of(run) for _, run in runs)]


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

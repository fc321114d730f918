"""The values that pass between source, decoding and the loop."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Bad", "Batch", "Event", "Partition", "Record"]


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
class Batch:
    """Records in order within each partition, and the positions after them.

    ``positions`` may be further than the last record: control records and gaps are skipped.
    ``moved`` holds positions that begin anew because an accepted gap lies before them.
    """

    records: list[Record] = field(default_factory=list)
    positions: dict[Partition, int] = field(default_factory=dict)
    moved: dict[Partition, int] = field(default_factory=dict)


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

"""What the loop needs of a source of events; `file_source` and `kafka_source` are two."""

from collections.abc import Mapping
from typing import Protocol

from streamlasso_service.records import Batch, Partition

__all__ = ["Source", "SourceError"]


class SourceError(Exception):
    """The stream cannot go on; the text says what to do. ``code`` is the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Source(Protocol):
    """Batches of raw records with positions. A position is where to go on reading."""

    @property
    def finished(self) -> bool:
        """Whether no more records will come."""

    @property
    def ready(self) -> bool:
        """Whether the partitions are known and being read."""

    def start(self, positions: Mapping[Partition, int]) -> None:
        """Begin at these positions; partitions without one begin where the settings say."""

    def poll(self, timeout_s: float, limit: int) -> Batch:
        """Up to ``limit`` records, waiting at most ``timeout_s`` for the first."""

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tell lag tools which positions a snapshot covers."""

    def lag(self) -> dict[Partition, int]:
        """Records (or bytes, for files) not yet read, by partition."""

    def close(self) -> None:
        """Let go of files and connections."""

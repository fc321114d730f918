"""Two ways to read from kafka-python: its public one, record by record, and whole batches."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar, Protocol

import kafka
import numpy as np
from kafka import KafkaConsumer
from kafka.errors import KafkaError

from streamlasso_service.records import Block, Partition, Record, joined

__all__ = ["TESTED_VERSIONS", "OldFormatError", "Reading", "reading_for"]

log = logging.getLogger(__name__)

TESTED_VERSIONS = ("3.0.12",)
"""Those of kafka-python whose private parts `raw_fetch` knows."""


class OldFormatError(KafkaError):  # type: ignore[misc]
    """Records from before Kafka 0.11, which only the public way reads."""


class Reading(Protocol):
    """What a source needs to know of a way to read."""

    def prepare(self, consumer: KafkaConsumer) -> None:
        """Make a new consumer ready for it."""

    def block(self, partition: Partition, polled: Sequence[Any]) -> Block:
        """The rows that a poll gave for a partition, at least one."""


def reading_for(raw: str) -> Reading:
    """Whole batches where ``raw`` is ``"auto"`` and the version is tested, otherwise records."""
    if raw == "auto":
        if kafka.__version__ in TESTED_VERSIONS:
            # Imported here: what it needs of kafka-python is there in the tested versions only.
            from streamlasso_service.raw_fetch import Batches

            return Batches()
        log.warning(
            "kafka-python %s is none of the tested %s: reading record by record, which is slower",
            *(kafka.__version__, ", ".join(TESTED_VERSIONS)),
        )
    return OneByOne()


class OneByOne:
    """Through the public interface."""

    def prepare(self, consumer: KafkaConsumer) -> None:
        """Nothing."""

    def block(self, partition: Partition, polled: Sequence[Any]) -> Block:
        """The values joined, the messages kept."""
        values = list(map(attrgetter("value"), polled))
        if None in values:
            values = [value or b"" for value in values]
        columns = joined(values)
        offsets = np.fromiter(map(attrgetter("offset"), polled), np.int64, len(polled))
        return Messages(partition, *columns, offsets, offsets + 1, polled)


@dataclass(frozen=True, eq=False)
class Messages(Block):
    """A block of what kafka-python polls, record by record."""

    messages: Sequence[Any]

    per_row: ClassVar[tuple[str, ...]] = (*Block.per_row, "messages")

    def record(self, row: int) -> Record:
        """With key and headers."""
        message = self.messages[row]
        headers = tuple(message.headers or ())
        return super().record(row)._replace(key=message.key, headers=headers)

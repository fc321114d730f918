"""Made-up batches, and a consumer that runs over them."""

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from serving import events

from streamlasso_service.consumer import Consumer
from streamlasso_service.exporter import Metrics
from streamlasso_service.records import Bad, Batch, Partition, Record
from streamlasso_service.store import SnapshotStore


class ListSource:
    """Batches from a list, then the end."""

    ready = True

    def __init__(self, batches: list[Batch]) -> None:
        self._batches = list(batches)
        self.started_at: dict[Partition, int] | None = None
        self.commits: list[dict[Partition, int]] = []

    @property
    def finished(self) -> bool:
        return not self._batches

    def start(self, positions: Mapping[Partition, int]) -> None:
        self.started_at = dict(positions)

    def poll(self, timeout_s: float, limit: int) -> Batch:
        return self._batches.pop(0)

    def commit(self, positions: Mapping[Partition, int]) -> None:
        self.commits.append(dict(positions))

    def lag(self) -> dict[Partition, int]:
        return {}

    def close(self) -> None:
        pass


class ShakySink:
    """Out of reach for a while: every third call works."""

    def __init__(self) -> None:
        self.letters: list[tuple[Record, Bad]] = []
        self.flushed = self.calls = 0

    def _reach(self) -> None:
        self.calls += 1
        if self.calls % 3:
            raise ConnectionError("no route")

    def send(self, value: bytes, key: bytes | None = None) -> None:
        self._reach()

    def dead_letter(self, record: Record, bad: Bad) -> None:
        self._reach()
        self.letters.append((record, bad))

    def flush(self) -> None:
        self._reach()
        self.flushed = len(self.letters)

    def close(self) -> None:
        pass


def batch_of(partition: Partition, values: list[bytes], begin: int) -> Batch:
    records = [Record(partition, i, i + 1, value) for i, value in enumerate(values, begin)]
    return Batch(records, {partition: begin + len(values)})


def lines_of(count: int) -> list[bytes]:
    return [json.dumps(event).encode() for event in events(count)]


def looped(
    settings: Any, source: ListSource, sink: Any = None, kind: type[SnapshotStore] = SnapshotStore
) -> Consumer:
    """Run a consumer over made-up batches."""
    with closing(kind(settings.snapshot.directory, settings.snapshot.keep)) as store:
        consumer = Consumer(settings, source, store, Metrics("default"), sink or ShakySink())
        consumer.run()
        return consumer

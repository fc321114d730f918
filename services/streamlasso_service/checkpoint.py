"""When a snapshot is due, its write in the background, and the commit after it."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future

from streamlasso.snapshot import Captured
from streamlasso_service.config import SnapshotConfig
from streamlasso_service.exporter import Metrics
from streamlasso_service.records import Partition
from streamlasso_service.source import Source
from streamlasso_service.store import SnapshotStore, Written

__all__ = ["Checkpoint"]

log = logging.getLogger(__name__)


class Checkpoint:
    """At most one write is under way; its positions are committed once it is on disk."""

    def __init__(
        self,
        config: SnapshotConfig,
        store: SnapshotStore,
        source: Source,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.written_at: float | None = None
        self.error: OSError | None = None
        """Why the newest snapshot could not be written, if it could not."""
        self._config = config
        self._store = store
        self._source = source
        self._metrics = metrics
        self._clock = clock
        self._writing: tuple[Future[Written], dict[Partition, int]] | None = None
        self._begun_at = clock()
        self._covered = 0

    def covered(self, events: int) -> None:
        """Say that a snapshot holds everything up to this lifetime event."""
        self._begun_at = self._clock()
        self._covered = events

    def due(self, events: int) -> bool:
        """Whether to begin a snapshot now."""
        late = self._clock() - self._begun_at >= self._config.interval_s
        many = events - self._covered >= self._config.interval_events
        return self._writing is None and (late or many)

    def begin(self, captured: Captured, positions: dict[Partition, int], events: int) -> None:
        """Write in another thread; ``events`` were learned in the model's life."""
        self.finish(wait=True)
        self._writing = (self._store.write(captured), positions)
        self.covered(events)

    def finish(self, *, wait: bool) -> None:
        """Commit what has been written; an error leaves the snapshot before in force."""
        if self._writing is None or not (wait or self._writing[0].done()):
            return
        future, positions = self._writing
        self._writing = None
        metrics = self._metrics
        try:
            written = future.result()
        except OSError as error:
            metrics.snapshots.labels(metrics.model, "failed").inc()
            log.error("the snapshot could not be written, the one before stands: %s", error)
            self.error = error
            return
        self.error = None
        self.written_at = written.time_s
        metrics.snapshots.labels(metrics.model, "ok").inc()
        metrics.snapshot_duration_seconds.set(written.duration_s)
        metrics.snapshot_size_bytes.set(written.size_bytes)
        metrics.last_snapshot_timestamp_seconds.set(written.time_s)
        for partition, position in positions.items():
            metrics.partition_snapshot_offset.labels(metrics.model, *partition).set(position)
        with metrics.stage("commit"):
            self._commit(positions)

    def _commit(self, positions: dict[Partition, int]) -> None:
        """A failed commit only makes lag tools late: the snapshot holds the positions."""
        result = "ok"
        try:
            self._source.commit(positions)
        except Exception as error:
            result = "failed"
            log.warning("positions could not be committed: %s", error)
        self._metrics.offset_commits.labels(self._metrics.model, result).inc()

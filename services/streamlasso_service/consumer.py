"""The loop: consume, predict, learn, lose nothing.

Its order is the correctness argument:

1. restore the newest snapshot, and begin reading at the positions inside it;
2. poll; drop records below the position, which the model has already;
3. decode, in order within each partition; good events are predicted, then learned; those without a
   target are predicted only; bad ones go to the dead letters;
4. when due: make outputs and dead letters durable, then write the snapshot, then commit.

So every record's update is in any restored state exactly once, whatever the moment of a crash.
Outputs and dead letters are at least once: those of records after the last snapshot come again.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import numpy as np

from streamlasso import Progress
from streamlasso.encoding import RowEncoder
from streamlasso.snapshot import capture
from streamlasso_service.advice import another_source
from streamlasso_service.bad_share import BadShare
from streamlasso_service.checkpoint import Checkpoint
from streamlasso_service.config import Settings
from streamlasso_service.decoding import Decoder
from streamlasso_service.exporter import Metrics
from streamlasso_service.fields import Fields
from streamlasso_service.models import Estimator, build_model, shape_mismatch, warm
from streamlasso_service.outputs import Sink
from streamlasso_service.records import Bad, Batch, Block, Partition, Record
from streamlasso_service.rows import Decoded, RowReader
from streamlasso_service.source import Source, SourceError
from streamlasso_service.status import Reporter
from streamlasso_service.store import SnapshotStore, snapshot_extra
from streamlasso_service.tally import Tally

__all__ = ["MISMATCH_EXIT_CODE", "Consumer"]

log = logging.getLogger(__name__)

MISMATCH_EXIT_CODE = 5
POLL_S = 0.25
RETRY_S = 2.0

encode = msgspec.json.Encoder().encode


class Consumer:
    """Runs the loop over one source, for one model, until stopped or the source is finished."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        store: SnapshotStore,
        metrics: Metrics,
        dead_letters: Sink,
        predictions: Sink | None = None,
        initial: Estimator | None = None,
    ) -> None:
        self.settings = settings
        self.source = source
        self.store = store
        self.metrics = metrics
        self.dead_letters = dead_letters
        self.predictions = predictions
        self.model: Estimator = initial or self._configured()
        self.progress = Progress(self.model.learner.loss)
        self.tallies: dict[Partition, Tally] = {}
        self.failed = self.restored_events = self.consumed = 0
        self.reporter = Reporter(metrics)
        self.beat = time.monotonic()
        self._fields = Fields(settings.features)
        self._decoder = Decoder.of(settings, self._fields, self.model.learner.loss)
        self._stopping = self._unsaved = False
        self._checkpoint = Checkpoint(settings.snapshot, store, source, metrics)
        self.bad_share = BadShare(settings.limits)

    def stop(self) -> None:
        """Finish the batch, save, and return from `run`; safe from a signal handler."""
        self._stopping = True

    def run(self, *, after_batch: Callable[[], None] = lambda: None) -> None:
        """The loop of the module's docstring."""
        self._restore()  # 1
        while not self._stopping and not self.source.finished:
            batch = self._poll()  # 2
            if batch:
                self._process(batch)  # 3
            if self._unsaved and self._checkpoint.due(self.model.learner.clock):
                self._save()  # 4
            self._checkpoint.finish(wait=False)
            self._publish("learning")
            self.beat = time.monotonic()
            after_batch()
        self._save()
        self._checkpoint.finish(wait=True)
        self._publish("stopped", ready=False)
        if self._checkpoint.error is not None:
            raise SourceError(f"the last snapshot was not written: {self._checkpoint.error}")

    # 1. Restore

    def _restore(self) -> None:
        begun = time.monotonic()
        warm(self._configured(), self.settings)
        newest = self.store.newest()
        self._check_shape(self.model, "the initial snapshot")
        if newest is not None:
            path, restored, manifest = newest
            self._check_shape(restored, str(path))
            extra = manifest["extra"]
            self.model = restored
            self.progress = Progress(restored.learner.loss, np.array(extra["progress"]))
            self.tallies = {
                Partition.parse(name): Tally.from_json(tally)
                for name, tally in extra["partitions"].items()
            }
            self._fields.seen.update(extra["fields"])
            self.failed = extra["failed"]
            log.info("restored %s: %d events learned", path.name, restored.learner.clock)
            if warning := another_source({p.topic for p in self.tallies}, self.settings):
                log.warning("%s", warning)
            self.metrics.restore_duration_seconds.set(time.monotonic() - begun)
        learner = self.model.learner
        self._encoder = RowEncoder(learner.index, learner.dtype, self.model.interactions)
        self._reader = RowReader(self._decoder, self._encoder)
        self.restored_events = self.model.learner.clock
        self._checkpoint.covered(self.restored_events)
        self.metrics.describe(self.model.learner, self.settings.streams)
        self.reporter.batch(self.model, self.progress)
        self.reporter.sweep_if_due(self.model)
        self._publish("starting", ready=False)
        positions = {name: tally.position for name, tally in self.tallies.items()}
        self.source.start(positions)

    def _configured(self) -> Estimator:
        return build_model(self.settings.model, self.settings.features.interactions)

    def _check_shape(self, model: Estimator, name: str) -> None:
        if mismatch := shape_mismatch(self._configured(), model):
            raise SourceError(f"{name} holds another model:\n{mismatch}", MISMATCH_EXIT_CODE)

    # 2. Poll

    def _poll(self) -> Batch:
        with self.metrics.stage("poll") as stage:
            batch = self.source.poll(POLL_S, self.settings.limits.batch_events)
        for partition, position in batch.moved.items():
            self.tallies[partition].position = position
        if not len(batch):
            self.metrics.poll_idle_seconds.inc(stage["seconds"])
        return batch

    def _fresh(self, batch: Batch) -> list[Block]:
        """Without records below the position: the model has them already."""
        blocks = []
        for block in batch.blocks:
            position = self.tallies.get(block.partition, Tally()).position
            fresh = block[int(np.searchsorted(block.offsets, position)) :]
            self.metrics.replayed_events.inc(len(block) - len(fresh))
            blocks.append(fresh)
        return blocks

    # 3. Decode, predict, learn

    def _process(self, batch: Batch) -> None:
        self._unsaved = True
        blocks = self._fresh(batch)
        self.metrics.consumed((block.partition.topic, len(block)) for block in blocks)
        for block in blocks:
            with self.metrics.stage("decode"):
                decoded = self._reader.read(block)
            self.bad_share.check([reason for _, reason in decoded.bad], len(block))
            with self.metrics.stage("learn"):
                scores = self._learn(decoded)
            with self.metrics.stage("output"):
                for number, reason in decoded.bad:
                    letter = partial(self._dead_letter, block.record(number), reason)
                    self._retry("dead letters", letter)
                if self.predictions is not None:
                    self._predict(self.predictions, decoded, scores)
            self._account(decoded)
        for partition, position in batch.positions.items():
            tally = self.tallies.setdefault(partition, Tally())
            tally.position = max(tally.position, position)
            labels = (self.metrics.model, *partition)
            self.metrics.partition_position_offset.labels(*labels).set(tally.position)
        self.reporter.batch(self.model, self.progress)

    def _learn(self, decoded: Decoded) -> Any:
        """Learn the events in order; scores are from before each one's own update."""
        learner = self.model.learner
        scores = decoded.learn(learner, self._encoder)
        importances = decoded.importances
        self.progress.add(learner.rule, scores, decoded.given, importances)
        metrics = self.metrics
        metrics.events_learned.inc(int((importances > 0).sum()))
        missing = int(np.isnan(decoded.targets).sum())
        skipped = {"no_target": missing, "zero_importance": int((importances == 0).sum()) - missing}
        for reason, count in skipped.items():
            metrics.events_skipped.labels(metrics.model, reason).inc(count)
        return scores

    def _dead_letter(self, record: Record, bad: Bad) -> None:
        self.dead_letters.dead_letter(record, bad)
        self.metrics.failed(record.partition.topic, bad.reason)
        self.failed += 1

    def _predict(self, sink: Sink, decoded: Decoded, scores: Any) -> None:
        mean = self.model.learner.loss.mean
        block = decoded.block
        columns = decoded.numbers.tolist(), decoded.ids(), decoded.targets.tolist(), scores.tolist()
        for number, ident, target, score in zip(*columns, strict=True):
            record = block.record(number)
            value = {
                "id": ident,
                "prediction": mean(score),
                "score": score,
                "target": None if target != target else target,
                "source": str(record.partition),
                "position": record.offset,
            }
            message = encode(value)
            self._retry("predictions", partial(sink.send, message, record.key))

    def _account(self, decoded: Decoded) -> None:
        block = decoded.block
        self.consumed += len(block)
        tally = self.tallies.setdefault(block.partition, Tally())
        tally.add(block.offsets[decoded.numbers[decoded.importances > 0]])

    # 4. Snapshot and commit

    def _save(self) -> None:
        """Outputs first, then the snapshot; the commit waits for the write to end."""
        with self.metrics.stage("output"):
            self._retry("dead letters", self.dead_letters.flush)
            if self.predictions is not None:
                self._retry("predictions", self.predictions.flush)
        self._unsaved = False
        with self.metrics.stage("snapshot"):
            positions = {name: tally.position for name, tally in self.tallies.items()}
            tallies = {str(name): tally.as_json() for name, tally in self.tallies.items()}
            extra = snapshot_extra(self.settings, self.progress, self._fields, self.failed, tallies)
            captured = capture(self.model, extra)
            self._checkpoint.begin(captured, positions, self.model.learner.clock)

    # Around it

    def _retry(self, what: str, action: Callable[[], None]) -> None:
        """Try until it works: an output that is out of reach pauses the stream, skips nothing."""
        while True:
            try:
                action()
                return
            except OSError as error:
                log.error("%s out of reach, waiting: %s", what, error)
                if self._stopping:
                    raise SourceError(f"stopped while {what} were out of reach: {error}") from error
                self.beat = time.monotonic()
                time.sleep(RETRY_S)

    def _publish(self, phase: str, *, ready: bool = True) -> None:
        lag = self.source.lag() if phase == "learning" else {}
        metrics = self.metrics
        for partition, records in lag.items():
            metrics.partition_lag_records.labels(metrics.model, *partition).set(records)
        metrics.assigned_partitions.set(len(lag))
        over = phase == "stopped" or self.source.finished
        self.reporter.sweep_if_due(self.model, force=over)
        self.reporter.publish(
            self.model,
            self.progress,
            phase=phase,
            ready=ready and self.source.ready,
            lag=sum(lag.values()),
            failed=self.failed,
            last_snapshot_s=self._checkpoint.written_at,
        )

"""A Kafka topic as a source, through kafka-python.

The consumer takes all partitions itself: one model has one learner, and positions come from the
snapshot. How records are read is `kafka_reading`'s. In kafka-python 3.0.12 the poll after an
exception in a deserializer or a failed CRC spins for ever: there are no deserializers, and after
any exception the consumer is made anew.
"""

import contextlib
import logging
import time
from collections.abc import Mapping
from typing import Any

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError

from streamlasso_service.config import KafkaConfig
from streamlasso_service.kafka_reading import OldFormatError, reading_for
from streamlasso_service.records import Batch, Partition
from streamlasso_service.source import SourceError

__all__ = ["GAP_EXIT_CODE", "KafkaSource"]

log = logging.getLogger(__name__)

GAP_EXIT_CODE = 3
METADATA_INTERVAL_S = 30.0
ASSIGN_TIMEOUT_MS = 10_000
FAULTS_LIMIT = 3

OPTIONS: dict[str, Any] = {
    "enable_auto_commit": False,
    # "none" raises where any other value would skip records in silence.
    "auto_offset_reset": "none",
    "isolation_level": "read_committed",
    # With 8 MiB whole batches took 1.6 times the processor time that they take with 1 to 4.
    "max_partition_fetch_bytes": 2 << 20,
    "fetch_max_bytes": 64 << 20,
    "max_poll_records": 20_000,
    # How soon a new partition is seen.
    "metadata_max_age_ms": 30_000,
}


class KafkaSource:
    """All partitions of one topic."""

    def __init__(self, config: KafkaConfig) -> None:
        self._config = config
        self._partitions: list[TopicPartition] = []
        self._ends: dict[TopicPartition, int] = {}
        self._next_look = 0.0
        self._at: dict[TopicPartition, int] = {}
        self._wanted: dict[TopicPartition, int] = {}
        self._faults = 0
        self._waiting = False
        self._reading = reading_for(config.raw)
        self._consumer = self._connect()

    def _connect(self) -> KafkaConsumer:
        options = {
            "bootstrap_servers": self._config.bootstrap,
            "group_id": self._config.group,
            **OPTIONS,
            **self._config.options,
        }
        try:
            consumer = KafkaConsumer(**options)
            self._reading.prepare(consumer)
            return consumer
        except KafkaError as error:
            raise SourceError(
                f"no Kafka broker at kafka.bootstrap = {self._config.bootstrap!r}: {error}"
            ) from error

    @property
    def finished(self) -> bool:
        """A topic never is."""
        return False

    @property
    def ready(self) -> bool:
        """Whether partitions are assigned."""
        return bool(self._partitions)

    def start(self, positions: Mapping[Partition, int]) -> None:
        """Remember where to begin; the first polls assign, as soon as the topic exists."""
        self._wanted = {TopicPartition(p.topic, p.number): at for p, at in positions.items()}

    def _begin(self, timeout_s: float) -> Batch:
        """Assign all partitions, or wait a little for a topic that does not exist yet."""
        found = self._find_partitions()
        if not found:
            if not self._waiting:
                log.warning("topic %r does not exist yet; waiting for it", self._config.topic)
                self._waiting = True
            time.sleep(timeout_s)
            return Batch()
        wanted = self._wanted
        self._assign(found, wanted, new_from_beginning=bool(wanted))
        moved = {
            Partition(tp.topic, tp.partition): self._at[tp]
            for tp, at in wanted.items()
            if self._at.get(tp, at) != at
        }
        return Batch(moved=moved)

    def _find_partitions(self) -> list[TopicPartition]:
        topic = self._config.topic
        numbers: set[int] = set()
        with contextlib.suppress(KafkaError):  # unknown so far, or the broker is away
            numbers = set(self._consumer.partitions_for_topic(topic) or ())
        return [TopicPartition(topic, number) for number in sorted(numbers)]

    def _assign(
        self,
        partitions: list[TopicPartition],
        wanted: Mapping[TopicPartition, int],
        *,
        new_from_beginning: bool,
    ) -> None:
        beginnings = self._consumer.beginning_offsets(partitions, timeout_ms=ASSIGN_TIMEOUT_MS)
        ends = self._consumer.end_offsets(partitions, timeout_ms=ASSIGN_TIMEOUT_MS)
        self._consumer.assign(partitions)
        for partition in partitions:
            at = wanted.get(partition)
            if at is None:
                latest = self._config.start == "latest" and not new_from_beginning
                at = ends[partition] if latest else beginnings[partition]
            elif not beginnings[partition] <= at <= ends[partition]:
                at = self._bridge(partition, at, beginnings[partition], ends[partition])
            self._consumer.seek(partition, at)
            self._at[partition] = at
        self._partitions, self._ends = partitions, ends
        self._next_look = time.monotonic() + METADATA_INTERVAL_S

    def _bridge(self, partition: TopicPartition, at: int, first: int, end: int) -> int:
        """A position that the broker does not hold: an error, or a counted gap."""
        missing = f"{at} to {first}" if at < first else f"{end} to {at}"
        message = (
            f"{partition.topic}/{partition.partition}: the broker holds offsets {first} to {end}, "
            f"the position is {at}; missing: {missing}"
        )
        if not self._config.accept_gap:
            raise SourceError(
                f"{message}. Retention has passed the position, or the topic was made anew. "
                "Go on without the missing records: --accept-gap",
                GAP_EXIT_CODE,
            )
        log.error("%s; going on at %d", message, first)
        return first

    def poll(self, timeout_s: float, limit: int) -> Batch:
        """The next records of all partitions."""
        try:
            if not self._partitions:
                return self._begin(timeout_s)
            self._look_for_new_partitions()
            polled = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=limit)
        except OffsetOutOfRangeError as error:
            raise SourceError(
                f"{error}. Start again: the positions will be compared with what the broker holds",
                GAP_EXIT_CODE,
            ) from error
        except KafkaError as error:
            if isinstance(error, OldFormatError):
                self._reading = reading_for("off")
            self._rebuild(error)
            return Batch()
        self._faults = 0
        positions = {}
        for tp in polled:
            # Past control records and compacted gaps too.
            self._at[tp] = self._consumer.position(tp)
            positions[Partition(tp.topic, tp.partition)] = self._at[tp]
        block = self._reading.block
        blocks = [block(Partition(tp.topic, tp.partition), taken) for tp, taken in polled.items()]
        return Batch(blocks=blocks, positions=positions)

    def _rebuild(self, error: KafkaError) -> None:
        """A new consumer at the same positions; what it cannot read either stops the service."""
        self._faults += 1
        if self._faults > FAULTS_LIMIT:
            at = ", ".join(f"{tp.topic}/{tp.partition} at {at}" for tp, at in self._at.items())
            raise SourceError(f"cannot read on ({at}): {error}") from error
        log.error("poll failed, reading on with a new consumer: %s", error)
        self._consumer.close(autocommit=False)
        self._consumer = self._connect()
        self._partitions, self._wanted = [], self._wanted | self._at

    def _look_for_new_partitions(self) -> None:
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + METADATA_INTERVAL_S
        found = self._find_partitions()
        if set(found) - set(self._partitions):
            log.warning("topic %r now has %d partitions", self._config.topic, len(found))
            self._assign(found, dict(self._at), new_from_beginning=True)

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Commit to the group. Restarts do not read it: the snapshot holds the positions."""
        offsets = {
            TopicPartition(p.topic, p.number): OffsetAndMetadata(at, "", -1)
            for p, at in positions.items()
        }
        if offsets:
            self._consumer.commit(offsets, timeout_ms=3000)

    def lag(self) -> dict[Partition, int]:
        """Records between the position and the end, as of the newest answer to a fetch.

        Asking the broker for the end would block the loop for half a minute while it is away.
        """
        return {
            Partition(tp.topic, tp.partition): max(
                (self._consumer.highwater(tp) or self._ends.get(tp, 0)) - self._at[tp], 0
            )
            for tp in self._partitions
        }

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

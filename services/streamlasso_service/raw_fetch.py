"""Whole record batches out of kafka-python's consumer, where its version is known.

kafka-python makes an object of each record, of each varint a call: 6 µs a record. `RawRecords`
takes the place of the one class that does it, which is private: `kafka_reading` asks for it only in
versions that the tests hold to the public path.

What is delivered, skipped and refused is what `kafka.consumer.fetcher.Fetcher.PartitionRecords`
delivers, skips and refuses: batches of a wrong checksum, control batches, under read_committed
those of aborted transactions, and what lies before the position in the first batch.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from kafka import KafkaConsumer, codec
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError, UnsupportedCodecError
from kafka.protocol.consumer import IsolationLevel
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import calc_crc32c

from streamlasso_service.kafka_reading import OldFormatError
from streamlasso_service.record_batches import Rows, block_of, compile_parser, parse
from streamlasso_service.records import Block, Partition

__all__ = ["Batches", "RawRecords", "Taken"]

Array = npt.NDArray[Any]

HEADER = struct.Struct(">qiibIhiqqqhii")
LENGTH, LENGTH_AT, MAGIC_AT = struct.Struct(">i"), 8, 16
BEFORE_LENGTH_COUNTS = 12  # bytes of a batch that its length does not count
SMALLEST_BATCH = 14  # what the length of an empty message of any format counts
CHECKED_FROM = 21  # the checksum is of the attributes and all that follows
CODEC, TRANSACTIONAL, CONTROL = 0x07, 0x10, 0x20

CODECS: dict[int, tuple[str, Callable[[], bool], Callable[[bytes], bytes]]] = {
    1: ("gzip", codec.has_gzip, codec.gzip_decode),
    2: ("snappy", codec.has_snappy, codec.snappy_decode),
    3: ("lz4", codec.has_lz4, codec.lz4_decode),
    4: ("zstd", codec.has_zstd, codec.zstd_decode),
}


class Taken:
    """Parts of batches; its length is the number of records, which `poll` takes a limit of."""

    def __init__(self) -> None:
        self.parts: list[Rows] = []
        self._records = 0

    def add(self, rows: Rows) -> None:
        """One part more."""
        self.parts.append(rows)
        self._records += len(rows)

    def __len__(self) -> int:
        return self._records

    def __iter__(self) -> Iterator[Rows]:
        return iter(self.parts)


class RawRecords(Fetcher.PartitionRecords):  # type: ignore[misc]
    """One partition of an answer to a fetch; gives `Rows` where its base gives records."""

    _left: Rows | None = None
    _after = 0
    """The position after the batch that was unpacked last."""

    def _maybe_skip_record(self, _: Rows) -> bool:
        return False  # `_unpack_records` does it

    def take(self, n: int | None = None) -> Taken:
        """Parts of batches with at most ``n`` records together."""
        taken = Taken()
        try:
            self._maybe_raise_next_inline_exception()
            while self and (n is None or len(taken) < n):
                rows = self._left or next(self.record_iterator, None)
                if rows is None:
                    break
                room = len(rows) if n is None else n - len(taken)
                self._give(rows, room, taken)
        except Exception as error:
            if not taken:
                self.drain()  # else a poll after this one would take nothing, for ever
                raise
            self._next_inline_exception = error
        return taken

    def _give(self, rows: Rows, room: int, taken: Taken) -> None:
        """Take so many rows; what is left of a batch waits for the next call."""
        if len(rows) <= room:
            taken.add(rows)
            self._left, self.next_fetch_offset = None, self._after
        else:
            given, self._left = rows[:room], rows[room:]
            taken.add(given)
            self.next_fetch_offset = given.end

    def _unpack_records(self, tp: Any, records: Any, *_: Any) -> Iterator[Rows]:
        data = memoryview(records._buffer)
        buffer = np.frombuffer(data, np.uint8)
        buffer.flags.writeable = False
        at = 0
        while (stop := _end_of_batch(data, at)) is not None:
            header = Header.of(data[at:stop])
            if self.check_crcs and header.checksum != calc_crc32c(data[at + CHECKED_FROM : stop]):
                raise CorruptRecordError(
                    f"{self.topic_partition}: the CRC of the batch at {header.base_offset} is wrong"
                )
            self.leader_epoch = header.leader_epoch
            if self._is_hidden(header, data[at:stop]):
                self.next_fetch_offset = header.next_offset
            else:
                yield from self._rows(header, buffer, at + HEADER.size, stop)
            at = stop
        self.drain()

    def _is_hidden(self, header: "Header", batch: memoryview) -> bool:
        """Whether it is of an aborted transaction, or says how one ended."""
        control = bool(header.attributes & CONTROL)
        if self.isolation_level == IsolationLevel.READ_COMMITTED and header.producer_id >= 0:
            self._consume_aborted_transactions_up_to(header.next_offset - 1)
            if control and self._contains_abort_marker(DefaultRecordBatch(batch)):
                self.aborted_producer_ids.discard(header.producer_id)
            aborted = header.producer_id in self.aborted_producer_ids
            if aborted and header.attributes & TRANSACTIONAL:
                return True
        return control

    def _rows(self, header: "Header", buffer: Array, start: int, stop: int) -> Iterator[Rows]:
        if header.attributes & CODEC:
            buffer = _decompressed(header.attributes & CODEC, buffer[start:stop].tobytes())
            start, stop = 0, buffer.size
        offsets = header.base_offset, header.next_offset
        rows, fault = parse(buffer, start, stop, offsets, header.records)
        if header.base_offset < self.fetch_offset:
            rows = rows.since(self.fetch_offset)
        self.records_read += len(rows)
        self.bytes_read += stop - start
        if not fault:
            self._after = header.next_offset
        elif len(rows):
            self._after = rows.end
        if len(rows):
            yield rows
        if fault:
            raise CorruptRecordError(
                f"{self.topic_partition}: the batch at offset {header.base_offset}: {fault}"
            )
        self.next_fetch_offset = header.next_offset


class Header(NamedTuple):
    """What comes before the records of a batch."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    checksum: int
    attributes: int
    last_offset_delta: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records: int

    @classmethod
    def of(cls, batch: memoryview) -> "Header":
        """Of a whole batch of format v2."""
        if batch[MAGIC_AT] < 2:
            raise OldFormatError(f"record format v{batch[MAGIC_AT]}")
        if batch[MAGIC_AT] > 2 or len(batch) < HEADER.size:
            raise CorruptRecordError(f"{len(batch)} bytes, format {batch[MAGIC_AT]}: no batch")
        return cls._make(HEADER.unpack_from(batch))

    @property
    def next_offset(self) -> int:
        """The position after the batch, whatever compaction has taken out of it."""
        return self.base_offset + self.last_offset_delta + 1


def _end_of_batch(data: memoryview, at: int) -> int | None:
    """Where the batch ends; None when it is not there to its end: the next fetch brings it."""
    if len(data) - at < BEFORE_LENGTH_COUNTS:
        return None
    (length,) = LENGTH.unpack_from(data, at + LENGTH_AT)
    if length < SMALLEST_BATCH:
        raise CorruptRecordError(f"a batch of {length} bytes")
    stop: int = at + BEFORE_LENGTH_COUNTS + length
    return stop if stop <= len(data) else None


def _decompressed(number: int, data: bytes) -> Array:
    if number not in CODECS:
        raise UnsupportedCodecError(f"compression {number} is unknown")
    name, available, decode = CODECS[number]
    if not available():
        raise UnsupportedCodecError(f"the library for {name} is missing")
    try:
        return np.frombuffer(decode(data), np.uint8)
    except Exception as error:  # each library has its own
        raise CorruptRecordError(f"not {name}: {error}") from error


class Batches:
    """Reads by whole batches (a `kafka_reading.Reading`)."""

    def prepare(self, consumer: KafkaConsumer) -> None:
        """Let the consumer poll `Rows`, by `Taken`, instead of records."""
        compile_parser()  # now, not in the first poll
        consumer._fetcher.PartitionRecords = RawRecords

    def block(self, partition: Partition, polled: Sequence[Rows]) -> Block:
        """The rows of all batches over one buffer."""
        return block_of(partition, polled)

"""Kafka record batches in memory, made by kafka-python's own builder, and both ways to read them.

What only brokers make (control batches, compacted ones) is made by patching a built batch and
computing its checksum anew.
"""

import struct
from dataclasses import dataclass
from typing import Any

from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.protocol.consumer import FetchResponse, IsolationLevel
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords
from kafka.record.util import calc_crc32c

from streamlasso_service.raw_fetch import RawRecords
from streamlasso_service.record_batches import block_of
from streamlasso_service.records import Partition

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
TOPIC = TopicPartition("topic", 3)

Message = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
"""Key, value, headers."""


@dataclass(frozen=True)
class Made:
    """One batch: its records are at ``base + delta``, and ``span`` offsets are taken."""

    base: int
    messages: list[tuple[int, Message]]
    span: int
    codec: int = 0
    producer: int = -1
    transactional: bool = False
    control: int | None = None
    """The end of a transaction: 0 abort, 1 commit."""

    def build(self) -> bytes:
        """The bytes of the batch."""
        builder = DefaultRecordBatchBuilder(
            2, self.codec, self.transactional, self.producer, 0, 0, 1 << 30
        )
        if self.control is not None:
            builder.append(0, 1000, struct.pack(">hh", 0, self.control), b"\0" * 6, [])
        for delta, (key, value, headers) in self.messages:
            builder.append(delta, 1000 + delta, key, value, headers)
        batch = bytearray(builder.build())
        struct.pack_into(">q", batch, 0, self.base)
        struct.pack_into(">i", batch, 12, 7)  # the leader's epoch
        struct.pack_into(">i", batch, 23, self.span - 1)
        if self.control is not None:
            batch[22] |= 0x20
        return sealed(batch)


def sealed(batch: bytearray) -> bytes:
    """With the checksum of what it holds now."""
    struct.pack_into(">I", batch, 17, calc_crc32c(memoryview(batch)[21:]))
    return bytes(batch)


@dataclass
class Read:
    """What a way of reading gave: records, the fault that ended it, and where it stands then."""

    records: list[Any]
    fault: str
    position: int
    epoch: int
    largest: int
    """Most records taken at once."""


Aborted = FetchResponse.FetchableTopicResponse.PartitionData.AbortedTransaction


def read(
    kind: type, data: bytes, begin: int, limit: int, aborted: list[tuple[int, int]], check: bool
) -> Read:
    """Take everything, at most ``limit`` at a time, from a position on."""
    done: list[int] = []
    part = kind(
        *(begin, TOPIC, MemoryRecords(data)),
        check_crcs=check,
        isolation_level=IsolationLevel.READ_COMMITTED,
        aborted_transactions=[Aborted(producer_id=p, first_offset=at) for p, at in aborted],
        on_drain=lambda _: done.append(1),
    )
    records: list[Any] = []
    largest, fault = 0, ""
    while part and not fault:
        try:
            taken = part.take(limit)
        except Exception as error:
            fault = type(error).__name__
            break
        largest = max(largest, len(taken))
        records += list(taken)
    if kind is RawRecords:
        blocks = [block_of(Partition(*TOPIC), [rows]) for rows in records]
        records = [block.record(row) for block in blocks for row in range(len(block))]
        records = [(r.offset, r.next, r.key, r.value, list(r.headers)) for r in records]
    else:
        records = [(r.offset, r.offset + 1, r.key, r.value or b"", r.headers) for r in records]
    return Read(records, fault, part.next_fetch_offset, part.leader_epoch, largest)


def read_both(
    data: bytes,
    begin: int = 0,
    limit: int = 1000,
    aborted: list[tuple[int, int]] | None = None,
    *,
    check: bool = True,
) -> tuple[Read, Read]:
    """The raw path, and the public one."""
    raw, public = (
        read(kind, data, begin, limit, aborted or [], check)
        for kind in (RawRecords, Fetcher.PartitionRecords)
    )
    return raw, public

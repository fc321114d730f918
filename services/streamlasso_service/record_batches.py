"""Kafka's record batches (format v2) as tables of positions, without an object a record.

The format is Kafka's (https://kafka.apache.org/documentation/#recordbatch): after a header of 61
bytes come the records, all compressed together or not at all, each::

    length, attributes, timestamp delta, offset delta,
    key length, key, value length, value, headers: count, (key length, key, value length, value) …

with lengths and deltas as zig-zag varints; a length of −1 is a null. `parse_records` walks over
them and writes down where keys, values and headers are. Every length is held against the bytes that
are there: what does not fit is an error, never read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from numba import njit

from streamlasso.scanning.scanned import PADDING
from streamlasso.specialise import PART, compile_top
from streamlasso_service.records import Block, Partition, Record

__all__ = ["KafkaBlock", "Rows", "block_of", "compile_parser", "parse"]

Array = npt.NDArray[Any]

START, STOP, KEY_START, KEY_STOP, HEADERS_AT, OFFSET = COLUMNS = range(6)
"""What the table holds of a record; a null key stops one before its start."""

# Five lengths of a byte each, the attributes and the timestamp.
SMALLEST_RECORD = 7

OVER = -1  # where no varint ends


@njit(**PART)
def varint(buffer, at, stop):  # type: ignore[no-untyped-def]
    """A zig-zag varint of up to 64 bits, and where it ends; `OVER` when it does not."""
    bits = np.uint64(0)
    shift = np.uint64(0)
    while at < stop and shift < 64:
        byte = buffer[at]
        bits |= np.uint64(byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return np.int64(bits >> np.uint64(1)) ^ -np.int64(bits & np.uint64(1)), at
        shift += np.uint64(7)
    return np.int64(0), np.int64(OVER)


@njit(**PART)
def field(buffer, at, stop):  # type: ignore[no-untyped-def]
    """Where bytes with their length before them start and stop; null: one before the start."""
    size, start = varint(buffer, at, stop)
    if start == OVER or size > stop - start:
        return np.int64(OVER), np.int64(OVER)
    return start, start + max(size, -1)


@njit(**PART)
def pass_headers(buffer, at, stop):  # type: ignore[no-untyped-def]
    """Where the headers end, `OVER` if they do not; and whether their names are ASCII."""
    count, at = varint(buffer, at, stop)
    ascii_only = True
    if count < 0:
        return np.int64(OVER), ascii_only
    while at != OVER and count > 0:
        start, after = field(buffer, at, stop)
        if start == OVER or after < start:
            return np.int64(OVER), ascii_only
        for i in range(start, after):
            ascii_only = ascii_only and buffer[i] < 0x80
        start, after = field(buffer, after, stop)
        at = np.int64(OVER) if start == OVER else max(start, after)
        count -= 1
    return at, ascii_only


@njit(**PART)
def parse_record(buffer, at, stop, base, table, row):  # type: ignore[no-untyped-def]
    """Write down one record; return where it ends, `OVER` if it is malformed."""
    size, at = varint(buffer, at, stop)
    if at == OVER or size < 0 or size > stop - at:
        return np.int64(OVER), True
    stop = at + size
    _, at = varint(buffer, at, stop)  # attributes: none are in use
    if at != OVER:
        _, at = varint(buffer, at, stop)  # the timestamp
    if at == OVER:
        return np.int64(OVER), True
    delta, at = varint(buffer, at, stop)
    if at == OVER:
        return np.int64(OVER), True
    table[OFFSET, row] = base + delta
    key_start, key_stop = field(buffer, at, stop)
    if key_start == OVER:
        return np.int64(OVER), True
    table[KEY_START, row], table[KEY_STOP, row] = key_start, key_stop
    start, value_stop = field(buffer, max(key_start, key_stop), stop)
    if start == OVER:
        return np.int64(OVER), True
    at = max(start, value_stop)
    table[START, row], table[STOP, row], table[HEADERS_AT, row] = start, at, at
    at, ascii_only = pass_headers(buffer, at, stop)
    return (at if at == stop else np.int64(OVER)), ascii_only


@compile_top
def parse_records(buffer, at, stop, base, end, table):  # type: ignore[no-untyped-def]
    """Fill the table, a column a record, from ``buffer[at:stop]``.

    Offsets must ascend, from ``base`` on and below ``end``.

    Returns
    -------
    How many records there are before the first that is malformed; where they end, `OVER` after a
    malformed one; whether all names of headers are ASCII.
    """
    names_ascii, least = True, base
    for row in range(table.shape[1]):
        at, ascii_only = parse_record(buffer, at, stop, base, table, row)
        names_ascii = names_ascii and ascii_only
        offset = table[OFFSET, row]
        if at == OVER or offset < least or offset >= end:
            return row, np.int64(OVER), names_ascii
        least = offset + 1
    return table.shape[1], at, names_ascii


@dataclass(frozen=True, eq=False)
class Rows:
    """The records of one Kafka batch, or some of them: bytes, and the table of positions."""

    buffer: Array
    table: Array

    def __len__(self) -> int:
        return self.table.shape[1]  # type: ignore[no-any-return]

    def __getitem__(self, rows: slice) -> "Rows":
        return Rows(self.buffer, self.table[:, rows])

    @property
    def end(self) -> int:
        """The position after the last."""
        return int(self.table[OFFSET, -1]) + 1

    def since(self, offset: int) -> "Rows":
        """Without those below an offset; offsets ascend."""
        return self[int(np.searchsorted(self.table[OFFSET], offset)) :]


def parse(
    buffer: Array, start: int, stop: int, offsets: tuple[int, int], count: int
) -> tuple[Rows, str | None]:
    """The records of ``buffer[start:stop]`` (uint8, read-only), and what is wrong after them.

    Their offsets are of the range ``offsets``.
    """
    # The count is read from the batch: more records than its bytes can hold are not prepared for.
    table = np.empty(
        (len(COLUMNS), min(max(count, 0), (stop - start) // SMALLEST_RECORD)), np.int64
    )
    taken, end, names_ascii = parse_records(buffer, start, stop, *offsets, table)
    rows = Rows(buffer, table[:, :taken])
    if not names_ascii:
        for row, at in enumerate(table[HEADERS_AT, :taken].tolist()):
            try:
                headers_at(buffer, at)
            except UnicodeDecodeError as error:
                return rows[:row], f"the name of a header is not UTF-8: {error}"
    if end == OVER or taken < count:
        return rows, f"record {taken} of {count} is malformed"
    return rows, None if end == stop else f"{stop - end} bytes after the last record"


def compile_parser() -> None:
    """Ahead of the first batch."""
    parse(np.frombuffer(b"\0", np.uint8), 0, 1, (0, 0), 0)


def headers_at(buffer: Array, at: int) -> tuple[tuple[str, bytes | None], ...]:
    """The headers that begin at a position; they are known to be well formed."""
    data = buffer.data
    count, at = _varint(data, at)
    headers = []
    for _ in range(count):
        name, at = _field(data, at)
        value, at = _field(data, at)
        headers.append((str(name or b"", "utf-8"), value))
    return tuple(headers)


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    bits = shift = 0
    while True:
        byte = data[at]
        bits |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return bits >> 1 ^ -(bits & 1), at


def _field(data: memoryview, at: int) -> tuple[bytes | None, int]:
    size, at = _varint(data, at)
    return (None, at) if size < 0 else (bytes(data[at : at + size]), at + size)


@dataclass(frozen=True, eq=False)
class KafkaBlock(Block):
    """Rows of a topic's partition; keys and headers are read only for the rows asked for."""

    key_starts: Array
    key_stops: Array
    headers: Array

    per_row: ClassVar[tuple[str, ...]] = (*Block.per_row, "key_starts", "key_stops", "headers")

    def record(self, row: int) -> Record:
        """One row as a record, byte for byte."""
        start, stop = self.key_starts[row], self.key_stops[row]
        key = None if stop < start else self.bytes_at(start, stop)
        headers = headers_at(self.buffer, int(self.headers[row]))
        return super().record(row)._replace(key=key, headers=headers)


def block_of(partition: Partition, parts: Sequence[Rows]) -> KafkaBlock:
    """The rows of several batches together, at least one, over one buffer."""
    buffer, table = parts[0].buffer, parts[0].table
    if len(parts) > 1:
        table = np.concatenate([rows.table for rows in parts], axis=1)
    if any(rows.buffer is not buffer for rows in parts):
        buffers = [rows.buffer for rows in parts]
        sizes = [buffer.size for buffer in buffers]
        shifts = np.cumsum([0, *sizes[:-1]])
        table[:OFFSET] += np.repeat(shifts, [len(rows) for rows in parts])
        # With room behind the last: a scanner would copy it all.
        buffer = np.concatenate([*buffers, np.zeros(PADDING, np.uint8)])
        buffer.flags.writeable = False
    start, stop, key_start, key_stop, headers, offset = table
    return KafkaBlock(
        *(partition, buffer, start, stop, offset, offset + 1), key_start, key_stop, headers
    )

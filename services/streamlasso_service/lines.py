"""Lines of a file or pipe, many at a time, as blocks that share one stretch of bytes."""

import codecs
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streamlasso_service.formats import Format, FormatError
from streamlasso_service.records import Block, Partition, Record

__all__ = ["LineReader", "Lines"]

Array = npt.NDArray[Any]

CHUNK = 1 << 20
LINE_FEED, CARRIAGE_RETURN, BLANK = 10, 13, 32


@dataclass(frozen=True, eq=False)
class Lines(Block):
    """Lines of one file; what one of them means is known to the file's format."""

    format: Format

    def record(self, row: int) -> Record:
        """One line as the JSON of an event, or as it is, with the reason why it is none."""
        line = self.value(row)
        offset, after = int(self.offsets[row]), int(self.nexts[row])
        try:
            return Record(self.partition, offset, after, self.format.event(line))
        except FormatError as error:
            return Record(self.partition, offset, after, line, fault=str(error))


class Readable(Protocol):
    """What lines are read from."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; nothing at the end, or while there is nothing."""


class LineReader:
    """Reads whole lines, from a position on.

    ``position`` is that of the first byte that was not given out yet.
    """

    def __init__(self, file: Readable, partition: Partition, format: Format, position: int) -> None:
        self._file = file
        self._partition = partition
        self._format = format
        self.position = position
        self._buffer: Array = np.empty(0, np.uint8)
        self._ends: Array = np.empty(0, np.int64)  # of the lines in the buffer, with their breaks
        self._given = 0  # lines of them
        self._begin = 0  # where in the buffer the next one begins

    def take(self, limit: int, *, growing: bool) -> Lines | None:
        """At most ``limit`` lines, without blank ones; None while there is no whole line.

        What stands after the last line break is a line too, unless the file is ``growing``.
        """
        if self._given == len(self._ends) and not self._read(growing=growing):
            return None
        ends = self._ends[self._given : self._given + limit]
        begins = np.concatenate(([self._begin], ends[:-1]))
        self._given += len(ends)
        stops = self._without_breaks(begins, ends)
        starts = begins
        if self.position == 0 and self._begins_with_mark():
            starts = begins.copy()
            starts[0] = min(len(codecs.BOM_UTF8), int(stops[0]))
        told = self._told(starts, stops)
        base = self.position - self._begin
        self.position, self._begin = base + int(ends[-1]), int(ends[-1])
        return Lines(
            self._partition, self._buffer, starts[told], stops[told], base + begins[told],
            base + ends[told], self._format,
        )  # fmt: skip

    def _begins_with_mark(self) -> bool:
        """Whether the first bytes are the mark that some editors put before UTF-8."""
        return self._buffer[:3].tobytes() == codecs.BOM_UTF8

    def _read(self, *, growing: bool) -> bool:
        """Read on until there is a whole line; False if there is none."""
        parts = [self._buffer[self._begin :].tobytes()]
        size, whole = 0, False
        while size < CHUNK or not whole:
            taken = self._file.read(CHUNK)
            if not taken:
                break
            parts.append(taken)
            size += len(taken)
            whole = whole or b"\n" in taken
        self._buffer = np.frombuffer(b"".join(parts), np.uint8)
        self._begin = self._given = 0
        self._ends = np.flatnonzero(self._buffer == LINE_FEED) + 1
        rest = len(self._buffer) - (self._ends[-1] if whole else 0)
        if rest and not taken and not growing:
            self._ends = np.append(self._ends, len(self._buffer))
        return len(self._ends) > 0

    def _without_breaks(self, begins: Array, ends: Array) -> Array:
        stops = ends.copy()
        while True:
            last = self._buffer[np.maximum(stops - 1, 0)]
            broken = (stops > begins) & ((last == LINE_FEED) | (last == CARRIAGE_RETURN))
            if not broken.any():
                return stops
            stops -= broken

    def _told(self, starts: Array, stops: Array) -> Array:
        """Which lines are neither blank nor comments."""
        told = stops > starts
        first = self._buffer[np.minimum(starts, len(self._buffer) - 1)]
        comment = self._format.comment
        # Few lines begin with a blank or the mark of a comment: those are looked at one by one.
        odd = told & (first <= BLANK)
        if comment:
            odd |= told & (first == comment[0])
        for row in np.flatnonzero(odd):
            line = self._buffer[starts[row] : stops[row]].tobytes().lstrip()
            told[row] = bool(line) and not (comment and line.startswith(comment))
        return told

"""Lines of a file or pipe, many at a time, as blocks that share one stretch of bytes."""

import codecs
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streamlasso.scanning.lines import split_lines
from streamlasso.scanning.scanned import PADDING
from streamlasso_service.formats import Format, FormatError
from streamlasso_service.records import Block, Partition, Record

__all__ = ["LineReader", "Lines", "Readable"]

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

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill the buffer from its start; how much was there, 0 at the end or while none is."""


class LineReader:
    """Reads whole lines, from a position on.

    ``position`` is that of the first byte that was not given out yet.
    """

    def __init__(self, file: Readable, partition: Partition, format: Format, position: int) -> None:
        self._file = file
        self._partition = partition
        self._format = format
        self.position = position
        self._buffer: Array = np.empty(PADDING, np.uint8)
        self._size = 0  # of the buffer, without what scanners want behind it
        self._begin = 0  # of what was not given out yet
        self._ended = False  # when it was read the last time

    def take(self, limit: int, *, growing: bool) -> Lines | None:
        """At most ``limit`` lines, without blank ones; None while there is no whole line.

        What stands after the last line break is a line too, unless the file is ``growing``.
        """
        lines = self._whole(limit, rest=self._ended and not growing)
        if lines is None:
            self._read()
            lines = self._whole(limit, rest=self._ended and not growing)
        return lines

    def _whole(self, limit: int, *, rest: bool) -> Lines | None:
        """Lines of the buffer; with ``rest`` what stands behind the last of them is one."""
        starts, stops = np.empty(limit, np.int64), np.empty(limit, np.int64)
        rows, end = split_lines(self._buffer, self._begin, self._size, starts, stops)
        if rest and rows < limit and end < self._size:
            starts[rows], stops[rows] = end, self._without_breaks(end, self._size)
            rows, end = rows + 1, self._size
        if not rows:
            return None
        starts, stops = starts[:rows], stops[:rows]
        base = self.position - self._begin
        offsets, nexts = base + starts, base + np.append(starts[1:], end)
        if self.position == 0 and self._begins_with_mark():
            starts[0] = min(len(codecs.BOM_UTF8), int(stops[0]))
        self.position, self._begin = base + end, end
        told = self._told(starts, stops)
        lines = Lines(self._partition, self._buffer, starts, stops, offsets, nexts, self._format)
        return lines if told.all() else lines[told]

    def _begins_with_mark(self) -> bool:
        """Whether the first bytes are the mark that some editors put before UTF-8."""
        return self._buffer[:3].tobytes() == codecs.BOM_UTF8

    def _without_breaks(self, start: int, stop: int) -> int:
        while stop > start and self._buffer[stop - 1] == CARRIAGE_RETURN:
            stop -= 1
        return stop

    def _read(self) -> None:
        """Read on until there is a whole line, or no more."""
        # Blocks that were given out keep the buffer that they were in.
        left = self._buffer[self._begin : self._size]
        room = CHUNK
        while True:
            buffer: Array = np.empty(len(left) + room + PADDING, np.uint8)
            buffer[: len(left)] = left
            size = _fill(self._file, buffer.data[len(left) : -PADDING])
            found = bool((buffer[len(left) : len(left) + size] == LINE_FEED).any())
            left = buffer[: len(left) + size]
            self._ended = size < room
            if found or self._ended:
                break
            room *= 2  # a long line
        self._buffer, self._size, self._begin = buffer, len(left), 0

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


def _fill(file: Readable, room: memoryview) -> int:
    """Read until there is no more room, or no more to read."""
    size = 0
    while size < len(room):
        taken = file.readinto(room[size:])
        if not taken:
            break
        size += taken
    return size

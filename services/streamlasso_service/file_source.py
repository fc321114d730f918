"""Files as a stream, a record a line."""

import codecs
import gzip
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from streamlasso_service.config import EventConfig, FileConfig
from streamlasso_service.files import Pipe, open_bytes
from streamlasso_service.formats import Format, FormatError, format_of
from streamlasso_service.records import Batch, Partition, Record
from streamlasso_service.source import SourceError

__all__ = ["FileSource"]


class FileSource:
    """Files, one after the other, a record a line.

    A position is the number of (uncompressed) bytes read. The lines of other formats become the
    JSON of an event here, so that what follows is the same for every source.
    """

    def __init__(
        self,
        config: FileConfig,
        kind: str = "auto",
        event: EventConfig | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._event = event
        self._config = config
        self._kind = kind
        self._clock = clock
        self._positions: dict[Partition, int] = {}
        self._paths = list(config.paths)
        self._file: IO[bytes] | Pipe | None = None
        self._pipe = Pipe(0)
        self._format: Format | None = None
        self._partition = Partition("", 0)
        self._partial = b""
        for path in self._paths:
            if path != "-" and not Path(path).is_file():
                raise SourceError(f"file.paths: no file {path!r}; check the path", 2)

    @property
    def finished(self) -> bool:
        """Whether the last file has been read to its end."""
        return self._file is None and not self._paths

    @property
    def ready(self) -> bool:
        """Files always are."""
        return True

    def start(self, positions: Mapping[Partition, int]) -> None:
        """Go on at these positions."""
        self._positions = dict(positions)

    def poll(self, timeout_s: float, limit: int) -> Batch:
        """The next lines. At the end of a followed file it waits for more."""
        batch = Batch()
        deadline = self._clock() + timeout_s
        while not batch.records and not self.finished:
            try:
                if self._file is not None or self._open(self._paths[0]):
                    self._read(batch, limit)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise SourceError(f"{self._paths[0]}: the file is damaged: {error}") from error
            except ValueError as error:
                raise SourceError(f"{self._paths[0]}: {error}") from error
            if batch.records:
                break
            if not self._growing:
                self._next_file()
            elif self._clock() >= deadline:
                break
            elif self._paths[0] == "-":
                self._pipe.wait(0.05)
            else:
                time.sleep(0.05)
        return batch

    @property
    def _growing(self) -> bool:
        """Whether more may come at the end of what is being read."""
        if self._paths[0] == "-":
            return not self._pipe.ended
        return self._config.follow and len(self._paths) == 1

    def _open(self, path: str) -> bool:
        """Open a file; False while nothing has come from standard input."""
        if path == "-" and not self._pipe.wait(0) and not self._pipe.ended:
            return False
        self._partition = Partition(path, 0)
        position = self._positions.get(self._partition, 0)
        self._format = format_of(path, self._kind, self._config.names, self._event)
        if path == "-":
            # Standard input cannot be read again: a restart takes what is piped into it.
            self._file = self._pipe
            self._positions[self._partition] = self._format.begin(self._pipe)
            return True
        self._file = open_bytes(path)
        with open_bytes(path) as head:
            begin = self._format.begin(head)
        self._positions[self._partition] = max(position, begin)
        self._file.seek(self._positions[self._partition])
        return True

    def _read(self, batch: Batch, limit: int) -> None:
        assert self._file is not None
        assert self._format is not None
        position = self._positions[self._partition]
        for line in self._lines(limit):
            after = position + len(line)
            stripped = line.rstrip(b"\r\n")
            if position == 0:
                stripped = stripped.removeprefix(codecs.BOM_UTF8)
            value, fault = stripped.strip(), ""
            try:
                value = value and self._format.event(stripped)
            except FormatError as error:
                value, fault = stripped, str(error)
            if value:
                record = Record(self._partition, position, after, value, fault=fault)
                batch.records.append(record)
            position = after
        if position != self._positions[self._partition]:
            self._positions[self._partition] = batch.positions[self._partition] = position

    def _lines(self, limit: int) -> Iterator[bytes]:
        """Whole lines; in a followed file an unfinished last line waits for its end."""
        assert self._file is not None
        for _ in range(limit):
            line = self._partial + self._file.readline()
            self._partial = b""
            if not line:
                return
            if self._growing and not line.endswith(b"\n"):
                self._partial = line
                return
            yield line

    def _next_file(self) -> None:
        assert self._file is not None
        self._file.close()
        self._file = None
        self._paths.pop(0)

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Nobody to tell."""

    def lag(self) -> dict[Partition, int]:
        """Bytes left of the plain file that is being read."""
        path = self._partition.topic
        if self._file is None or path in ("", "-") or path.endswith(".gz"):
            return {}
        left = max(Path(path).stat().st_size - self._positions[self._partition], 0)
        return {self._partition: left}

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._paths = []

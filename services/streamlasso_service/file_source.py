"""Files as a stream, a record a line."""

import gzip
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, cast

from streamlasso_service.config import EventConfig, FileConfig
from streamlasso_service.files import Pipe, open_bytes
from streamlasso_service.formats import format_of
from streamlasso_service.lines import LineReader, Lines, Readable
from streamlasso_service.records import Batch, Partition
from streamlasso_service.source import SourceError

__all__ = ["FileSource"]


class FileSource:
    """Files, one after the other, a record a line.

    A position is the number of (uncompressed) bytes read.
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
        self._file: BinaryIO | Pipe | None = None
        self._pipe = Pipe(0)
        self._lines: LineReader | None = None
        self._partition = Partition("", 0)
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
        positions: dict[Partition, int] = {}
        deadline = self._clock() + timeout_s
        while not self.finished:
            try:
                block = self._read(limit)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise SourceError(f"{self._paths[0]}: the file is damaged: {error}") from error
            except ValueError as error:
                raise SourceError(f"{self._paths[0]}: {error}") from error
            if block is not None:
                positions[self._partition] = self._positions[self._partition]
                if len(block):
                    return Batch(blocks=[block], positions=positions)
            elif not self._growing:
                self._next_file()
            elif self._clock() >= deadline:
                break
            elif self._paths[0] == "-":
                self._pipe.wait(0.05)
            else:
                time.sleep(0.05)
        return Batch(positions=positions)

    @property
    def _growing(self) -> bool:
        """Whether more may come at the end of what is being read."""
        if self._paths[0] == "-":
            return not self._pipe.ended
        return self._config.follow and len(self._paths) == 1

    def _open(self, path: str) -> LineReader | None:
        """Open a file; None while nothing has come from standard input."""
        if path == "-" and not self._pipe.wait(0) and not self._pipe.ended:
            return None
        self._partition = Partition(path, 0)
        position = self._positions.get(self._partition, 0)
        format = format_of(path, self._kind, self._config.names, self._event)
        if path == "-":
            # Standard input cannot be read again: a restart takes what is piped into it.
            self._file = self._pipe
            position = format.begin(self._pipe)
        else:
            self._file = open_bytes(path)
            with open_bytes(path) as head:
                begin = format.begin(head)
            position = max(position, begin)
            self._file.seek(position)
        self._positions[self._partition] = position
        return LineReader(cast(Readable, self._file), self._partition, format, position)

    def _read(self, limit: int) -> Lines | None:
        """The next lines of the file, opened if need be; None while there are none."""
        self._lines = self._lines or self._open(self._paths[0])
        if self._lines is None:
            return None
        block = self._lines.take(limit, growing=self._growing)
        self._positions[self._partition] = self._lines.position
        return block

    def _next_file(self) -> None:
        assert self._file is not None
        self._file.close()
        self._file = self._lines = None
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
        self._file = self._lines = None
        self._paths = []

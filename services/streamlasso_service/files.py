"""Files and pipes, opened for reading bytes."""

import gzip
import os
import select
import sys
from collections import deque
from typing import BinaryIO, cast

__all__ = ["Pipe", "open_bytes"]


def open_bytes(path: str) -> BinaryIO:
    """A plain or ``.gz`` file, or standard input for ``-``."""
    if path == "-":
        return sys.stdin.buffer
    if path.endswith(".gz"):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return open(path, "rb", buffering=1 << 20)


class Pipe:
    """Standard input, read without waiting: a slow writer must not hold up saving or stopping."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._rest = b""
        self.ended = False

    def readline(self) -> bytes:
        """The next whole line, at the end the rest; nothing while the line is not there yet."""
        if self.wait(0):
            return self._lines.popleft()
        rest, self._rest = (self._rest, b"") if self.ended else (b"", self._rest)
        return rest

    def wait(self, timeout_s: float) -> bool:
        """Wait for a whole line; whether there is one."""
        while not self._lines and not self.ended:
            if not select.select([self._descriptor], [], [], timeout_s)[0]:
                break
            taken = os.read(self._descriptor, 1 << 20)
            self.ended = not taken
            *whole, self._rest = (self._rest + taken).split(b"\n")
            self._lines.extend(line + b"\n" for line in whole)
        return bool(self._lines)

    def readinto(self, buffer: memoryview) -> int:
        """As many of the whole lines as are there, cut where the room ends; then the rest too."""
        self.wait(0)
        lines, self._lines = self._lines, deque()
        rest, self._rest = (self._rest, b"") if self.ended else (b"", self._rest)
        there = b"".join(lines) + rest
        size = min(len(there), len(buffer))
        buffer[:size] = there[:size]
        if size < len(there):
            self._lines.appendleft(there[size:])
        return size

    def seekable(self) -> bool:
        """Never."""
        return False

    def peek(self) -> bytes:
        """What is there, without taking it."""
        return b"".join(self._lines) + self._rest

    def close(self) -> None:
        """Standard input stays open."""

"""What a format of files is: each turns a line into the JSON of an event.

JSON lines pass through. svmlight and VowpalWabbit lines become the nested form, a CSV line the flat
one. A line that cannot be read is a `FormatError`: the source passes it on unchanged together with
the reason, and decoding counts and keeps it.
"""

import math
from typing import Protocol

import msgspec

__all__ = ["Format", "FormatError", "Head", "JsonLines", "encode", "finite"]

encode = msgspec.json.Encoder().encode


class FormatError(ValueError):
    """A line that its format cannot read: says why."""


class Head(Protocol):
    """The beginning of a file or pipe."""

    def readline(self) -> bytes:
        """The next line."""

    def seekable(self) -> bool:
        """Whether what is taken here can be read again."""


class Format(Protocol):
    """How lines of one file become events."""

    comment: bytes
    """What a line begins with that is a comment; nothing where there are none."""

    def begin(self, head: Head) -> int:
        """Look at the beginning of the file; return how many bytes are no records (a header)."""

    def event(self, line: bytes) -> bytes:
        """The JSON of one line that is no comment. Raises `FormatError`."""


class JsonLines:
    """One JSON object a line."""

    comment = b""

    def begin(self, head: Head) -> int:
        """No header."""
        return 0

    def event(self, line: bytes) -> bytes:
        """As it is."""
        return line


def finite(number: float, text: str) -> float:
    """The number, unless it is infinite: JSON has no infinity, and null means a missing value."""
    if math.isinf(number):
        raise FormatError(f"{text!r} is not finite")
    return number

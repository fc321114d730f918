"""File formats: each turns a line into the JSON of an event.

JSON lines pass through. A svmlight line becomes the nested form, a CSV line the flat one. A line
that cannot be read passes through unchanged: decoding then finds it bad, counts it and keeps it.
"""

import codecs
import csv
import itertools
import math
from pathlib import Path
from typing import Any, Protocol

import msgspec

from streamlasso_service.config import EventConfig
from streamlasso_service.files import open_bytes

__all__ = ["Format", "format_of"]

CSV_TYPING_ROWS = 1000
MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "None"})

encode = msgspec.json.Encoder().encode


class Head(Protocol):
    """The beginning of a file or pipe."""

    def readline(self) -> bytes:
        """The next line."""

    def seekable(self) -> bool:
        """Whether what is taken here can be read again."""


class Format(Protocol):
    """How lines of one file become events."""

    def begin(self, head: Head) -> int:
        """Look at the beginning of the file; return how many bytes are no records (a header)."""

    def event(self, line: bytes) -> bytes:
        """The JSON of one line, the line itself where it cannot be read, nothing for a comment."""


class JsonLines:
    """One JSON object a line."""

    def begin(self, head: Head) -> int:
        """No header."""
        return 0

    def event(self, line: bytes) -> bytes:
        """As it is."""
        return line


class Svmlight:
    """``target index:value …``, with an optional file that names the indices."""

    def __init__(self, names: list[str] | None, event: EventConfig) -> None:
        self._names = names
        self._event = event

    def begin(self, head: Head) -> int:
        """No header."""
        return 0

    def event(self, line: bytes) -> bytes:
        """``{"target": …, "features": {name: value, …}}``."""
        if line.lstrip().startswith(b"#"):
            return b""
        try:
            target, *pairs = line.split(b"#", 1)[0].decode().split()
            features = {}
            for pair in pairs:
                index, _, value = pair.rpartition(":")
                if index != "qid":
                    features[self._name(index)] = _not_infinite(value)
            keys = self._event
            return encode({keys.target: _not_infinite(target), keys.features: features})
        except (ValueError, IndexError):
            return line

    def _name(self, index: str) -> str:
        if not index:
            raise ValueError("a pair without an index")
        if self._names is None:
            return index
        if int(index) < 1:
            raise IndexError("indices count from 1")
        return self._names[int(index) - 1]


def _not_infinite(text: str) -> float:
    """NaN passes: JSON makes it null, which is a missing value."""
    number = float(text)
    if math.isinf(number):
        raise ValueError("JSON has no infinity, and null would mean a missing value")
    return number


class Csv:
    """A header line, then rows; a column is numeric if its first 1,000 values all are."""

    def __init__(self, delimiter: str = ",") -> None:
        self._delimiter = delimiter
        self._columns: list[str] = []
        self._numeric: list[bool] = []

    def _parse(self, line: bytes) -> list[str]:
        return next(csv.reader([line.decode()], delimiter=self._delimiter, strict=True))

    def begin(self, head: Head) -> int:
        """Read the header and fix the type of each column for the whole run."""
        header = head.readline()
        try:
            names = self._parse(header.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n"))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"the header is not UTF-8 CSV: {error}") from error
        self._columns = [name.strip() for name in names]
        self._numeric = [True] * len(self._columns)
        if head.seekable():
            rows = list(itertools.islice(iter(head.readline, b""), CSV_TYPING_ROWS))
        else:
            # A pipe: what is there already, without taking it; its last line may be cut.
            rows = head.peek().splitlines()[:CSV_TYPING_ROWS][:-1]  # type: ignore[attr-defined]
        for line in rows:
            self._look_at(line)
        return len(header)

    def _look_at(self, line: bytes) -> None:
        try:
            row = self._parse(line.rstrip(b"\r\n"))
        except (ValueError, StopIteration, csv.Error):
            return
        for i, text in enumerate(row[: len(self._columns)]):
            if text not in MISSING:
                self._numeric[i] &= _is_number(text)

    def event(self, line: bytes) -> bytes:
        """``{column: number, string or null, …}``."""
        try:
            row = self._parse(line)
        except (ValueError, StopIteration, csv.Error):
            return line
        if len(row) != len(self._columns):
            return line
        cells = zip(self._columns, row, self._numeric, strict=True)
        return encode({name: _cell(text, numeric) for name, text, numeric in cells})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cell(text: str, numeric: bool) -> Any:
    if text in MISSING:
        return None
    if not numeric:
        return text
    number = float(text) if _is_number(text) else None
    if number is None or number != number or number in (float("inf"), float("-inf")):
        return text  # a word in a numeric column: the field's rules decide
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def format_of(
    path: str, kind: str = "auto", names: str | None = None, event: EventConfig | None = None
) -> Format:
    """The format by name, or by the file's ending; JSON lines otherwise."""
    if kind == "auto":
        ending = Path(path.removesuffix(".gz")).suffix
        endings = {".csv": "csv", ".tsv": "tsv", ".svm": "svmlight", ".svmlight": "svmlight"}
        kind = endings.get(ending, "json")
    if kind == "svmlight":
        return Svmlight(None if names is None else _read_names(names), event or EventConfig())
    if kind in ("csv", "tsv"):
        return Csv("\t" if kind == "tsv" else ",")
    return JsonLines()


def _read_names(path: str) -> list[str]:
    with open_bytes(path) as file:
        return file.read().decode().splitlines()

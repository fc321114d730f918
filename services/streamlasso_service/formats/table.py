"""CSV and TSV: a header line that names the columns, then a row a line."""

import codecs
import csv
import itertools
from typing import Any

from streamlasso_service.formats.base import FormatError, Head, encode

__all__ = ["MISSING", "Csv"]

CSV_TYPING_ROWS = 1000
MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "None"})


class Csv:
    """A header line, then rows; a column is numeric if its first 1,000 values all are.

    ``columns`` and ``numeric`` are known after `begin`.
    """

    comment = b""

    def __init__(self, delimiter: str = ",") -> None:
        self.delimiter = delimiter
        self.columns: list[str] = []
        self.numeric: list[bool] = []

    def _parse(self, line: bytes) -> list[str]:
        return next(csv.reader([line.decode()], delimiter=self.delimiter, strict=True))

    def begin(self, head: Head) -> int:
        """Read the header and fix the type of each column for the whole run."""
        header = head.readline()
        try:
            names = self._parse(header.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n"))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"the header is not UTF-8 CSV: {error}") from error
        self.columns = [name.strip() for name in names]
        self.numeric = [True] * len(self.columns)
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
        for i, text in enumerate(row[: len(self.columns)]):
            if text not in MISSING:
                self.numeric[i] &= _is_number(text)

    def event(self, line: bytes) -> bytes:
        """``{column: number, string or null, …}``."""
        try:
            row = self._parse(line)
        except (ValueError, StopIteration, csv.Error) as error:
            raise FormatError(f"not CSV: {error or 'nothing in it'}") from None
        if len(row) != len(self.columns):
            raise FormatError(f"{len(row)} cells, but the header names {len(self.columns)}")
        cells = zip(self.columns, row, self.numeric, strict=True)
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

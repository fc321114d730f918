"""Scanning CSV from Python."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from streamlasso.scanning.compiling import compile_scanner
from streamlasso.scanning.csv import (
    COLUMNS,
    IS_NUMERIC,
    KIND,
    NAME_AT,
    NAME_SIZE,
    scan_csv,
)
from streamlasso.scanning.fields import AUTO, ID, IMPORTANCE, KINDS, NESTED, TARGET, UNPLANNED
from streamlasso.scanning.line_scanner import LineScanner, json_size
from streamlasso.scanning.table import Plan

__all__ = ["CsvScanner"]

LARGEST_WHOLE = 2**53


@cache
def _kernel() -> Any:
    return compile_scanner(scan_csv, "streamlasso.scanning.csv")


class CsvScanner(LineScanner):
    """Reads rows of CSV that are simple; parameters as `LineScanner`'s.

    Not simple are quotes around quotes and delimiters, carriage returns, another number of cells
    than columns, words in columns of numbers, texts where numbers are meant, and targets and
    importances out of their domain.

    Parameters
    ----------
    columns
        The names of the columns, all different.
    numeric
        Of each column whether its cells are numbers.
    delimiter
        A character of ASCII.
    plan
        What a field is, as for `JsonScanner`: asked at a column's first cell that is not missing.
    """

    least_bytes = 1

    def __init__(
        self, columns: Sequence[str], numeric: Sequence[bool], delimiter: str = ",", *,
        id: str = "id", target: str = "target", importance: str = "importance",
        task: str = "classification", counts: bool = False,
        positive: str | float | bool | None = None, plan: Plan | None = None,
        max_bytes: int = 1_000_000, max_features: int = 100_000,
    ) -> None:  # fmt: skip
        special = {id: ID, target: TARGET, importance: IMPORTANCE}
        super().__init__((id, target, importance), task, counts, positive, max_bytes, max_features)
        self._columns = list(columns)
        self._numeric = dict(zip(columns, numeric, strict=True))
        self._id, self._plan = id, plan
        fields = [name for name in self._columns if name not in special]
        self.applies &= len(self._numeric) == len(columns) and len(fields) <= max_features
        self._limits[2] += json_size(tuple(columns))
        self._delimiter = np.uint8(ord(delimiter))
        self._table = np.zeros((len(columns), COLUMNS), np.int64)
        self._features: set[str] = set()
        self._waiting = -1
        for column, name in enumerate(self._columns):
            self._table[column, IS_NUMERIC] = self._numeric[name]
            self._table[column, KIND] = special.get(name, UNPLANNED if plan else AUTO)
            self._put(column, name)

    def _put(self, column: int, feature: str) -> None:
        """Give a column the name of its feature."""
        name = feature.encode("utf-8", "surrogatepass")
        row = self._table[column]
        row[NAME_AT], row[NAME_SIZE] = len(self._names), len(name)
        self._names = np.concatenate((self._names, np.frombuffer(name + b"=", np.uint8)))

    def ident(self, raw: bytes) -> Any:
        """The id of an event from the bytes that `Scanned.ident` gives: a number or a text."""
        if not self._numeric[self._id]:
            return raw.decode()
        number = float(raw)
        whole = number.is_integer() and abs(number) < LARGEST_WHOLE
        return int(number) if whole else number

    def _resume(self) -> bool:
        """Plan the column that the kernel stopped at."""
        if self._waiting < 0 or self._plan is None:
            return False
        column, name = self._waiting, self._columns[self._waiting]
        kind, feature = self._plan(name, not self._numeric[name])
        self._table[column, KIND] = NESTED if feature in self._features else KINDS[kind]
        if kind != "ignore":
            self._features.add(feature)
        if feature != name:
            self._put(column, feature)
        return True

    def _call(self, lines: tuple[Any, ...], rules: tuple[Any, ...], into: tuple[Any, ...]) -> int:
        row, self._waiting = _kernel()(
            *lines, self._delimiter, self._table, self._lines, *rules, *into
        )
        return int(row)

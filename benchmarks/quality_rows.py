"""Rows of sparse features as arrays, and tables of columns turned into them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FIRST", "Rows", "Table"]

Array = npt.NDArray[Any]
FIRST = 2  # the slot of the first name
SHIFT = 30.0


@dataclass(frozen=True)
class Rows:
    """Row i has the entries ``indptr[i]:indptr[i + 1]``; slot s is called ``names[s - FIRST]``."""

    task: str  # "binary", "regression" or "classes"
    indptr: Array
    slots: Array
    values: Array
    targets: Array
    names: list[str]
    numbers: Array  # of each name whether it is a number rather than one of several values

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.targets.max()) + 1

    @property
    def dense(self) -> bool:
        """Whether half of the numbers are there in half of the rows."""
        seen = np.bincount(self.slots - FIRST, minlength=len(self.names))[self.numbers]
        return len(seen) > 0 and bool(np.median(seen) > 0.5 * len(self))

    def first(self, rows: int) -> "Rows":
        """Only the first rows."""
        indptr = self.indptr[: rows + 1]
        return replace(self, indptr=indptr, slots=self.slots[: indptr[-1]],
                       values=self.values[: indptr[-1]], targets=self.targets[:rows])  # fmt: skip

    def shuffled(self, seed: int) -> "Rows":
        """The rows in another, fixed order."""
        order = np.random.default_rng(seed).permutation(len(self))
        sizes = np.diff(self.indptr)[order]
        indptr = np.append(0, np.cumsum(sizes))
        taken = np.arange(indptr[-1]) + np.repeat(self.indptr[order] - indptr[:-1], sizes)
        return replace(self, indptr=indptr, slots=self.slots[taken], values=self.values[taken],
                       targets=self.targets[order])  # fmt: skip

    def unit_length(self) -> "Rows":
        """Each row divided by its length."""
        squares = np.append(0.0, np.cumsum(self.values**2))[self.indptr]
        lengths = np.sqrt(np.maximum(np.diff(squares), 1e-300))
        return replace(self, values=self.values / np.repeat(lengths, np.diff(self.indptr)))

    def dicts(self) -> Iterator[dict[str, float]]:
        """The rows by name."""
        names, values, ends = self.names, self.values.tolist(), self.indptr.tolist()
        columns = (self.slots.astype(np.int64) - FIRST).tolist()
        for start, end in pairwise(ends):
            yield {names[columns[i]]: values[i] for i in range(start, end)}


@dataclass
class Table:
    """Columns in, rows out."""

    scaling: str = "centred"
    names: list[str] = field(default_factory=list)
    numbers: list[bool] = field(default_factory=list)
    parts: list[tuple[Array, Array]] = field(default_factory=list)

    def _add(self, names: list[str], number: bool, columns: Array, values: Array) -> None:
        self.parts.append((columns + len(self.names), values))
        self.names += names
        self.numbers += [number] * len(names)

    def number(self, name: str, given: Any) -> None:
        """A column of numbers; NaN is absent."""
        values = np.asarray(given, np.float64)
        if self.scaling == "logged":
            values = np.copysign(np.log1p(np.abs(values)), values)
        elif self.scaling != "raw":
            deviation = np.nanstd(values)
            values = (values - np.nanmean(values)) / (deviation or 1.0)
            values = values + SHIFT * (self.scaling == "shifted")
        self._add([name], True, np.zeros(len(values), np.int64), values)

    def category(self, name: str, given: Any) -> None:
        """A column of names; NaN is absent."""
        found, columns = np.unique(given.fillna("").to_numpy(str), return_inverse=True)
        values = np.where(found[columns] == "", np.nan, 1.0)
        self._add([f"{name}={value}" for value in found], False, columns, values)

    def numbered(self, matrix: Array) -> "Table":
        """Columns of numbers called x0, x1, …"""
        for i, column in enumerate(matrix.T):
            self.number(f"x{i}", column)
        return self

    def rows(self, task: str, targets: Any, *, sparse: bool = False) -> Rows:
        """All columns side by side; sparse: zeros are absent."""
        columns = np.column_stack([columns for columns, _ in self.parts])
        values = np.column_stack([values for _, values in self.parts])
        present = ~np.isnan(values)
        if sparse:
            present &= values != 0
        indptr = np.append(0, np.cumsum(present.sum(axis=1)))
        slots = (columns[present] + FIRST).astype(np.uint32)
        targets = np.asarray(targets, np.float64)
        return Rows(task, indptr, slots, values[present], targets, self.names,
                    np.array(self.numbers))  # fmt: skip

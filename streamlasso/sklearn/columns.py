"""Matrices of a fixed width for a `Learner`: column ``j`` is slot ``j + 2``, under the name ``j``.

Invariant: a matrix is learned the same whatever it is stored as. Rows hold their entries that are
not zero, once, by ascending column; the order in which they are added is thus the same for a dense
array, for a CSR matrix, and for one with explicit zeros, repeated or unsorted entries.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from streamlasso.arrays import owned
from streamlasso.index import FixedSlots, Name
from streamlasso.kernels import FIRST, UNSEEN

__all__ = ["ColumnIndex", "Rows", "column_rows", "reordered"]

Array = npt.NDArray[Any]
Rows = tuple[Array, Array, Array]


@dataclass(eq=False)
class ColumnIndex(FixedSlots):
    """The columns of a matrix as names, without a table of them.

    Parameters
    ----------
    columns
        How many; their names are 0 to ``columns`` − 1.

    >>> index = ColumnIndex(3)
    >>> index.add(0), index.find(2), index.find(3), index.name(4), index.size
    (2, 4, 1, 2, 5)
    """

    columns: int

    kind: ClassVar[str] = "columns"

    def __post_init__(self) -> None:
        self.known: dict[Name, int] = {}

    @property
    def size(self) -> int:
        """Slots in use, the two reserved ones included."""
        return FIRST + self.columns

    def find(self, name: Name) -> int:
        """The slot of a column, or 1 when there is none."""
        known = isinstance(name, int | np.integer) and 0 <= name < self.columns
        return int(name) + FIRST if known else UNSEEN  # type: ignore[arg-type]

    def add(self, name: Name) -> int:
        """The slot of a column; another name is an error, for the width is fixed."""
        slot = self.find(name)
        if slot == UNSEEN:
            raise ValueError(
                f"feature name {name!r} is no column; columns are 0 to {self.columns - 1}"
            )
        return slot

    def name(self, slot: int) -> Name:
        """The column of a slot."""
        return slot - FIRST

    def fresh(self) -> "ColumnIndex":
        """Another one of the same width."""
        return ColumnIndex(self.columns)

    def settings(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"columns": self.columns}

    def entries(self) -> list[tuple[int, Name]]:
        """None to be kept: the width says all."""
        return []

    def restore(self, names: Iterable[tuple[int, Name]]) -> None:
        """Nothing to take back."""


def column_rows(X: Any, dtype: str) -> Rows:
    """Row pointers, slots and values of a dense array or a CSR matrix of finite numbers.

    >>> import numpy as np
    >>> [part.tolist() for part in column_rows(np.array([[0.0, 5.0], [6.0, 7.0]]), "float64")]
    [[0, 1, 3], [3, 2, 3], [5.0, 6.0, 7.0]]
    """
    if isinstance(X, np.ndarray):
        filled = X != 0
        indptr = np.zeros(len(X) + 1, np.int64)
        np.cumsum(np.count_nonzero(filled, axis=1), out=indptr[1:])
        where = np.flatnonzero(filled)
        slots = (where % X.shape[1] + FIRST).astype(np.uint32)
        return indptr, slots, owned(X.ravel()[where], dtype)
    given = X
    if not X.has_canonical_format:
        X = X.copy()  # the caller's matrix stays as it is
        X.sum_duplicates()
    if not X.data.all():
        X = X.copy() if X is given else X
        X.eliminate_zeros()
    slots = np.add(X.indices, FIRST, dtype=np.uint32, casting="unsafe")
    return owned(X.indptr, np.int64), slots, owned(X.data, dtype)


def reordered(rows: Rows, order: Array) -> Rows:
    """The rows in another order.

    >>> import numpy as np
    >>> rows = column_rows(np.array([[0.0, 5.0], [6.0, 7.0]]), "float64")
    >>> [part.tolist() for part in reordered(rows, np.array([1, 0]))]
    [[0, 2, 3], [2, 3, 3], [6.0, 7.0, 5.0]]
    """
    indptr, slots, values = rows
    sizes = np.diff(indptr)[order]
    ends = np.cumsum(sizes)
    # Each row moves as a whole: its entries all come from the same distance away.
    where = np.arange(len(slots)) + np.repeat(indptr[order] - (ends - sizes), sizes)
    return np.concatenate(([0], ends)), slots[where], values[where]

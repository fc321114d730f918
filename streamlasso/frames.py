"""pandas frames to rows of slots and values, column by column, to the bits of row by row.

A cell is an entry of its row, or absent. Columns of numbers hold one feature each; columns of
strings one for each distinct value, whose name is made once; of columns of any other kind cell by
cell is asked what it means (`streamlasso.values.feature`). Names without a slot are offered to the
index in the order in which rows would offer them: by their first row that is learned, then by
column.

Where a slot depends on more than the names (an index that refuses or evicts, interactions), and
where anything is amiss with a frame, `frame_entries` gives None: rows as dicts are then the way,
and say what is wrong.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from streamlasso.encoding import RowEncoder, frame_rows
from streamlasso.index import FeatureIndex, Name
from streamlasso.names import plain_name
from streamlasso.values import categorical_name, feature

__all__ = ["check_frame", "frame_entries"]

Array = npt.NDArray[Any]
Entries = tuple[Array, Array, Array]
ABSENT = -1


class Column(NamedTuple):
    """The features of a column; each row's feature as a number in ``names``, and its value."""

    names: Sequence[Name]
    codes: Array
    values: Any


def frame_entries(encoder: RowEncoder, X: Any, allocate: Array | None) -> Entries | None:
    """``(indptr, slots, values)`` of a frame's rows, or None.

    ``allocate``, shape (rows,), says whose names may get slots; without it none may.
    """
    if not encoder.by_columns or not hasattr(X, "itertuples"):
        return None
    names = X.columns.tolist()
    try:
        if len(set(names)) != len(names):
            return None  # in a dict the last one wins
        if all(map(_numeric, X.dtypes)):
            return _numbers(encoder, X, names, allocate)
        return _mixed(encoder, [*_columns(X, names)], len(X), allocate)
    except (TypeError, ValueError, OverflowError, AttributeError, NotImplementedError):
        return None


def check_frame(encoder: RowEncoder, X: Any) -> None:
    """Raise what learning the frame's rows would raise, and change nothing."""
    if frame_entries(encoder, X, None) is None or not all(map(_plain, X.columns.tolist())):
        for event in frame_rows(X):
            encoder.check(event)


def _numeric(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "fiub"


def _plain(name: Any) -> bool:
    return type(name) is str or type(name) is int


def _numbers(
    encoder: RowEncoder, X: Any, names: list[Name], allocate: Array | None
) -> Entries | None:
    """Of a frame of numbers alone."""
    rows, width = X.shape
    table = np.ascontiguousarray(X.to_numpy(np.float64))
    there = table == table
    if not there.all():
        codes = np.where(there, 0, ABSENT)
        columns = [Column([name], codes[:, k], table[:, k]) for k, name in enumerate(names)]
        return _mixed(encoder, columns, rows, allocate)
    learned = allocate is None or bool(allocate.all())
    if not learned or not rows:
        codes = np.zeros(rows, np.int64)
        columns = [Column([name], codes, table[:, k]) for k, name in enumerate(names)]
        return _mixed(encoder, columns, rows, allocate)
    if allocate is not None:
        _add(encoder.index, names)
    slots = np.array([encoder.index.find(name) for name in names], np.uint32)
    indptr = np.arange(0, rows * width + 1, width) if width else np.zeros(rows + 1, np.int64)
    return indptr, np.tile(slots, rows), _cast(table.ravel(), encoder.values.dtype)


def _cast(values: Array, dtype: Any) -> Array:
    with np.errstate(over="ignore"):  # beyond float32: learning rejects and counts it
        return values.astype(dtype, copy=False)


def _add(index: FeatureIndex, names: Sequence[Name]) -> None:
    """Offer names to the index, if all of them are names."""
    for name in names:
        plain_name(name)
    for name in names:
        index.add(name)


def _columns(X: Any, names: list[Name]) -> Iterator[Column]:
    for k, name in enumerate(names):
        column = X.iloc[:, k]
        dtype = column.dtype
        if _numeric(dtype):
            values = column.to_numpy(np.float64)
            yield Column([name], np.where(values == values, 0, ABSENT), values)
        else:
            yield _strings(name, column) or _cells(name, column)


def _strings(name: Name, column: Any) -> Column | None:
    """A column of exact strings, whatever it keeps them in; None if it is another."""
    if column.dtype.name == "category":
        codes, distinct = column.cat.codes.to_numpy(), column.cat.categories.tolist()
    else:
        codes, found = column.factorize()
        distinct = found.tolist()
    if not all(type(text) is str for text in distinct):
        return None
    return Column([categorical_name(name, text) for text in distinct], codes, 1.0)


def _cells(name: Name, column: Any) -> Column:
    """Any column, cell by cell."""
    names: dict[Name, int] = {}
    codes, values = np.full(len(column), ABSENT), np.zeros(len(column))
    for row, cell in enumerate(column):
        found = feature(name, cell)
        if found is not None:
            codes[row] = names.setdefault(found[0], len(names))
            values[row] = found[1]
    return Column([*names], codes, values)


def _mixed(
    encoder: RowEncoder, columns: list[Column], rows: int, allocate: Array | None
) -> Entries:
    """Of any columns."""
    firsts = [_first_rows(column, rows, allocate) for column in columns]
    known = [[encoder.index.find(name) for name in column.names] for column in columns]
    if allocate is not None:
        _add_in_order(encoder.index, columns, firsts, rows)
    slots = np.zeros((rows, len(columns)), np.uint32)
    values, there = np.zeros(slots.shape), np.zeros(slots.shape, bool)
    for k, (column, first, before) in enumerate(zip(columns, firsts, known, strict=True)):
        there[:, k] = column.codes != ABSENT
        values[:, k] = column.values
        if not column.names:
            continue
        found = np.array([encoder.index.find(name) for name in column.names], np.uint32)
        slots[:, k] = found[column.codes]
        # Not learned, and before the first row of the name that is: it has no slot yet.
        early = np.arange(rows) < first[column.codes]
        slots[early, k] = np.array(before, np.uint32)[column.codes][early]
    indptr = np.concatenate(([0], np.cumsum(np.count_nonzero(there, axis=1))))
    return indptr, slots[there], _cast(values[there], encoder.values.dtype)


def _first_rows(column: Column, rows: int, allocate: Array | None) -> Array:
    """For each feature of a column its first row that is learned; ``rows`` if there is none."""
    first = np.full(len(column.names) + 1, rows)
    learned = np.arange(rows) if allocate is None else np.flatnonzero(allocate)
    # Backwards, since of several rows the last one stays; what is absent falls into the last place.
    first[column.codes[learned[::-1]]] = learned[::-1]
    return first[:-1]


def _add_in_order(
    index: FeatureIndex, columns: list[Column], firsts: list[Array], rows: int
) -> None:
    """Offer the names that are learned to the index, as rows one after the other would."""
    names = [name for column in columns for name in column.names]
    first = np.concatenate([np.zeros(0, np.int64), *firsts])
    place = np.repeat(np.arange(len(columns)), [len(column.names) for column in columns])
    order = np.lexsort((place, first))
    _add(index, [names[i] for i in order[first[order] < rows].tolist()])

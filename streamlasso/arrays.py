"""Checking what callers hand to a `Learner`, and bringing it to the types of its kernels.

An array of another type, a strided or a read-only one would compile another kernel in mid-stream,
so such arrays are copied. Errors name the array, the value, the constraint and what to do.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.checks import real, reals
from streamlasso.kernels import UNSEEN
from streamlasso.losses import Loss

__all__ = [
    "checked_importances",
    "checked_rows",
    "checked_target",
    "checked_target_rows",
    "checked_targets",
    "csr_slots",
    "owned",
]

Array = npt.NDArray[Any]


def owned(array: npt.ArrayLike, dtype: npt.DTypeLike) -> Array:
    """The array as the kernels were compiled for; copied if it is read-only or strided."""
    return np.require(array, dtype, ["C", "A", "W", "E"])


def checked_rows(
    indptr: npt.ArrayLike,
    slots: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    dtype: str,
    lowest: int,
    capacity: int,
) -> tuple[Array, Array, Array]:
    """Rows in compressed form, with slots from ``lowest`` to ``capacity`` − 1."""
    indptr = owned(indptr, np.int64)
    given = np.asarray(slots)
    if given.dtype.kind not in "iu" and len(given):
        raise TypeError(f"slots are of type {given.dtype}; they must be integers from the index")
    values = owned(values, dtype)
    if indptr.ndim != 1 or len(indptr) == 0 or indptr[0] < 0 or (np.diff(indptr) < 0).any():
        raise ValueError("indptr must begin at 0 or above and never fall")
    if not given.ndim == values.ndim == 1 or not len(given) == len(values) >= indptr[-1]:
        raise ValueError(
            f"slots (shape {given.shape}) and values (shape {values.shape}) must be flat and "
            f"hold indptr[-1] = {indptr[-1]} entries"
        )
    if len(given) and not (lowest <= given.min() and given.max() < capacity):
        raise ValueError(
            f"slots must be from {lowest} to {capacity - 1}, got {given.min()} to {given.max()}; "
            "0 is the intercept, 1 unknown names, others come from the index: index.add(name)"
        )
    return indptr, owned(given, np.uint32), values


def checked_targets(targets: npt.ArrayLike, rows: int, loss: Loss, dtype: str) -> Array:
    """Targets in the domain of the loss; NaN and infinities pass, for the kernels to count."""
    targets = owned(reals("target", targets, dtype), dtype)
    if targets.shape != (rows,):
        raise ValueError(f"targets has shape {targets.shape}; it must be ({rows},)")
    if loss.domain == "binary":
        right, words = (targets == 0) | (targets == 1), "0 and 1; map −1 to 0"
    elif loss.domain == "count":
        right, words = targets >= 0, "numbers ≥ 0; drop the row, or take loss = 'squared'"
    elif loss.domain == "classes":
        classes = int(loss.hyper()[0])
        right = (targets >= 0) & (targets < classes) & (targets == np.floor(targets))
        words = f"the classes 0 to {classes - 1}; number them so, or raise its number of classes"
    else:
        return targets
    wrong = ~right & np.isfinite(targets)
    if wrong.any():
        raise ValueError(
            f"target {targets[wrong][0]} of row {int(wrong.argmax())}: the {loss.name}"
            f" loss takes {words}"
        )
    return targets


def checked_target_rows(
    targets: npt.ArrayLike, rows: int, outputs: int, lanes: int, loss: Loss, dtype: str
) -> Array:
    """Targets of shape (rows,), or with several outputs (rows, outputs) padded to the lanes."""
    if outputs == 1:
        return checked_targets(targets, rows, loss, dtype)
    given = owned(reals("targets", targets, dtype), dtype)
    if given.shape != (rows, outputs):
        raise ValueError(f"targets has shape {given.shape}; it must be ({rows}, {outputs})")
    checked_targets(given.ravel(), given.size, loss, dtype)
    filled = np.full((rows, lanes), np.nan, dtype)
    filled[:, :outputs] = given
    return filled


def checked_target(target: Any, loss: Loss, what: str = "target") -> float:
    """One regression target, in the domain of the loss as `checked_targets` has it."""
    if type(target) is not float:
        target = real(what, target)
    if loss.domain == "count" and target < 0:
        if what != "target":
            raise ValueError(
                f"{what} = {target}: the {loss.name} loss takes numbers ≥ 0; leave it out"
            )
        checked_targets([target], 1, loss, "float64")
    return target  # type: ignore[no-any-return]


def checked_importances(importances: npt.ArrayLike | None, rows: int, dtype: str) -> Array:
    """Importances ≥ 0, or ones; NaN and infinities pass, for the kernels to count."""
    if importances is None:
        return np.ones(rows, dtype)
    importances = owned(reals("importance", importances, dtype), dtype)
    if importances.shape != (rows,):
        raise ValueError(f"importances has shape {importances.shape}; it must be ({rows},)")
    if (importances < 0).any():
        raise ValueError(f"importance {importances.min()} must be ≥ 0; drop the row instead")
    return importances


def csr_slots(X: Any, lookup: Callable[[int], int]) -> Array:
    """The slot of each stored entry of a scipy CSR matrix, whose column ``j`` is named ``j``."""
    if getattr(X, "format", None) != "csr":
        raise TypeError(
            f"X is a {type(X).__name__}; pass a scipy CSR matrix, for one scipy.sparse.csr_array(X)"
        )
    columns = X.shape[1]
    if columns > 8 * X.nnz:  # a few rows: no array of the width is worth its pages
        used, places = np.unique(X.indices, return_inverse=True)
        return np.array([lookup(column) for column in used.tolist()], np.uint32)[places]
    stored = np.zeros(columns, bool)
    stored[X.indices] = True
    slots = np.full(columns, UNSEEN, np.uint32)
    for column in np.flatnonzero(stored).tolist():
        slots[column] = lookup(column)
    return slots[X.indices]  # type: ignore[no-any-return]

"""The learner's part of a bounded index: which slots can be freed, and rows that lack names.

A slot can be freed when no lane has a weight in it that is not exactly zero: scores do not change
by it. What is lost is its record, the evidence gathered so far towards a weight.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from streamlasso.arrays import checked_importances, checked_rows, checked_targets, csr_slots
from streamlasso.growing import GrowingIndex
from streamlasso.kernels import UNSEEN

if TYPE_CHECKING:
    from streamlasso.index import FeatureIndex
    from streamlasso.taking import TakesRows

__all__ = ["attach", "dtype_faults", "evict", "learn_csr_each", "refuse_freed"]

Array = npt.NDArray[Any]


def attach(learner: "TakesRows") -> None:
    """Let an index that evicts ask this learner for room."""
    index = learner.index
    if not isinstance(index, GrowingIndex) or not index.evicts:
        return
    if index.evictor is not None and getattr(index.evictor, "__self__", None) is not learner:
        raise ValueError(
            f"{index!r} belongs to another learner, whose slots it frees; "
            "give each learner its own: index.fresh()"
        )
    index.evictor = learner.evict


def dtype_faults(dtype: str, index: "FeatureIndex") -> list[str]:
    """What is wrong with a state of this type over this index."""
    if dtype not in ("float64", "float32"):
        return [f"dtype = {dtype!r} must be 'float64' or 'float32'"]
    if dtype == "float32" and index.evicts:
        return [
            f"dtype = 'float32' with {index!r}: it goes by the event that a slot was last learned "
            "from, and float32 cannot count beyond 2^24; use dtype = 'float64'"
        ]
    return []


def evict(learner: "TakesRows", number: int, keep: Sequence[int] | Array = ()) -> Array:
    """Free up to ``number`` slots whose weights are zero, those learned from longest ago first.

    Their records become zero and their names leave the index. ``keep`` are slots to spare. Returns
    the freed slots, ascending. An error if the index is not one that evicts.
    """
    index = learner.index
    if not isinstance(index, GrowingIndex) or not index.evicts:
        raise ValueError(f"{index!r} never frees slots; use one with at_limit='evict'")
    learner._grow()
    used = np.zeros(len(learner.state), bool)
    used[index.named_slots()] = True
    used[np.asarray(keep, np.intp)] = False
    idle = np.flatnonzero(used & learner.idle())
    touched = learner.state[idle, learner.touched_column]
    oldest: Array = np.sort(idle[np.argsort(touched, kind="stable")[:number]])
    learner.state[oldest] = 0
    index.release(oldest.tolist())
    return oldest


def refuse_freed(learner: "TakesRows", slots: Array) -> None:
    """An error if one of the slots was freed since it was asked for."""
    index = learner.index
    if isinstance(index, GrowingIndex) and index.free:
        freed = np.intersect1d(slots, index.free)
        if len(freed):
            raise ValueError(
                f"slot {freed[0]} was freed; ask the index for slots right before learning from "
                "them, a row at a time, or use learn_csr"
            )


def learn_csr_each(
    learner: "TakesRows", X: Any, y: npt.ArrayLike, importances: npt.ArrayLike | None
) -> Array:
    """`TakesRows.learn_csr` where a column may get no slot, or one that another had before."""
    index = learner.index
    csr_slots(X, index.find)  # only to check X
    targets = checked_targets(y, X.shape[0], learner.loss, learner.dtype)
    weights = checked_importances(importances, X.shape[0], learner.dtype)
    indptr, names, data = checked_rows(
        X.indptr, X.indices, X.data, dtype=learner.dtype, lowest=0, capacity=X.shape[1]
    )
    scores = [learner.learn_encoded(np.zeros(1, np.int64), names[:0], data[:0], data[:0], data[:0])]
    for i in range(len(targets)):
        here, one = slice(indptr[i], indptr[i + 1]), slice(i, i + 1)
        row = names[here].tolist()
        slots = np.array([index.find(name) for name in row], np.uint32)
        if weights[i] != 0:
            unseen = [(k, row[k]) for k in np.flatnonzero(slots == UNSEEN).tolist()]
            index.add_unseen(slots, unseen)
        kept = slots != UNSEEN
        entries = (np.array([0, kept.sum()]), slots[kept], data[here][kept])
        scores.append(learner.learn_encoded(*entries, targets[one], weights[one]))
    return np.concatenate(scores)

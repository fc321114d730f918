"""Learning rows on several threads at once, without locks, for those who give up reproducibility.

Each thread takes its part of the rows and reads and writes the same records. Two rows that share a
feature may read it at the same time, and of two writes one may be lost: with sparse rows both are
rare, and the result is close to, but not the same as, that of one thread; nor is it the same twice.
What it gains and loses is measured in docs/benchmarks.md. Nothing in this package does it unasked.

References
----------
B. Recht, C. Ré, S. Wright, F. Niu, "Hogwild!: A Lock-Free Approach to Parallelizing Stochastic
Gradient Descent", NIPS 2011.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.arrays import checked_importances, checked_target_rows
from streamlasso.kernels import FIRST
from streamlasso.learner import Learner
from streamlasso.rules import FTRLProximal

__all__ = ["learn_rows_hogwild"]

Array = npt.NDArray[Any]


def learn_rows_hogwild(
    learner: Learner,
    indptr: npt.ArrayLike,
    slots: npt.ArrayLike,
    values: npt.ArrayLike,
    targets: npt.ArrayLike,
    importances: npt.ArrayLike | None = None,
    *,
    threads: int = 2,
) -> Array:
    """`Learner.learn_rows` on several threads that do not wait for each other.

    Parameters
    ----------
    learner
        With FTRL-Proximal whose penalty is a total and which forgets nothing, one target, and
        neither scale, selection nor a limited index: its records stand for themselves. Other rules
        have a clock or running sums, of which two threads would each have their own.
    indptr, slots, values, targets, importances
        As for `Learner.learn_rows`.
    threads
        How many; each gets as many rows. 1 is `Learner.learn_rows`, to the bit.

    Returns
    -------
    Scores, shape (rows,): each from about before the row was learned.

    Raises
    ------
    ValueError
        For a learner that needs order.
    """
    if not isinstance(threads, int) or threads < 1:
        raise ValueError(f"threads = {threads!r} must be an integer ≥ 1")
    _refuse_ordered(learner)
    indptr, slots, values = learner._rows(indptr, slots, values, lowest=FIRST)
    rows = len(indptr) - 1
    targets = checked_target_rows(targets, rows, 1, learner.lanes, learner.loss, learner.dtype)
    targets = targets.reshape(rows, -1)
    importances = checked_importances(importances, rows, learner.dtype)
    scores = np.empty((rows, learner.lanes), learner.dtype)
    bounds = np.linspace(0, rows, threads + 1).astype(int)
    before = learner.counts.copy()

    def part(first: int, last: int) -> Array:
        counts, events = before.copy(), np.zeros_like(learner._events)
        learner._kernels.learn_rows(
            learner.state, learner.hyper, counts, events, learner.ledger, learner._loss_hyper,
            indptr[first : last + 1], slots, values, targets[first:last], importances[first:last],
            learner.fit_intercept, scores[first:last],
        )  # fmt: skip
        changed: Array = counts - before
        return changed

    with ThreadPoolExecutor(threads) as pool:
        for counted in pool.map(part, bounds[:-1].tolist(), bounds[1:].tolist()):
            learner.counts += counted
    learner.survey()  # what each thread counted as newly active, another may have counted too
    return scores[:, 0]


def _refuse_ordered(learner: Learner) -> None:
    """An error for what must see every event in its order."""
    rule = learner.rule
    faults = []
    if not isinstance(rule, FTRLProximal) or rule.fades or rule.since_birth or rule.forgets:
        faults.append(f"rule = {rule!r}")
    elif rule.l1_penalty.name != "constant":
        faults.append(f"l1 = {rule.l1!r}")
    if len(learner.rules) > 1 or learner.select is not None:
        faults.append(f"{len(learner.rules)} lanes")
    if learner.scale is not None:
        faults.append(f"scale = {learner.scale!r}")
    if learner.index.evicts:
        faults.append(f"index = {learner.index!r}")
    if faults:
        raise ValueError(
            f"{', '.join(faults)}: threads that do not wait for each other need a rule without a "
            "clock: FTRLProximal(penalty='total') alone; use learn_rows"
        )

"""Seeded regression problems with a known set of true features, and dense rows for a `Learner`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso import GrowingIndex, Learner
from streamlasso.rules import Rule

__all__ = ["Design", "learn_dense", "sparse_design"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Design:
    """Rows, targets and the weights that made them."""

    X: Array
    y: Array
    weights: Array

    @property
    def support(self) -> Array:
        """Which features are true."""
        return self.weights != 0


def sparse_design(
    events: int, features: int, true: int, correlation: float, seed: int, noise: float = 3.0
) -> Design:
    """y = X·w + noise·ε; ``true`` of the weights are ±0.25 … ±1 in equal steps, the rest 0.

    The rows are Gaussian with unit variance and AR(1) correlation over the columns:
    corr(x_i, x_j) = correlation^|i − j|. The true features lie anywhere.
    """
    random = np.random.default_rng(seed)
    X = random.standard_normal((events, features))
    fresh = np.sqrt(1 - correlation * correlation)
    for j in range(1, features) if correlation else ():
        X[:, j] = correlation * X[:, j - 1] + fresh * X[:, j]
    weights = np.zeros(features)
    chosen = random.choice(features, true, replace=False)
    weights[chosen] = random.choice([-1.0, 1.0], true) * np.linspace(0.25, 1.0, true)
    return Design(X, X @ weights + noise * random.standard_normal(events), weights)


def learn_dense(
    rules: Sequence[Rule],
    X: Array,
    y: Array,
    *,
    passes: int = 1,
    marks: Sequence[int] = (),
    compiled: bool = True,
    names: Sequence[str] | None = None,
    **options: Any,
) -> list[Array]:
    """Learn dense rows with all rules side by side; the weights after each mark and at the end.

    A mark is a number of events, counted over the passes. Each array has shape (rules, features),
    or (1, features) where an option ``select`` serves one of them.
    """
    events, features = X.shape
    index = GrowingIndex()
    names = names or [f"x{j}" for j in range(features)]
    slots = np.array([index.add(name) for name in names], np.uint32)
    options = {"loss": "squared", **options}
    learner = Learner(list(rules), index=index, compiled=compiled, **options)
    taken: list[Array] = []
    ends = sorted({*marks, *range(0, events * passes, 2000), events * passes} - {0})
    start = 0
    for end in ends:
        rows = np.arange(start, end) % events
        indptr = np.arange(len(rows) + 1) * features
        learner.learn_rows(indptr, np.tile(slots, len(rows)), X[rows].ravel(), y[rows])
        start = end
        if end in marks or end == events * passes:
            served = range(len(rules)) if learner.select is None else [None]
            taken.append(np.array([learner.weights_of(slots, lane) for lane in served]))
    return taken

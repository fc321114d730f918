"""Batch problems on the real data sets: their objectives, their optima, and passes towards them.

One convention throughout: F(w) = (1/N)Σ loss(x·w, y) + λ1·P(w) + ½λ2‖w‖², λ per event. That is
scikit-learn's `Lasso(alpha=λ1)`, `ElasticNet(alpha=λ1 + λ2, l1_ratio=λ1/(λ1 + λ2))`,
`QuantileRegressor(alpha=λ1)`, and `LogisticRegression(C=1/(N·λ1))` with an L1 penalty.
"""

import gzip
import inspect
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.datasets import load_svmlight_file
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression

from streamlasso import DualAveraging, FTRLProximal, Learner, SoftThreshold, TruncatedGradient
from streamlasso.losses import Loss
from streamlasso.rules import Rule

Array = np.ndarray[Any, Any]


class Problem(NamedTuple):
    """Rows and targets; no intercept, so real targets are centred."""

    X: Any
    y: Array


def table(path: Path, target: str) -> Problem:
    """Real targets, centred; columns on one scale, as the file has them or by us."""
    frame = pd.read_csv(path).drop(columns="train", errors="ignore")
    X, y = frame.drop(columns=target).to_numpy(float), frame[target].to_numpy(float)
    if not np.allclose(np.linalg.norm(X, axis=0), 1):
        X = standardised(X)
    return Problem(X, y - y.mean())


def standardised(X: Array) -> Array:
    """Columns of mean 0 and variance 1."""
    return (X - X.mean(axis=0)) / X.std(axis=0)


@cache
def load(folder: Path, name: str) -> Problem:
    """A data set by name."""
    if name in ("a9a", "golub", "bikes"):
        return {"a9a": a9a, "golub": golub, "bikes": bikes}[name](folder)
    return table(folder / f"{name}.csv.gz", "lpsa" if name == "prostate" else "y")


def a9a(folder: Path) -> Problem:
    """32,561 rows of 123 binary features; targets 0 and 1."""
    with gzip.open(folder / "a9a_train.svm.gz") as file:
        X, labels = load_svmlight_file(file)
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)  # for liblinear
    return Problem(X, (labels > 0).astype(float))


def golub(folder: Path) -> Problem:
    """72 rows of 7,129 standardised genes; target 1 is AML."""
    frame = pd.read_csv(folder / "golub_leukemia.csv.gz")
    X = standardised(frame.drop(columns="y").to_numpy(float))
    return Problem(X, (frame["y"] == "AML").to_numpy(float))


def bikes(folder: Path) -> Problem:
    """Hourly counts of rented bikes: 12 standardised columns and an intercept of ones."""
    frame = pd.read_csv(folder / "bike_sharing_hour.csv.gz")
    y = frame["cnt"].to_numpy(float)
    given = frame.drop(columns=["instant", "dteday", "casual", "registered", "cnt"])
    X = standardised(given.to_numpy(float))
    return Problem(np.hstack([X, np.ones((len(y), 1))]), y)


# The rules of which this holds, each with steps that decay; truncated gradient with θ = ∞.
KINDS: dict[str, Callable[..., Rule]] = {
    "ftrl per event": lambda rate, l1, **other: FTRLProximal(
        alpha=rate, beta=1e-10, l1=l1, penalty="per_event", **other
    ),
    "dual averaging": lambda rate, l1, **other: DualAveraging(rate, l1, **other),
    "dual averaging, plain": lambda rate, l1, **other: DualAveraging(
        rate, l1, adaptive=False, **other
    ),
    "soft threshold": lambda rate, l1, **other: SoftThreshold(rate, l1, **other),
    "soft threshold, plain": lambda rate, l1, **other: SoftThreshold(
        rate, l1, adaptive=False, power=0.6, **other
    ),
    "truncated gradient": lambda rate, l1, **other: TruncatedGradient(
        rate, l1, **{"period": 5, **other}
    ),
    "truncated gradient, plain": lambda rate, l1, **other: TruncatedGradient(
        rate, l1, adaptive=False, power=0.6, **{"period": 5, **other}
    ),
}
SELECTING = [kind for kind in KINDS if kind.startswith(("ftrl", "dual"))]
"""Rules that find the support too."""


def passes(
    rule: Rule,
    loss: str | Loss,
    problem: Problem,
    number: int,
    *,
    seed: int = 0,
    fit_intercept: bool = False,
) -> Array:
    """The weights after so many passes, each in another order.

    A row for each column of X, then the intercept if there is one; a column for each class.
    """
    random = np.random.default_rng(seed)
    learner = Learner(rule, loss, fit_intercept=fit_intercept)
    X, y = sparse.csr_array(problem.X), problem.y
    together = max(1, 20_000 // len(y))  # small passes are handed over together
    for first in range(0, number, together):
        several = range(min(together, number - first))
        order = np.concatenate([random.permutation(len(y)) for _ in several])
        learner.learn_csr(X[order], y[order])
    assert (learner.clock, learner.rejected) == (number * len(y), 0)
    lanes = len(learner.rules)
    weights = np.zeros((X.shape[1] + fit_intercept, lanes))
    for lane in range(lanes):
        for name, weight in learner.weights(lane).items():
            weights[name, lane] = weight
    if fit_intercept:
        weights[-1, 0] = learner.intercept()
    return weights if lanes > 1 else weights[:, 0]


class Reached(NamedTuple):
    """How near to the optimum: (F(w) − min F)/min F, and the numbers of non-zero weights."""

    gap: float
    active: int
    of: int


def reached(cost: Callable[[Array], float], weights: Array, batch: Array) -> Reached:
    """Compare with the optimum found by others, and print it for `pytest -rP`."""
    best = cost(batch)
    found = Reached(cost(weights) / best - 1, np.count_nonzero(weights), np.count_nonzero(batch))
    print(f"reached: gap {found.gap:.1e}, non-zeros {found.active} of {found.of}")
    assert found.gap >= -1e-6, "below what the batch solver found: compared with another problem?"
    return found


def squared(scores: Array, y: Array) -> float:
    """The mean of ½(s − y)²."""
    return float(0.5 * np.mean((scores - y) ** 2))


def logistic(scores: Array, y: Array) -> float:
    """The mean of log(1 + e^s) − y·s."""
    return float(np.mean(np.logaddexp(0, scores) - y * scores))


def objective(
    problem: Problem,
    weights: Array,
    l1: float,
    l2: float = 0.0,
    *,
    loss: Callable[[Array, Array], float] = squared,
) -> float:
    """(1/N)Σ loss + λ1‖w‖₁ + ½λ2‖w‖²."""
    penalty = l1 * np.abs(weights).sum() + 0.5 * l2 * np.square(weights).sum()
    return loss(problem.X @ weights, problem.y) + float(penalty)


def batch_lasso(problem: Problem, l1: float, **settings: Any) -> Array:
    model = Lasso(alpha=l1, fit_intercept=False, tol=1e-10, max_iter=100_000, **settings)
    weights: Array = model.fit(problem.X, problem.y).coef_
    return weights


def batch_elastic_net(problem: Problem, l1: float, l2: float) -> Array:
    model = ElasticNet(
        alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), fit_intercept=False, tol=1e-10, max_iter=100_000
    )
    weights: Array = model.fit(problem.X, problem.y).coef_
    return weights


def batch_logistic(problem: Problem, l1: float, solver: str = "liblinear") -> Array:
    """L1 logistic regression; scikit-learn 1.8 renamed the way to ask for it."""
    old = inspect.signature(LogisticRegression).parameters["penalty"].default == "l2"
    kind: dict[str, Any] = {"penalty": "l1"} if old else {"l1_ratio": 1.0}
    model = LogisticRegression(
        C=1 / (len(problem.y) * l1),
        solver=solver,
        fit_intercept=False,
        tol=1e-6,
        max_iter=1000,
        **kind,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the best of its passes will do
        weights: Array = model.fit(problem.X, problem.y).coef_
    return weights.T if len(weights) > 1 else weights[0]


def logistic_gap(problem: Problem, weights: Array, l1: float) -> float:
    """The duality gap of L1 logistic regression, an upper bound of F(w) − min F.

    The slopes p − y, shrunk until no column's mean gradient exceeds λ1, are a dual point; its value
    is the mean entropy of the probabilities y + c(p − y).
    """
    scores = problem.X @ weights
    slopes = 1 / (1 + np.exp(-scores)) - problem.y
    steepest = np.abs(problem.X.T @ slopes).max() / len(problem.y)
    shares = problem.y + min(1.0, l1 / steepest) * slopes
    shares = np.clip(shares, 1e-300, 1 - 1e-16)
    entropy = -shares * np.log(shares) - (1 - shares) * np.log1p(-shares)
    return objective(problem, weights, l1, loss=logistic) - float(entropy.mean())

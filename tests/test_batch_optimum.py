"""Repeated shuffled passes reach the batch optimum of scikit-learn on real data.

A penalty of l1 per event over N events is `Lasso(alpha=l1)`, and C = 1/(N·l1) for L1 logistic
regression. FTRL-Proximal with β → 0 and a penalty per event finds the objective and the support;
explicit proximal steps find the objective long before they are sparse.
"""

import gzip
import inspect
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_svmlight_file
from sklearn.linear_model import Lasso, LogisticRegression

from streamlasso import FTRLProximal, Learner, SoftThreshold, TruncatedGradient
from streamlasso.rules import Rule

Array = np.ndarray[Any, Any]


class Problem(NamedTuple):
    """Rows, targets, and the size of a step that suits their scale."""

    X: Array
    y: Array
    step: float


def table(path: Path, target: str, step: float) -> Problem:
    """A data set with centred target; columns on one scale, as the file has them or by us."""
    frame = pd.read_csv(path).drop(columns="train", errors="ignore")
    X, y = frame.drop(columns=target).to_numpy(float), frame[target].to_numpy(float)
    norms = np.linalg.norm(X, axis=0)
    if not np.allclose(norms, 1):
        X = (X - X.mean(axis=0)) / X.std(axis=0)
    return Problem(X, y - y.mean(), step)


@pytest.fixture(scope="module")
def problems(shared_data: Path) -> dict[str, Problem]:
    return {
        "diabetes": table(shared_data / "diabetes.csv.gz", "y", 100.0),
        "prostate": table(shared_data / "prostate.csv.gz", "lpsa", 0.1),
    }


def lasso_objective(problem: Problem, weights: Array, l1: float) -> float:
    """(1/2N)‖y − Xw‖² + λ‖w‖₁."""
    residual = problem.y - problem.X @ weights
    return float(0.5 * np.mean(residual**2) + l1 * np.abs(weights).sum())


def batch_lasso(problem: Problem, l1: float) -> Array:
    model = Lasso(alpha=l1, fit_intercept=False, tol=1e-10, max_iter=100_000)
    weights: Array = model.fit(problem.X, problem.y).coef_
    return weights


def passes(rule: Rule, loss: str, X: Any, y: Array, number: int) -> Array:
    """The weights after so many passes, each in another order."""
    random = np.random.default_rng(0)
    learner = Learner(rule, loss, fit_intercept=False)
    X = sparse.csr_array(X)
    for _ in range(number):
        order = random.permutation(len(y))
        learner.learn_csr(X[order], y[order])
    assert (learner.clock, learner.rejected) == (number * len(y), 0)
    weights = np.zeros(X.shape[1])
    for name, weight in learner.weights().items():
        weights[name] = weight
    return weights


LASSO_CASES = [
    ("diabetes", 0.05),
    ("diabetes", 0.3),
    ("diabetes", 1.0),
    ("prostate", 0.02),
    ("prostate", 0.1),
    ("prostate", 0.3),
]


@pytest.mark.parametrize(("name", "l1"), LASSO_CASES)
def test_per_event_ftrl_reaches_the_batch_lasso_and_its_support(
    problems: dict[str, Problem], name: str, l1: float
) -> None:
    problem = problems[name]
    batch = batch_lasso(problem, l1)
    rule = FTRLProximal(alpha=problem.step, beta=1e-10, l1=l1, penalty="per_event")
    weights = passes(rule, "squared", problem.X, problem.y, 400)
    best = lasso_objective(problem, batch, l1)
    assert best * (1 - 1e-9) <= lasso_objective(problem, weights, l1) <= best * 1.001
    assert np.count_nonzero(weights) <= 1.2 * np.count_nonzero(batch)


@pytest.mark.parametrize("kind", ["soft threshold", "truncated gradient"])
@pytest.mark.parametrize(("name", "l1"), LASSO_CASES)
def test_proximal_steps_that_shrink_reach_the_batch_objective(
    problems: dict[str, Problem], name: str, l1: float, kind: str
) -> None:
    problem = problems[name]
    rule: Rule = SoftThreshold(problem.step, l1, adaptive=False, power=0.55)
    if kind == "truncated gradient":
        rule = TruncatedGradient(problem.step, l1, period=5, adaptive=False, power=0.55)
    weights = passes(rule, "squared", problem.X, problem.y, 2000)
    best = lasso_objective(problem, batch_lasso(problem, l1), l1)
    assert best * (1 - 1e-9) <= lasso_objective(problem, weights, l1) <= best * 1.001


def test_a_total_penalty_is_no_batch_lasso(problems: dict[str, Problem]) -> None:
    """The reason for ``penalty="per_event"``: a total fades while the passes go on."""
    problem, l1 = problems["diabetes"], 0.3
    best = lasso_objective(problem, batch_lasso(problem, l1), l1)
    rule = FTRLProximal(alpha=problem.step, beta=1e-10, l1=l1 * len(problem.y))
    weights = passes(rule, "squared", problem.X, problem.y, 400)
    assert lasso_objective(problem, weights, l1) > 1.1 * best
    assert np.count_nonzero(weights) == problem.X.shape[1]


def batch_logistic(X: Any, y: Array, l1: float) -> Array:
    """L1 logistic regression; scikit-learn 1.8 renamed the way to ask for it."""
    old = inspect.signature(LogisticRegression).parameters["penalty"].default == "l2"
    kind = {"penalty": "l1"} if old else {"l1_ratio": 1.0}
    model = LogisticRegression(
        C=1 / (len(y) * l1),
        solver="liblinear",
        fit_intercept=False,
        tol=1e-6,
        max_iter=1000,
        **kind,
    )
    weights: Array = model.fit(X, y).coef_[0]
    return weights


@pytest.mark.parametrize("l1", [1e-3, 3e-4])
def test_per_event_ftrl_reaches_the_batch_logistic_optimum_and_its_support(
    shared_data: Path, l1: float
) -> None:
    with gzip.open(shared_data / "a9a_train.svm.gz") as file:
        X, labels = load_svmlight_file(file)
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)  # for liblinear
    y = (labels > 0).astype(float)

    def objective(weights: Array) -> float:
        scores = X @ weights
        return float(np.mean(np.logaddexp(0, scores) - y * scores) + l1 * np.abs(weights).sum())

    batch = batch_logistic(X, y, l1)
    rule = FTRLProximal(alpha=0.2, beta=1e-10, l1=l1, penalty="per_event")
    weights = passes(rule, "logistic", X, y, 200)
    best = objective(batch)
    assert best * (1 - 1e-6) <= objective(weights) <= best * 1.001
    assert np.count_nonzero(weights) <= 1.2 * np.count_nonzero(batch)

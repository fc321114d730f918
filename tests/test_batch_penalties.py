"""Non-negative, adaptive and group lasso: passes reach the optima of scikit-learn and skglm."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from optimum import (
    KINDS,
    SELECTING,
    Array,
    Problem,
    batch_lasso,
    load,
    objective,
    passes,
    reached,
    squared,
)
from skglm import GroupLasso

from streamlasso import FTRLProximal
from streamlasso.penalties import Adaptive, Group

RATES = {
    "diabetes": (100.0, 200.0, 100.0, 20.0, 40.0, 20.0, 40.0),
    "prostate": (0.1, 0.3, 0.3, 0.03, 0.05, 0.03, 0.05),
}
PASSES = 800


def rate(name: str, kind: str) -> float:
    return RATES[name][list(KINDS).index(kind)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "l1"), [("diabetes", 0.3), ("prostate", 0.05)])
def test_passes_reach_the_non_negative_lasso(
    shared_data: Path, name: str, l1: float, kind: str
) -> None:
    problem = load(shared_data, name)
    assert batch_lasso(problem, l1).min() < 0  # the constraint matters here
    rule = KINDS[kind](rate(name, kind), l1, nonnegative=True)
    weights = passes(rule, "squared", problem, PASSES)
    assert weights.min() >= 0
    batch = batch_lasso(problem, l1, positive=True)
    found = reached(lambda w: objective(problem, w, l1), weights, batch)
    assert found.gap <= 1e-3
    if kind in SELECTING:
        assert found.active <= 1.2 * found.of


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "truncated" not in kind])
@pytest.mark.parametrize(("name", "l1"), [("diabetes", 50.0), ("prostate", 0.02)])
def test_passes_reach_the_adaptive_lasso(
    shared_data: Path, name: str, l1: float, kind: str
) -> None:
    """With the least squares as pilot; the batch: a lasso of columns divided by their factors."""
    problem = load(shared_data, name)
    pilot = np.linalg.lstsq(problem.X, problem.y, rcond=None)[0]
    factors = np.minimum(1 / np.abs(pilot), 100.0)
    penalty = Adaptive(l1, pilot=dict(enumerate(pilot)))
    weights = passes(KINDS[kind](rate(name, kind), penalty), "squared", problem, PASSES)

    def cost(w: Array) -> float:
        return squared(problem.X @ w, problem.y) + l1 * float(factors @ np.abs(w))

    batch = batch_lasso(Problem(problem.X / factors, problem.y), l1) / factors
    found = reached(cost, weights, batch)
    assert found.gap <= 1e-3
    if kind in SELECTING:
        assert found.active <= 1.2 * found.of


@pytest.mark.parametrize("l1", [0.1, 0.3])
def test_passes_reach_the_group_lasso_and_its_groups(shared_data: Path, l1: float) -> None:
    """A group: a variable, its square, and its products with the variables after it."""
    problem = load(shared_data, "diabetes_quadratic")
    columns = pd.read_csv(shared_data / "diabetes_quadratic.csv.gz", nrows=0).columns.drop("y")
    by = {slot: re.split("[:^]", name)[0] for slot, name in enumerate(columns)}
    groups = [[slot for slot in by if by[slot] == group] for group in dict.fromkeys(by.values())]
    sizes = np.sqrt([len(group) for group in groups])

    def norms(w: Array) -> Array:
        return np.array([np.linalg.norm(w[group]) for group in groups])

    def cost(w: Array) -> float:
        return squared(problem.X @ w, problem.y) + l1 * float(sizes @ norms(w))

    model = GroupLasso(
        groups=groups, alpha=l1, weights=sizes, fit_intercept=False, tol=1e-10, max_iter=2000
    )
    batch = model.fit(problem.X, problem.y).coef_
    rule = FTRLProximal(alpha=100.0, beta=1e-10, l1=Group(l1, by=by), penalty="per_event")
    weights = passes(rule, "squared", problem, 400)
    assert reached(cost, weights, batch).gap <= 1e-3
    assert 0 < np.count_nonzero(norms(batch)) < len(groups)
    assert np.array_equal(norms(weights) > 0, norms(batch) > 0)

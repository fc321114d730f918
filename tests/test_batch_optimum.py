"""Repeated shuffled passes reach the batch lasso of scikit-learn on real data.

FTRL-Proximal with a penalty per event and β → 0, and dual averaging, find the objective and the
support; explicit proximal steps find the objective long before they are sparse. `optimum` has the
conventions; docs/correctness.md shows what is reached.
"""

from pathlib import Path

import numpy as np
import pytest
from optimum import (
    KINDS,
    SELECTING,
    Array,
    batch_elastic_net,
    batch_lasso,
    load,
    objective,
    passes,
    reached,
)

from streamlasso import FTRLProximal

# First step sizes, in the order of KINDS: of the size of a weight, as the target's unit has it.
RATES = {
    "diabetes": (100.0, 200.0, 100.0, 20.0, 40.0, 20.0, 40.0),
    "diabetes_quadratic": (100.0, 100.0, 50.0, 10.0, 10.0, 10.0, 10.0),
    "prostate": (0.1, 0.3, 0.3, 0.03, 0.05, 0.03, 0.05),
}
PASSES = 800
LASSO_CASES = [
    ("diabetes", 0.05),
    ("diabetes", 0.3),
    ("diabetes", 1.0),
    ("diabetes_quadratic", 0.1),
    ("diabetes_quadratic", 0.5),
    ("prostate", 0.02),
    ("prostate", 0.1),
    ("prostate", 0.3),
]


def rate(name: str, kind: str) -> float:
    return RATES[name][list(KINDS).index(kind)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "l1"), LASSO_CASES)
def test_passes_reach_the_batch_lasso(shared_data: Path, name: str, l1: float, kind: str) -> None:
    problem = load(shared_data, name)
    weights = passes(KINDS[kind](rate(name, kind), l1), "squared", problem, PASSES)
    found = reached(lambda w: objective(problem, w, l1), weights, batch_lasso(problem, l1))
    assert found.gap <= 1e-3
    if kind in SELECTING:
        assert found.active <= 1.2 * found.of


@pytest.mark.parametrize("name", ["diabetes", "prostate"])
def test_truncation_once_a_pass_is_sparse_too(shared_data: Path, name: str) -> None:
    """The pull of a whole pass, all at its end, is larger than the noise of its gradients."""
    problem = load(shared_data, name)
    kind, l1 = "truncated gradient", {"diabetes": 0.3, "prostate": 0.1}[name]
    rule = KINDS[kind](rate(name, kind), l1, period=len(problem.y))
    weights = passes(rule, "squared", problem, PASSES)
    found = reached(lambda w: objective(problem, w, l1), weights, batch_lasso(problem, l1))
    assert found.gap <= 1e-3
    assert found.active <= 1.2 * found.of


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "truncated" not in kind])
@pytest.mark.parametrize(("name", "l1", "l2"), [("diabetes", 0.3, 1e-3), ("prostate", 0.1, 0.2)])
def test_passes_reach_the_batch_elastic_net(
    shared_data: Path, name: str, l1: float, l2: float, kind: str
) -> None:
    problem = load(shared_data, name)
    weights = passes(KINDS[kind](rate(name, kind), l1, l2=l2), "squared", problem, PASSES)

    def cost(w: Array) -> float:
        return objective(problem, w, l1, l2)

    batch = batch_elastic_net(problem, l1, l2)
    assert cost(batch_lasso(problem, l1)) > 1.01 * cost(batch)  # λ2 matters here
    found = reached(cost, weights, batch)
    assert found.gap <= 1e-3
    if kind in SELECTING:
        assert found.active <= 1.2 * found.of


def test_a_total_penalty_is_no_batch_lasso(shared_data: Path) -> None:
    """The reason for ``penalty="per_event"``: a total fades while the passes go on."""
    problem, l1 = load(shared_data, "diabetes"), 0.3
    best = objective(problem, batch_lasso(problem, l1), l1)
    rule = FTRLProximal(alpha=100.0, beta=1e-10, l1=l1 * len(problem.y))
    weights = passes(rule, "squared", problem, 400)
    assert objective(problem, weights, l1) > 1.1 * best
    assert np.count_nonzero(weights) == problem.X.shape[1]

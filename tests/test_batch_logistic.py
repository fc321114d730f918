"""Repeated shuffled passes reach L1 logistic regression, on many rows and on many columns.

With far more columns than rows the optimum's support is not stable, so the duality gap is compared:
it bounds the distance to the least objective without another solver.
"""

from pathlib import Path

import pytest
from optimum import (
    KINDS,
    SELECTING,
    Array,
    batch_logistic,
    load,
    logistic,
    logistic_gap,
    objective,
    passes,
    reached,
)

A9A = dict(zip(KINDS, (0.2, 0.3, 1.0, 0.2, 3.0, 0.2, 3.0), strict=True))
GOLUB = dict(zip(KINDS, (0.2, 0.4, 2.0, 0.003, 0.03, 0.003, 0.03), strict=True))


@pytest.mark.parametrize(
    ("l1", "kind"),
    [(1e-3, kind) for kind in KINDS] + [(3e-4, kind) for kind in SELECTING],
)
def test_passes_reach_l1_logistic_regression(shared_data: Path, l1: float, kind: str) -> None:
    """The last weights jitter with the order of the last events.

    In five orders the gap of the rules that select was at most 6e-4 at l1 = 1e-3; at 3e-4 that of
    dual averaging was between 6e-4 and 1.3e-3. The test has the first of the orders.
    """
    problem = load(shared_data, "a9a")
    weights = passes(KINDS[kind](A9A[kind], l1), "logistic", problem, 160)

    def cost(w: Array) -> float:
        return objective(problem, w, l1, loss=logistic)

    found = reached(cost, weights, batch_logistic(problem, l1))
    assert found.gap <= 1e-3
    if kind in SELECTING:
        assert found.active <= 1.2 * found.of


@pytest.mark.parametrize("kind", KINDS)
def test_passes_close_the_duality_gap_where_columns_abound(shared_data: Path, kind: str) -> None:
    """To 1 % of the objective by rules that select.

    Explicit proximal steps do not get there: thousands of weights jitter around zero, and after
    200 passes the objective is 4 to 6 % above the least, the duality gap 8 to 10 %.
    """
    problem, l1 = load(shared_data, "golub"), 0.1
    weights = passes(KINDS[kind](GOLUB[kind], l1), "logistic", problem, 200)

    def cost(w: Array) -> float:
        return objective(problem, w, l1, loss=logistic)

    batch = batch_logistic(problem, l1)
    assert logistic_gap(problem, batch, l1) <= 1e-4 * cost(batch)
    found = reached(cost, weights, batch)
    gap = logistic_gap(problem, weights, l1) / cost(batch)
    print(f"reached: duality gap {gap:.1e}")
    assert found.gap <= gap
    if kind in SELECTING:
        assert found.gap <= 1e-3
        assert gap <= 1e-2
    else:
        assert found.gap <= 0.08
        assert gap <= 0.15

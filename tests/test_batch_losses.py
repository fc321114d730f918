"""Other losses than squared and logistic: passes reach the optima of batch solvers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from optimum import KINDS, Array, Problem, batch_logistic, load, passes, reached, standardised
from scipy.optimize import minimize
from sklearn.datasets import load_digits, load_wine
from sklearn.linear_model import PoissonRegressor, QuantileRegressor

from streamlasso.losses import Huber, Quantile, Softmax

QUANTILE_RATES = {
    "prostate": {"ftrl per event": 0.05, "dual averaging": 0.15, "soft threshold": 0.05},
    "diabetes": {"ftrl per event": 100.0, "dual averaging": 100.0, "soft threshold": 100.0},
}


@pytest.mark.parametrize(
    ("kind", "rate"),
    [
        ("ftrl per event", 0.03),
        ("soft threshold", 0.03),
        ("truncated gradient", 0.03),
        ("dual averaging", 0.1),
    ],
)
def test_passes_reach_poisson_regression(shared_data: Path, kind: str, rate: float) -> None:
    """Without penalty; the cost is half the deviance."""
    problem = load(shared_data, "bikes")
    X, y = problem
    model = PoissonRegressor(
        alpha=0, fit_intercept=False, solver="newton-cholesky", tol=1e-10, max_iter=1000
    )
    best = np.mean(y - y * np.log(np.maximum(y, 1e-300)))  # of μ = y, without the constants

    def cost(w: Array) -> float:
        return float(np.mean(np.exp(X @ w) - y * (X @ w)) - best)

    weights = passes(KINDS[kind](rate, 0.0), "poisson", problem, 200)
    assert reached(cost, weights, model.fit(X, y).coef_).gap <= 1e-3


@pytest.mark.parametrize("kind", ["ftrl per event", "soft threshold", "truncated gradient"])
@pytest.mark.parametrize(("name", "delta", "rate"), [("prostate", 0.5, 0.1), ("diabetes", 30, 500)])
def test_passes_reach_the_huber_optimum(
    shared_data: Path, name: str, delta: float, rate: float, kind: str
) -> None:
    """Without penalty, against a quasi-Newton minimum of the same convex function."""
    problem = load(shared_data, name)
    X, y = problem

    def cost(w: Array) -> float:
        size = np.abs(X @ w - y)
        return float(np.mean(np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))))

    def gradient(w: Array) -> Array:
        return np.asarray(X.T @ np.clip(X @ w - y, -delta, delta)) / len(y)

    settings = {"gtol": 1e-8, "maxiter": 10_000}
    batch = minimize(cost, np.zeros(X.shape[1]), jac=gradient, method="BFGS", options=settings).x
    assert np.abs(gradient(batch)).max() < 1e-6
    weights = passes(KINDS[kind](rate, 0.0), Huber(delta=delta), problem, 400)
    assert reached(cost, weights, batch).gap <= 1e-3


@pytest.mark.parametrize("kind", ["ftrl per event", "dual averaging", "soft threshold"])
@pytest.mark.parametrize("tau", [0.5, 0.8])
@pytest.mark.parametrize(("name", "l1"), [("prostate", 0.05), ("diabetes", 0.003)])
def test_passes_reach_quantile_regression(
    shared_data: Path, name: str, l1: float, tau: float, kind: str
) -> None:
    """With an intercept: columns of mean zero say nothing of a quantile's level."""
    problem = load(shared_data, name)
    X, y = problem
    model = QuantileRegressor(quantile=tau, alpha=l1, solver="highs").fit(X, y)

    def cost(w: Array) -> float:
        residual = X @ w[:-1] + w[-1] - y
        pinball = np.maximum((1 - tau) * residual, -tau * residual)
        return float(np.mean(pinball) + l1 * np.abs(w[:-1]).sum())

    rate = QUANTILE_RATES[name][kind]
    weights = passes(KINDS[kind](rate, l1), Quantile(tau=tau), problem, 800, fit_intercept=True)
    found = reached(cost, weights, np.append(model.coef_, model.intercept_))
    assert found.gap <= 1e-3
    if kind != "soft threshold":
        assert found.active <= 1.2 * found.of


@pytest.mark.parametrize(
    ("data", "l1", "number"), [(load_wine, 0.02, 400), (load_digits, 0.005, 120)]
)
def test_passes_reach_l1_multinomial_regression(
    data: Callable[..., tuple[Array, Array]], l1: float, number: int
) -> None:
    """Softmax over lanes against scikit-learn's saga, on its wines (3) and digits (10 classes)."""
    X, y = data(return_X_y=True)
    problem = Problem(standardised(X[:, X.std(axis=0) > 0]), y.astype(float))
    rows = np.arange(len(y))

    def cost(w: Array) -> float:
        scores = problem.X @ w
        loss = np.logaddexp.reduce(scores, axis=1) - scores[rows, y]
        return float(np.mean(loss) + l1 * np.abs(w).sum())

    batch = batch_logistic(problem, l1, "saga")
    rule = KINDS["ftrl per event"](0.2, l1)
    weights = passes(rule, Softmax(classes=batch.shape[1]), problem, number)
    found = reached(cost, weights, batch)
    assert found.gap <= 1e-3
    assert found.active <= 1.2 * found.of

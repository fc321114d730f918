"""The naive references themselves: limits, invariances, a batch optimum."""

import math
from itertools import product

import numpy as np
import pytest
from reference import REFERENCES, DualAveraging, FTRLProximal, Newton, Softmax, scaled
from reference_cases import FTRL, PARAMETERS, RDA, Array, one, random_events
from sklearn.linear_model import Lasso

each_rule = pytest.mark.parametrize("name", REFERENCES)


@each_rule
def test_a_half_life_without_end_changes_nothing(name: str) -> None:
    models = [one(name, 5), one(name, 5, half_life=math.inf), one(name, 5, half_life=1e15)]
    for event in random_events():
        scores = [model.learn(*event) for model in models]
        assert scores[0] == scores[1] == pytest.approx(scores[2], abs=1e-9)


@each_rule
def test_non_negative_weights_leave_the_intercept_alone(name: str) -> None:
    model = REFERENCES[name](5, "squared", nonnegative=True, **PARAMETERS[name])
    for x, y in random_events():
        model.learn(x, y - 2)
        assert (model.weights >= 0).all()
    assert model.weights.any()
    assert model.intercept < -0.5


def test_a_group_of_one_is_the_lasso() -> None:
    for penalty, half_life in product(("total", "per_event"), (math.inf, 20.0)):
        shared = {"penalty": penalty, "half_life": half_life, "l2": 0.01}
        alone = one("ftrl", 5, l1=0.02, **shared)
        grouped = one("ftrl", 5, l1={"kind": "group", "l1": 0.02, "groups": {}}, **shared)
        for event in random_events():
            assert alone.learn(*event) == pytest.approx(grouped.learn(*event), rel=1e-12)


def test_two_classes_have_opposite_slopes() -> None:
    model = Softmax(FTRLProximal, 2, 5, **FTRL)
    for x, y in random_events():
        scores = model.learn(x, float(y > 0))
        assert scores[0] == pytest.approx(-scores[1], abs=1e-12)
    assert model.weights[0, 1] > 0.3


def test_newton_with_orthogonal_features_is_ridge_regression() -> None:
    """Then the diagonal is all there is."""
    model = Newton(3, "squared", prior_variance=2.0, l1=0.0, fit_intercept=False)
    events = [(np.eye(3)[t % 3] * (1 + t), float(np.cos(t))) for t in range(30)]
    for event in events:
        model.learn(*event)
    X, y = np.array([x for x, _ in events]), np.array([y for _, y in events])
    expected = np.linalg.solve(X.T @ X + np.eye(3) / 2, X.T @ y)
    np.testing.assert_allclose(model.weights, expected, rtol=1e-12)


@pytest.mark.parametrize("adaptive", [True, False], ids=["adaptive", "plain"])
def test_dual_averaging_reaches_the_lasso(adaptive: bool) -> None:
    X, y = (np.array(part) for part in zip(*random_events(60, seed=5), strict=True))
    l1 = 0.05
    best = Lasso(alpha=l1, fit_intercept=False, tol=1e-12).fit(X, y).coef_

    def objective(w: Array) -> float:
        return float(np.mean((y - X @ w) ** 2) / 2 + l1 * np.abs(w).sum())

    rate = 0.3 if adaptive else 0.5
    parameters = {**RDA, "learning_rate": rate, "l1": l1, "adaptive": adaptive}
    model = DualAveraging(5, "squared", fit_intercept=False, **parameters)
    random = np.random.default_rng(1)
    for _ in range(150):
        for row in random.permutation(60):
            model.learn(X[row], y[row])
    assert objective(model.weights) < 1.002 * objective(best)
    assert set(np.flatnonzero(model.weights)) == set(np.flatnonzero(best)) != set(range(5))


@pytest.mark.parametrize("kind", ["max", "rms", "rms-max"])
@each_rule
def test_scores_do_not_depend_on_the_units(name: str, kind: str) -> None:
    units = np.array([1.0, 1e6, 1e-6, 3.0, 0.1])
    models = [scaled(REFERENCES[name], kind)(5, "squared", **PARAMETERS[name]) for _ in range(2)]
    for x, y in random_events():
        scores = models[0].learn(x, y), models[1].learn(x * units, y)
        assert scores[0] == pytest.approx(scores[1], rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(models[0].weights, models[1].weights * units, rtol=1e-9)
    assert models[0].weights.any()

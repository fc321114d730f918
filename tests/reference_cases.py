"""Small models and events for the tests of the references themselves."""

from typing import Any

import numpy as np
from reference import REFERENCES, Reference

Array = np.ndarray[Any, Any]

FTRL = {"alpha": 1.0, "beta": 1.0, "l1": 0.0, "l2": 0.0, "penalty": "total", "since_birth": False}
TRUNCATED = {
    "learning_rate": 0.2,
    "gravity": 0.1,
    "period": 3,
    "threshold": 0.5,
    "adaptive": True,
    "power": 0.0,
}
SOFT = {"learning_rate": 0.2, "l1": 0.05, "l2": 0.02, "adaptive": True, "power": 0.0}
RDA = {"learning_rate": 1.0, "l1": 0.0, "l2": 0.0, "adaptive": True, "since_birth": False}
NEWTON = {"prior_variance": 1.0, "l1": 0.0}
PARAMETERS: dict[str, dict[str, Any]] = {
    "ftrl": {**FTRL, "l1": 0.5},
    "truncated_gradient": TRUNCATED,
    "soft_threshold": SOFT,
    "dual_averaging": {**RDA, "l1": 0.03, "l2": 0.02},
    "newton": {**NEWTON, "l1": 0.5},
}


def one(name: str, dimension: int = 1, loss: str = "squared", **changed: Any) -> Reference:
    """Without an intercept, so that the numbers stay short."""
    parameters = {**PARAMETERS[name], **changed}
    return REFERENCES[name](dimension, loss, fit_intercept=False, **parameters)


def learn(model: Any, *events: tuple[list[float], float]) -> list[float]:
    """Events of x and y; the scores from before."""
    return [model.learn(np.array(x, float), y) for x, y in events]


def random_events(count: int = 200, dimension: int = 5, seed: int = 3) -> list[Any]:
    random = np.random.default_rng(seed)
    X = random.normal(size=(count, dimension)) * (random.random((count, dimension)) < 0.6)
    y = X @ [1.0, -0.7, 0.0, 0.3, 0.0][:dimension] + 0.1 * random.normal(size=count)
    return list(zip(X, y, strict=True))

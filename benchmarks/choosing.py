"""What the pictures of docs/choosing.md show, as numbers: small seeded problems."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.designs import Design, learn_dense, sparse_design
from streamlasso import (
    Adaptive,
    Evidence,
    FTRLProximal,
    Group,
    SoftThreshold,
    SparseRegressor,
)
from streamlasso.rules import Rule

__all__ = ["Effort", "over_passes", "over_time", "shrinkage", "stability", "twins"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Effort:
    """How much is learned."""

    events: int = 2_000
    repeats: int = 100
    passes: int = 100
    compiled: bool = True


def _ftrl(**settings: Any) -> FTRLProximal:
    return FTRLProximal(**{"alpha": 0.3, "penalty": "per_event", **settings})


# Weights over time

TRUE = {"big": 1.0, "negative": -0.6, "twin A": 0.4, "twin B": 0.4}
NAMES = (*TRUE, *(f"noise {i}" for i in range(8)))
GROUPS = {"big": "1", "negative": "1", "noise 0": "1", "twin A": "2", "twin B": "2",
          **{f"noise {i}": "3" for i in range(1, 8)}}  # fmt: skip

PENALTIES: dict[str, Rule] = {
    "no penalty": _ftrl(l1=0.0),
    "l1, total = 60": _ftrl(l1=60.0, penalty="total"),
    "l1, per event = 0.15": _ftrl(l1=0.15),
    "elastic net, 0.15 and l2 = 0.3": _ftrl(l1=0.15, l2=0.3),
    "evidence, θ = 3": _ftrl(l1=Evidence(3.0), penalty="total"),
    "adaptive, 0.05": _ftrl(l1=Adaptive(0.05)),
    "group, 0.15": _ftrl(l1=Group(0.15, by=GROUPS)),
    "nonnegative, 0.15": _ftrl(l1=0.15, nonnegative=True),
}


def twin_design(events: int, seed: int, correlation: float = 0.95, noise: float = 1.5) -> Design:
    """`TRUE` among eight features of noise; the twins are correlated, all else is not."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((events, len(NAMES)))
    X[:, 3] = correlation * X[:, 2] + np.sqrt(1 - correlation**2) * X[:, 3]
    weights = np.array([TRUE.get(name, 0.0) for name in NAMES])
    return Design(X, X @ weights + noise * random.standard_normal(events), weights)


def over_time(effort: Effort) -> tuple[Array, dict[str, Array]]:
    """Marks, and for each penalty the weights at each of them, shape (marks, features)."""
    design = twin_design(effort.events, seed=2)
    marks = np.linspace(0, effort.events, min(effort.events, 100) + 1).astype(int)[1:]
    return marks, {
        name: np.concatenate(
            learn_dense([rule], design.X, design.y, marks=marks.tolist(), names=NAMES,
                        compiled=effort.compiled)
        )
        for name, rule in PENALTIES.items()
    }  # fmt: skip


# Solvers side by side

LAMBDA = 0.1


def objective(design: Design, weights: Array) -> Array:
    """(1/2N)‖y − Xw‖² + λ‖w‖₁ of each row of weights."""
    residuals = design.y - weights @ design.X.T
    return 0.5 * (residuals**2).mean(axis=1) + LAMBDA * np.abs(weights).sum(axis=1)


def subgradient(design: Design, marks: list[int], rate: float = 0.05) -> Array:
    """w ← w − η(g + λ·sgn w), η = rate/√(1 + t): what the penalty's subgradient does alone."""
    weights, taken = np.zeros(design.X.shape[1]), []
    for t in range(marks[-1]):
        x, y = design.X[t % len(design.y)], design.y[t % len(design.y)]
        step = rate / np.sqrt(1.0 + t)
        weights -= step * ((weights @ x - y) * x + LAMBDA * np.sign(weights))
        if t + 1 in marks:
            taken.append(weights.copy())
    return np.array(taken)


def coordinate_descent(design: Design, passes: list[int]) -> Array:
    """scikit-learn's lasso, stopped after each number of passes."""
    import warnings

    from sklearn.linear_model import Lasso

    taken = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged is the point
        for count in passes:
            model = Lasso(LAMBDA, fit_intercept=False, max_iter=count, tol=1e-12)
            taken.append(model.fit(design.X, design.y).coef_.copy())
    return np.array(taken)


def over_passes(effort: Effort) -> tuple[list[int], dict[str, tuple[Array, Array]]]:
    """Passes, and for each solver how far the objective is above the optimum, and non-zeros."""
    design = sparse_design(400, 50, 6, 0.5, seed=1, noise=1.0)
    passes = [p for p in (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100) if p <= effort.passes]
    marks = [p * len(design.y) for p in passes]
    rules = {
        "proximal (SoftThreshold)": SoftThreshold(
            learning_rate=0.05, l1=LAMBDA, adaptive=False, power=0.5
        ),
        "FTRL, per event": FTRLProximal(alpha=0.3, l1=LAMBDA, penalty="per_event"),
    }
    found = {"subgradient": subgradient(design, marks)}
    for name, rule in rules.items():
        taken = learn_dense([rule], design.X, design.y, passes=passes[-1], marks=marks,
                            fit_intercept=False, compiled=effort.compiled)  # fmt: skip
        found[name] = np.concatenate(taken)
    found["coordinate descent"] = coordinate_descent(design, passes)
    optimum = objective(design, coordinate_descent(design, [10_000]))[0]
    return passes, {
        name: (objective(design, weights) / optimum - 1, (weights != 0).sum(axis=1))
        for name, weights in found.items()
    }


# Where L1 misleads

BATCH = "batch lasso"
TWIN_RULES: dict[str, Rule] = {
    "l1": _ftrl(alpha=1.0, l1=0.15),
    "adaptive": _ftrl(alpha=1.0, l1=Adaptive(0.05)),
    "elastic net": _ftrl(alpha=1.0, l1=0.15, l2=0.3),
    "group": _ftrl(alpha=1.0, l1=Group(0.15, by=GROUPS)),
}


def twins(effort: Effort) -> dict[str, Array]:
    """For the batch lasso and each penalty the twins' weights over the seeds, (repeats, 2)."""
    from sklearn.linear_model import Lasso

    found: dict[str, list[Array]] = {name: [] for name in (BATCH, *TWIN_RULES)}
    for seed in range(effort.repeats):
        design = twin_design(min(effort.events, 500), seed, correlation=0.995)
        found[BATCH].append(Lasso(0.15).fit(design.X, design.y).coef_[2:4])
        for name, rule in TWIN_RULES.items():
            [weights] = learn_dense([rule], design.X, design.y, names=NAMES,
                                    compiled=effort.compiled)  # fmt: skip
            found[name].append(weights[0, 2:4])
    return {name: np.array(pairs) for name, pairs in found.items()}


def shrinkage(effort: Effort) -> tuple[Array, dict[str, Array]]:
    """True weights, and what is reported for them: by the l1, refitted, adaptive."""
    design = sparse_design(5 * effort.events, 40, 12, 0.0, seed=3, noise=1.0)
    names = [f"x{j}" for j in range(40)]
    model = SparseRegressor(_ftrl(l1=0.15), refit=True)
    for row, y in zip(design.X.tolist(), design.y.tolist(), strict=True):
        model.learn_one(dict(zip(names, row, strict=True)), y)
    [adaptive] = learn_dense([_ftrl(l1=Adaptive(0.05))], design.X, design.y, names=names,
                             compiled=effort.compiled)  # fmt: skip
    effects = [model.weights.get(name, (0.0, 0.0)) for name in names]
    reported = np.array(effects, np.float64)
    return design.weights, {
        "l1": reported[:, 0], "refit=True": reported[:, 1], "adaptive": adaptive[0]
    }  # fmt: skip


GRID = np.geomspace(0.02, 0.5, 12).tolist()
SELECTED: dict[str, tuple[Callable[[float], Rule], str]] = {
    "l1, leader": (lambda l1: _ftrl(l1=l1), "leader"),
    "l1, 1se": (lambda l1: _ftrl(l1=l1), "1se"),
    "adaptive, 1se": (lambda l1: _ftrl(l1=Adaptive(l1 / 3)), "1se"),
}


def stability(effort: Effort) -> tuple[Array, dict[str, Array]]:
    """True weights, and the share of bootstrap samples in which each feature is selected."""
    design = sparse_design(effort.events, 30, 8, 0.5, seed=4, noise=2.0)
    shares = {name: np.zeros(30) for name in SELECTED}
    for seed in range(effort.repeats):
        rows = np.random.default_rng(seed).integers(0, effort.events, effort.events)
        for name, (make, select) in SELECTED.items():
            lanes = learn_dense([make(l1) for l1 in GRID], design.X[rows], design.y[rows],
                                select=select, compiled=effort.compiled)  # fmt: skip
            shares[name] += lanes[-1][0] != 0
    return design.weights, {name: share / effort.repeats for name, share in shares.items()}

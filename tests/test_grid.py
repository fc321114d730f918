"""Estimators with a grid: what they report, save and refuse."""

import copy
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import Event, state_of, stream

from streamlasso import (
    Evidence,
    FTRLProximal,
    Learner,
    Newton,
    SparseClassifier,
    SparseRegressor,
    TruncatedGradient,
    load,
)
from streamlasso.coefficients import coefficients_from
from streamlasso.grid import LARGEST_GRID, expand
from streamlasso.penalties import Group
from streamlasso.rules import Rule
from streamlasso.selection import SELECTIONS

each_selection = pytest.mark.parametrize("select", SELECTIONS)
GRID = {"alpha": [0.05, 0.5], "l1": [0.0, 0.5, 2.0]}


def model_of(select: str = "leader", kind: Any = SparseRegressor, **settings: Any) -> Any:
    """An estimator with a grid, interpreted."""
    model = kind(settings.pop("rule", None), grid=settings.pop("grid", GRID), select=select,
                 **settings)  # fmt: skip
    return interpreted(model)


def interpreted(model: Any) -> Any:
    model.learner.compiled = False
    model.learner.refresh()
    return model


def learn_events(model: Any, events: list[Event]) -> list[Any]:
    predicted = []
    for event in events:
        predicted.append(model.predict_one(event.x))
        model.learn_one(event.x, event.target, event.importance)
    return predicted


# What is said of the served model


@each_selection
@pytest.mark.parametrize("scale", [None, "rms-max"])
def test_weights_explanations_and_exports_are_of_what_is_served(
    select: str, scale: str | None, tmp_path: Path
) -> None:
    model = model_of(select, scale=scale)
    events = stream("squared", 150)
    learn_events(model, events)
    exported = coefficients_from(model.export(tmp_path / "w.json"))
    assert exported.weights == model.weights
    assert model.active_features == len(model.weights) > 0
    for event in events[-30:]:
        score = exported.intercept + sum(
            exported.weights.get(name, 0.0) * value for name, value in event.x.items()
        )
        assert model.predict_one(event.x) == pytest.approx(score, rel=1e-11, abs=1e-12)
        parts = model.explain_one(event.x)
        assert model.intercept + sum(parts.values()) == pytest.approx(score, rel=1e-11, abs=1e-12)
    sums = sum(share * np.array([intercept]) for share, (_, intercept, _) in
               zip(model.learner.shares, model.path(), strict=False))  # fmt: skip
    assert model.intercept == pytest.approx(float(sums[0]))


def test_the_lane_table_says_what_each_combination_lost() -> None:
    model, events = model_of("mix", grid={"l1": [0.0, 0.5, 4.0]}), stream("squared", 120)
    assert [row["share"] for row in model.lane_table()] == [1 / 3] * 3
    assert all(math.isnan(row["loss"]) for row in model.lane_table())
    learn_events(model, events)
    importances = np.array([event.importance for event in events])
    targets = np.array([event.target for event in events])
    path = model.path()
    for row, (varied, intercept, weights) in zip(model.lane_table(), path, strict=True):
        alone = interpreted(SparseRegressor(FTRLProximal(l1=row["l1"])))
        losses = (np.array(learn_events(alone, events)) - targets) ** 2 / 2
        mean = np.average(losses, weights=importances)
        assert row["loss"] == pytest.approx(mean)
        variance = np.average(losses**2, weights=importances) - mean**2
        assert row["standard_error"] == pytest.approx((variance / importances.sum()) ** 0.5)
        assert row["active_features"] == alone.active_features == len(weights)
        assert (varied, intercept, weights) == ({"l1": row["l1"]}, alone.intercept, alone.weights)
    assert sum(row["share"] for row in model.lane_table()) == pytest.approx(1.0)
    counts = [row["active_features"] for row in model.lane_table()]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


# Files, copies, frames


@each_selection
def test_saved_pickled_and_copied_it_goes_on_to_the_same_bits(select: str, tmp_path: Path) -> None:
    events = stream("squared", 160)
    never = model_of(select, scale="rms")
    models = [never, *(model_of(select, scale="rms") for _ in range(3))]
    for start in range(0, 160, 40):
        parts = [learn_events(model, events[start : start + 40]) for model in models]
        assert parts[0] == parts[1] == parts[2] == parts[3]
        states = [state_of(model.learner) for model in models]
        assert states[0] == states[1] == states[2] == states[3]
        models[1] = interpreted(load(models[1].save(tmp_path / "m")))
        models[2] = pickle.loads(pickle.dumps(models[2]))
        models[3] = copy.deepcopy(models[3])
    assert models[1].lane_table() == never.lane_table()
    assert (models[1].grid, models[1].select) == (never.grid, never.select)


def test_a_grid_may_come_as_arrays_and_generators(tmp_path: Path) -> None:
    model = SparseRegressor(
        grid={"l1": np.array([1, 2]), "alpha": (a for a in (0.1, np.float32(0.5)))}
    )
    assert model.grid == {"l1": [1, 2], "alpha": [0.1, 0.5]}
    for other in (model.clone(), load(model.save(tmp_path / "m"))):
        assert other.grid == model.grid
        assert other.learner.rules == model.learner.rules


@pytest.mark.parametrize("rule", [Newton(), FTRLProximal(l1=Evidence(1.0))], ids=str)
def test_a_number_for_l1_is_the_strength_of_the_rule_s_penalty(rule: Rule, tmp_path: Path) -> None:
    model = SparseClassifier(rule, grid={"l1": [0.25, Evidence(3.0)]})
    assert [r.l1 for r in model.learner.rules] == [Evidence(0.25), Evidence(3.0)]
    assert [row["l1"] for row in model.lane_table()] == [0.25, 3.0]
    assert load(model.save(tmp_path / "m")).learner.rules == model.learner.rules


@each_selection
def test_frames_are_their_rows_and_predicting_is_pure(select: str) -> None:
    import pandas as pd

    events = stream("logistic", 90, importances=[1.0])
    X = pd.DataFrame([event.x for event in events])
    y = pd.Series([bool(event.target) for event in events])
    # Sums are in the order of the features, which of a frame is that of its columns.
    rows_of_X = [{name: event.x[name] for name in X if name in event.x} for event in events]
    one, many = (model_of(select, SparseClassifier) for _ in range(2))
    for start in range(0, 90, 30):
        frame = X[start : start + 30]
        before = state_of(many.learner)
        frame_probabilities = many.predict_proba_many(frame)[True].tolist()
        assert state_of(many.learner) == before
        singly = [many.predict_proba_one(x)[True] for x in rows_of_X[start : start + 30]]
        assert frame_probabilities == singly
        many.learn_many(frame, y[start : start + 30])
    for x, label in zip(rows_of_X, y.tolist(), strict=True):
        one.learn_one(x, label)
    assert state_of(one.learner) == state_of(many.learner)


# Errors


@pytest.mark.parametrize(
    ("kind", "grid", "message"),
    [
        (ValueError, {"l3": [1]}, "'ftrl' has no number 'l3' to vary; choose from alpha, beta, l1"),
        (ValueError, {"l1": []}, "0 combinations"),
        (ValueError, {"l1": [1.0] * (LARGEST_GRID + 1)}, "257 combinations.*from 1 to 256"),
        (TypeError, {"l1": 1.0}, "l1 = 1.0 must be a list of values"),
        (TypeError, {"l1": "evidence"}, "l1 = 'evidence' must be a list"),
        (TypeError, [1.0], "must be a dict of lists"),
        (ValueError, {"alpha": [0.1, -1.0]}, "alpha = -1.0 must be > 0"),
        (
            ValueError,
            {"l1": [1.0, "evidence"]},
            "l1 mixes kinds of penalties, Evidence and numbers",
        ),
        (ValueError, {"l1": [Group(1.0), Group(2.0, by=":")]}, "must have one by"),
    ],
    ids=str,
)
def test_a_wrong_grid_is_an_error_that_says_why(kind: Any, grid: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        SparseRegressor(grid=grid)


def test_mixed_penalties_and_unknown_selections_are_errors() -> None:
    with pytest.raises(ValueError, match=r"l1 = Group.*mixes kinds of penalties"):
        SparseRegressor(FTRLProximal(l1=Evidence()), grid={"l1": [0.5, Group(1.0)]})
    with pytest.raises(ValueError, match=r"select = 'best' is unknown.*leader, mix, 1se"):
        SparseRegressor(grid={"l1": [1.0]}, select="best")
    with pytest.raises(ValueError, match="several rules or select with several outputs"):
        Learner(expand(FTRLProximal(), GRID), outputs=2, select="mix")
    with pytest.raises(TypeError, match="there are no lanes of a grid: give the estimator one"):
        SparseRegressor(FTRLProximal()).lane_table()
    with pytest.raises(ValueError, match="memory = 0"):
        Learner(expand(TruncatedGradient(), {"period": [5, 10]}), select="mix", memory=0)


def test_names_of_an_event_that_failed_can_be_scored() -> None:
    model = SparseRegressor()
    x = {f"n{i}": 1.0 for i in range(500)}
    with pytest.raises(ValueError, match="importance w = -1"):
        model.learn_one(x, 1.0, -1)
    assert model.predict_one(x) == 0.0
    assert model.explain_one(x) == {}
    with pytest.raises(TypeError):
        model.learn_one({**{f"m{i}": 1.0 for i in range(5000)}, "bad": object()}, 1.0)
    assert model.predict_one({f"m{i}": 1.0 for i in range(5000)}) == 0.0
    assert model.uncertainty_one({"m4999": 1.0}) > 0

"""What a stack serves: every way to look at it says the same."""

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stack_cases import (
    Event,
    both_scores,
    dense,
    each_loss,
    estimator,
    learned,
    mean_loss,
    mixed,
    sparse,
    weighted,
)

from streamlasso import SparseClassifier, load
from streamlasso.export import from_cell
from streamlasso.stack.places import MOST_LEVELS, Book, Level

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


def fitted(loss: str, events: list[Event], **how: Any) -> Any:
    model = estimator(loss, **how)
    for event in events:
        model.learn_one(event.x, event.y, event.w)
    return model


def named(events: list[Event]) -> list[Event]:
    return [event._replace(x={f"f{n}": v for n, v in event.x.items()}) for event in events]


def prediction(model: Any, x: Mapping[Any, float]) -> float:
    """As a score."""
    if isinstance(model, SparseClassifier):
        p = model.predict_proba_one(x)[model.classes[1]]
        return math.log(p / (1 - p))
    mean: float = model.predict_one(x)
    return math.log(mean) if model.loss == "poisson" else mean


def cut(loss: str, score: float, events: list[Event]) -> float:
    """A score is no surer than the rows so far allow."""
    if loss == "squared":
        return score
    bound = math.log(2 * len(events) + 1)
    mean = (0.5 + sum(event.y for event in events)) / (1 + len(events))
    centre = math.log(mean) if loss == "poisson" else 0.0
    return min(max(score, centre - bound), centre + bound)


Weights = dict[Any, tuple[float, float]]


def from_json(path: Path) -> tuple[float, Weights]:
    content = json.loads(path.read_text(encoding="utf-8"))
    rows = content["weights"]
    return content["intercept"], {row["name"]: (row["weight"], row["centre"]) for row in rows}


def from_csv(path: Path) -> tuple[float, Weights]:
    with path.open(encoding="utf-8", newline="") as file:
        head, first, *rows = csv.reader(file)
    assert head == ["name", "weight", "centre"]
    return float(first[1]), {from_cell(row[0]): (float(row[1]), float(row[2])) for row in rows}


@each_loss
@pytest.mark.parametrize("kind", [mixed, sparse, dense])
def test_exported_weights_alone_give_the_predictions(loss: str, kind: Any, tmp_path: Path) -> None:
    events = named(kind(loss, 260))
    model = fitted(loss, events[:200])
    learner = model.learner
    exports = [
        from_json(model.export(tmp_path / "weights.json")),
        from_csv(model.export(tmp_path / "weights.csv")),
    ]
    assert exports[0] == exports[1]
    intercept, weights = exports[0]
    assert intercept == model.intercept
    assert {name: weight for name, (weight, _) in weights.items()} == model.weights
    assert len(weights) == model.active_features > 0
    assert model.sparsity == 1 - len(weights) / model.tracked_features
    for event in events:
        score = intercept
        for name, value in event.x.items():
            if name in weights:
                weight, centre = weights[name]
                slots = np.array([learner.index.find(name)], np.uint32)
                away = learner.seen_values(slots, np.array([value]), 1)[1][0]
                near = learner.state[slots[0], learner._at["PEAK"]]
                if abs(value - centre) < near:
                    assert away == pytest.approx(value - centre)
                score += weight * away
        np.testing.assert_allclose(
            prediction(model, event.x), cut(loss, score, events[:200]), **CLOSE
        )
        parts = model.explain_one(event.x)
        np.testing.assert_allclose(intercept + sum(parts.values()), score, **CLOSE)
        assert set(parts) <= set(event.x) & set(weights)
    again = load(model.save(tmp_path / "model.safetensors"))
    assert again.weights == model.weights
    assert again.intercept == model.intercept
    assert [prediction(again, e.x) for e in events] == [prediction(model, e.x) for e in events]


@each_loss
def test_contributions_and_the_intercept_add_up_where_scores_are_cut(loss: str) -> None:
    """A score is no surer than the rows so far allow; what it is made of does not know that."""
    random = np.random.default_rng(0)
    events = []
    for _ in range(400):
        yes, other = random.random(2) < 0.5
        x = {"yes": 1.0} if yes else {}
        events.append(Event({**x, **({"or": 1.0} if other else {})}, float(yes)))
    model = fitted(loss, events)
    beyond = 0
    for x in ({}, {"yes": 1.0}, {"yes": 1.0, "or": 1.0}, {"or": 1.0}):
        score = model.intercept + sum(model.explain_one(x).values())
        np.testing.assert_allclose(prediction(model, x), cut(loss, score, events), **CLOSE)
        beyond += cut(loss, score, events) != score
        if loss != "squared":
            np.testing.assert_allclose(score, uncut(model, x), **CLOSE)
    assert beyond or loss != "logistic"


def uncut(model: Any, x: dict[str, float]) -> float:
    """The level's score of a row, with slope and bias."""
    learner = model.learner
    slots = np.array([learner.index.find(name) for name in x], np.uint32)
    inputs = learner.inputs_of(slots, np.array([*x.values()]), len(slots))
    level = int(learner.book[Book.CHOSEN])
    place = learner._at["LEVEL"] + level
    slope, bias = (learner.book[place + MOST_LEVELS * row] for row in (Level.SLOPE, Level.BIAS))
    return float((1 + slope) * inputs[learner._at["SUMS"] + level] + bias)


@each_loss
def test_mean_losses_are_those_of_the_scores(loss: str) -> None:
    events = weighted(mixed(loss, 200))
    learner, scores = learned(loss, events)
    served, full = (mean_loss(loss, column, events) for column in scores.T)
    assert learner.served_loss == pytest.approx(served, rel=1e-9)
    assert learner.full_loss == pytest.approx(full, rel=1e-9)


@each_loss
def test_scores_while_learning_are_those_of_predicting_before(loss: str) -> None:
    events = mixed(loss, 120)
    learner, _ = learned(loss, events[:60])
    for event in events[60:]:
        row = [[event.x[n] for n in event.x]]
        slots = np.array([learner.index.add(name) for name in event.x], np.uint32)
        before = learner.score_rows([0, len(slots)], slots, row[0])[0]
        one = learner.score_row(slots, np.array(row[0]), len(slots))
        [[served, _]] = both_scores(learner, [event])
        assert before == one == served


@each_loss
def test_all_serves_every_feature_with_a_weight_and_a_number_those_worth_it(loss: str) -> None:
    events = mixed(loss, 300)
    every, _ = learned(loss, events, serve="all")
    some, _ = learned(loss, events, serve=1.0)
    assert every.worth == 0.0
    assert some.worth == 1.0
    full = every.lanes_array[-1] @ every.effective_weights().T
    assert every.active_features() == np.count_nonzero(full) > some.active_features() > 0
    sizes = {n: abs(w) for n, w in every.weights().items()}
    assert set(some.weights()) < set(sizes)
    # Lanes and second layer do not see what is served.
    assert some.full_loss == every.full_loss
    worth = worths(some)
    assert set(some.weights()) == {n for n, w in worth.items() if w >= 1.0}


def worths(learner: Any) -> dict[Any, float]:
    """½w²H in nats, of scaled values."""
    at, state = learner._at, learner.state
    full = learner.effective_weights() @ learner.lanes_array[-1]
    scaled = full * state[:, at["UNIT"]]
    given = 0.5 * scaled**2 * state[:, at["INFORMATION"]] / learner.book[Book.NATS]
    return {name: given[slot] for slot, name in learner.index.entries() if scaled[slot]}


@each_loss
@pytest.mark.parametrize("most", [1, 4, 12])
def test_max_active_bounds_the_features_served(loss: str, most: int) -> None:
    events = mixed(loss, 257)
    learner, _ = learned(loss, events[:0], max_active=most)
    start = 0
    for stop in (16, 32, 48, 64, 96, 128, 160, 224, 256):
        both_scores(learner, events[start:stop])
        start = stop
        worth = sorted(worths(learner).values(), reverse=True)
        active = learner.active_features()
        assert active <= most
        # Nothing that is served could have been left out for something worth more.
        assert all(w < learner.worth for w in worth[active:])
        if len(worth) > most and worth[most - 1] > 1.2 * worth[most]:
            assert active == most
        if len(worth) <= most:
            assert active == len(worth)


@each_loss
def test_no_tolerance_serves_the_best_level_and_more_a_sparser_one(loss: str) -> None:
    events = mixed(loss, 400)
    chosen, losses = [], []
    for tolerance in (0.0, 0.005, 0.5):
        learner, _ = learned(loss, events, tolerance=tolerance)
        table = learner.level_table()
        best = min(row["recent_loss"] for row in table)
        served = [row for row in table if row["served"]]
        assert len(served) == 1
        margin = (1 + tolerance) ** 2 if loss == "squared" else 1 + tolerance
        within = [row for row in table if row["recent_loss"] <= best * margin * (1 + 1e-12)]
        assert served[0] == within[-1]
        assert served[0]["worth"] == learner.worth
        chosen.append(learner.worth)
        losses.append(learner.full_loss)
    assert chosen == sorted(chosen)
    assert chosen[0] < chosen[-1]
    assert len(set(losses)) == 1


@each_loss
def test_the_served_model_is_sparse_and_hardly_worse_than_the_full_one(loss: str) -> None:
    learner, _ = learned(loss, mixed(loss, 600))
    tracked, _ = learner.survey()
    assert 0 < learner.active_features() < 0.9 * tracked
    assert learner.served_loss < 1.05 * learner.full_loss

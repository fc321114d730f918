"""A classifier without a rule from two classes to three and more, in mid-stream."""

import copy
import csv
import json
import math
import pickle
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from class_cases import classes_of, mixed, state_of

from streamlasso import GrowingIndex, SparseClassifier, load
from streamlasso.export import from_cell
from streamlasso.snapshot import capture
from streamlasso.stack import StackLearner
from streamlasso.stack.classes.learner import ClassStackLearner
from streamlasso.stack.places import Book

LABELS = ("ä", "b", "c", "d", "e")
THIRD, FOURTH = 40, 70


def growing(rows: int = 110) -> list[tuple[dict[str, float], str, float]]:
    """Two classes at first; the third and fourth come at `THIRD` and `FOURTH`."""
    random = np.random.default_rng(1)
    made = []
    for t, event in enumerate(classes_of(mixed(rows), 4)):
        latest = 1 + (t >= THIRD) + (t >= FOURTH)
        number = latest if t in (THIRD, FOURTH) else min(int(event.y), latest)
        x = {f"f{name}": value for name, value in event.x.items()}
        w = 1.0 if t in (THIRD, FOURTH) else float(random.choice([0.0, 0.5, 1.0, 2.0]))
        made.append((x, LABELS[number], w))
    return made


def fitted(events: Any = None, **how: Any) -> Any:
    model = SparseClassifier(**how)
    for event in growing() if events is None else events:
        model.learn_one(*event)
    return model


def whole_state(model: SparseClassifier) -> Any:
    learner: Any = model.learner
    waiting = [(token, a.tobytes()) for token, a in model._pending.inputs.items()]
    arrays = (learner.lanes_array, learner.book)
    if isinstance(learner, ClassStackLearner):
        return state_of(learner), model.classes, waiting
    state = (learner.state.tobytes(), *(each.tobytes() for each in arrays))
    return state, repr(learner.index.entries()), model.classes, waiting


def snapped(model: SparseClassifier, folder: Path) -> Any:
    again = load(model.save(folder / "model.safetensors"))
    assert isinstance(again, SparseClassifier)
    assert capture(again).serialise()[1] == capture(model).serialise()[1]
    return again


COPIES: dict[str, Callable[[SparseClassifier, Path], SparseClassifier]] = {
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "snapshot": snapped,
    "deepcopy": lambda model, folder: copy.deepcopy(model),
}


# Goes on as if nothing had been


@pytest.mark.parametrize("how", COPIES)
def test_copied_anywhere_it_goes_on_to_the_same_bits(how: str, tmp_path: Path) -> None:
    """Some events wait for their labels, also when a class comes."""
    events, delay = growing(), 6
    places = {0, 1, THIRD - 1, THIRD, THIRD + 1, FOURTH - 1, FOURTH, FOURTH + 1, 100}
    one, other = SparseClassifier(), SparseClassifier()
    for t, (x, _, _) in enumerate(events):
        for model in (one, other):
            model.predict_one(x, token=t)
            if t >= delay:
                before, label, w = events[t - delay]
                model.learn_one(before, label, w, token=t - delay)
        if t in places or t - delay in places:
            other = COPIES[how](other, tmp_path)
            assert whole_state(one) == whole_state(other)
    assert whole_state(one) == whole_state(other)
    assert one.classes == LABELS[:4]
    assert (one.weights, one.intercept) == (other.weights, other.intercept)
    X = pd.DataFrame([x for x, *_ in events])
    pd.testing.assert_frame_equal(one.predict_proba_many(X), other.predict_proba_many(X))


def test_frames_are_their_rows_to_the_bit() -> None:
    events = growing()
    X = pd.DataFrame([x for x, *_ in events])  # NaN where a name is absent
    y = pd.Series([label for _, label, _ in events])
    w = pd.Series([w for *_, w in events])
    xs = [{name: x[name] for name in X if name in x} for x, *_ in events]
    one = fitted([(x, *event[1:]) for x, event in zip(xs, events, strict=True)])
    for cuts in ([0, 110], [0, 1, THIRD, THIRD + 1, FOURTH + 3, 110]):
        many = SparseClassifier()
        for start, stop in pairwise(cuts):
            many.learn_many(X[start:stop], y[start:stop], w[start:stop])
        assert whole_state(many) == whole_state(one)
    assert many.predict_proba_many(X).to_dict("records") == [one.predict_proba_one(x) for x in xs]
    assert many.predict_many(X).tolist() == [one.predict_one(x) for x in xs]


def test_labels_at_once_are_learned_as_without_tokens() -> None:
    plain, tokens = fitted(), SparseClassifier()
    for t, (x, label, w) in enumerate(growing()):
        tokens.predict_proba_one(x, token=t)
        tokens.learn_one(x, label, w, token=t)
    # What waits is forgotten as a class comes: its event is then learned as if just predicted.
    assert whole_state(plain) == whole_state(tokens)
    assert len(tokens._pending) == 0


def test_events_that_wait_as_a_class_comes_are_learned_as_if_just_predicted() -> None:
    events = growing()
    model = fitted(events[:60])
    plain = copy.deepcopy(model)
    for t in range(60, 66):
        model.predict_one(events[t][0], token=t)
    assert len(model._pending) == 6
    for each in (model, plain):
        each.learn_one(*events[FOURTH])
    assert len(model._pending) == 0
    for t in range(60, 66):
        model.learn_one(*events[t], token=t)
        plain.learn_one(*events[t])
    assert whole_state(model) == whole_state(plain)


def test_a_late_label_is_learned_with_what_its_row_was_predicted_with() -> None:
    events = growing()
    late, direct = fitted(), fitted()
    encoder, learner = direct._encoder, direct.learner
    assert isinstance(learner, ClassStackLearner)
    kept = []
    for t, (x, _, _) in enumerate(events[:20]):
        late.predict_proba_one(x, token=("row", t))
        encoder.encode(x, allocate=False)
        kept.append(learner.inputs_of(encoder.slots, encoder.values, encoder.size))
        np.testing.assert_array_equal(late._pending.inputs["row", t], kept[t])
        if t >= 5:
            before, label, w = events[t - 5]
            late.learn_one(before, label, w, token=("row", t - 5))
            encoder.encode(before, allocate=True)
            row = encoder.slots, encoder.values, encoder.size
            learner.learn_row(*row, LABELS.index(label), w, kept[t - 5], 5)
    assert state_of(late.learner) == state_of(learner)
    assert whole_state(late) != whole_state(fitted([*growing(), *events[:15]]))


# A class that comes


def test_a_third_class_goes_on_from_what_was_learned() -> None:
    events = [
        (x, label, 1.0) for x, label, _ in [(x, "ä" if x["fd0"] < 0 else "b", 1.0)
        for x, *_ in growing(300)]
    ]  # fmt: skip
    model = fitted(events)
    two = model.learner
    assert isinstance(two, StackLearner)
    before = [model.predict_proba_one(x) for x, *_ in events]
    losses = two.served_loss, two.full_loss, two.clock
    model._target("c", 1.0)
    three = model.learner
    assert isinstance(three, ClassStackLearner)
    assert three.index is two.index
    assert (three.served_loss, three.full_loss, three.clock) == losses
    assert three.centres() == two.centres()
    assert three.each[0].tolist() == [sum(label == one for _, label, _ in events) for one in "äbc"]
    after = [model.predict_proba_one(x) for x, *_ in events]
    same = [max("äb", key=p.get) == max("äb", key=q.get)
            for p, q in zip(before, after, strict=True)]  # fmt: skip
    assert np.mean(same) > 0.95
    assert all(300 * p["c"] < 1 for p in after)  # 1/2 where the others are as likely
    assert all(sum(p.values()) == pytest.approx(1) for p in after)
    weights = three.effective_weights()
    np.testing.assert_array_equal(weights[:, 0], -weights[:, 1])
    assert not weights[:, 2].any()


def started(rows: int, signal: float, classes: int) -> list[float]:
    """Of a class more, which never came: its probabilities times t."""
    random = np.random.default_rng(3)
    model = SparseClassifier()
    for number in range(2, classes):
        for t in range(rows):
            label = t if t < number else int(random.integers(number))
            word = label if random.random() < signal else random.integers(number)
            model.learn_one({f"n{word}": 1.0, "v": random.normal()}, LABELS[label])
    model._target(LABELS[classes - 1], 1.0)
    assert model.classes == LABELS[:classes]
    probes: list[dict[str, float]] = [{}, {"n1": 1.0}, {"v": 1.0, "n0": 1.0}]
    times_t = [model.predict_proba_one(x)[LABELS[classes - 1]] for x in probes]
    return [model.learner.clock * p for p in times_t]


@pytest.mark.parametrize(("signal", "classes"), [(0.0, 3), (0.7, 3), (0.7, 4), (0.9, 5)])
@pytest.mark.parametrize("rows", [20, 200, 1000])
def test_new_classes_start_near_one_in_t(rows: int, signal: float, classes: int) -> None:
    """Of a later one the second layer, which shrinks scores, makes a few times that."""
    most = 1 if classes == 3 else 12
    assert all(0.02 < each < most for each in started(rows, signal, classes))


@pytest.mark.xfail(reason="a second layer that shrinks all scores shrinks what a class starts with")
def test_new_classes_start_near_one_in_t_where_nothing_can_be_learned() -> None:
    assert max(started(1000, 0.0, 4)) < 12


def test_a_new_class_is_learned_and_others_stay() -> None:
    random = np.random.default_rng(2)
    model, right = SparseClassifier(), []
    for t in range(900):
        number = int(random.integers(2 + (t >= 300) + (t >= 600)))
        x = {f"word {number}": 1.0, f"noise {random.integers(20)}": 1.0}
        if t % 300 >= 100:
            right.append(model.predict_one(x) == LABELS[number])
        model.learn_one(x, LABELS[number])
    assert np.mean(right) > 0.97
    for label, weights in model.weights.items():
        assert max(weights, key=weights.__getitem__) == f"word {LABELS.index(label)}"


def test_recent_losses_after_a_third_class_are_means_over_rows_since() -> None:
    events = growing()
    model = fitted(events[: THIRD + 1])
    learner = model.learner
    assert isinstance(learner, ClassStackLearner)
    # The one row had a class that nobody expected.
    for row in (*learner.lane_table(), *learner.level_table()):
        assert row["recent_loss"] > 1


# What is served


@pytest.mark.parametrize("how", [{"serve": "all"}, {"serve": 0.5}, {"max_active": 4},
                                 {"tolerance": 0.05}], ids=str)  # fmt: skip
def test_serving_stays_as_it_was_chosen(how: dict[str, Any], tmp_path: Path) -> None:
    model = fitted(**how)
    learner = model.learner
    assert isinstance(learner, ClassStackLearner)
    table = learner.level_table()
    if "serve" in how:
        assert [row["worth"] for row in table] == [0.0 if how["serve"] == "all" else 0.5]
    assert len(table) == (8 if "tolerance" in how else 1)
    assert learner.book[0, 7] == how.get("tolerance", 0.005)
    again = snapped(model, tmp_path)
    assert again.weights == model.weights
    for event in growing():
        again.learn_one(*event)
        model.learn_one(*event)
    assert whole_state(again) == whole_state(model)


@pytest.mark.parametrize("rows", [90, 100, 120])
def test_no_more_features_than_may_be_are_served_as_a_class_comes(rows: int) -> None:
    """Also before features are counted again."""
    events = [(x, LABELS[t % 2], 1.0) for t, (x, *_) in enumerate(growing(rows))]
    model = fitted(events, max_active=3)
    before = model.active_features
    worth = model.learner.worth
    model.learn_one(events[0][0], "c")
    assert model.learner.worth == worth > 0
    assert 0 < model.active_features <= 2 * before


def from_csv(path: Path) -> dict[Any, dict[Any, tuple[float, float]]]:
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["label", "name", "weight", "centre"]
    made: dict[Any, dict[Any, tuple[float, float]]] = {}
    for label, name, weight, centre in rows:
        made.setdefault(from_cell(label), {})[name] = float(weight), float(centre)
    return made


def from_json(path: Path) -> dict[Any, dict[Any, tuple[float, float]]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["loss"] == "softmax"
    return {
        row["label"]: {"": (row["intercept"], 0.0)}
        | {each["name"]: (each["weight"], each["centre"]) for each in row["weights"]}
        for row in content["classes"]
    }


def test_exported_weights_alone_give_the_probabilities(tmp_path: Path) -> None:
    events = growing(200)
    model = fitted(events)
    learner = model.learner
    exported = from_json(model.export(tmp_path / "w.json"))
    assert exported == from_csv(model.export(tmp_path / "w.csv"))
    assert list(exported) == list(model.classes)
    names = {name for weights in exported.values() for name in weights} - {""}
    assert len(names) == model.active_features == learner.active_features() > 0
    assert any(centre for weights in exported.values() for _, centre in weights.values())
    level = [row["served"] for row in learner.level_table()].index(1.0)
    slope = 1 + learner.book[0, learner._at["LEVEL"] + 8 + level]
    bound = slope * math.log(2 * learner.clock + 1)
    within = 0
    for x, *_ in events:
        scores = []
        for label, weights in exported.items():
            parts = model.explain_one(x, label)
            score = weights[""][0]
            for name, value in x.items():
                weight, centre = weights.get(name, (0.0, 0.0))
                slots = np.array([learner.index.find(name)], np.uint32)
                seen = learner.seen_values(slots, np.array([value]), 1)[1][0]
                if abs(seen) == pytest.approx(abs(value - centre)) or not weight:
                    within += bool(weight)
                score += weight * seen
            assert model.intercept[label] == weights[""][0]
            assert score == pytest.approx(weights[""][0] + sum(parts.values()), rel=1e-9, abs=1e-9)
            scores.append(min(max(score, -bound), bound))
        odds = np.exp(np.array(scores) - max(scores))
        given = list(model.predict_proba_one(x).values())
        np.testing.assert_allclose(given, odds / odds.sum(), rtol=1e-9, atol=1e-12)
    assert within > 100


def test_a_bounded_index_frees_slots_with_any_number_of_classes() -> None:
    events = [({**x, f"once {t}": 1.0}, *rest) for t, (x, *rest) in enumerate(growing())]
    bounded = fitted(events, index=GrowingIndex(60, "evict"))
    assert bounded.tracked_features <= 60
    assert len(bounded.classes) == 4
    again = pickle.loads(pickle.dumps(bounded))
    for event in events:
        bounded.learn_one(*event)
        again.learn_one(*event)
    assert whole_state(again) == whole_state(bounded)


# What brings no class, and what is refused


REFUSED: dict[str, tuple[type[Exception], Any]] = {
    "a token": (TypeError, lambda m: m.learn_one({"a": 1.0}, "new", token=1.5)),
    "an importance": (ValueError, lambda m: m.learn_one({"a": 1.0}, "new", -1.0)),
    "a value": (TypeError, lambda m: m.learn_one({"a": None, "b": [1]}, "new")),
    "a name": (TypeError, lambda m: m.learn_one({1.5: 1.0}, "new")),
    "a label": (ValueError, lambda m: m.learn_one({"a": 1.0}, ["new"])),
    "a missing label": (ValueError, lambda m: m.learn_one({"a": 1.0}, None)),
    "a warm start": (TypeError, lambda m: m.warm_start({"a": 1.0})),
    "uncertainty": (TypeError, lambda m: m.uncertainty_one({"a": 1.0})),
    "an explanation": (ValueError, lambda m: m.explain_one({"a": 1.0}, "nobody")),
}


@pytest.mark.parametrize("rows", [THIRD, 60], ids=["two", "three"])
@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_changes_nothing(what: str, rows: int) -> None:
    if rows == THIRD and what in ("uncertainty", "an explanation"):
        return  # of two classes other tests
    model = fitted(growing()[:rows])
    before = whole_state(model)
    error, act = REFUSED[what]
    with pytest.raises(error):
        act(model)
    assert whole_state(model) == before
    assert type(model.learner) is (StackLearner if rows == THIRD else ClassStackLearner)


def test_importance_0_brings_no_class() -> None:
    model = fitted(growing()[:THIRD])
    before = whole_state(model)
    model.learn_one({"new": 1.0}, "c", 0.0)
    model.learn_many(pd.DataFrame([{"fd0": 1.0}]), pd.Series(["c"]), 0.0)
    assert whole_state(model) == before
    assert isinstance(model.learner, StackLearner)
    assert model.learner.book[Book.ROWS] > 0


def test_infinite_values_at_prediction_do_no_harm() -> None:
    model = fitted()
    events: list[Any] = [{"fd0": math.inf}, {"new": -math.inf}, {"fd1": 1e200}]
    for token, x in enumerate(events):
        model.predict_one(x, token=token)
    assert np.isfinite(model._pending.arrays()).all()
    for token in range(3):
        model.learn_one({"fd0": 1.0}, "b", token=token)
    learner = model.learner
    assert isinstance(learner, ClassStackLearner)
    assert np.isfinite(learner.each).all()
    assert np.isfinite(list(model.intercept.values())).all()


def test_a_clone_begins_with_two_classes() -> None:
    again = fitted(serve=1.0).clone()
    assert isinstance(again.learner, StackLearner)
    assert again.classes == (False, True)
    assert again.serve == 1.0

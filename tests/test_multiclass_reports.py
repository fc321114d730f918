"""What a classifier of many classes says, exports and refuses; river's wrappers around it."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from river import checks, multiclass

from streamlasso import FTRLProximal, Newton, SparseClassifier
from streamlasso.coefficients import coefficients_from
from streamlasso.penalties import Adaptive, Group

LABELS = ("red", "green", "blue")


def made(rule: Any = None, **settings: Any) -> SparseClassifier:
    """Three classes, each with a word of its own, a common word and a number."""
    model = SparseClassifier(rule or FTRLProximal(0.5, l1=0.5), **settings)
    for i in range(300):
        label = LABELS[i * 7 % 3]
        model.learn_one({"word": f"{label}{i % 2}", "n": i % 5 - 2.0, "common": 1.0}, label)
    return model


X: dict[str, Any] = {"word": "green1", "n": 1.0, "common": 1.0, "unknown": 3.0}


def test_weights_explanations_and_predictions_agree_by_label() -> None:
    model = made()
    assert model.classes == LABELS
    assert list(model.weights) == list(model.intercept) == list(LABELS)
    assert model.predict_one(X) == "green"
    scores = []
    for label in LABELS:
        parts = model.explain_one(X, label)
        assert list(parts.values()) == sorted(parts.values(), key=lambda part: -abs(part))
        values = {"word=green1": 1.0, **X}
        for name, part in parts.items():
            assert part == model.weights[label][name] * values[name]
        scores.append(model.intercept[label] + sum(parts.values()))
    odds = np.exp(scores)
    assert list(model.predict_proba_one(X).values()) == pytest.approx((odds / odds.sum()).tolist())
    assert model.explain_one(X) == model.explain_one(X, "green")
    with pytest.raises(ValueError, match=r"label = 'pink' is none of the classes \['red'"):
        model.explain_one(X, "pink")
    active = {name for weights in model.weights.values() for name in weights}
    assert model.active_features == len(active)
    assert 0 <= model.sparsity < 1


def test_an_export_has_every_class(tmp_path: Path) -> None:
    model = made()
    content = json.loads(model.export(tmp_path / "w.json").read_text())
    assert content["loss"] == "softmax"
    for row in content["classes"]:
        assert row["intercept"] == model.intercept[row["label"]]
        weights = {entry["name"]: entry["weight"] for entry in row["weights"]}
        assert weights == model.weights[row["label"]]
    assert [row["label"] for row in content["classes"]] == list(LABELS)
    with model.export(tmp_path / "w.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["label", "name", "weight"]
    for label in LABELS:
        own = {name: float(weight) for each, name, weight in rows[1:] if each == label}
        assert own == {"": model.intercept[label], **model.weights[label]}
    with pytest.raises(ValueError, match=r"must end in \.json or \.csv"):
        model.export(tmp_path / "w.txt")
    with pytest.raises(ValueError, match="is not"):
        coefficients_from(tmp_path / "w.json")


def test_the_uncertainty_is_that_of_the_widest_class() -> None:
    model = made()
    model._encoder.encode(X, allocate=False)
    row = model._encoder.slots[: model._encoder.size], model._encoder.values[: model._encoder.size]
    each = [model.learner.uncertainty(*row, lane) for lane in range(3)]
    assert model.uncertainty_one(X) == max(each) > 0


def test_two_classes_stay_one_lane() -> None:
    model = SparseClassifier(FTRLProximal())
    for i in range(50):
        model.learn_one({"a": float(i % 3)}, "yes" if i % 2 else "no")
    model.learn_one({"a": 1.0}, "maybe", 0.0)  # an event that is not learned brings no class
    assert model.classes == ("no", "yes")
    assert model.learner.lanes == 1
    assert set(model.weights) <= {"a"}


@pytest.mark.parametrize(
    "settings",
    [{"loss": "hinge"}, {"loss": "squared_hinge"}, {"grid": {"l1": [0.1, 1.0]}}, {"refit": True}],
    ids=str,
)
def test_where_a_third_class_cannot_be_the_error_names_the_remedy(settings: Any) -> None:
    model = SparseClassifier(**settings)
    for label in ("a", "b"):
        model.learn_one({"x": 1.0}, label)
    before = model.learner.state.tobytes()
    with pytest.raises(ValueError, match=r"'c' would be a class beside 'a', 'b'.*OneVsRest"):
        model.learn_one({"x": 1.0}, "c")
    assert model.classes == ("a", "b")
    assert model.learner.state.tobytes() == before
    assert not model._multiclass


def test_what_is_no_label_is_an_error_with_many_classes_too() -> None:
    model = made()
    for label in (None, float("nan"), ["red"], {"red": 1}):
        with pytest.raises(ValueError, match="is no class"):
            model.learn_one(X, label)
    assert model.classes == LABELS


def test_a_group_enters_and_leaves_each_class_as_a_whole() -> None:
    model = SparseClassifier(FTRLProximal(0.5, l1=Group(3.0)))
    random = np.random.default_rng(5)
    for i in range(600):
        label = LABELS[i % 3] if i >= 200 else LABELS[i % 2]
        x = {"colour": label, "noise": int(random.integers(9)), "day": f"d{random.integers(3)}"}
        model.learn_one(x, label)
    for label in LABELS:
        names = {name for name in model.weights[label] if str(name).startswith("day=")}
        assert len(names) in (0, 3)
        assert {"colour=red", "colour=green", "colour=blue"} <= set(model.weights[label])
    assert [model.predict_one({"colour": label}) for label in LABELS] == list(LABELS)


def test_an_adaptive_pilot_is_of_every_class() -> None:
    pilot = {f"word={label}{i}": 1.0 for label in LABELS for i in (0, 1)}
    model = made(FTRLProximal(0.5, l1=Adaptive(0.5, cap=1e6, pilot=pilot)))
    for label in LABELS:
        assert set(model.weights[label]) <= set(pilot)
        assert model.weights[label]


@pytest.mark.parametrize("rule", [None, Newton()], ids=str)
@pytest.mark.parametrize("scale", [None, "rms-max"])
def test_five_classes_are_told_apart(rule: Any, scale: str | None) -> None:
    random = np.random.default_rng(1)
    centres = random.normal(size=(5, 12)) * (random.random((5, 12)) < 0.4) * 2
    model = SparseClassifier(rule, scale=scale)
    hits = 0
    for t in range(1500):
        label = int(random.integers(5))
        x = {j: float(v) for j, v in enumerate(centres[label] + random.normal(size=12))}
        hits += t >= 1000 and model.predict_one(x) == label
        model.learn_one(x, label)
    assert hits > 440


# River


def test_rivers_checks_treat_it_as_multiclass() -> None:
    """They run in `test_river`; here it is that those of many classes are among them."""
    model = SparseClassifier()
    assert model._multiclass
    taken = [check for check in checks.yield_checks(model) if "learn_one" in check.__name__]
    assert len(taken) > 2
    for check in taken:
        check(model.clone())


def test_one_vs_rest_still_takes_it() -> None:
    model = multiclass.OneVsRestClassifier(SparseClassifier(loss="hinge"))
    for i in range(150):
        model.learn_one({"word": LABELS[i % 3], "n": 1.0}, LABELS[i % 3])
    assert [model.predict_one({"word": label}) for label in LABELS] == list(LABELS)

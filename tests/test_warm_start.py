"""Warm starts: another model's weights are read back and learning goes on from them."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import VARIANTS, Variant, stream

from streamlasso import (
    DualAveraging,
    FTRLProximal,
    GrowingIndex,
    Learner,
    Newton,
    SoftThreshold,
    SparseClassifier,
    SparseRegressor,
    TruncatedGradient,
    load,
)
from streamlasso.coefficients import Coefficients
from streamlasso.penalties import Evidence, Group
from streamlasso.rules import Rule

PLANTABLE = [v for v in VARIANTS if v.rule.bounded and not isinstance(v.rule.l1_penalty, Group)]
each_plantable = pytest.mark.parametrize("variant", PLANTABLE, ids=lambda variant: variant.label)
WEIGHTS = {0: 1.5, 1: 0.02, 5: 3e-4, 8: 120.0, ("new", 1): 0.7, "x=y": 1.0}
X = {0: 1.0, 1: -2.0, 3: 0.5, 8: 0.01, "x": "y"}


def interpreted(model: Any) -> Any:
    model.learner.compiled = False
    model.learner.refresh()
    return model


def started(rule: Rule, trust: float = 1.0, **settings: Any) -> SparseRegressor:
    model = interpreted(SparseRegressor(rule, **settings))
    signs = 1.0 if getattr(rule, "nonnegative", False) else -1.0
    weights = {name: weight * signs**i for i, (name, weight) in enumerate(WEIGHTS.items())}
    model.warm_start(Coefficients(weights, intercept=-0.25), trust=trust)
    for name, weight in weights.items():
        assert model.weights[name] == pytest.approx(weight, rel=1e-12, abs=1e-12)
    assert model.intercept == pytest.approx(-0.25, rel=1e-12)
    assert model.active_features == len(weights)
    return model


@pytest.mark.parametrize("trust", [0.5, 1.0, 30.0])
@each_plantable
def test_weights_are_read_back(variant: Variant, trust: float) -> None:
    model = started(variant.rule, trust)
    assert model.learner.clock == 0
    assert model.learner.active_count()[0] == len(WEIGHTS)


def without_slope(model: Any) -> None:
    model.learn_one(X, model.predict_one(X))
    assert model.learner.clock == 1


TOTALS = [
    v
    for v in PLANTABLE
    if v.rule.name in ("ftrl", "newton")
    and not v.rule.forgets
    and getattr(v.rule, "penalty", "total") == "total"
    and not (v.rule.name == "newton" and isinstance(v.rule.l1_penalty, Evidence))
]


@pytest.mark.parametrize("variant", TOTALS, ids=lambda variant: variant.label)
def test_where_penalties_are_totals_an_event_without_a_slope_changes_no_weight(
    variant: Variant,
) -> None:
    model = started(variant.rule)
    before = model.weights
    without_slope(model)
    assert model.weights == pytest.approx(before, rel=1e-12, abs=1e-12)
    assert model.intercept == pytest.approx(-0.25)


@pytest.mark.parametrize(
    ("rule", "taken"),
    [
        (SoftThreshold(0.1, l1=1e-3), 0.1 * 1e-3 / 3.0),
        (SoftThreshold(0.1, l1=1e-3, adaptive=False), 0.1 * 1e-3),
        (TruncatedGradient(0.1, gravity=1e-3, period=1), 0.1 * 1e-3 / 3.0),
        (TruncatedGradient(0.1, gravity=1e-3, period=2), 0.0),
        (SoftThreshold(0.1, l1=1e-3, half_life=10.0), 0.1 * 1e-3 / 3.0),
    ],
    ids=str,
)
def test_a_penalty_per_event_takes_what_it_takes_of_each(rule: Rule, taken: float) -> None:
    model = started(rule, trust=3.0)
    before = model.weights
    without_slope(model)
    assert 5 not in X
    after = model.weights.get(5, 0.0)  # absent from the event, it is shrunk too
    assert abs(after) == pytest.approx(max(abs(before[5]) - taken, 0.0), rel=1e-6)


@pytest.mark.parametrize("loss", ["logistic", "poisson"])
def test_the_evidence_of_newton_starts_from_the_noise_that_the_loss_states(loss: str) -> None:
    kind = SparseClassifier if loss == "logistic" else SparseRegressor
    model = interpreted(kind(Newton(), loss=loss))
    model.warm_start({"a": 1.0, "b": -0.5}, trust=2.0)
    model.learn_one({"other": 1.0}, 1)
    assert model.weights["a"] == pytest.approx(1.0)
    assert model.weights["b"] == pytest.approx(-0.5)


def test_the_more_trust_the_slower_the_weights_move() -> None:
    for rule in (FTRLProximal(0.5, l1=0.0), Newton(), SoftThreshold(0.2), TruncatedGradient(0.2)):
        moved = []
        for trust in (0.5, 3.0, 100.0):
            model = interpreted(SparseRegressor(rule))
            model.warm_start({"a": 1.0}, trust=trust)
            model.learn_one({"a": 1.0}, 3.0)
            moved.append(abs(model.weights["a"] - 1.0))
        assert moved[0] > moved[1] > moved[2] > 0


def test_planted_after_a_while_the_past_counts_from_then_on() -> None:
    rule = SoftThreshold(0.2, half_life=5.0)
    models = [interpreted(SparseRegressor(rule)) for _ in range(2)]
    for _ in range(100):
        models[1].learn_one({"other": 1.0}, 1.0)
    for model in models:
        model.warm_start(Coefficients({"a": 1.0}, model.intercept), trust=10.0)
        model.learn_one({"a": 1.0}, model.predict_one({"a": 1.0}) + 1.0)
    moved = [model.weights["a"] - 1.0 for model in models]
    assert moved[0] == pytest.approx(moved[1], rel=1e-3)


@pytest.mark.parametrize("rule", [FTRLProximal(0.3, l1=0.5), Newton(), SoftThreshold(0.1)], ids=str)
def test_it_goes_on_learning_saved_and_pickled(rule: Rule, tmp_path: Path) -> None:
    model = started(rule)
    models = [model, pickle.loads(pickle.dumps(model)), load(model.save(tmp_path / "m"))]
    for event in stream("squared", 60):
        for each in models:
            interpreted(each).learn_one(event.x, event.target, event.importance)
    assert models[0].weights == models[1].weights == models[2].weights


def test_compiled_weights_are_read_back() -> None:
    for rule in (FTRLProximal(), Newton(), SoftThreshold(), TruncatedGradient()):
        model = SparseRegressor(rule, grid={rule.parameters[0]: [0.1, 1.0, 2.0]})
        model.warm_start({"a": 0.5, "b": -2.0})
        for lane in range(3):
            assert model.learner.weights(lane) == pytest.approx({"a": 0.5, "b": -2.0}, rel=1e-12)


# Sources


def test_from_scikit_learn_with_its_labels_and_from_estimators(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(3)
    X = pd.DataFrame(random.normal(size=(200, 3)), columns=["a", "b", "c"])
    y = np.where(X["a"] - 0.5 * X["b"] > 0, "yes", "no")
    batch = LogisticRegression().fit(X, y)
    model = SparseClassifier(FTRLProximal())
    model.warm_start(batch)
    assert model.classes == ("no", "yes")
    expected = batch.predict_proba(X)[:, 1].tolist()
    assert model.predict_proba_many(X)["yes"].tolist() == pytest.approx(expected)
    sources = [model, model.learner, model.export(tmp_path / "w.json"),
               model.export(tmp_path / "w.csv"), SparseClassifier(refit=True)]  # fmt: skip
    sources[-1].warm_start(model)
    for source in sources:
        other = SparseClassifier(Newton())
        other.warm_start(source)
        assert other.weights == pytest.approx(model.weights)
        assert other.intercept == pytest.approx(model.intercept)
        labelled = isinstance(source, SparseClassifier)
        assert other.classes == (("no", "yes") if labelled else (False, True))


def test_from_a_vowpal_wabbit_model(tmp_path: Path) -> None:
    text = (
        "Version 9.10.0\nId \nMin label:-1\nMax label:1\nbits:18\nlda:0\n0 ngram:\n0 skip:\n"
        "options:\nChecksum: 1\n:0\nn^price:1234:0.5\nn^size:99:-0.25\nConstant:116060:0.125\n"
    )
    (tmp_path / "model.vw").write_text(text)
    model = SparseClassifier(FTRLProximal())
    model.warm_start(tmp_path / "model.vw", namespaces="strip")
    assert model.weights == {"price": 0.5, "size": -0.25}
    assert model.intercept == pytest.approx(0.125)


def test_labels_are_taken_over_before_the_first_event_only() -> None:
    source = SparseClassifier(FTRLProximal())
    for label in ("ham", "spam") * 20:
        source.learn_one({label: 1.0}, label)
    same, other = SparseClassifier(FTRLProximal()), SparseClassifier(FTRLProximal())
    same.learn_one({"a": 1.0}, "ham")
    same.learn_one({"a": 1.0}, "spam")
    same.warm_start(source)
    assert same.weights == pytest.approx(source.weights)
    other.learn_one({"a": 1.0}, "spam")
    with pytest.raises(ValueError, match=r"\('ham', 'spam'\), this model has met \('spam', True\)"):
        other.warm_start(source)
    other.warm_start(source.weights)
    third = SparseClassifier(FTRLProximal())
    for label in "abc":
        third.learn_one({"x": 1.0}, label)
    with pytest.raises(ValueError, match="a warm start is for two classes"):
        third.warm_start({"x": 1.0})


# Errors


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"rule": DualAveraging()}, TypeError, "'dual_averaging' cannot start from given weights"),
        ({"rule": FTRLProximal(l1=Group(1.0))}, TypeError, "'group' cannot start from given"),
        ({"scale": "max"}, ValueError, "scale = 'max'.*is not known before its first event"),
        ({"rule": Newton(nonnegative=True)}, ValueError, "weight -1.0 of 'a' with nonnegative"),
    ],
    ids=str,
)
def test_what_cannot_start_from_weights_says_why(settings: Any, kind: Any, message: str) -> None:
    model = SparseRegressor(**settings)
    with pytest.raises(kind, match=message):
        model.warm_start({"a": -1.0})
    assert model.learner.index.size == 2


def test_a_trust_that_is_none_is_an_error() -> None:
    for trust in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"trust = .* must be finite and ≥ 0"):
            SparseRegressor(FTRLProximal()).warm_start({"a": 1.0}, trust=trust)
    for rule in (SoftThreshold(), TruncatedGradient()):
        with pytest.raises(ValueError, match=f"trust = 0 with {rule.name!r}.*give trust > 0"):
            SparseRegressor(rule).warm_start({"a": 1.0}, trust=0)
    model = SparseRegressor(SoftThreshold(adaptive=False))
    model.warm_start({"a": 1.0}, trust=0)
    assert model.weights == {"a": 1.0}


def test_a_full_index_takes_what_it_has_room_for() -> None:
    learner = Learner(FTRLProximal(), index=GrowingIndex(max_features=2, at_limit="refuse"))
    learner.plant({"a": 1.0, "b": 2.0, "c": 3.0}, trust=1.0)
    assert learner.weights() == pytest.approx({"a": 1.0, "b": 2.0})

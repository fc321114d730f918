"""More than two classes: a third one turns the logistic loss into the softmax of a score each."""

import copy
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import (
    DIMENSION,
    Event,
    Variant,
    dense,
    each_variant,
    presence,
    reference_for,
    state_of,
    stream,
)
from reference import Softmax

from streamlasso import (
    DualAveraging,
    FTRLProximal,
    Newton,
    SoftThreshold,
    SparseClassifier,
    TruncatedGradient,
    load,
)
from streamlasso.rules import Rule

CLOSE = {"rtol": 1e-11, "atol": 1e-12}
ONE_OF_EACH = [FTRLProximal(0.3, l1=0.5), Newton(), SoftThreshold(0.2, l1=0.01),
               TruncatedGradient(0.2), DualAveraging(0.3, l1=0.01)]  # fmt: skip
one_of_each_rule = pytest.mark.parametrize("rule", ONE_OF_EACH, ids=lambda rule: rule.name)


def interpreted(model: Any) -> Any:
    model.learner.compiled = False
    model.learner.refresh()
    return model


def classes_of(events: int = 150, *, known: int = 2) -> list[Event]:
    """The usual stream cut into 4 classes, of which 2 and 3 come at a third and two thirds."""
    made = []
    for t, event in enumerate(stream("squared", events)):
        label = int(np.searchsorted([-0.6, 0.4, 1.4], event.target))
        latest = max(known, 2 + (t >= events // 3) + (t >= 2 * events // 3)) - 1
        made.append(event._replace(target=float(min(label, latest))))
    return made


class Growing(Softmax):
    """The reference, with two classes at first: one logistic score."""

    def __init__(self, rule: Rule, **settings: Any) -> None:
        self.rule, self.settings = rule, settings
        self.lanes = [reference_for(rule, "logistic", **settings)]

    def fresh(self) -> Any:
        """A class that was never seen; what belongs to the clock is as old as that."""
        lane, old = reference_for(self.rule, "logistic", **self.settings), self.lanes[-1]
        pairs = [(lane, old)]
        if hasattr(lane, "inner"):
            lane.values = copy.deepcopy(old.values)
            pairs = [(lane.inner, old.inner)]
        for new, past in pairs:
            new.events = past.events
            if hasattr(new, "age") and not new.since_birth:
                new.age = past.age.copy()
        return lane

    def learn(self, x: Any, target: float, importance: float = 1.0, present: Any = None) -> Any:
        if importance > 0 and target > 1 and len(self.lanes) == 1:
            self.lanes = [self.fresh(), self.lanes[0], self.fresh()]
        if importance > 0 and len(self.lanes) > 1 and target >= len(self.lanes):
            self.lanes.append(self.fresh())
        if len(self.lanes) > 1:
            return super().learn(x, target, importance, present)
        return self.lanes[0].learn(x, target, importance, present)


def compare(rule: Rule, events: list[Event], compiled: bool = False, **settings: Any) -> None:
    """After every event all weights of all classes, and the probabilities before it."""
    model = SparseClassifier(rule, **settings)
    naive = Growing(rule, **settings)
    if not compiled:
        interpreted(model)
    active = 0
    for event in events:
        predicted = list(model.predict_proba_one(event.x).values())
        model.learn_one(event.x, int(event.target), event.importance)
        scores = naive.learn(dense(event), event.target, event.importance, presence(event))
        if isinstance(scores, np.ndarray) and len(scores) == len(predicted):  # no new class
            odds = np.exp(scores - scores.max())
            np.testing.assert_allclose(predicted, odds / odds.sum(), **CLOSE)
        lanes = model.weights if model.learner.loss.together else {0: model.weights}
        for lane, weights in zip(naive.lanes, lanes.values(), strict=True):
            dense_weights = [weights.get(name, 0.0) for name in range(DIMENSION)]
            np.testing.assert_allclose(dense_weights, lane.weights, **CLOSE)
            active += len(weights)
    assert len(model.classes) == len(naive.lanes) == 4
    np.testing.assert_allclose(list(model.intercept.values()), naive.intercept, **CLOSE)
    assert naive.gap > 1e-7
    assert active


@each_variant
def test_late_classes_equal_the_naive_reference(variant: Variant) -> None:
    compare(variant.rule, classes_of())


@one_of_each_rule
def test_compiled_late_classes_equal_the_naive_reference(rule: Rule) -> None:
    compare(rule, classes_of(), compiled=True)


@one_of_each_rule
@pytest.mark.parametrize("scale", ["max", "rms-max"])
def test_with_a_scale_late_classes_equal_the_naive_reference(rule: Rule, scale: str) -> None:
    compare(rule, classes_of(), scale=scale)


def test_without_an_intercept_late_classes_equal_the_naive_reference() -> None:
    compare(FTRLProximal(0.3, l1=0.5), classes_of(), fit_intercept=False)


@one_of_each_rule
def test_a_third_class_leaves_the_ratio_of_the_first_two(rule: Rule) -> None:
    model = interpreted(SparseClassifier(rule))
    events = classes_of()
    for event in events[:45]:
        model.learn_one(event.x, int(event.target), event.importance)
    probes = [event.x for event in events[60:80]]
    before = [model.predict_proba_one(x) for x in probes]
    assert (len(model.learner.rules), model.learner.lanes) == (1, 1)
    model._target(2, 1.0)
    after = [model.predict_proba_one(x) for x in probes]
    assert (len(model.learner.rules), model.learner.lanes) == (3, 4)
    for two, three in zip(before, after, strict=True):
        assert three[1] / three[0] == pytest.approx(two[1] / two[0], rel=1e-12)
        assert sum(three.values()) == pytest.approx(1.0)
        assert three[2] == pytest.approx(three[0])


def test_padded_lanes_do_not_matter() -> None:
    rule, events = FTRLProximal(0.3, l1=0.5), [e for e in classes_of() if e.target < 3]
    models = [interpreted(SparseClassifier(rule)) for _ in range(2)]
    for event in events:
        for model in models:
            model.learn_one(event.x, int(event.target), event.importance)
    learner = models[1].learner
    padded = [at + 3 for at in learner.recipe.offsets.values()]
    learner.state[:, padded] = 7.0
    for event in events:
        assert models[0].predict_proba_one(event.x) == models[1].predict_proba_one(event.x)
        assert models[0].explain_one(event.x) == models[1].explain_one(event.x)
        for model in models:
            model.learn_one(event.x, int(event.target), event.importance)
    assert models[0].weights == models[1].weights
    assert models[0].uncertainty_one(events[0].x) == models[1].uncertainty_one(events[0].x)


# Rows and frames


def test_frames_are_their_rows_with_new_classes_in_the_middle() -> None:
    events = [event._replace(importance=1.0) for event in classes_of()]
    X = pd.DataFrame([event.x for event in events])
    y = pd.Series([f"c{int(event.target)}" for event in events])
    xs = [{name: event.x[name] for name in X if name in event.x} for event in events]
    one = interpreted(SparseClassifier(FTRLProximal(0.3, l1=0.5)))
    for x, label in zip(xs, y, strict=True):
        one.learn_one(x, label)
    for cuts in ([0, 150], [0, 1, 49, 50, 51, 110, 150]):
        many = interpreted(SparseClassifier(FTRLProximal(0.3, l1=0.5)))
        for start, stop in pairwise(cuts):
            many.learn_many(X[start:stop], y[start:stop])
        assert state_of(many.learner) == state_of(one.learner)
        assert many.classes == one.classes
    frame = many.predict_proba_many(X)
    assert frame.columns.tolist() == list(many.classes)
    assert frame.to_dict("records") == [one.predict_proba_one(x) for x in xs]
    assert many.predict_many(X).tolist() == [one.predict_one(x) for x in xs]
    assert np.mean(many.predict_many(X) == y) > 0.5


# Files and copies


LABELS: list[tuple[Any, ...]] = [
    ("a", "b", "c", "d"), (False, True, 2, 3), (-1, 1, 0, 5), (1.5, 2.5, 3.5, 4.5),
    (("t", 1), ("t", 2), "t", 7), ("", "\ud800", "ü", "0"),
]  # fmt: skip


@pytest.mark.parametrize("labels", LABELS, ids=repr)
@pytest.mark.parametrize("rule", [FTRLProximal(0.3, l1=0.5), Newton(), SoftThreshold(0.2, 0.01)],
                         ids=lambda rule: rule.name)  # fmt: skip
def test_saved_pickled_and_copied_it_goes_on_to_the_same_bits(
    labels: tuple[Any, ...], rule: Rule, tmp_path: Path
) -> None:
    events = classes_of(150)
    models = [interpreted(SparseClassifier(rule, scale="rms-max")) for _ in range(4)]
    for start in range(0, 150, 30):
        for event in events[start : start + 30]:
            predicted = [model.predict_proba_one(event.x) for model in models]
            assert predicted[0] == predicted[1] == predicted[2] == predicted[3]
            for model in models:
                model.learn_one(event.x, labels[int(event.target)], event.importance)
        models[1] = interpreted(load(models[1].save(tmp_path / "m")))
        models[2] = pickle.loads(pickle.dumps(models[2]))
        models[3] = copy.deepcopy(models[3])
    assert set(models[1].classes) == set(labels)
    for model in models:
        assert state_of(model.learner) == state_of(models[0].learner)
        assert (model.weights, model.intercept) == (models[0].weights, models[0].intercept)
    assert models[0].clone().classes == (False, True)

"""What an error says: the thing, the value, the constraint, the remedy."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from streamlasso import (
    Adaptive,
    AdmitByCount,
    Calibrated,
    Evidence,
    FTRLProximal,
    Group,
    GrowingIndex,
    HashingIndex,
    Learner,
    SnapshotError,
    SoftThreshold,
    SparseClassifier,
    SparseMultiRegressor,
    SparseRegressor,
    load,
)
from streamlasso.sklearn import SparseSGDClassifier, SparseSGDRegressor

GROUPS = FTRLProximal(l1=Group(1.0))
LETTERS = pd.DataFrame({"a": [1.0, 2.0]})


def learn_rows(targets: Any) -> Any:
    learner = Learner(FTRLProximal())
    learner.index.add("a")
    return learner.learn_rows([0, 1], [2], [1.0], targets)


def fit(model: Any) -> Any:
    return model.fit(np.eye(4), [0, 1, 0, 1])


CALLS: list[tuple[Callable[[], Any], list[str]]] = [
    # Targets and importances
    (lambda: SparseRegressor().learn_one({"x": 1.0}, "high"), ["target = 'high'", "a number"]),
    (lambda: SparseRegressor().learn_one({"x": 1.0}, None), ["target = None", "leave such"]),
    (lambda: SparseRegressor().learn_one({"x": 1.0}, [1, 2]), ["target = [1, 2]"]),
    (lambda: SparseRegressor().learn_one({"x": 1.0}, 10**400), ["target = 1000", "too large"]),
    (lambda: SparseRegressor().learn_one({"x": 1.0}, 10**5000), ["a huge int", "too large"]),
    (lambda: SparseRegressor().learn_one({"x": 1.0}, 1.0, "a"), ["importance w = 'a'", "≥ 0"]),
    (lambda: SparseRegressor().learn_one({"x": 1.0}, 1.0, math.nan), ["w = nan", "≥ 0", "drop"]),
    (lambda: SparseRegressor().learn_many(LETTERS, ["b", 1.0]), ["target of row 0 = 'b'"]),
    (lambda: SparseRegressor().learn_many(LETTERS, [1, 2], w="a"), ["importance w = 'a'"]),
    (lambda: SparseRegressor().learn_many(LETTERS, [1, 2], w=[1, math.nan]), ["w = nan", "≥ 0"]),
    (lambda: learn_rows(["high"]), ["target of row 0 = 'high'", "leave such rows out"]),
    (lambda: SparseMultiRegressor().learn_one({"x": 1}, {"a": "high"}), ["target 'a' = 'high'"]),
    (lambda: SparseMultiRegressor().learn_one({"x": 1}, 3.0), ["y = 3.0", "dict target → number"]),
    # Events
    (lambda: SparseClassifier().learn_one([1, 2], True), ["x = [1, 2]", "dict name → value"]),
    (lambda: SparseRegressor().learn_one(None, 1.0), ["x = None", "dict name → value"]),
    (lambda: SparseClassifier().predict_one([1]), ["x = [1]", "dict name → value"]),
    (lambda: SparseClassifier().explain_one("a"), ["x = 'a'", "dict name → value"]),
    # What a model is made of
    (lambda: SparseMultiRegressor("ftrl"), ["rule = 'ftrl'", "FTRLProximal()"]),
    (lambda: Learner("ftrl"), ["rule = 'ftrl'", "FTRLProximal()"]),
    (lambda: SparseClassifier("ftrl", grid={"l1": [1]}), ["rule = 'ftrl'"]),
    (lambda: Learner([]), ["rule = []", "one at least"]),
    (lambda: SparseClassifier(index="hashing"), ["index = 'hashing'", "HashingIndex(bits=22)"]),
    (lambda: SparseClassifier(index=1000), ["index = 1000", "GrowingIndex(max_features"]),
    (lambda: SparseClassifier(index=GrowingIndex), ["index = <class", "GrowingIndex()"]),
    (lambda: Learner(FTRLProximal(), "squared", "hashing"), ["index = 'hashing'"]),
    (lambda: GrowingIndex(admit=AdmitByCount), ["admit = <class", "AdmitByCount()"]),
    (lambda: SparseClassifier(refit="yes"), ["refit = 'yes'", "True or False"]),
    (lambda: SparseClassifier(fit_intercept="no"), ["fit_intercept = 'no'", "True or False"]),
    (
        lambda: FTRLProximal(nonnegative="yes", since_birth=1),
        ["nonnegative = 'yes'", "since_birth = 1", "True or False"],
    ),
    (lambda: SoftThreshold(adaptive=None), ["adaptive = None", "True or False"]),
    (lambda: FTRLProximal(half_life=None), ["half_life = None", "float('inf')"]),
    (
        lambda: FTRLProximal(l1=Evidence(), penalty="per_event"),
        ["penalty = 'per_event'", "Evidence(theta=0.5)", "use penalty = 'total'"],
    ),
    (lambda: Adaptive(0.5, pilot=3), ["pilot = 3", "dict name → weight"]),
    (lambda: Adaptive(0.5, pilot="ols"), ["pilot = 'ols'", "dict name → weight"]),
    (lambda: Adaptive(0.5, pilot={"a": "x"}), ["weight of 'a' = 'x'", "a number"]),
    # Losses
    (lambda: SparseClassifier(loss="log_loss"), ["'log_loss'", "did you mean 'logistic'", "hinge"]),
    (lambda: SparseRegressor(loss="squared_error"), ["did you mean 'squared'", "poisson"]),
    (lambda: SparseClassifier(loss="softmax"), ["'softmax'", "take 'logistic'", "third class"]),
    (lambda: fit(SparseSGDRegressor(loss="logistic")), ["loss = 'logistic'", "poisson"]),
    # Grids and selection
    (lambda: SparseClassifier(grid={"l1": [1, 2]}, select=None), ["select = None", "leader, mix"]),
    (lambda: SparseClassifier(select="best"), ["select = 'best'", "leader, mix, 1se"]),
    (lambda: SparseClassifier(select="1se"), ["select = '1se'", "grid={'l1': ["]),
    (lambda: SparseClassifier(grid={"l1": range(300)}), ["l1 with 300 values", "from 1 to 256"]),
    (
        lambda: SparseClassifier(grid={"l1": [Adaptive(1.0), Evidence(2.0)]}),
        ["grid: l1", "Adaptive and Evidence", "use one kind"],
    ),
    # Penalties that go by names
    (
        lambda: SparseClassifier(GROUPS, index=GrowingIndex(max_features=100)),
        ["GrowingIndex(100", "its head", "use GrowingIndex() without max_features and admit"],
    ),
    (
        lambda: SparseClassifier(GROUPS, index=GrowingIndex(admit=AdmitByCount())),
        ["AdmitByCount", "its head", "use GrowingIndex() without max_features and admit"],
    ),
    (
        lambda: SparseClassifier(GROUPS, index=HashingIndex(10, names=True)),
        ["HashingIndex(bits=10", "share slots", "use GrowingIndex()"],
    ),
    (
        lambda: SparseClassifier(
            FTRLProximal(l1=Adaptive(pilot={"a": 1.0})), index=GrowingIndex(5, "evict")
        ),
        ["'evict'", "use at_limit = 'refuse'"],
    ),
    (lambda: fit(SparseSGDClassifier(GROUPS)), ["Group", "only a number", "SparseClassifier"]),
    (lambda: SparseClassifier(GROUPS, scale="rms"), ["scale = 'rms'", "leave scale out"]),
    # Starts
    (
        lambda: SparseClassifier(FTRLProximal()).warm_start({"x": 1}, trust="a"),
        ["trust = 'a'", "a number"],
    ),
    (
        lambda: SparseClassifier(FTRLProximal()).warm_start({"x": 1}, intercept=3),
        ["'intercept'", "trust, names and namespaces"],
    ),
    (lambda: SparseClassifier(GROUPS).warm_start({"x": 1}), ["'group'", "Evidence or Adaptive"]),
    (
        lambda: SparseClassifier(FTRLProximal(nonnegative=True)).warm_start({"x": -1.0}),
        ["weight -1.0 of 'x'", "≥ 0", "leave such names out"],
    ),
    (
        lambda: SparseClassifier(FTRLProximal()).warm_start("none.csv"),
        ["'none.csv' is no file", ".csv or .json"],
    ),
    (lambda: SparseClassifier(FTRLProximal()).warm_start("none.safetensors"), ["none.safetensors"]),
    # Calibration
    (lambda: Calibrated(SparseRegressor()), ["classifier = SparseRegressor", "predict_proba_one"]),
    (lambda: Calibrated("x"), ["classifier = 'x'", "SparseClassifier()"]),
    (lambda: Calibrated(SparseClassifier), ["classifier = <class", "SparseClassifier()"]),
    (lambda: Calibrated(SparseClassifier(), half_life="a"), ["half_life = 'a'", "math.inf"]),
    # Files
    (lambda: SparseClassifier().save("none/m.st"), ["'none/m.st'", "no folder 'none'"]),
    (lambda: load("none.safetensors"), ["none.safetensors", "no such file; check the path"]),
]


@pytest.mark.parametrize(("call", "words"), CALLS, ids=[words[0] for _, words in CALLS])
def test_an_error_names_the_thing_the_value_and_the_remedy(
    call: Callable[[], Any], words: list[str]
) -> None:
    with pytest.raises((TypeError, ValueError, FileNotFoundError, SnapshotError)) as caught:
        call()
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert len(message) < 400


@pytest.mark.parametrize("name", ["coef_", "intercept_", "t_", "learners_"])
@pytest.mark.parametrize("kind", [SparseSGDClassifier, SparseSGDRegressor])
def test_what_is_learned_is_not_there_before_fit(kind: Any, name: str) -> None:
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(kind(), name)
    assert not hasattr(kind(), name)


def test_numpys_booleans_are_made_plain() -> None:
    assert FTRLProximal(nonnegative=np.True_) == FTRLProximal(nonnegative=True)
    assert repr(FTRLProximal(nonnegative=np.True_)) == repr(FTRLProximal(nonnegative=True))


# A refused event


def no_trace(model: Any) -> bool:
    index = model.learner.index
    return index.size == 2 and model.learner.clock == 0 and not model.learner.state.any()


WRONG: list[tuple[Any, Any]] = [
    ({"x": 1.0, "y": [1]}, 1.0),
    ({"x": 1.0, 1.5: 2.0}, 1.0),
    ({"x": 1.0, "y": 1 + 2j}, 1.0),
    ({"x": 1.0}, -1),
    ({"x": 1.0}, math.nan),
    ({"x": 1.0}, "a"),
    ([1], 1.0),
]


@pytest.mark.parametrize(("x", "w"), WRONG, ids=str)
@pytest.mark.parametrize("interactions", [(), [("x", "*")]], ids=["plain", "crossed"])
def test_a_refused_event_leaves_no_name_class_or_target(x: Any, w: Any, interactions: Any) -> None:
    classifier = SparseClassifier(interactions=interactions)
    calibrated = Calibrated(SparseClassifier(interactions=interactions))
    regressor = SparseRegressor(interactions=interactions)
    several = SparseMultiRegressor(interactions=interactions)
    for model, y in (
        (classifier, "bad"),
        (calibrated, "bad"),
        (regressor, 1.0),
        (several, {"a": 1}),
    ):
        with pytest.raises((TypeError, ValueError)):
            model.learn_one(x, y, w=w)
    with pytest.raises((TypeError, ValueError)):
        regressor.learn_one({"x": 1.0}, "high")
    assert all(map(no_trace, (classifier, calibrated.classifier, regressor, several)))
    assert (classifier.classes, several.targets) == ((False, True), ())
    for label in ("a", "b"):
        classifier.learn_one({"x": 1.0}, label)
        calibrated.learn_one({"x": 1.0}, label)
    assert classifier.classes == ("a", "b")
    assert set(calibrated.predict_proba_one({"x": 1.0})) == {"a", "b"}


@pytest.mark.parametrize(
    ("values", "labels"), [([1.0, [2.0]], ["p", "q"]), ([1.0, 2.0], ["p", None])], ids=str
)
def test_a_refused_frame_brings_no_class(values: list[Any], labels: list[Any]) -> None:
    model = SparseClassifier()
    with pytest.raises((TypeError, ValueError)):
        model.learn_many(pd.DataFrame({"x": values}), pd.Series(labels))
    assert model.classes == (False, True)
    model.learn_many(pd.DataFrame({"x": [1.0, 2.0]}), pd.Series(["a", "b"]))
    assert model.classes == ("a", "b")


# What is not finite


@pytest.mark.parametrize("value", [math.inf, -math.inf, 10**400])
@pytest.mark.parametrize("name", ["x", "never seen"])
def test_predicting_for_an_infinity_names_the_feature(name: str, value: Any) -> None:
    two, three = (SparseClassifier(FTRLProximal()) for _ in range(2))
    regressor = SparseRegressor(FTRLProximal())
    several = SparseMultiRegressor()
    for i in range(4):
        two.learn_one({"x": 1.0}, i % 2)
        three.learn_one({"x": 1.0}, "abc"[i % 3])
        regressor.learn_one({"x": 1.0}, 1.0)
        several.learn_one({"x": 1.0}, {"a": 1.0, "b": 2.0})
    event, frame = {"x": 1.0, name: value}, pd.DataFrame({name: [1.0, float("inf")]})
    for call in (
        *(
            lambda model=model: model.predict_one(event)
            for model in (two, three, regressor, several)
        ),
        *(lambda model=model: model.predict_proba_one(event) for model in (two, three)),
        *(lambda model=model: model.predict_many(frame) for model in (two, three, regressor)),
    ):
        with pytest.raises(ValueError, match=f"feature '{name}' has the value .*; leave it out"):
            call()
    assert math.isfinite(regressor.predict_one({"x": 1.0}))


def test_what_was_left_out_is_counted_by_every_estimator() -> None:
    for model, y in (
        (SparseClassifier(), True),
        (SparseRegressor(), math.nan),
        (SparseMultiRegressor(), {"a": math.inf}),
    ):
        model.learn_one({"x": math.inf}, y)
        assert model.rejected == 1

"""Several targets: so many regressors side by side over the same features."""

import copy
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import Event, Variant, each_variant, state_of, stream
from river import checks

from streamlasso import (
    RULES,
    FTRLProximal,
    Newton,
    SoftThreshold,
    SparseMultiRegressor,
    SparseRegressor,
    load,
)
from streamlasso.losses import Huber
from streamlasso.penalties import Group
from streamlasso.rules import Rule

ONE_OF_EACH = [rule() for rule in RULES.values()]
one_of_each_rule = pytest.mark.parametrize("rule", ONE_OF_EACH, ids=lambda rule: rule.name)


def interpreted(model: Any) -> Any:
    model.learner.compiled = False
    model.learner.refresh()
    return model


def targets_of(event: Event) -> dict[str, float]:
    return {"a": event.target, "b": -2.0 * event.target + 1.0, "c": event.x.get(0, 0.0)}


def compare(
    rule: Rule | None, compiled: bool = False, events: int = 90, **settings: Any
) -> SparseMultiRegressor:
    """Every prediction and in the end every weight, to the bit."""
    together = SparseMultiRegressor(rule, **settings)
    apart = {name: SparseRegressor(rule, **settings) for name in "abc"}
    if not compiled:
        for model in (together, *apart.values()):
            interpreted(model)
    for t, event in enumerate(stream("squared", events)):
        expected = {name: model.predict_one(event.x) for name, model in apart.items()}
        assert together.predict_one(event.x) == (expected if t and together.targets else {})
        together.learn_one(event.x, targets_of(event), event.importance)
        for name, model in apart.items():
            model.learn_one(event.x, targets_of(event)[name], event.importance)
    assert together.targets == ("a", "b", "c")
    assert together.weights == {name: model.weights for name, model in apart.items()}
    assert together.intercept == {name: model.intercept for name, model in apart.items()}
    assert any(together.weights.values())
    return together


@each_variant
def test_it_is_a_regressor_for_each_target_to_the_bit(variant: Variant) -> None:
    compare(variant.rule)


@one_of_each_rule
def test_compiled_it_is_a_regressor_for_each_target_to_the_bit(rule: Rule) -> None:
    compare(rule, compiled=True)


@pytest.mark.parametrize(
    "settings",
    [{"scale": "rms-max"}, {"fit_intercept": False}, {"loss": Huber(0.5)},
     {"interactions": [("0", "1")]}],
    ids=str,
)  # fmt: skip
def test_settings_are_those_of_the_regressor(settings: dict[str, Any]) -> None:
    compare(Newton(), **settings)


@pytest.mark.parametrize("missing", [None, math.nan, pd.NA, np.float32("nan"), "left out"])
@pytest.mark.parametrize(
    "rule", [FTRLProximal(0.3, l1=0.5), Newton(l1=0.5), FTRLProximal(l1=Group(1.0))], ids=str
)
def test_a_missing_target_is_not_learned(rule: Rule, missing: Any) -> None:
    together = interpreted(SparseMultiRegressor(rule))
    apart = {name: interpreted(SparseRegressor(rule)) for name in "abc"}
    for t, event in enumerate(stream("squared", 130, importances=[1.0])):
        y: dict[str, Any] = targets_of(event)
        gone = "abc"[t % 3] if t % 4 else None
        for name, model in apart.items():
            if name != gone:
                model.learn_one(event.x, y[name])
        if gone is not None:
            y[gone] = missing
            y = {name: value for name, value in y.items() if not isinstance(value, str)}
        together.learn_one(event.x, y)
    assert together.weights == {name: model.weights for name, model in apart.items()}
    assert together.intercept == {name: model.intercept for name, model in apart.items()}
    assert together.learner.rejected == 0


def test_a_target_that_comes_late_begins_as_a_new_model() -> None:
    rule = FTRLProximal(0.3, l1=0.5)
    together = interpreted(SparseMultiRegressor(rule))
    apart = {name: interpreted(SparseRegressor(rule)) for name in "abcde"}
    for t, event in enumerate(stream("squared", 130, importances=[1.0])):
        y = {**targets_of(event), "d": 3.0 * event.target, "e": 1.0}
        y = {name: y[name] for name in "abcde"[: 1 + t // 30]}
        for name, value in y.items():
            apart[name].learn_one(event.x, value)
        together.learn_one(event.x, y)
        assert together.targets == tuple(y)
    assert together.learner.lanes == 8
    assert together.weights == {name: model.weights for name, model in apart.items()}


def test_a_target_without_a_value_yet_is_none() -> None:
    model = SparseMultiRegressor()
    model.learn_one({"x": 1.0}, {"a": None, "b": math.nan})
    assert (model.targets, model.learner.clock) == ((), 0)
    model.learn_one({"x": 1.0}, {"a": None, "b": 1.0})
    assert model.targets == ("b",)
    model.learn_one({"x": 1.0, "never seen": 1.0}, {"a": 1.0, "b": 2.0}, 0.0)
    assert (model.learner.clock, model.learner.index.size) == (1, 3)
    assert model.targets == ("b",)
    assert set(model.predict_one({"x": 1.0})) == {"b"}
    with pytest.raises(ValueError, match="-1"):
        model.learn_one({"x": 1.0}, {"b": 1.0}, -1.0)


def test_a_target_that_is_not_finite_spoils_no_other() -> None:
    model = interpreted(SparseMultiRegressor(FTRLProximal(0.3, l1=0.0)))
    for _ in range(5):
        model.learn_one({"x": 1.0}, {"a": 1.0, "b": 1.0, "c": 2.0})
    before = model.weights
    model.learn_one({"x": 1.0}, {"a": math.inf, "b": 1.0, "c": 2.0})
    assert model.weights["a"] == before["a"]
    assert model.weights["b"] != before["b"]
    assert model.learner.rejected == 0
    model.learn_one({"x": 1.0}, {"a": math.inf, "b": -math.inf, "c": math.inf})
    assert model.learner.rejected == 1


def test_counts_are_predicted_as_means() -> None:
    model = SparseMultiRegressor(FTRLProximal(0.3, l1=0.0), loss="poisson")
    for i in range(500):
        model.learn_one({"x": float(i % 2)}, {"few": i % 2, "many": 4 * (i % 2) + 1})
    predicted = model.predict_one({"x": 1.0})
    assert predicted["few"] == pytest.approx(1.0, abs=0.3)
    assert predicted["many"] == pytest.approx(5.0, abs=0.7)
    with pytest.raises(
        ValueError, match=r"target 'few' = -1\.0: the poisson loss takes numbers ≥ 0"
    ):
        model.learn_one({"x": 1.0}, {"few": -1.0, "many": 1.0})


@pytest.mark.parametrize("names", [("a", "b", "c"), (1, ("t", 2), ""), ("a",), ()], ids=str)
@pytest.mark.parametrize("rule", [None, Newton(), SoftThreshold(0.2), FTRLProximal(l1=Group(1.0))],
                         ids=str)  # fmt: skip
def test_saved_pickled_and_copied_it_goes_on_to_the_same_bits(
    names: tuple[Any, ...], rule: Any, tmp_path: Path
) -> None:
    scale = None if rule is not None and isinstance(rule.l1_penalty, Group) else "rms"
    models = [interpreted(SparseMultiRegressor(rule, scale=scale)) for _ in range(4)]
    events = stream("squared", 80)
    for start in range(0, 80, 20):
        for event in events[start : start + 20]:
            y = dict(zip(names, targets_of(event).values(), strict=False))
            predicted = [model.predict_one(event.x) for model in models]
            assert predicted[0] == predicted[1] == predicted[2] == predicted[3]
            for model in models:
                model.learn_one(event.x, y, event.importance)
        models[1] = interpreted(load(models[1].save(tmp_path / "m")))
        models[2] = pickle.loads(pickle.dumps(models[2]))
        models[3] = copy.deepcopy(models[3])
    for model in models:
        assert state_of(model.learner) == state_of(models[0].learner)
        assert model.targets == models[0].targets == names
        assert model.weights == models[0].weights
    assert models[1].rule == rule
    assert models[0].clone().targets == ()


def test_river_checks() -> None:
    for scale in (None, "rms-max"):
        model = SparseMultiRegressor(scale=scale)
        seen = list(checks.yield_checks(model))
        assert len(seen) > 20
        for check in seen:
            check(model.clone())

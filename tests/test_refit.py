"""Refitting: a companion without a penalty on the features that the model has chosen."""

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import Event, state_of, stream

from streamlasso import (
    RULES,
    Evidence,
    FTRLProximal,
    GrowingIndex,
    Newton,
    SparseClassifier,
    SparseRegressor,
    load,
)
from streamlasso.penalties import Adaptive, Group
from streamlasso.refit import Effect
from streamlasso.rules import Rule

ONE_OF_EACH = [rule() for rule in RULES.values()]
one_of_each_rule = pytest.mark.parametrize("rule", ONE_OF_EACH, ids=lambda rule: rule.name)


def interpreted(model: Any) -> Any:
    for learner in (model.learner, model.companion):
        if learner is not None:
            learner.compiled = False
            learner.refresh()
    return model


def learn_events(model: Any, events: list[Event]) -> None:
    for event in events:
        model.learn_one(event.x, event.target, event.importance)


def states(model: Any) -> list[Any]:
    return [state_of(model.learner), state_of(model.companion)]


@one_of_each_rule
def test_the_companion_learns_the_features_that_are_active_after_each_event(rule: Rule) -> None:
    model = interpreted(SparseRegressor(rule, refit=True))
    alone = interpreted(SparseRegressor(rule))
    companion = interpreted(SparseRegressor(rule.unpenalised()))
    for event in stream("squared", 120):
        alone.learn_one(event.x, event.target, event.importance)
        kept = {name: value for name, value in event.x.items() if name in alone.weights}
        companion.learn_one(kept, event.target, event.importance)
        model.learn_one(event.x, event.target, event.importance)
    assert {name: effect.weight for name, effect in model.weights.items()} == alone.weights
    assert {name: effect.refitted for name, effect in model.weights.items()} == {
        name: companion.weights.get(name, 0.0) for name in alone.weights
    }
    assert model.companion.intercept() == companion.intercept
    assert model.intercept == alone.intercept
    assert model.companion.clock == model.learner.clock


TRUTH = np.array([1.5, -1.0, 0.8, 0.5] + [0.0] * 26)


@pytest.mark.parametrize(
    "rule",
    [FTRLProximal(0.5, l1=0.15, penalty="per_event"),
     Newton(l1=100.0), RULES["soft_threshold"](0.3, l1=0.1)],
    ids=lambda rule: rule.name,
)  # fmt: skip
def test_refitted_effects_are_nearer_the_truth(rule: Rule) -> None:
    random = np.random.default_rng(8)
    model = SparseRegressor(rule, refit=True)
    for _ in range(1500):
        x = random.normal(size=len(TRUTH))
        y = float(x @ TRUTH + 0.5 * random.normal())
        model.learn_one(dict(enumerate(x.tolist())), y)
    effects = model.weights
    assert set(range(3)) <= set(effects)
    chosen = [name for name in range(4) if name in effects]
    shrunk = [abs(effects[name].weight - TRUTH[name]) for name in chosen]
    refitted = [abs(effects[name].refitted - TRUTH[name]) for name in chosen]
    assert sum(refitted) < 0.6 * sum(shrunk)
    assert max(refitted) < 0.15


def test_predictions_stay_the_model_s() -> None:
    plain, refit = (interpreted(SparseRegressor(Newton(), refit=on)) for on in (False, True))
    for event in stream("squared", 60):
        assert plain.predict_one(event.x) == refit.predict_one(event.x)
        learn_events(plain, [event])
        learn_events(refit, [event])
    assert plain.active_features == refit.active_features


def test_explanations_carry_both_contributions() -> None:
    model = interpreted(SparseRegressor(FTRLProximal(0.3, l1=0.5), refit=True))
    events = stream("squared", 100)
    learn_events(model, events)
    for event in events[-10:]:
        parts = model.explain_one(event.x)
        for name, effect in parts.items():
            assert isinstance(effect, Effect)
            assert effect.weight == model.weights[name].weight * event.x[name]
            assert effect.refitted == model.weights[name].refitted * event.x[name]
        total = model.intercept + sum(effect.weight for effect in parts.values())
        assert model.predict_one(event.x) == pytest.approx(total)


def test_an_export_has_the_weights_that_predict(tmp_path: Path) -> None:
    model = interpreted(SparseRegressor(FTRLProximal(0.3, l1=0.5), refit=True))
    learn_events(model, stream("squared", 60))
    other = SparseRegressor(FTRLProximal(l1=0.0))
    other.warm_start(model.export(tmp_path / "w.json"))
    weights = {name: effect.weight for name, effect in model.weights.items()}
    assert other.weights == pytest.approx(weights)


def test_a_warm_start_is_the_companion_s_too() -> None:
    model = interpreted(SparseRegressor(FTRLProximal(0.3, l1=0.5), refit=True))
    model.warm_start({"a": 2.0, "b": -1.0})
    for name, weight in (("a", 2.0), ("b", -1.0)):
        assert model.weights[name] == pytest.approx((weight, weight))


@pytest.mark.parametrize("kind", [SparseRegressor, SparseClassifier])
def test_frames_are_their_rows(kind: Any) -> None:
    events = stream("logistic", 80)
    X = pd.DataFrame([event.x for event in events])
    y = pd.Series([event.target for event in events])
    w = np.array([event.importance for event in events])
    one, many = (interpreted(kind(FTRLProximal(0.3, l1=0.5), refit=True)) for _ in range(2))
    for event in events:
        x = {name: event.x[name] for name in X if name in event.x}
        one.learn_one(x, event.target, event.importance)
    for start in (0, 20, 40, 60):
        many.learn_many(X[start : start + 20], y[start : start + 20], w[start : start + 20])
    assert states(one) == states(many)
    assert one.weights == many.weights


@pytest.mark.parametrize(
    "settings",
    [{}, {"scale": "rms"}, {"rule": Newton()}, {"rule": FTRLProximal(l1=Adaptive(0.5))},
     {"rule": FTRLProximal(0.3, l1=Group(1.0))}, {"rule": FTRLProximal(0.3, l1=Evidence())},
     {"grid": {"l1": [0.1, 1.0]}, "select": "mix"}],
    ids=str,
)  # fmt: skip
def test_saved_pickled_and_copied_it_goes_on_to_the_same_bits(
    settings: Any, tmp_path: Path
) -> None:
    events = stream("squared", 100)
    models = [interpreted(SparseRegressor(**settings, refit=True)) for _ in range(4)]
    for start in range(0, 100, 25):
        for model in models:
            learn_events(model, events[start : start + 25])
        models[1] = interpreted(load(models[1].save(tmp_path / "m")))
        models[2] = pickle.loads(pickle.dumps(models[2]))
        models[3] = copy.deepcopy(models[3])
        for model in models:
            assert model.companion.index is model.learner.index
            assert model.weights == models[0].weights
            assert states(model)[0] == states(models[0])[0]
            weights = model.companion.weights()
            assert weights == models[0].companion.weights()
    assert models[0].weights
    assert models[1].refit is True


def test_names_from_events_that_only_the_learner_learned_have_no_refitted_weight() -> None:
    model = SparseRegressor(FTRLProximal(0.5, l1=0.0), refit=True)
    slots = np.array([model.learner.index.add(f"n{i}") for i in range(1000)], np.uint32)
    model.learner.learn_rows([0, 1000], slots, np.ones(1000), [1.0])
    assert {effect.refitted for effect in model.weights.values()} == {0.0}
    assert len(model.weights) == 1000


def test_what_is_rejected_or_of_importance_0_the_companion_does_not_learn() -> None:
    model = interpreted(SparseRegressor(FTRLProximal(0.5, l1=0.0), refit=True))
    learn_events(model, stream("squared", 20))
    before = states(model)
    model.learn_one({0: 1.0}, 5.0, 0.0)
    assert states(model) == before
    model.learn_one({0: 1.0}, np.inf)
    assert model.companion.clock == model.learner.clock
    assert model.companion.rejected == model.learner.rejected == 1


def test_without_refit_there_is_no_companion_and_an_evicting_index_refuses() -> None:
    assert SparseRegressor().companion is None
    with pytest.raises(ValueError, match=r"refit = True with GrowingIndex.*at_limit = 'refuse'"):
        SparseRegressor(refit=True, index=GrowingIndex(max_features=10, at_limit="evict"))

"""`SparseClassifier` and `SparseRegressor`: events, labels, frames, what they report."""

import csv
import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import each_loss, target_of

from streamlasso import (
    LOSSES,
    RULES,
    DualAveraging,
    FTRLProximal,
    HashingIndex,
    Newton,
    SoftThreshold,
    SparseClassifier,
    SparseRegressor,
    TruncatedGradient,
)
from streamlasso.index import Name
from streamlasso.losses import Quantile
from streamlasso.rules import Rule, get_rule
from streamlasso.stack import StackLearner

Estimator = SparseClassifier | SparseRegressor
Events = list[tuple[dict[Name, Any], Any]]

WEAK: dict[str, Rule] = {
    "ftrl": FTRLProximal(alpha=0.3, l1=0.05),
    "truncated_gradient": TruncatedGradient(0.2, gravity=0.002),
    "soft_threshold": SoftThreshold(0.2, l1=0.002),
    "dual_averaging": DualAveraging(0.3, l1=0.002),
    "newton": Newton(1.0, l1=0.05),
}


def estimator_of(loss: str, rule: Rule | None = None, **settings: Any) -> Any:
    """The estimator that takes the loss."""
    kind = SparseClassifier if LOSSES[loss].domain == "binary" else SparseRegressor
    return kind(rule, loss, **settings)


def events_of(loss: str, number: int = 120, seed: int = 5) -> Events:
    """Mixed events: numbers, strings, bools, absent values of every kind, late names."""
    random = np.random.default_rng(seed)
    absent = [None, math.nan, pd.NA]
    events: Events = []
    for t in range(number):
        x: dict[Name, Any] = {
            "price": float(random.normal()),
            "site": str(random.choice(["news", "shop"])),
            7: int(random.integers(3)),
            "is_new": bool(random.integers(2)),
        }
        if t % 3 == 0:
            x["price"] = absent[t // 3 % 3]
        if t > number / 2:
            x["user", t % 4] = 1.0
        price = x["price"] if isinstance(x["price"], float) and x["price"] == x["price"] else 0.0
        score = price + (x["site"] == "shop") - 0.5 * x[7] + 0.2 * float(random.normal())
        target = target_of(loss, score, random)
        events.append((x, bool(target) if LOSSES[loss].domain == "binary" else target))
    return events


def trained(loss: str, rule: Rule | None = None, **settings: Any) -> Any:
    model = estimator_of(loss, rule or FTRLProximal(alpha=0.3, l1=0.05), **settings)
    for x, y in events_of(loss):
        model.learn_one(x, y)
    return model


def bits(model: Any) -> tuple[Any, ...]:
    """All that learning may change."""
    learner = model.learner
    labels = (model.classes, model._labels.seen) if isinstance(model, SparseClassifier) else None
    stacked = isinstance(learner, StackLearner)
    totals = (learner.lanes_array, learner.book) if stacked else (learner.hyper,)
    arrays = (learner.state.tobytes(), *(each.tobytes() for each in totals))
    return (*arrays, learner.clock, learner.rejected, learner.index.entries(), labels)


each_rule = pytest.mark.parametrize("rule", WEAK.values(), ids=WEAK)


def test_the_rules_of_these_tests_are_all_there_are() -> None:
    assert set(WEAK) == set(RULES)


# What an event means


def test_what_each_value_means() -> None:
    """One event with every kind of value learns the same as the plain numbers."""
    rich, plain = (SparseRegressor(FTRLProximal(l1=0.0)) for _ in range(2))
    rich.learn_one(
        {"site": "news", "flag": True, "off": False, "n": 2, 3: 0.5, ("t", 1): np.float32(4),
         "none": None, "nan": math.nan, "na": pd.NA, "nat": pd.NaT},
        1.5,
    )  # fmt: skip
    plain.learn_one(
        {"site=news": 1.0, "flag": 1.0, "off": 0.0, "n": 2.0, 3: 0.5, ("t", 1): 4.0}, 1.5
    )
    assert rich.weights == plain.weights
    assert set(rich.weights) == {"site=news", "flag", "n", 3, ("t", 1)}
    assert rich.learner.index.entries() == plain.learner.index.entries()


@pytest.mark.parametrize("absent", [None, math.nan, np.nan, pd.NA, pd.NaT])
def test_an_absent_value_is_no_feature(absent: Any) -> None:
    with_it, without = SparseRegressor(FTRLProximal()), SparseRegressor(FTRLProximal())
    for value in (1.0, 2.0, absent, 3.0):
        with_it.learn_one({"a": value, "b": 1.0}, 2.0)
        without.learn_one({"b": 1.0} if value is absent else {"a": value, "b": 1.0}, 2.0)
        assert with_it.predict_one({"a": absent}) == without.predict_one({})
    assert bits(with_it) == bits(without)


def test_names_of_different_types_are_different_features() -> None:
    model = SparseRegressor(FTRLProximal(l1=0.0))
    for i, name in enumerate([1, "1", ("1",), (1,), ("a", "b"), ("a", ("b",))]):
        model.learn_one({name: 1.0}, float(i + 1))
    assert len(model.weights) == 6


@each_loss
def test_a_name_that_comes_late_is_learned_from_then_on(loss: str) -> None:
    model = trained(loss)
    late = {"late": 1.0, "site": "blog"}
    model.predict_one(late)
    assert not {"late", "site=blog"} & {name for _, name in model.learner.index.entries()}
    for _ in range(20):
        model.learn_one(late, True)
    assert {"late", "site=blog"} <= set(model.weights)


def test_a_wrong_value_is_an_error_and_the_model_lives_on() -> None:
    model = trained("squared")
    before = bits(model)
    for call in (lambda x: model.learn_one(x, 1.0), model.predict_one):
        with pytest.raises(TypeError, match=r"feature 'tags' has the value \['x'\] of type list"):
            call({"price": 1.0, "tags": ["x"]})
    assert bits(model) == before
    model.learn_one({"price": 1.0}, 1.0)


def test_an_event_that_is_not_finite_is_left_out_and_counted() -> None:
    model = trained("squared")
    state = model.learner.state.tobytes()
    for x, y in [({"price": math.inf}, 1.0), ({"price": 1.0}, math.nan), ({"price": 10**400}, 1.0)]:
        model.learn_one(x, y)
    assert model.learner.rejected == 3
    assert model.learner.state.tobytes() == state


def test_a_dict_that_is_reused_is_read_each_time() -> None:
    reused, fresh = SparseRegressor(FTRLProximal()), SparseRegressor(FTRLProximal())
    x: dict[Name, Any] = {}
    for i in range(20):
        x["a"], x["b"] = float(i % 5), ["x", "y"][i % 2]
        assert reused.predict_one(x) == fresh.predict_one(dict(x))
        reused.learn_one(x, float(i % 3))
        fresh.learn_one(dict(x), float(i % 3))
    assert bits(reused) == bits(fresh)


# Looking


@each_rule
@each_loss
def test_looking_changes_nothing(loss: str, rule: Rule, tmp_path: Path) -> None:
    model = trained(loss, rule)
    frame = pd.DataFrame([{"price": 1.0, "unknown": 2.0, "site": "never"}])
    x = {"price": 0.5, "never seen": 1.0, "site": "never"}
    before = bits(model)
    looks: list[Callable[[], Any]] = [
        lambda: model.predict_one(x),
        lambda: model.predict_many(frame),
        lambda: model.explain_one(x),
        lambda: (model.weights, model.intercept, model.sparsity),
        lambda: (model.active_features, model.tracked_features),
        lambda: model.save(tmp_path / "model"),
        lambda: model.export(tmp_path / "model.json"),
        lambda: model.export(tmp_path / "model.csv"),
        lambda: pickle.dumps(model),
        lambda: model.clone(),
        lambda: repr(model),
    ]
    if isinstance(model, SparseClassifier):
        looks += [lambda: model.predict_proba_one(x), lambda: model.predict_proba_many(frame)]
    for look in looks:
        look()
        assert bits(model) == before


@pytest.mark.parametrize("names", [False, True])
def test_looking_at_a_hashed_model_changes_nothing_and_hides_no_name(names: bool) -> None:
    watched, alone = (
        trained("squared", index=HashingIndex(bits=12, names=names)) for _ in range(2)
    )
    for x, y in events_of("squared", seed=6):
        watched.predict_one(x)
        watched.learn_one(x, y)
        alone.learn_one(x, y)
    assert bits(watched) == bits(alone)
    assert all((not str(name).startswith("#")) == names for name in watched.weights)


@each_rule
@each_loss
def test_what_is_reported_agrees_with_itself(loss: str, rule: Rule) -> None:
    model = trained(loss, rule)
    assert model.active_features == len(model.weights) > 3
    assert model.tracked_features >= model.active_features
    assert model.sparsity == 1 - model.active_features / model.tracked_features
    assert all(weight != 0 for weight in model.weights.values())
    x = {"price": 0.5, "site": "shop", 7: 2, "never": 9.0, "none": None}
    parts = model.explain_one(x)
    assert "never" not in parts
    assert list(parts.values()) == sorted(parts.values(), key=abs, reverse=True)
    expected = {"price": 0.5, "site=shop": 1.0, 7: 2.0}
    for name, value in expected.items():
        part = model.weights.get(name, 0.0) * value
        assert parts.get(name, 0.0) == pytest.approx(part, rel=1e-9, abs=1e-12)
    score = model.intercept + sum(parts.values())
    if isinstance(model, SparseClassifier):
        expected_mean = {"squared_hinge": min(max((1 + score) / 2, 0), 1)}
        p = expected_mean.get(loss, 1 / (1 + math.exp(-score)))
        assert model.predict_proba_one(x)[True] == pytest.approx(p)
        assert model.predict_one(x) is (score > 0)
    else:
        mean = math.exp(score) if loss == "poisson" else score
        assert model.predict_one(x) == pytest.approx(mean)


def test_before_the_first_event_nothing_is_active() -> None:
    model = SparseClassifier()
    assert (model.weights, model.intercept, model.active_features) == ({}, 0.0, 0)
    assert (model.tracked_features, model.sparsity) == (0, 1.0)
    assert model.predict_one({"a": 1.0}) is False
    assert model.predict_proba_one({"a": 1.0}) == {False: 0.5, True: 0.5}
    assert SparseRegressor().predict_one({"a": 1.0}) == 0.0
    assert model.explain_one({"a": 1.0}) == {}


def test_without_intercept() -> None:
    model = trained("squared", fit_intercept=False)
    assert model.intercept == 0.0
    assert model.predict_one({}) == 0.0


# Labels


@pytest.mark.parametrize(
    ("negative", "positive"),
    [
        (False, True), (0, 1), (-1, 1), ("ham", "spam"), (0, 5), (2, 0), ("x", 0), (-1, 0),
        ("a", 1), (("t", 1), ("t", 2)), (1.5, 2.5), (np.bool_(False), np.bool_(True)),
        (np.int64(-1), np.int64(1)), (np.str_("ham"), np.str_("spam")),
    ],
)  # fmt: skip
def test_any_two_labels_come_back_as_they_were(negative: Any, positive: Any) -> None:
    model, plain = SparseClassifier(WEAK["ftrl"]), SparseClassifier(WEAK["ftrl"])
    for i in range(60):
        x = {"a": 1.0} if i % 2 else {"b": 1.0}
        model.learn_one(x, positive if i % 2 else negative)
        plain.learn_one(x, bool(i % 2))
    assert model.classes == (negative, positive)
    assert model.predict_one({"a": 1.0}) == positive
    assert model.predict_one({"b": 1.0}) == negative
    for x in ({"a": 1.0}, {"b": 1.0}):
        chances = model.predict_proba_one(x)
        assert list(chances) == [negative, positive]
        assert list(chances.values()) == list(plain.predict_proba_one(x).values())
        assert not any(isinstance(label, np.generic) for label in chances)
    assert sum(chances.values()) == pytest.approx(1)
    frame = pd.DataFrame({"a": [1.0, 0.0], "b": [0.0, 1.0]}, index=[5, 9])
    many = model.predict_many(frame)
    assert many.tolist() == [positive, negative]
    assert many.index.tolist() == [5, 9]
    assert model.predict_proba_many(frame).columns.tolist() == [negative, positive]


@pytest.mark.parametrize(("first", "second"), [(True, False), (1, 0), (1, -1), (1, "other")])
def test_1_is_positive_also_when_it_comes_first(first: Any, second: Any) -> None:
    model = SparseClassifier()
    model.learn_one({"a": 1.0}, first)
    model.learn_one({"a": 1.0}, second)
    assert model.classes == (second, first)


def test_a_third_label_is_an_error_that_says_what_to_use() -> None:
    model = SparseClassifier(loss="hinge")
    for label in ("ham", "spam"):
        model.learn_one({"a": 1.0}, label)
    before = bits(model)
    with pytest.raises(ValueError, match="label 'eggs' would be a class beside") as caught:
        model.learn_one({"a": 1.0}, "eggs")
    assert "beside 'ham', 'spam'" in str(caught.value)
    assert "OneVsRestClassifier" in str(caught.value)
    assert bits(model) == before


@pytest.mark.parametrize("label", [None, math.nan, pd.NA, [1], {"a": 1}])
def test_what_is_no_label_is_an_error(label: Any) -> None:
    model = SparseClassifier()
    with pytest.raises(ValueError, match="is no class; leave such events out of learning"):
        model.learn_one({"a": 1.0}, label)
    assert model.learner.clock == 0


# Importance


@each_loss
def test_importance_0_does_nothing_at_all(loss: str) -> None:
    model = estimator_of(loss)
    before = bits(model)
    for label in (True, False):
        model.learn_one({"a": 1.0, "site": "x"}, label, w=0)
        model.learn_one({"a": 1.0}, label, w=0.0)
    model.learn_many(pd.DataFrame({"a": [1.0, 2.0]}), pd.Series([True, False]), w=0)
    assert bits(model) == before
    if loss == "logistic":
        model.learn_one({"a": 1.0}, "late", w=0)
        assert bits(model) == before


@each_loss
def test_a_negative_importance_is_an_error(loss: str) -> None:
    model = estimator_of(loss)
    for call in (
        lambda: model.learn_one({"a": 1.0}, True, w=-1),
        lambda: model.learn_many(pd.DataFrame({"a": [1.0]}), pd.Series([True]), w=-1),
        lambda: model.learn_many(pd.DataFrame({"a": [1.0]}), pd.Series([True]), w=[-1.0]),
    ):
        with pytest.raises(ValueError, match=r"importance .*must be ≥ 0; drop the"):
            call()
    assert model.learner.clock == 0
    assert not model.learner.state.any()


# Frames


def frame_of(events: Events) -> tuple[pd.DataFrame, pd.Series]:
    frame = pd.DataFrame([x for x, _ in events], dtype=object, index=range(100, 100 + len(events)))
    return frame, pd.Series([y for _, y in events], index=frame.index)


@each_rule
@each_loss
def test_learning_a_frame_is_learning_its_rows_to_the_bit(loss: str, rule: Rule) -> None:
    events = events_of(loss)
    one, many = estimator_of(loss, rule), estimator_of(loss, rule)
    weights = np.random.default_rng(0).choice([0.0, 0.5, 1.0, 2.0], len(events))
    for (x, y), w in zip(events, weights.tolist(), strict=True):
        one.learn_one(x, y, w)
    for start, stop in [(0, 1), (1, 2), (2, 50), (50, 50), (50, len(events))]:
        X, y = frame_of(events[start:stop])
        many.learn_many(X, y, weights[start:stop])
    assert bits(one) == bits(many)
    X, _ = frame_of(events)
    assert many.predict_many(X).tolist() == [one.predict_one(x) for x, _ in events]
    assert many.predict_many(X).index.tolist() == X.index.tolist()
    if isinstance(many, SparseClassifier):
        chances = many.predict_proba_many(X)
        assert chances.index.tolist() == X.index.tolist()
        assert chances.to_dict("records") == [one.predict_proba_one(x) for x, _ in events]


def test_one_importance_serves_a_whole_frame() -> None:
    events = events_of("squared")
    one, many = SparseRegressor(FTRLProximal()), SparseRegressor(FTRLProximal())
    for x, y in events:
        one.learn_one(x, y, 2.0)
    many.learn_many(*frame_of(events), w=2)
    assert bits(one) == bits(many)


@pytest.mark.parametrize("dtype", ["Float64", "float64", "float32", "Int64", "boolean", "object"])
def test_missing_cells_of_any_column_type_are_absent(dtype: str) -> None:
    cells = [1, None, 0, 1] if dtype in ("Int64", "boolean") else [1.0, None, 0.5, 1.5]
    frame = pd.DataFrame({"a": pd.Series(cells, dtype=dtype), "b": [1.0, 2.0, 3.0, 4.0]})
    one, many = SparseRegressor(), SparseRegressor()
    for cell, b in zip(cells, frame["b"], strict=True):
        one.learn_one({"b": b} if cell is None else {"a": float(cell), "b": b}, b)
    many.learn_many(frame, frame["b"])
    assert one.weights == many.weights
    np.testing.assert_array_equal(one.learner.state[:2], many.learner.state[:2])


def test_string_columns_and_categories_are_one_hot_features() -> None:
    frame = pd.DataFrame({"s": ["x", "y"], "c": pd.Categorical(["u", None])})
    model = SparseRegressor(FTRLProximal(l1=0.0))
    model.learn_many(frame, pd.Series([1.0, 2.0]))
    assert set(model.weights) == {"s=x", "s=y", "c=u"}


def test_labels_of_a_frame_come_in_any_column_type() -> None:
    frame = pd.DataFrame({"a": [1.0, -1.0, 1.0, -1.0]})
    for labels in (["u", "v"] * 2, [True, False] * 2, [1, 0] * 2):
        for series in (
            pd.Series(labels), pd.Series(labels, dtype=object), pd.Series(pd.Categorical(labels)),
        ):  # fmt: skip
            model = SparseClassifier(FTRLProximal(l1=0.0))
            model.learn_many(frame, series)
            assert set(model.classes) == set(labels)
            assert model.predict_many(frame).tolist() == labels


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("rows", [1, 3])
def test_targets_of_another_length_than_the_frame_are_an_error(loss: str, rows: int) -> None:
    model = estimator_of(loss)
    with pytest.raises(ValueError, match=rf"targets has shape \({rows},\); it must be \(2,\)"):
        model.learn_many(pd.DataFrame({"a": [1.0, 2.0]}), pd.Series([True] * rows))
    assert model.learner.clock == 0


def test_importances_of_another_length_than_the_frame_are_an_error() -> None:
    for model in (SparseRegressor(), SparseClassifier()):
        with pytest.raises(ValueError, match="shape"):
            model.learn_many(pd.DataFrame({"a": [1.0, 2.0]}), pd.Series([1, 0]), w=[1.0] * 3)


def test_what_is_no_frame_is_an_error_that_says_so() -> None:
    for call in (
        lambda: SparseRegressor().learn_many([{"a": 1.0}], [1.0]),  # type: ignore[arg-type]
        lambda: SparseRegressor().predict_many([{"a": 1.0}]),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError, match="X is a list; pass a pandas DataFrame"):
            call()


def test_an_empty_frame_is_learned_and_predicted() -> None:
    empty = pd.DataFrame({"a": []})
    for model in (SparseRegressor(), SparseClassifier()):
        model.learn_many(empty, pd.Series([], dtype=float))
        assert model.predict_many(empty).tolist() == []
        assert model.learner.clock == 0


def test_learning_frames_never_compiles_in_mid_stream() -> None:
    """Columns of a frame may be read-only views: they must not reach the kernel as they are."""
    model = SparseRegressor(SoftThreshold())
    X, y = pd.DataFrame({"a": [1.0, 2.0]}), pd.Series([1.0, 2.0])
    model.learn_many(X, y)
    model.predict_many(X)

    def signatures() -> list[int]:
        kernels = vars(model.learner._kernels).values()
        return [len(kernel.signatures) for kernel in kernels if hasattr(kernel, "signatures")]

    before = signatures()
    assert len(before) == 10
    frozen = np.array([1.0, 2.0])
    frozen.flags.writeable = False
    for targets in (y, y.astype("float32"), y.astype(int), y.to_numpy(), frozen, [1, 2]):
        for w in (1, 2.0, np.array([1.0, 2.0]), frozen, pd.Series([1.0, 0.0]), [1, 2]):
            model.learn_many(X, targets, w)
            model.predict_many(X)
    model.learn_many(X.iloc[:1], y.iloc[:1], w=3)
    assert signatures() == before


@each_loss
def test_the_memory_of_a_model_is_that_of_its_state_and_names(loss: str) -> None:
    """River follows attributes to measure it: they must not lead into the compiler."""
    model = trained(loss)
    assert model.learner.state.nbytes < model._raw_memory_usage < 60_000


# Settings


@pytest.mark.parametrize(
    ("kind", "loss", "choices"),
    [
        (SparseClassifier, "squared", ["logistic", "hinge"]),
        (SparseRegressor, "hinge", ["squared", "poisson"]),
    ],
)
def test_a_loss_of_the_wrong_domain_is_an_error(kind: Any, loss: str, choices: list[str]) -> None:
    with pytest.raises(ValueError, match=f"loss = '{loss}' is for") as caught:
        kind(loss=loss)
    assert all(choice in str(caught.value) for choice in choices)


def test_a_loss_with_parameters_is_taken_cloned_and_exported(tmp_path: Path) -> None:
    model = SparseRegressor(FTRLProximal(alpha=2.0, l1=0.0), Quantile(tau=0.9))
    random = np.random.default_rng(0)
    noise = random.exponential(1.0, 4000).tolist()
    for each in noise:
        model.learn_one({}, each)
    assert np.mean(np.array(noise) < model.predict_one({})) == pytest.approx(0.9, abs=0.02)
    assert model.clone().learner.loss == Quantile(tau=0.9)
    assert json.loads(model.export(tmp_path / "m.json").read_text())["loss"] == "quantile"


def test_poisson_predicts_the_mean_count_and_refuses_targets_below_0() -> None:
    model = SparseRegressor(FTRLProximal(alpha=0.5, l1=0.0), "poisson")
    random = np.random.default_rng(0)
    for _ in range(3000):
        site = str(random.choice(["news", "shop"]))
        model.learn_one({"site": site}, float(random.poisson(6.0 if site == "shop" else 1.5)))
    assert model.predict_one({"site": "shop"}) == pytest.approx(6.0, rel=0.15)
    assert model.predict_one({"site": "news"}) == pytest.approx(1.5, rel=0.15)
    before = bits(model)
    with pytest.raises(ValueError, match=r"target -1.0 of row 0: the poisson loss takes numbers ≥"):
        model.learn_one({"site": "new"}, -1.0)
    with pytest.raises(ValueError, match=r"target -2.0 of row 1: the poisson loss takes numbers ≥"):
        model.learn_many(pd.DataFrame({"site": ["a", "b"]}), pd.Series([0.0, -2.0]))
    assert bits(model) == before


def test_clones_share_no_names_and_keep_the_parameters() -> None:
    index = HashingIndex(bits=9, names=True)
    model = SparseClassifier(SoftThreshold(l1=0.5), "hinge", index, fit_intercept=False)
    model.learn_one({"a": 1.0}, True)
    clone = model.clone()
    assert (clone.rule, clone.loss, clone.fit_intercept) == (model.rule, "hinge", False)
    assert clone.index is not None
    assert clone.index.settings() == index.settings()
    assert clone.learner.clock == 0
    assert clone.learner.index.entries() == index.entries() == []
    assert clone.learner.index is not model.learner.index


@each_rule
@each_loss
def test_a_pickled_estimator_goes_on_to_the_same_bits(loss: str, rule: Rule) -> None:
    model = trained(loss, rule)
    again = pickle.loads(pickle.dumps(model))
    for x, y in events_of(loss, seed=9):
        assert again.predict_one(x) == model.predict_one(x)
        again.learn_one(x, y)
        model.learn_one(x, y)
    assert bits(again) == bits(model)


@each_rule
def test_every_rule_learns_what_matters(rule: Rule) -> None:
    model = SparseClassifier(get_rule(rule.name))
    random = np.random.default_rng(0)
    for _ in range(3000):
        x = {name: float(random.normal()) for name in "abcdefgh"}
        model.learn_one(x, x["a"] - x["b"] > 0)
    strongest = sorted(model.weights, key=lambda name: -abs(model.weights[name]))[:2]
    assert set(strongest) == {"a", "b"}
    assert model.weights["a"] > 0 > model.weights["b"]


# Export


def read_export(path: Path) -> tuple[float, dict[Name, float]]:
    """Intercept and weights of an exported file; JSON lists are tuple names."""

    def name_of(value: Any) -> Name:
        return tuple(name_of(part) for part in value) if isinstance(value, list) else value

    if path.suffix == ".json":
        content = json.loads(path.read_text(encoding="utf-8"))
        assert set(content) == {"loss", "intercept", "weights"}
        weights = {name_of(row["name"]): row["weight"] for row in content["weights"]}
        return content["intercept"], weights
    with path.open(newline="", encoding="utf-8", errors="surrogatepass") as file:
        header, first, *rest = list(csv.reader(file))
    assert header == ["name", "weight"]
    assert first[0] == ""
    plain = {
        name_of(json.loads(name)) if name.startswith("[") or name.isdigit() else name: float(weight)
        for name, weight in rest
    }
    return float(first[1]), plain


@pytest.mark.parametrize("suffix", [".json", ".csv"])
@each_rule
@each_loss
def test_exported_weights_score_as_the_model_does(
    loss: str, rule: Rule, suffix: str, tmp_path: Path
) -> None:
    model = trained(loss, rule)
    model.learn_one({'quo"te, comma': 1.0, "\ud800": 1.0, ("t", ("u", 1)): 1.0}, True)
    path = model.export(tmp_path / f"model{suffix}")
    intercept, weights = read_export(path)
    assert (intercept, weights) == (model.intercept, model.weights)
    sizes = [abs(weight) for weight in weights.values()]
    assert sizes == sorted(sizes, reverse=True)
    for x in ({"price": 0.4, "site": "news", 7: 1}, {("user", 1): 1.0, "is_new": True}):
        parts = [
            weights.get(f"{name}={value}", 0.0)
            if isinstance(value, str)
            else weights.get(name, 0.0) * value
            for name, value in x.items()
        ]
        score = intercept + sum(parts)
        mean = LOSSES[loss].mean(score)
        if isinstance(model, SparseClassifier):
            assert model.predict_proba_one(x)[True] == pytest.approx(mean, rel=1e-12)
        else:
            assert model.predict_one(x) == pytest.approx(mean, rel=1e-12)


def test_exporting_to_another_format_is_an_error_that_names_the_two(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in \.json or \.csv"):
        SparseRegressor().export(tmp_path / "model.txt")
    assert list(tmp_path.iterdir()) == []

"""The estimators in river: its own checks, pipelines, validation, multiclass."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from river import (
    checks,
    compose,
    datasets,
    dummy,
    evaluate,
    feature_extraction,
    linear_model,
    metrics,
    model_selection,
    multiclass,
    optim,
    preprocessing,
    stats,
    stream,
)

from streamlasso import (
    LOSSES,
    RULES,
    FTRLProximal,
    SoftThreshold,
    SparseClassifier,
    SparseRegressor,
)
from streamlasso.rules import Rule

ESTIMATORS = [SparseClassifier, SparseRegressor]
each_estimator = pytest.mark.parametrize("kind", ESTIMATORS, ids=lambda kind: kind.__name__)


def models(kind: Any) -> Iterator[tuple[str, Any]]:
    """A label and a model for each set of test parameters."""
    for params in kind._unit_test_params():
        words = [
            getattr(value, "name", None) or f"{name} {value}" for name, value in params.items()
        ]
        yield f"{kind.__name__}-{'-'.join(words) or 'default'}", kind(**params)


def every_check() -> Iterator[Any]:
    """River's checks of every model, each as one test."""
    for kind in ESTIMATORS:
        for label, model in models(kind):
            seen: dict[str, int] = {}
            for check in checks.yield_checks(model):
                name = check.__name__
                seen[name] = seen.get(name, 0) + 1
                yield pytest.param(model, check, id=f"{label}-{name}-{seen[name]}")


@pytest.mark.parametrize(("model", "check"), list(every_check()))
def test_river_check(model: Any, check: Callable[[Any], None]) -> None:
    check(model.clone())


@each_estimator
def test_no_river_check_is_skipped_and_the_hard_ones_are_there(kind: Any) -> None:
    for _, model in models(kind):
        assert model._unit_test_skips() == set()
        names = {check.__name__ for check in checks.yield_checks(model)}
        assert {
            "check_learn_many_matches_learn_one",
            "check_predict_many_matches_predict_one",
            "check_shuffle_features_no_impact",
            "check_bounded_memory_growth",
        } <= names


@each_estimator
def test_rivers_checks_see_every_rule_every_loss_and_every_option(kind: Any) -> None:
    domains = ("binary",) if kind is SparseClassifier else ("real", "count")
    params = list(kind._unit_test_params())
    rules = [p["rule"] for p in params if "rule" in p]
    assert {rule.name for rule in rules if isinstance(rule, Rule)} == set(RULES)
    assert any(isinstance(rule, list) for rule in rules)
    losses = {name for name, loss in LOSSES.items() if loss.domain in domains}
    assert {p["loss"] for p in params if "loss" in p} == losses
    assert {} in params
    assert {"scale", "grid", "refit", "select", "max_active"} <= {
        name for p in params for name in p
    }


def test_every_loss_belongs_to_an_estimator() -> None:
    domains = {"binary", "real", "count", "classes"}
    assert {loss.domain for loss in LOSSES.values()} == domains


# Pipelines


def spam(number: int = 400) -> Iterator[tuple[dict[str, Any], bool]]:
    """Numbers on different scales and a few categories."""
    source = random.Random(3)
    for _ in range(number):
        x = {
            "size": source.gauss(5000, 2000),
            "share": source.gauss(0, 0.01),
            "site": source.choice(["news", "shop", "blog"]),
            "text": " ".join(source.choices(["buy", "now", "hello", "friend", "cheap"], k=4)),
        }
        score = (x["size"] - 5000) / 2000 + 3 * (x["site"] == "shop") + x["text"].count("cheap")
        yield x, score > 1.5


def accuracy(model: Any, data: Any) -> float:
    return float(evaluate.progressive_val_score(data, model, metrics.Accuracy()).get())


def test_after_a_standard_scaler() -> None:
    model = preprocessing.StandardScaler() | SparseClassifier(FTRLProximal())
    plain = SparseClassifier(FTRLProximal())
    rows = [({"size": x["size"], "share": x["share"]}, y) for x, y in spam(1000)]
    assert accuracy(model, rows) > accuracy(plain, rows) + 0.05
    assert model["SparseClassifier"].weights["size"] > 0


def test_after_a_standard_scaler_in_mini_batches() -> None:
    one = preprocessing.StandardScaler() | SparseClassifier()
    for x, y in spam(100):
        one.predict_one({"size": x["size"], "share": x["share"]})
        one.learn_one({"size": x["size"], "share": x["share"]}, y)
    many = preprocessing.StandardScaler() | SparseClassifier()
    rows = list(spam(100))
    X = pd.DataFrame([{"size": x["size"], "share": x["share"]} for x, _ in rows])
    y = pd.Series([label for _, label in rows])
    for start in range(0, 100, 25):
        many.learn_many(X[start : start + 25], y[start : start + 25])
    assert len(many.predict_many(X)) == len(many.predict_proba_many(X)) == 100
    assert many["SparseClassifier"].learner.clock == one["SparseClassifier"].learner.clock == 100


def test_after_a_one_hot_encoder() -> None:
    model = (
        compose.Select("site") | preprocessing.OneHotEncoder() | SparseClassifier(FTRLProximal())
    )
    plain = compose.Select("site") | SparseClassifier(FTRLProximal())
    assert accuracy(model, spam()) == accuracy(plain, spam()) > 0.7
    names = {str(name).replace("site_", "site=") for name in model["SparseClassifier"].weights}
    assert (
        names == set(plain["SparseClassifier"].weights) <= {"site=news", "site=shop", "site=blog"}
    )


def test_after_a_feature_hasher() -> None:
    """River's hasher names its features by integers."""
    model = preprocessing.FeatureHasher(n_features=64, seed=1) | SparseClassifier(
        FTRLProximal(alpha=0.5)
    )
    data = (({"site": x["site"], "words": x["text"].count("cheap")}, y) for x, y in spam(1500))
    assert accuracy(model, data) > 0.8
    assert model["SparseClassifier"].weights
    assert all(isinstance(name, int) for name in model["SparseClassifier"].weights)


def test_after_a_bag_of_n_grams() -> None:
    """River's n-grams name their features by tuples."""
    model = feature_extraction.BagOfWords(on="text", ngram_range=(1, 2)) | SparseClassifier(
        FTRLProximal(l1=0.1)
    )
    data = [(x, "buy now" in x["text"]) for x, _ in spam(2000)]
    assert accuracy(model, data) > 0.9
    weights = model["SparseClassifier"].weights
    assert max(weights, key=lambda name: weights[name]) == ("buy", "now")
    assert {type(name) for name in weights} == {str, tuple}


def test_after_a_transformer_union() -> None:
    union = compose.TransformerUnion(
        compose.Select("size", "share") | preprocessing.StandardScaler(),
        compose.Select("site") | preprocessing.OneHotEncoder(),
        feature_extraction.BagOfWords(on="text"),
    )
    model = union | SparseClassifier(FTRLProximal(alpha=0.5, l1=1.0))
    assert accuracy(model, spam(1500)) > 0.85
    weights = model["SparseClassifier"].weights
    assert {"size", "site_shop", "cheap"} <= set(weights)
    assert all(weights[name] > 0 for name in ("size", "site_shop", "cheap"))


def test_a_pipeline_of_addition_and_scaling() -> None:
    model = (compose.Select("size", "share") | preprocessing.StandardScaler()) + compose.Select(
        "site"
    ) | SparseClassifier(FTRLProximal(alpha=0.5))
    assert accuracy(model, spam(1000)) > 0.8
    assert "site=shop" in model["SparseClassifier"].weights


# Validation and composition


def test_progressive_validation_of_a_regressor_beats_the_mean() -> None:
    data = list(datasets.TrumpApproval())
    model = preprocessing.TargetStandardScaler(
        preprocessing.StandardScaler() | SparseRegressor(SoftThreshold(1.0, l1=0.01))
    )
    mean = dummy.StatisticRegressor(stats.Mean())
    error, baseline = (
        evaluate.progressive_val_score(data, each, metrics.MAE()).get() for each in (model, mean)
    )
    assert error < 0.5 * baseline


def test_progressive_validation_with_a_delay() -> None:
    data = stream.simulate_qa(datasets.Phishing().take(500), moment=None, delay=lambda x, y: 20)
    model = preprocessing.StandardScaler() | SparseClassifier()
    assert accuracy(model, datasets.Phishing().take(500)) > 0.8
    delayed = preprocessing.StandardScaler() | SparseClassifier()
    for i, x, y in data:
        if y is None:
            delayed.predict_one(x)
        else:
            delayed.learn_one(x, y)
        assert i >= 0
    assert delayed["SparseClassifier"].learner.clock == 500


def test_inside_one_vs_rest() -> None:
    model = preprocessing.StandardScaler() | multiclass.OneVsRestClassifier(
        SparseClassifier(FTRLProximal(alpha=0.5, l1=0.1))
    )
    assert accuracy(model, datasets.ImageSegments().take(1200)) > 0.75
    parts = model["OneVsRestClassifier"].classifiers
    assert len(parts) == 7
    assert all(part.classes == (False, True) for part in parts.values())
    assert all(0 < part.active_features <= part.tracked_features for part in parts.values())


def test_inside_a_model_selector() -> None:
    candidates = [SparseRegressor(SoftThreshold(rate, l1=0.001)) for rate in (0.001, 0.5)]
    model = preprocessing.StandardScaler() | model_selection.GreedyRegressor(candidates)
    evaluate.progressive_val_score(datasets.TrumpApproval().take(300), model, metrics.MAE())
    best = model["GreedyRegressor"].best_model
    assert best.rule.learning_rate == 0.5


def test_as_accurate_as_rivers_own_ftrl_on_phishing() -> None:
    ours = preprocessing.StandardScaler() | SparseClassifier(FTRLProximal(alpha=0.1, l1=0.0))
    theirs = preprocessing.StandardScaler() | linear_model.LogisticRegression(
        optim.FTRLProximal(alpha=0.1, l1=0.0), intercept_init=0.0
    )
    assert accuracy(ours, datasets.Phishing()) > accuracy(theirs, datasets.Phishing()) - 0.01

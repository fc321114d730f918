"""`Calibrated` around classifiers of this package and of river: river's checks and real clicks."""

import csv
import gzip
import importlib.util
import math
import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from river import checks, datasets, evaluate, linear_model, metrics, preprocessing, tree

from streamlasso import FTRLProximal, SparseClassifier
from streamlasso.calibration import Calibrated, Isotonic, PowerLaw

SHAPES: list[dict[str, Any]] = [
    {},
    {"likelihood": "logistic", "half_life": 500.0},
    {"method": "isotonic", "window": 300, "refit_every": 50},
]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=["poisson", "logistic", "isotonic"])


def log_loss(p: float, target: float) -> float:
    return -math.log(max(p if target else 1.0 - p, 1e-15))


def every_check() -> Iterator[Any]:
    inner: list[dict[str, Any]] = [
        *Calibrated._unit_test_params(),
        {"classifier": SparseClassifier()},
    ]
    for number, params in enumerate(inner):
        model = Calibrated(**params)
        for place, check in enumerate(checks.yield_checks(model)):
            yield pytest.param(model, check, id=f"{number}-{check.__name__}-{place}")


@pytest.mark.parametrize(("model", "check"), list(every_check()))
def test_river_check(model: Any, check: Callable[[Any], None]) -> None:
    assert model._unit_test_skips() == set()
    check(model.clone())


def spam(number: int = 600, labels: tuple[Any, Any] = (False, True)) -> Iterator[Any]:
    source = random.Random(2)
    yield {"site": "b", "hour": 0.5}, labels[0]  # of two names the first to come is the negative
    for _ in range(number - 1):
        x = {"site": source.choice("abcd"), "hour": source.random()}
        yield x, labels[source.random() < 0.1 + 0.6 * (x["site"] == "a")]


@each_shape
@pytest.mark.parametrize("labels", [(False, True), (0, 1), (-1, 1), ("ham", "spam")])
def test_each_event_teaches_the_prediction_made_before_it(shape: Any, labels: Any) -> None:
    """Against the classifier and the correction driven by hand."""
    model, inner = Calibrated(SparseClassifier(), **shape), SparseClassifier()
    parameters = {name: value for name, value in shape.items() if name != "method"}
    correction = Isotonic(**parameters) if "method" in shape else PowerLaw(**parameters)
    for x, y in spam(labels=labels):
        _, p = inner.predict_proba_one(x).values()
        assert list(model.predict_proba_one(x).values())[1] == correction.transform(p)
        inner.learn_one(x, y)
        model.learn_one(x, y)
        correction.learn(p, float(y == labels[1]))
    assert model.classifier.weights == inner.weights
    assert list(model.predict_proba_one(x)) == list(labels)
    assert model.predict_one({"site": "a"}) == labels[1]
    assert model.predict_one({"site": "b"}) == labels[0]


@each_shape
def test_mini_batches_give_the_same_bits(shape: Any) -> None:
    one, many = (Calibrated(SparseClassifier(), **shape) for _ in range(2))
    rows = list(spam())
    X, y = pd.DataFrame([x for x, _ in rows]), pd.Series([label for _, label in rows])
    w = [1.0 + (i % 3) for i in range(len(rows))]
    for (x, label), weight in zip(rows, w, strict=True):
        one.learn_one(x, label, weight)
    for start in range(0, len(rows), 70):
        part = slice(start, start + 70)
        many.learn_many(X[part], y[part], w[part])
    assert many.reliability() == one.reliability()
    X.index += 5
    table = many.predict_proba_many(X)
    assert list(table.columns) == [False, True]
    assert list(table.index) == list(many.predict_many(X).index) == list(X.index)
    assert table[True].tolist() == [one.predict_proba_one(x)[True] for x, _ in rows]
    assert many.predict_many(X).tolist() == [one.predict_one(x) for x, _ in rows]
    assert len(many.predict_proba_many(X[:0])) == len(many.predict_many(X[:0])) == 0


@each_shape
def test_a_pickle_goes_on_to_the_same_bits_and_a_clone_starts_anew(shape: Any) -> None:
    model = Calibrated(SparseClassifier(), **shape)
    rows = list(spam())
    for x, y in rows[:300]:
        model.learn_one(x, y)
    again, fresh = pickle.loads(pickle.dumps(model)), model.clone()
    for x, y in rows[300:]:
        model.learn_one(x, y)
        again.learn_one(x, y)
    assert again.reliability() == model.reliability()
    assert again.predict_proba_one({"site": "a"}) == model.predict_proba_one({"site": "a"})
    assert fresh.predict_proba_one({"site": "a"}) == {False: 0.5, True: 0.5}
    assert fresh.reliability() == ((), ())
    assert all(getattr(fresh, name) == value for name, value in shape.items())


@pytest.mark.parametrize(
    "inner",
    [
        linear_model.LogisticRegression(),
        preprocessing.StandardScaler() | linear_model.LogisticRegression(),
        tree.HoeffdingTreeClassifier(grace_period=50),
    ],
    ids=["logistic", "pipeline", "tree"],
)
def test_any_binary_classifier_of_river_can_be_inside(inner: Any) -> None:
    model = Calibrated(inner.clone(), likelihood="logistic")
    plain = evaluate.progressive_val_score(datasets.Phishing(), inner, metrics.LogLoss()).get()
    corrected = evaluate.progressive_val_score(datasets.Phishing(), model, metrics.LogLoss()).get()
    assert corrected < plain + 0.01
    assert sum(each.events for each in model.reliability().after) > 1200


def test_a_classifier_that_knows_no_class_yet_is_left_alone() -> None:
    model = Calibrated(tree.HoeffdingTreeClassifier())
    assert model.predict_proba_one({"a": 1.0}) == {}
    assert model.predict_one({"a": 1.0}) is None
    model.learn_one({"a": 1.0}, "ham")
    assert model.predict_proba_one({"a": 1.0}) == {"ham": 1.0}
    for y in ("spam", "ham", "spam"):
        model.learn_one({"a": 1.0}, y)
    assert set(model.predict_proba_one({"a": 1.0})) == {"ham", "spam"}


def test_no_importance_changes_nothing_and_a_negative_one_is_refused() -> None:
    model = Calibrated(SparseClassifier())
    for x, y in spam(100):
        model.learn_one(x, y)
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match=r"w = -1.0 must be ≥ 0"):
        model.learn_one({"site": "a"}, True, w=-1.0)
    with pytest.raises(ValueError, match="would be a class beside"):
        model.learn_one({"site": "a"}, "ham")
    assert pickle.dumps(model) == before
    gamma, table = model.gamma, model.reliability()
    model.learn_one({"site": "z"}, True, w=0.0)
    assert (model.gamma, model.reliability()) == (gamma, table)


def test_without_scikit_learn_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "streamlasso.calibration.isotonic.find_spec",
        lambda name: None if name == "sklearn" else find(name),
    )
    with pytest.raises(ImportError, match=r"pip install 'streamlasso\[sklearn\]'"):
        Calibrated(SparseClassifier(), method="isotonic")
    Calibrated(SparseClassifier())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "platt"}, "method = 'platt' must be one of power, isotonic"),
        ({"method": "isotonic", "half_life": 5.0}, "half_life = 5.0 has no effect with method"),
        ({"window": 10}, "window = 10 has no effect with method = 'power'"),
        ({"half_life": -1.0}, "half_life = -1.0"),
    ],
)
def test_a_parameter_without_effect_is_refused(arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Calibrated(SparseClassifier(), **arguments)


def test_gamma_and_kappa_belong_to_the_power_law() -> None:
    model = Calibrated(SparseClassifier())
    assert (model.gamma, model.kappa) == (1.0, 1.0)
    with pytest.raises(AttributeError, match="gamma belongs to method = 'power'"):
        _ = Calibrated(SparseClassifier(), method="isotonic").gamma


# Real data


def clicks(folder: Path) -> Iterator[tuple[dict[str, str], bool]]:
    with gzip.open(folder / "criteo_sample.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            y = row.pop("label") == "1"
            yield {name: value for name, value in row.items() if value and name[0] == "C"}, y


class KeepTenth(SparseClassifier):
    """Learns one negative in ten."""

    def learn_one(self, x: Any, y: Any, w: float = 1.0) -> None:
        self.events = getattr(self, "events", 0) + 1
        if y or self.events % 10 == 0:
            super().learn_one(x, y, w)


@each_shape
def test_clicks_with_nine_negatives_in_ten_left_out(shared_data: Path, shape: Any) -> None:
    if "method" in shape:
        shape = {"method": "isotonic", "window": 4000, "refit_every": 250}
    model = Calibrated(KeepTenth(FTRLProximal(alpha=0.1, l1=1.0)), **shape)
    before = after = 0.0
    for x, y in clicks(shared_data):
        before += log_loss(model.classifier.predict_proba_one(x)[True], y)
        after += log_loss(model.predict_proba_one(x)[True], y)
        model.learn_one(x, y)
    assert after < 0.6 * before
    error_before, error_after = model.calibration_error()
    assert error_after < 0.2 * error_before
    assert error_before > 0.3

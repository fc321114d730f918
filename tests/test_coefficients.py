"""Weights from elsewhere: each source gives the score that its own model gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from river import linear_model as river_linear
from scipy import sparse
from sklearn import linear_model, svm

from streamlasso import FTRLProximal, HashingIndex, Learner, SparseClassifier, SparseRegressor
from streamlasso.coefficients import Coefficients, coefficients_from

SOURCE = np.random.default_rng(5)
X = SOURCE.normal(size=(60, 4)).round(3)
SIGNAL = X @ np.array([2.0, -1.0, 0.0, 0.5]) + 0.3
FRAME = pd.DataFrame(X, columns=["a", "b", "c", "d"])


def score(coefficients: Coefficients, x: dict[Any, float]) -> float:
    weights = coefficients.weights
    return coefficients.intercept + sum(weights.get(name, 0.0) * value for name, value in x.items())


# Coefficients and mappings


def test_a_dict_gives_its_weights_without_zeros_and_with_plain_names() -> None:
    found = coefficients_from({"a": 1, np.int64(3): np.float32(0.5), ("b", 1): -2.0, "z": 0.0})
    assert found == Coefficients({"a": 1.0, 3: 0.5, ("b", 1): -2.0}, 0.0)
    assert {type(name) for name in found.weights} == {str, int, tuple}
    assert coefficients_from(found) is found


@pytest.mark.parametrize(
    ("weights", "kind", "words"),
    [
        ({"a": float("nan")}, ValueError, "weight of 'a'.*finite"),
        ({"a": float("-inf")}, ValueError, "finite"),
        ({"a": "heavy"}, TypeError, "'heavy'.*number"),
        ({1.5: 1.0}, TypeError, "feature name 1.5"),
    ],
)
def test_a_bad_weight_or_name_is_named(weights: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind, match=words):
        coefficients_from(weights)


def test_a_bad_intercept_is_named() -> None:
    with pytest.raises(ValueError, match=r"intercept = inf"):
        Coefficients({}, float("inf"))


@pytest.mark.parametrize("source", [None, 3.0, [1.0, 2.0], linear_model.Lasso()])
def test_what_is_no_source_says_what_would_be(source: Any) -> None:
    with pytest.raises(TypeError, match=f"source is a {type(source).__name__}.*fitted"):
        coefficients_from(source)


def test_names_belong_to_scikit_learn_only() -> None:
    with pytest.raises(ValueError, match="names is for scikit-learn models only"):
        coefficients_from({"a": 1.0}, names=["a"])


# scikit-learn


@pytest.mark.parametrize(
    "model",
    [
        linear_model.LinearRegression(),
        linear_model.Lasso(alpha=0.1),
        linear_model.Ridge(fit_intercept=False),
        linear_model.PoissonRegressor(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_regression_scores_as_it_predicts(model: Any) -> None:
    target = np.exp(SIGNAL / 3) if isinstance(model, linear_model.PoissonRegressor) else SIGNAL
    model.fit(X, target)
    found = coefficients_from(model)
    assert set(found.weights) <= {0, 1, 2, 3}
    assert all(type(name) is int for name in found.weights)
    assert found.classes is None
    linear = [score(found, dict(enumerate(row))) for row in X.tolist()]
    own = model.predict(X)
    own = np.log(own) if isinstance(model, linear_model.PoissonRegressor) else own
    np.testing.assert_allclose(linear, own, atol=1e-12)


@pytest.mark.parametrize(
    "model",
    [
        linear_model.LogisticRegression(C=0.5),
        linear_model.SGDClassifier(random_state=1),
        svm.LinearSVC(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_classifier_of_two_classes_scores_as_its_decision(model: Any) -> None:
    model.fit(FRAME, np.where(SIGNAL > 0, "yes", "no"))
    found = coefficients_from(model)
    assert found.classes == ("no", "yes")
    rows = FRAME.to_dict("records")
    np.testing.assert_allclose(
        [score(found, x) for x in rows], model.decision_function(FRAME), atol=1e-12
    )


def test_names_of_columns_come_from_the_argument_then_the_frame_then_the_numbers() -> None:
    model = linear_model.LinearRegression().fit(FRAME, SIGNAL)
    assert set(coefficients_from(model).weights) == set("abcd")
    assert set(coefficients_from(model, names=["p", "q", "r", 7]).weights) == {"p", "q", "r", 7}
    with pytest.raises(ValueError, match="3 entries for 4 columns"):
        coefficients_from(model, names=["p", "q", "r"])
    with pytest.raises(ValueError, match="repeated"):
        coefficients_from(model, names=["p", "q", "r", "p"])


def test_a_sparsified_model_is_read() -> None:
    model = linear_model.SGDClassifier(penalty="l1", alpha=0.1, random_state=1)
    model.fit(X, SIGNAL > 0)
    dense = coefficients_from(model)
    assert coefficients_from(model.sparsify()) == dense
    assert 0 < len(dense.weights) < 4


def test_several_weights_for_a_feature_are_refused() -> None:
    model = linear_model.LogisticRegression().fit(X, np.arange(60) % 3)
    with pytest.raises(ValueError, match=r"shape \(3, 4\): 3 weights for each feature"):
        coefficients_from(model)


def test_column_numbers_are_the_names_of_learn_csr() -> None:
    learner = Learner(FTRLProximal(l1=0.0), "squared", compiled=False)
    learner.learn_csr(sparse.csr_matrix(X), SIGNAL)
    model = linear_model.LinearRegression().fit(X, SIGNAL)
    assert set(coefficients_from(learner).weights) == set(coefficients_from(model).weights)


# This package, river, exported files


# Strings that look like other names, or like JSON, or that a CSV has to quote.
ODD = ("", "7", "7 ", "-0", "07", "true", "3.5", '"7"', '["pair", 2]', "[x", 'é,\n"', "null")


def trained(kind: Any = SparseClassifier, **arguments: Any) -> Any:
    model = kind(FTRLProximal(alpha=0.5, l1=0.01), **arguments)
    for row, signal in zip(FRAME.to_dict("records"), SIGNAL, strict=True):
        x = {**row, 7: row["a"], ("pair", ("q", 2)): row["b"], **dict.fromkeys(ODD, row["c"])}
        model.learn_one(x, bool(signal > 0) if kind is SparseClassifier else signal)
    return model


@pytest.mark.parametrize("kind", [SparseClassifier, SparseRegressor])
def test_an_estimator_and_its_learner_give_their_weights(kind: Any) -> None:
    model = trained(kind)
    found = coefficients_from(model)
    assert found.weights == model.weights
    assert found.intercept == model.intercept
    assert found.classes == ((False, True) if kind is SparseClassifier else None)
    assert coefficients_from(model.learner).weights == model.weights


def test_an_estimator_without_labels_has_no_classes() -> None:
    assert coefficients_from(SparseClassifier()) == Coefficients()


def test_an_estimator_with_hashed_names_is_read() -> None:
    model = trained(index=HashingIndex(bits=12))
    assert coefficients_from(model).weights == model.weights


def test_a_linear_model_of_river_is_read() -> None:
    model = river_linear.LogisticRegression()
    for row, signal in zip(FRAME.to_dict("records"), SIGNAL, strict=True):
        model.learn_one(row, bool(signal > 0))
    found = coefficients_from(model)
    assert found.weights == dict(model.weights)
    assert found.intercept == model.intercept != 0


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_an_exported_file_comes_back_to_the_bit(tmp_path: Path, suffix: str) -> None:
    model = trained()
    path = model.export(tmp_path / f"weights{suffix}")
    assert {7, "7", '"7"', ("pair", ("q", 2)), ""} < set(model.weights)
    for source in (path, str(path)):
        found = coefficients_from(source)
        assert found.weights == model.weights
        assert found.intercept == model.intercept


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("w.json", "{}", "as export writes it"),
        ("w.json", "not json", "as export writes it"),
        ("w.json", '{"intercept": 0, "weights": [3]}', "as export writes it"),
        ("w.csv", "feature,weight\n", "name,weight"),
        ("w.csv", "name,weight\n,0.5\na\n", "row 3"),
        ("w.csv", "name,weight\n,0.5\na,heavy\n", "row 3"),
        ("w.csv", "name,weight\n,0.5\na,1\na,2\n", "two weights for 'a'"),
        ("w.txt", "weights\n", "no text of VowpalWabbit"),
    ],
)
def test_a_file_of_another_format_is_named(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words) as caught:
        coefficients_from(tmp_path / name)
    assert name in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is no file"):
        coefficients_from(tmp_path / "nowhere.json")

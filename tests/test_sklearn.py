"""The scikit-learn estimators: its own checks, and what is promised beyond them."""

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import csc_array, csr_array, csr_matrix
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_selection import SelectFromModel
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from streamlasso import RULES, FTRLProximal, Learner, SoftThreshold, TruncatedGradient
from streamlasso.losses import Squared
from streamlasso.rules import Rule
from streamlasso.sklearn import SparseSGDClassifier, SparseSGDRegressor
from streamlasso.sklearn.columns import ColumnIndex

Array = npt.NDArray[Any]

BOTH = (SparseSGDClassifier, SparseSGDRegressor)
REASON = "a weight multiplies a slope: it is no repetition, and the order of rows matters"
UNDOABLE = {
    "check_sample_weight_equivalence_on_dense_data": REASON,
    "check_sample_weight_equivalence_on_sparse_data": REASON,
}


def undoable(estimator: Any) -> dict[str, str]:
    return UNDOABLE


@parametrize_with_checks(
    [
        *(estimator(rule()) for estimator in BOTH for rule in RULES.values()),
        SparseSGDClassifier(loss="hinge"),
        SparseSGDRegressor(loss="poisson", scale="rms-max"),
        SparseSGDClassifier(max_iter=3, shuffle=True, random_state=0),
    ],
    expected_failed_checks=undoable,
)
def test_scikit_learn_accepts_the_estimators(estimator: Any, check: Any) -> None:
    check(estimator)


def sample(rows: int = 120, columns: int = 9, seed: int = 0) -> tuple[Array, Array]:
    """Rows, half of them zeros, and real targets; the columns 0 and 1 matter."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, columns)) * (random.random((rows, columns)) < 0.5)
    return X, 2.0 * X[:, 0] - X[:, 1] + 0.1 * random.normal(size=rows)


def labelled(classes: int = 2) -> tuple[Array, Array]:
    X, target = sample()
    names = np.array(["ant", "bee", "cat", "dog"])
    return X, names[np.digitize(target, np.quantile(target, np.arange(1, classes) / classes))]


def data(estimator: Any) -> tuple[Array, Array]:
    return labelled(3) if hasattr(estimator, "decision_function") else sample()


def bits(model: Any) -> bytes:
    """Everything that was learned."""
    return b"".join(
        learner.state.tobytes() + learner.counts.tobytes() for learner in model.learners_
    )


def learned_in_parts(model: Any, X: Any, y: Array, cuts: list[int], **arguments: Any) -> Any:
    """`partial_fit` over the parts between the cuts."""
    more = {"classes": np.unique(y)} if hasattr(model, "decision_function") else {}
    weights = arguments.get("sample_weight")
    for start, stop in zip([0, *cuts], [*cuts, len(y)], strict=True):
        part = {} if weights is None else {"sample_weight": weights[start:stop]}
        model.partial_fit(X[start:stop], y[start:stop], **more, **part)
        more = {}
    return model


STRONG: dict[str, Rule] = {
    "ftrl": FTRLProximal(l1=0.5),
    "ftrl_per_event": FTRLProximal(l1=0.02, penalty="per_event", since_birth=True),
    "truncated": TruncatedGradient(0.2, gravity=0.05, period=7),
    "soft": SoftThreshold(0.2, l1=0.02),
}
each_rule = pytest.mark.parametrize("rule", STRONG.values(), ids=STRONG)
each = pytest.mark.parametrize("estimator", BOTH, ids=lambda kind: kind.__name__)


# The same bits


@each
@each_rule
def test_parts_and_storage_do_not_change_a_bit(estimator: Any, rule: Rule) -> None:
    X, y = data(estimator)
    weights = np.random.default_rng(1).integers(0, 3, len(y)).astype(float)
    whole = bits(estimator(rule).fit(X, y, sample_weight=weights))
    for stored in (X, np.asfortranarray(X), csr_array(X), csr_matrix(X), csc_array(X)):
        assert bits(estimator(rule).fit(stored, y, sample_weight=weights)) == whole
        if stored.__class__ is csc_array:
            continue
        for cuts in ([], [1], [40, 41, 100], list(range(1, len(y)))):
            model = learned_in_parts(estimator(rule), stored, y, cuts, sample_weight=weights)
            assert bits(model) == whole


def stored_badly(X: Array) -> csr_array:
    """The same matrix with its entries in another order, halved and repeated, and with zeros."""
    random = np.random.default_rng(2)
    indptr, indices, values = [0], [], []
    for row in X:
        order = random.permutation(len(row))
        indices += [*order, *order]
        values += [*(row[order] / 2), *(row[order] / 2)]
        indptr.append(len(indices))
    return csr_array((values, indices, indptr), X.shape)


@each
@each_rule
def test_explicit_zeros_repeated_and_unsorted_entries_change_nothing(
    estimator: Any, rule: Rule
) -> None:
    X, y = data(estimator)
    rows = stored_badly(X)
    before = rows.data.copy(), rows.indices.copy()
    model = estimator(rule).fit(rows, y)
    assert bits(model) == bits(estimator(rule).fit(X, y))
    np.testing.assert_array_equal(model.predict(rows), model.predict(X))
    np.testing.assert_array_equal(rows.data, before[0])
    np.testing.assert_array_equal(rows.indices, before[1])


@pytest.mark.parametrize(
    ("rule", "dtype"),
    [*((rule, "float64") for rule in STRONG.values()), (STRONG["ftrl"], "float32")],
)
def test_what_is_learned_is_what_a_learner_learns(rule: Rule, dtype: str) -> None:
    X, y = labelled()
    model = SparseSGDClassifier(rule, dtype=dtype).fit(X, y)
    learner = Learner(rule, "logistic", ColumnIndex(X.shape[1]), dtype=dtype)
    learner.learn_csr(csr_array(X.astype(dtype)), y == "bee")
    assert model.coef_.dtype == dtype
    assert {j: model.coef_[0, j] for j in np.flatnonzero(model.coef_)} == learner.weights()
    assert model.intercept_.tolist() == [learner.intercept()]
    scores = X.astype(dtype) @ model.coef_[0] + model.intercept_[0]
    np.testing.assert_allclose(model.decision_function(X), scores, rtol=1e-5)


@each
def test_a_pickled_model_goes_on_to_the_same_bits(estimator: Any) -> None:
    X, y = data(estimator)
    model = learned_in_parts(estimator(), X[:100], y[:100], [])
    again = pickle.loads(pickle.dumps(model))
    assert bits(again.partial_fit(X[100:], y[100:])) == bits(model.partial_fit(X[100:], y[100:]))


@each
def test_weight_0_is_no_event(estimator: Any) -> None:
    X, y = data(estimator)
    weights = np.tile([1.0, 0.0, 2.5], 40)
    model = estimator().fit(X, y, sample_weight=weights)
    kept = weights > 0
    assert bits(model) == bits(estimator().fit(X[kept], y[kept], sample_weight=weights[kept]))
    assert model.t_ == 1 + kept.sum()
    before = bits(model)
    assert bits(model.partial_fit(X, y, sample_weight=np.zeros(len(y)))) == before
    with pytest.raises(ValueError, match="zero for all rows"):
        estimator().fit(X, y, sample_weight=np.zeros(len(y)))


# Passes


@each
def test_passes_are_the_rows_again_and_again(estimator: Any) -> None:
    X, y = data(estimator)
    model = estimator(max_iter=3).fit(X, y)
    assert bits(model) == bits(estimator().fit(np.tile(X, (3, 1)), np.tile(y, 3)))
    assert (model.n_iter_, model.t_) == (3, 1 + 3 * len(y))
    assert model.partial_fit(X, y).n_iter_ == 1


@each
@pytest.mark.parametrize("stored", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_each_shuffled_pass_has_an_order_of_its_own(estimator: Any, stored: Any) -> None:
    X, y = data(estimator)
    weights = np.arange(len(y)) % 3.0
    random = np.random.RandomState(5)
    order = np.concatenate([random.permutation(len(y)), random.permutation(len(y))])
    model = estimator(max_iter=2, shuffle=True, random_state=5)
    model.fit(stored(X), y, sample_weight=weights)
    expected = estimator().fit(X[order], y[order], sample_weight=weights[order])
    assert bits(model) == bits(expected)


def test_rows_that_are_too_large_are_left_out_with_a_warning() -> None:
    X, y = sample()
    X[7] = 1e200
    model = SparseSGDRegressor()
    with pytest.warns(ConvergenceWarning, match=r"1 of 120 rows .* scale the features"):
        model.fit(X, y)
    others = np.arange(len(y)) != 7
    np.testing.assert_array_equal(model.coef_, SparseSGDRegressor().fit(X[others], y[others]).coef_)


# Classes


@pytest.mark.parametrize("classes", [3, 4])
def test_more_than_two_classes_are_learned_one_versus_rest(classes: int) -> None:
    X, y = labelled(classes)
    model = SparseSGDClassifier(STRONG["ftrl"]).fit(X, y)
    assert model.coef_.shape == (classes, X.shape[1])
    assert model.intercept_.shape == (classes,)
    for k, label in enumerate(model.classes_):
        alone = SparseSGDClassifier(STRONG["ftrl"]).fit(X, y == label)
        np.testing.assert_array_equal(model.coef_[k], alone.coef_[0])
        np.testing.assert_array_equal(model.decision_function(X)[:, k], alone.decision_function(X))
    np.testing.assert_array_equal(
        model.predict(X), model.classes_[model.decision_function(X).argmax(axis=1)]
    )
    around = OneVsRestClassifier(SparseSGDClassifier(STRONG["ftrl"])).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), around.predict_proba(X))


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_those_of_the_link(classes: int) -> None:
    X, y = labelled(classes)
    model = SparseSGDClassifier().fit(X, y)
    means = 1.0 / (1.0 + np.exp(-model.decision_function(X).reshape(len(y), -1)))
    expected = np.hstack([1 - means, means]) if classes == 2 else means / means.sum(1)[:, None]
    np.testing.assert_allclose(model.predict_proba(X), expected)


def test_classes_that_are_all_ruled_out_are_equally_likely() -> None:
    X, y = labelled(3)
    model = SparseSGDClassifier().fit(X, y)
    scores = np.array([[-800.0, -800.0, -800.0], [-800.0, 0.0, -800.0]])
    expected = [[1 / 3, 1 / 3, 1 / 3], [0, 1, 0]]
    np.testing.assert_allclose(model._outputs.means(scores), expected, atol=1e-12)


def test_a_class_may_come_later_than_the_first_rows() -> None:
    X, y = labelled(3)
    model = SparseSGDClassifier().partial_fit(X[:1], y[:1], classes=["cat", "bee", "ant"])
    model.partial_fit(X[1:], y[1:])
    assert bits(model) == bits(SparseSGDClassifier().fit(X, y))
    assert model.classes_.tolist() == ["ant", "bee", "cat"]


def test_a_hinge_has_no_probabilities() -> None:
    assert not hasattr(SparseSGDClassifier(loss="hinge"), "predict_proba")
    assert not hasattr(SparseSGDClassifier(loss="unheard"), "predict_proba")
    assert hasattr(SparseSGDClassifier(), "predict_proba")


@each
def test_weights_are_exactly_zero_and_the_intercept_is_optional(estimator: Any) -> None:
    X, y = data(estimator)
    model = estimator(FTRLProximal(l1=1e6), fit_intercept=False).fit(X, y)
    assert not model.coef_.any()
    assert not model.intercept_.any()
    assert estimator(FTRLProximal(l1=1e6)).fit(X, y).intercept_.any()


# Parameters


@each
def test_rules_are_parameters_like_others(estimator: Any) -> None:
    rule = SoftThreshold(l1=0.3)
    model = estimator(rule)
    assert model.get_params()["rule__l1"] == 0.3
    assert "rule__l1" not in model.get_params(deep=False)
    copy = clone(model).set_params(rule__l1=0.5, rule__l2=0.1, max_iter=2)
    assert copy.rule == SoftThreshold(l1=0.5, l2=0.1)
    assert model.rule is rule
    assert copy.max_iter == 2
    assert estimator().set_params(rule__alpha=2.0).rule == FTRLProximal(alpha=2.0)
    together = estimator().set_params(rule__l1=0.5, rule=SoftThreshold())
    assert together.rule == SoftThreshold(l1=0.5)
    with pytest.raises(ValueError, match=r"Invalid parameter 'alpha' for rule SoftThreshold.*l1"):
        model.set_params(rule__alpha=1.0)
    assert "SoftThreshold" in model._repr_html_()


def test_losses_are_given_by_name_or_made() -> None:
    X, y = sample()
    named = SparseSGDRegressor(loss="squared").fit(X, y)
    assert bits(SparseSGDRegressor(loss=Squared()).fit(X, y)) == bits(named)


GRIDS = [
    {"rule": [FTRLProximal(l1=l1) for l1 in (1e6, 0.1)]},
    {"rule__l1": [1e6, 0.1]},
    {"rule": [FTRLProximal()], "rule__l1": [1e6, 0.1]},
]


@pytest.mark.parametrize("grid", GRIDS)
def test_a_grid_search_finds_the_better_rule(grid: Any) -> None:
    X, y = labelled()
    search = GridSearchCV(SparseSGDClassifier(), grid, cv=3).fit(csr_array(X), y)
    assert search.best_estimator_.rule == FTRLProximal(l1=0.1)
    assert search.score(X, y) > 0.8


# Among scikit-learn's own


@each
def test_pipelines_and_cross_validation(estimator: Any) -> None:
    X, y = data(estimator)
    pipeline = make_pipeline(StandardScaler(with_mean=False), estimator(FTRLProximal(1.0, l1=0.1)))
    for stored in (X, csr_array(X)):
        assert pipeline.fit(stored, y).score(stored, y) > 0.8
        assert cross_val_score(pipeline, stored, y, cv=4).mean() > 0.7
    name = pipeline.steps[-1][0]
    assert pipeline.set_params(**{f"{name}__rule__l1": 7.0}).steps[-1][1].rule.l1 == 7.0


def test_calibration_and_selection() -> None:
    X, y = labelled()
    calibrated = CalibratedClassifierCV(SparseSGDClassifier(loss="hinge"), cv=3).fit(X, y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1.0)
    rule = FTRLProximal(0.5, l1=0.1, penalty="per_event")
    selection = SelectFromModel(SparseSGDClassifier(rule)).fit(X, y)
    assert selection.get_support(indices=True).tolist() == [0, 1]


def test_many_hashed_columns_cost_only_what_is_stored() -> None:
    events = [{"site": ["news", "shop"][i % 2], "hour": str(i % 24)} for i in range(200)]
    X = FeatureHasher(2**20).transform(events)
    y = [event["site"] == "shop" for event in events]
    model = SparseSGDClassifier().fit(X, y)
    assert model.score(X, y) == 1.0
    assert 0 < np.count_nonzero(model.coef_) <= 26


@each
def test_names_of_columns_are_checked(estimator: Any) -> None:
    import pandas as pd

    X, y = data(estimator)
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
    model = learned_in_parts(estimator(), frame, y, [50])
    assert model.feature_names_in_.tolist() == list(frame)
    with pytest.raises(ValueError, match="feature names"):
        model.partial_fit(frame[reversed(list(frame))], y)


# Errors


@each
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("stored", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_what_is_missing_or_infinite_is_an_error(estimator: Any, bad: float, stored: Any) -> None:
    X, y = data(estimator)
    model = estimator().fit(X, y)
    before = bits(model)
    wrong = X.copy()
    wrong[3, 3] = bad
    for call in (model.partial_fit, estimator().fit):
        with pytest.raises(ValueError, match="contains"):
            call(stored(wrong), y)
        with pytest.raises(ValueError, match="contains"):
            call(X, y, sample_weight=np.where(y == y[0], bad, 1.0))
    with pytest.raises(ValueError, match="contains"):
        model.predict(stored(wrong))
    assert bits(model) == before


@each
def test_wrong_parameters_are_told_at_the_fit(estimator: Any) -> None:
    X, y = data(estimator)
    other = "squared" if estimator is SparseSGDClassifier else "logistic"
    for parameters, error, message in (
        ({"rule": "ftrl"}, TypeError, "must be an instance of a rule"),
        ({"rule": [FTRLProximal()]}, TypeError, "must be an instance of a rule"),
        ({"loss": other}, ValueError, "this estimator has"),
        ({"loss": "unheard"}, ValueError, "choose one of"),
        ({"max_iter": 0}, ValueError, "max_iter = 0 must be an integer ≥ 1"),
        ({"max_iter": 1.5}, ValueError, r"max_iter = 1\.5 must be"),
        ({"dtype": "int8"}, ValueError, "dtype = 'int8' must be"),
    ):
        model = estimator(**parameters)
        with pytest.raises(error, match=message):
            model.fit(X, y)
        with pytest.raises(NotFittedError):
            model.predict(X)
    with pytest.raises(ValueError, match=r"importance -1\.0 must be ≥ 0"):
        estimator().fit(X, y, sample_weight=np.full(len(y), -1.0))
    assert not hasattr(estimator(), "coef_")


def test_wrong_labels_are_told() -> None:
    X, y = labelled(3)
    model = SparseSGDClassifier()
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"'cat'.* is not among the classes"):
        model.partial_fit(X, y, classes=["ant", "bee"])
    with pytest.raises(ValueError, match="greater than one"):
        model.fit(X, np.full(len(y), "ant"))
    # None of these was a first call.
    model.partial_fit(X, y, classes=["ant", "bee", "cat"])
    with pytest.raises(ValueError, match="are not those of the first call"):
        model.partial_fit(X, y, classes=["ant", "bee"])
    before = bits(model)
    with pytest.raises(ValueError, match=r"'eel'.* of row 2 is not among"):
        model.partial_fit(X[:3], ["ant", "bee", "eel"])
    assert bits(model) == before


def test_without_scikit_learn_the_error_says_what_to_install() -> None:
    script = "import sys; sys.modules['sklearn'] = None; import streamlasso.sklearn"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'streamlasso[sklearn]'" in done.stderr.splitlines()[-1]


def test_a_column_index_knows_its_columns_only() -> None:
    index = ColumnIndex(3)
    with pytest.raises(ValueError, match=r"'price' is no column; columns are 0 to 2"):
        index.add("price")
    assert [index.find(name) for name in (-1, True + 1, 3, "0", (0,))] == [1, 4, 1, 1, 1]
    assert index.fresh().settings() == index.settings() == {"columns": 3}
    index.restore(index.entries())

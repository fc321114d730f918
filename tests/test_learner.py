"""`Learner`: arrays in, scores out; growth, errors, float32, and how its kernels are cached."""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import (
    DIMENSION,
    Event,
    dense,
    learn,
    learner_for,
    reference_for,
    rows,
    state_of,
    stream,
    weights_of,
)
from scipy import sparse

import streamlasso
from streamlasso import (
    FTRLProximal,
    GrowingIndex,
    HashingIndex,
    Learner,
    SoftThreshold,
    TruncatedGradient,
)
from streamlasso.arrays import checked_targets
from streamlasso.kernels import FIRST, UNSEEN
from streamlasso.losses import Softmax
from streamlasso.nametable import TOP


def plain(**settings: Any) -> Learner:
    """An interpreted learner of three named features."""
    learner = Learner(FTRLProximal(l1=0.1), "logistic", compiled=False, **settings)
    for name in "abc":
        learner.index.add(name)
    return learner


# Arrays


def test_lists_tuples_and_arrays_of_any_type_are_rows() -> None:
    expected = plain().learn_rows([0, 2, 3], [2, 3, 2], [1.0, 2.0, 3.0], [0.0, 1.0])
    for kind in (np.int8, np.uint16, np.int32, np.int64, np.float64):
        scores = plain().learn_rows(
            np.array([0, 2, 3], kind),
            (2, 3, 2),
            np.array([1, 2, 3], kind),
            np.array([0, 1], kind),
            [True, True],
        )
        assert scores.tolist() == expected.tolist()


def test_rows_may_begin_anywhere_in_the_arrays_and_be_empty() -> None:
    slots, values = [9, 9, 2, 3, 2, 9], [math.nan, math.nan, 1.0, 2.0, 3.0, math.nan]
    learner, expected = plain(), plain()
    for name in range(20):
        learner.index.add(name)
    scores = learner.learn_rows([2, 4, 4, 5], slots, values, [0, 1, 1])
    assert (
        scores.tolist()
        == expected.learn_rows([0, 2, 2, 3], [2, 3, 2], [1, 2, 3], [0, 1, 1]).tolist()
    )
    assert learner.learn_rows([0], [], [], []).shape == (0,)
    assert learner.score_rows([0], [], []).shape == (0,)
    assert learner.clock == 3


def test_learning_returns_the_scores_from_before() -> None:
    learner = learner_for(FTRLProximal(l1=0.1), "squared")
    events = stream("squared", 30)
    before = []
    for event in events:
        before.append(learner.score_rows(*rows([event])[:3])[0])
        assert learn(learner, [event])[0] == before[-1]
    assert np.ptp(before) > 0


def test_inputs_are_not_changed() -> None:
    arrays = rows(stream("logistic", 20))
    copies = [array.copy() for array in arrays]
    learner = learner_for(SoftThreshold(), "logistic")
    learner.learn_rows(*arrays)
    learner.score_rows(*arrays[:3])
    assert all((a == b).all() for a, b in zip(arrays, copies, strict=True))


def test_a_row_in_the_callers_buffer_is_its_first_entries() -> None:
    learner = plain()
    slots, values = np.array([2, 3, 99], np.uint32), np.array([1.0, 2.0, math.nan])
    assert learner.learn_row(slots, values, 2, 1) == 0.0
    assert learner.score_row(slots, values, 2) == learner.score_rows([0, 2], [2, 3], [1, 2])[0] > 0
    assert isinstance(learner.score_row(slots, values, 2), float)


def test_compiled_and_interpreted_learners_agree() -> None:
    for rule in (FTRLProximal(l1=0.2), TruncatedGradient(0.2, 0.05), SoftThreshold(0.2, 0.05, 0.1)):
        fast, slow = (learner_for(rule, "logistic", compiled=flag) for flag in (True, False))
        scores = [learn(learner, stream("logistic", 200)) for learner in (fast, slow)]
        np.testing.assert_allclose(*scores, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(weights_of(fast), weights_of(slow), rtol=1e-12, atol=1e-13)
        np.testing.assert_array_equal(fast.counts, slow.counts)


# CSR


def test_a_csr_column_is_the_feature_of_its_number() -> None:
    X = sparse.csr_array([[0.0, 1.0, 0.0, 2.0], [0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    y, importances = [1.0, 0.0, 1.0], [1.0, 2.0, 0.5]
    learner, expected = (Learner(FTRLProximal(l1=0.01), "logistic", compiled=False) for _ in "ab")
    scores = learner.learn_csr(X, y, importances)
    slots = [expected.index.add(name) for name in (0, 1, 3)]
    rows_in = [[1, 3], [0], [3]]
    flat = [slots[(0, 1, 3).index(name)] for row in rows_in for name in row]
    by_rows = expected.learn_rows([0, 2, 3, 4], flat, [1.0, 2.0, 0.5, 1.0], y, importances)
    assert scores.tolist() == by_rows.tolist()
    assert learner.weights() == expected.weights()
    assert set(learner.weights()) == {0, 1, 3}
    assert learner.index.size == FIRST + 3
    assert learner.score_csr(X).tolist() == [
        pytest.approx(learner.intercept() + sum(learner.weights()[j] * v for j, v in row.items()))
        for row in ({1: 1.0, 3: 2.0}, {0: 0.5}, {3: 1.0})
    ]


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_csr_of_any_kind_and_type(kind: Callable[..., Any], dtype: type) -> None:
    dense = np.array([[0, 1, 1], [1, 0, 0]])
    learner, expected = (Learner(FTRLProximal(l1=0.01), "squared", compiled=False) for _ in "ab")
    scores = learner.learn_csr(kind(dense.astype(dtype)), [1.0, 2.0])
    assert scores.tolist() == expected.learn_csr(sparse.csr_array(dense), [1.0, 2.0]).tolist()
    assert learner.weights() == expected.weights()


@pytest.mark.parametrize("X", [np.ones((2, 2)), sparse.csc_array(np.ones((2, 2))), [[1.0]], None])
def test_what_is_no_csr_matrix_is_an_error_that_says_how_to_make_one(X: Any) -> None:
    learner = plain()
    for call in (lambda: learner.learn_csr(X, [1.0, 0.0]), lambda: learner.score_csr(X)):
        with pytest.raises(TypeError, match="pass a scipy CSR matrix") as caught:
            call()
        assert f"X is a {type(X).__name__}" in str(caught.value)
        assert "csr_array(X)" in str(caught.value)


def test_a_csr_matrix_and_targets_of_different_lengths_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"targets has shape \(3,\); it must be \(2,\)"):
        plain().learn_csr(sparse.csr_array(np.ones((2, 2))), [1.0, 0.0, 1.0])


# Growth


def test_the_state_grows_with_the_index_and_keeps_what_was_learned() -> None:
    learner = Learner(FTRLProximal(l1=0.01), "squared", compiled=False)
    assert len(learner.state) == 64
    before: dict[Any, float] = {}
    for i in range(300):
        slot = learner.index.add(f"n{i}")
        learner.learn_rows([0, 1], [slot], [1.0], [5.0])
        weights = learner.weights()
        assert before.items() <= weights.items()
        assert len(weights) == i + 1
        before = weights
    assert len(learner.state) == 512
    assert learner.survey()[0] == 300


def test_a_row_through_the_callers_buffer_grows_the_state_too() -> None:
    learner = plain()
    slot = [learner.index.add(f"n{i}") for i in range(200)][-1]
    learner.learn_row(np.array([slot], np.uint32), np.ones(1), 1, 1.0)
    assert set(learner.weights()) == {"n199"}


def test_a_hashing_index_has_all_its_slots_from_the_start() -> None:
    learner = Learner(FTRLProximal(l1=0.01), index=HashingIndex(bits=10), compiled=False)
    assert learner.state.shape == (1024, 2)
    slot = learner.index.add("a")
    learner.learn_rows([0, 1], [slot], [1.0], [5.0])
    assert set(learner.weights()) == {f"#{slot}"}


def test_a_learner_keeps_the_index_that_it_was_given() -> None:
    index = GrowingIndex()
    assert Learner(FTRLProximal(), index=index, compiled=False).index is index


# Errors


def bad(message: str, *args: Any) -> Any:
    return pytest.param(args, message, id=message)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        bad("indptr must begin at 0", [], [2], [1.0]),
        bad("indptr must begin at 0 or above and never fall", [1, 0], [2], [1.0]),
        bad("indptr must begin at 0 or above", [-1, 1], [2, 2], [1.0, 1.0]),
        bad("indptr must", [[0, 1]], [2], [1.0]),
        bad(r"slots \(shape \(1,\)\) and values \(shape \(2,\)\)", [0, 1], [2], [1.0, 2.0]),
        bad(r"must be flat and hold indptr\[-1\] = 3 entries", [0, 3], [2, 3], [1.0, 2.0]),
        bad(r"slots \(shape \(1, 1\)\)", [0, 1], [[2]], [[1.0]]),
        bad("slots must be from . to 63, got 64 to 64", [0, 1], [64], [1.0]),
        bad("got -2 to 2; 0 is the intercept, 1 unknown names", [0, 2], [-2, 2], [1.0, 1.0]),
        bad("got 0 to 3; .* others come from the index", [0, 2], [0, 3], [1.0, 1.0]),
    ],
)
def test_rows_that_are_none_are_errors(args: tuple[Any, ...], message: str) -> None:
    learner = plain()
    for call in (
        lambda: learner.score_rows(*args),
        lambda: learner.learn_rows(*args, np.zeros(max(len(args[0]) - 1, 0))),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert learner.clock == 0
    assert not learner.state.any()


def test_the_unseen_slot_can_be_scored_but_not_learned() -> None:
    learner = plain()
    assert learner.score_rows([0, 1], [UNSEEN], [5.0]).tolist() == [0.0]
    with pytest.raises(ValueError, match="slots must be from 2 to 63, got 1 to 1"):
        learner.learn_rows([0, 1], [UNSEEN], [5.0], [1.0])


@pytest.mark.parametrize(
    ("loss", "targets", "importances", "message"),
    [
        ("logistic", [1.0], None, r"targets has shape \(1,\); it must be \(2,\)"),
        ("logistic", [[1.0, 0.0]], None, r"targets has shape \(1, 2\); it must be \(2,\)"),
        ("logistic", [0.0, -1.0], None, r"target -1.0 of row 1: the logistic loss takes 0 and 1"),
        ("hinge", [2.0, 1.0], None, r"target 2.0 of row 0: the hinge loss takes 0 and 1; map −1"),
        ("poisson", [1.5, -1.0], None, r"target -1.0 of row 1: the poisson loss takes numbers ≥ 0"),
        ("squared", [1.0, 0.0], [1.0], r"importances has shape \(1,\); it must be \(2,\)"),
        ("squared", [1.0, 0.0], [1.0, -0.1], r"importance -0.1 must be ≥ 0; drop the row instead"),
        ("squared", [1.0, 0.0], 2.0, r"importances has shape \(\); it must be \(2,\)"),
    ],
)
def test_targets_and_importances_are_checked_before_anything_is_learned(
    loss: str, targets: Any, importances: Any, message: str
) -> None:
    learner = learner_for(FTRLProximal(), loss)
    with pytest.raises(ValueError, match=message):
        learner.learn_rows([0, 1, 2], [2, 3], [1.0, 1.0], targets, importances)
    assert learner.clock == 0
    assert not learner.state.any()


@pytest.mark.parametrize("target", [-1.0, 3.0, 0.5])
def test_a_target_that_is_no_class_is_an_error(target: float) -> None:
    softmax = Softmax(classes=3)
    targets = np.array([0.0, 2.0, math.nan])
    assert checked_targets(targets, 3, softmax, "float64")[1] == 2.0
    message = rf"target {target} of row 1: the softmax loss takes the classes 0 to 2; number them"
    with pytest.raises(ValueError, match=message):
        checked_targets([0.0, target], 2, softmax, "float64")


def test_an_unknown_dtype_is_an_error_with_the_choices() -> None:
    with pytest.raises(ValueError, match="dtype = 'float16' must be 'float64' or 'float32'"):
        Learner(FTRLProximal(), dtype="float16")


@pytest.mark.parametrize(
    ("rule", "column"),
    [
        (SoftThreshold(), "stamp"),
        (TruncatedGradient(), "stamp"),
        (FTRLProximal(penalty="per_event", since_birth=True), "birth"),
    ],
    ids=["soft", "truncated", "since-birth"],
)
def test_a_rule_that_keeps_a_clock_refuses_float32(rule: Any, column: str) -> None:
    with pytest.raises(ValueError, match="dtype = 'float32' with") as caught:
        Learner(rule, dtype="float32")
    assert repr(column) in str(caught.value)
    assert type(rule).__name__ in str(caught.value)
    assert "use dtype = 'float64'" in str(caught.value)


@pytest.mark.parametrize(
    "rules",
    [
        [FTRLProximal(), SoftThreshold()],
        [SoftThreshold(), SoftThreshold(adaptive=False)],
        [FTRLProximal(), FTRLProximal(penalty="per_event")],
    ],
    ids=["kinds", "modes", "penalties"],
)
def test_lanes_of_different_kinds_are_an_error(rules: list[Any]) -> None:
    with pytest.raises(ValueError, match="lanes must be rules of one kind and mode") as caught:
        Learner(rules)
    assert all(repr(rule) in str(caught.value) for rule in rules)
    assert "one Learner for each kind" in str(caught.value)


def test_lanes_come_out_as_columns() -> None:
    rules = [FTRLProximal(l1=0.1 * k) for k in range(1, 6)]
    learner = learner_for(rules, "logistic")
    assert learner.lanes == 8
    assert learner.state.shape == (64, 2 * 8)
    assert learn(learner, stream("logistic", 40)).shape == (40, 5)
    assert learner.score_rows([0, 1], [2], [1.0]).shape == (1, 5)
    assert learner.effective_weights().shape == (64, 8)
    assert [len(learner.weights(lane)) for lane in range(5)] == learner.survey()[1][0, :5].tolist()
    assert learner_for(rules[:1], "logistic").score_rows([0, 1], [2], [1.0]).shape == (1,)


# float32


def test_float32_halves_the_state_and_stays_close() -> None:
    events = stream("logistic", 500)
    learner = learner_for(FTRLProximal(l1=0.3), "logistic", dtype="float32", compiled=True)
    reference = reference_for(FTRLProximal(l1=0.3), "logistic")
    expected = [reference.learn(dense(e), e.target, e.importance) for e in events]
    scores = learn(learner, events)
    arrays = (learner.state, learner.hyper, learner.effective_weights(), scores)
    assert {array.dtype for array in arrays} == {np.dtype("float32")}
    np.testing.assert_allclose(scores, expected, atol=1e-4)
    np.testing.assert_allclose(weights_of(learner), reference.weights, atol=1e-4)
    assert learner.clock == reference.events


def test_float32_rejects_what_its_squares_cannot_hold() -> None:
    learner = learner_for(FTRLProximal(), "squared", dtype="float32", compiled=True)
    learn(learner, [Event([0], [1e20], 1.0, 1.0), Event([0], [1.0], 1e20, 1.0)])
    with np.errstate(over="ignore"):
        learn(learner, [Event([0], [1e300], 1.0, 1.0)])
    assert learner.rejected == 3
    assert not learner.state.any()
    learn(learner, [Event([0], [1e10], 1.0, 1.0)])
    assert learner.clock == 1
    assert np.isfinite(learner.state).all()


def test_float32_rows_in_any_chunks_give_the_same_bits() -> None:
    events = stream("logistic", 100)
    whole, parts = (
        learner_for(FTRLProximal(l1=0.3), "logistic", dtype="float32", compiled=True)
        for _ in range(2)
    )
    learn(whole, events)
    for start in range(0, 100, 7):
        learn(parts, events[start : start + 7])
    assert state_of(whole) == state_of(parts)


# Compiling and its cache on disk. Each script runs in a process of its own.

SCRIPT = """
import json, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import numpy as np, streamlasso
    from streamlasso import FTRLProximal, Learner
    learner = Learner(FTRLProximal(l1=0.1), "logistic")
    for name in "ab":
        learner.index.add(name)
    slots, values = np.array([2, 3], np.uint32), np.array([1.0, 2.0])
    for target in (1, 0, 1):
        learner.learn_rows([0, 2], slots, values, [target])
        learner.learn_row(slots, values, 2, target)
    learner.score_row(slots, values, 2), learner.score_rows([0, 2], slots, values)
    learner.survey(), learner.weights()
kernels = {
    name: kernel
    for name, kernel in vars(learner._kernels).items()
    if getattr(kernel, "signatures", None)
}
print(json.dumps({
    "file": streamlasso.__file__,
    "weights": learner.weights(),
    "signatures": {name: len(kernel.signatures) for name, kernel in kernels.items()},
    "hits": sum(sum(kernel.stats.cache_hits.values()) for kernel in kernels.values()),
    "misses": sum(sum(kernel.stats.cache_misses.values()) for kernel in kernels.values()),
    "warnings": [f"{w.category.__name__}: {w.message}" for w in caught],
}))
"""


def run(root: Path, cache: Path, **environment: str) -> dict[str, Any]:
    """The script's report, with the package of ``root`` and the cache directory."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "NUMBA_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    report: dict[str, Any] = json.loads(result.stdout)
    assert Path(report["file"]).is_relative_to(root)
    return report


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with a copy of the package, to be edited."""
    source = Path(streamlasso.__file__).parent
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, tmp_path / "root" / "streamlasso", ignore=ignore)
    return tmp_path / "root"


EDITS = [
    ("rules/ftrl.py", "gradient = events[SLOPE, lane]", "gradient = 2 * events[SLOPE, lane]"),
    ("numerics.py", "max(value, -amount), amount)", "max(value, -2 * amount), 2 * amount)"),
    (
        "losses/logistic.py",
        "return sigmoid(score) - target",
        "return sigmoid(score) - 0.9 * target",
    ),
    (
        "kernels/learning.py",
        "counts[CLOCK, 0] = clock + 1",
        "counts[CLOCK, 0] = clock; state[2, 0] *= 2",
    ),
    ("penalties/base.py", "return strength * events", "return 2 * strength * events"),
    (
        "rules/clocks.py",
        "return state.dtype.type(1)\n\n\ndef one_fade",
        "return state.dtype.type(0.5)\n\n\ndef one_fade",
    ),
    ("jitting.py", '"nogil": True', '"nogil": True, "fastmath": True'),
]


def test_kernels_are_compiled_once_on_disk_and_anew_after_any_edit(
    package: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    first = run(package, cache)
    assert (first["hits"], first["warnings"]) == (0, [])
    assert set(first["signatures"].values()) == {1}
    assert first["misses"] == len(first["signatures"]) == 6
    second = run(package, cache)
    assert (second["hits"], second["misses"]) == (6, 0)
    assert second["weights"] == first["weights"]
    for file, old, new in EDITS:
        path = package / "streamlasso" / file
        source = path.read_text(encoding="utf-8")
        assert source.count(old) == 1, file
        path.write_text(source.replace(old, new), encoding="utf-8")
        edited = run(package, cache)
        assert edited["hits"] == 0, file
        if file != "jitting.py":
            assert edited["weights"] != first["weights"], file
        path.write_text(source, encoding="utf-8")


def test_without_a_cache_directory_kernels_warn_and_work(package: Path, tmp_path: Path) -> None:
    """Permissions do not bind root, so each place numba tries lies below a regular file."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    for folder in (package / "streamlasso", package / "streamlasso" / "kernels"):
        (folder / "__pycache__").write_text("", encoding="utf-8")
    report = run(package, blocked / "x", HOME=str(blocked), XDG_CACHE_HOME=str(blocked / "y"))
    assert set(report["signatures"].values()) == {1}
    assert len(report["warnings"]) == 11 + len(TOP)
    for warning in report["warnings"]:
        assert warning.startswith("RuntimeWarning: kernels are compiled anew in each process")
        assert "NUMBA_CACHE_DIR" in warning
    learner = Learner(FTRLProximal(l1=0.1), "logistic", compiled=False)
    slots = np.array([learner.index.add(name) for name in "ab"], np.uint32)
    for target in (1, 1, 0, 0, 1, 1):
        learner.learn_rows([0, 2], slots, [1.0, 2.0], [target])
    assert report["weights"] == pytest.approx(learner.weights(), rel=1e-12)


def test_names_of_the_features_are_those_of_the_cases() -> None:
    learner = learner_for(FTRLProximal(l1=0.0), "squared")
    learn(learner, stream("squared", 100))
    assert set(learner.weights()) == set(range(DIMENSION))


def test_a_class_in_place_of_a_rule_is_an_error_that_shows_an_instance() -> None:
    with pytest.raises(TypeError, match=r"FTRLProximal\(\)"):
        Learner(FTRLProximal)  # type: ignore[arg-type]


def test_slots_that_are_no_integers_are_an_error() -> None:
    learner = Learner(FTRLProximal(), compiled=False)
    with pytest.raises(TypeError, match="slots are of type float64"):
        learner.score_rows([0, 1], [2.7], [1.0])


def test_hyper_parameters_may_be_numbers_of_numpy() -> None:
    rule = FTRLProximal(alpha=np.float32(0.5), l1=np.int64(2))  # type: ignore[arg-type]
    assert rule == FTRLProximal(alpha=0.5, l1=2)
    assert repr(rule) == repr(FTRLProximal(alpha=0.5, l1=2))

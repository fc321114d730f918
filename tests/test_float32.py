"""Estimators whose state is float32: the same in any chunking, close to float64, half as large."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from serving import events, run, settings_for, write_lines

from streamlasso import FTRLProximal, SoftThreshold, SparseClassifier, SparseRegressor, load
from streamlasso.estimators import SparseMultiRegressor
from streamlasso.index import GrowingIndex
from streamlasso_service.loading import ConfigError

MODELS: dict[str, dict[str, Any]] = {
    "stack": {},
    "ftrl": {"rule": FTRLProximal(l1=0.2)},
    "scaled": {"rule": FTRLProximal(l1=0.2), "scale": "rms-max"},
    "grid": {"rule": FTRLProximal(), "grid": {"l1": [0.1, 1.0]}, "select": "mix"},
}
each_model = pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)


def frame(rows: int) -> tuple[pd.DataFrame, "pd.Series[Any]"]:
    rng = np.random.default_rng(7)
    numbers = rng.normal(size=(rows, 4)) / 3
    X = pd.DataFrame(numbers, columns=list("abcd"))
    X["site"] = [f"s{i}" for i in rng.integers(0, 9, rows)]
    y = X["a"] + 0.5 * (X["site"] < "s4") + 0.3 * rng.normal(size=rows)
    return X, y


def learned(kind: Any, options: dict[str, Any], **more: Any) -> Any:
    model = kind(dtype="float32", **options, **more)
    X, y = frame(300)
    target = y > 0 if kind is SparseClassifier else y
    model.learn_many(X, target, 0.7)
    return model


@each_model
@pytest.mark.parametrize("kind", [SparseClassifier, SparseRegressor])
def test_one_by_one_and_many_at_a_time_give_the_same_bits(kind: Any, options: Any) -> None:
    X, y = frame(300)
    many = learned(kind, options)
    one = kind(dtype="float32", **options)
    for event, target in zip(X.to_dict("records"), y, strict=True):
        one.learn_one(event, target > 0 if kind is SparseClassifier else target, 0.7)
    assert one.learner.state.dtype == np.float32
    assert one.learner.state.tobytes() == many.learner.state.tobytes()
    assert many.learner.clock == 300


@each_model
def test_it_stays_close_to_float64_and_takes_half(options: Any) -> None:
    X, y = frame(300)
    half = learned(SparseClassifier, options)
    full = SparseClassifier(**options)
    full.learn_many(X, y > 0, 0.7)
    assert full.learner.state.nbytes == 2 * half.learner.state.nbytes
    ours, theirs = half.predict_proba_many(X), full.predict_proba_many(X)
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


@each_model
def test_snapshot_and_pickle_keep_the_type_and_the_bits(tmp_path: Path, options: Any) -> None:
    model = learned(SparseClassifier, options)
    X, y = frame(20)
    for again in (load(model.save(tmp_path / "m")), pickle.loads(pickle.dumps(model))):
        assert again.dtype == again.learner.dtype == "float32"
        again.learn_many(X, y > 0)  # type: ignore[union-attr]
        copy = pickle.loads(pickle.dumps(model))
        copy.learn_many(X, y > 0)
        assert again.learner.state.tobytes() == copy.learner.state.tobytes()


@pytest.mark.parametrize("rule", [None, FTRLProximal()], ids=["stack", "ftrl"])
def test_a_third_class_keeps_the_type(tmp_path: Path, rule: Any) -> None:
    model = SparseClassifier(rule, dtype="float32")
    for i in range(60):
        model.learn_one({"a": i % 3}, "xyz"[i % 3] if i > 20 else "xy"[i % 2])
    assert model.learner.state.dtype == np.float32
    again = load(model.save(tmp_path / "m"))
    assert isinstance(again, SparseClassifier)
    assert again.learner.state.tobytes() == model.learner.state.tobytes()
    assert again.predict_proba_one({"a": 1}) == model.predict_proba_one({"a": 1})


def test_refitted_effects_and_several_targets() -> None:
    model = learned(SparseRegressor, {"rule": FTRLProximal(l1=0.5)}, refit=False)
    assert model.companion is None
    model = SparseRegressor(FTRLProximal(l1=0.5), refit=True, dtype="float32")
    several = SparseMultiRegressor(dtype="float32")
    X, y = frame(100)
    for event, target in zip(X.to_dict("records"), y, strict=True):
        model.learn_one(event, target)
        several.learn_one(event, {"one": target, "two": -target})
    assert model.companion is not None
    assert {each.state.dtype for each in (model.companion, model.learner, several.learner)} == {
        np.dtype("float32")
    }
    assert pickle.loads(pickle.dumps(several)).predict_one(X.iloc[0].to_dict()).keys() == {
        "one", "two",
    }  # fmt: skip


def test_what_counts_events_in_the_state_refuses_it() -> None:
    with pytest.raises(ValueError, match=r"float32.*SoftThreshold.*counts events"):
        SparseClassifier(SoftThreshold(), dtype="float32")
    for rule in (FTRLProximal(), None):
        with pytest.raises(ValueError, match=r"float32.*GrowingIndex\(5, 'evict'"):
            SparseClassifier(rule, index=GrowingIndex(5, "evict"), dtype="float32")
    for kind in (SparseClassifier, SparseRegressor, SparseMultiRegressor):
        with pytest.raises(ValueError, match="dtype = 'half' must be 'float64' or 'float32'"):
            kind(dtype="half")


# The service


@pytest.mark.parametrize("rule", ["stack", "ftrl"])
def test_the_service_learns_the_same_in_any_batches(tmp_path: Path, rule: str) -> None:
    stream = write_lines(tmp_path / "e.jsonl", events(300))
    model = {"rule": rule, "dtype": "float32"}
    some = run(settings_for(tmp_path / "a", stream, model=model))
    other = run(settings_for(tmp_path / "b", stream, model=model, limits={"batch_events": 7}))
    assert some.model.learner.state.dtype == np.float32
    assert some.model.learner.state.tobytes() == other.model.learner.state.tobytes()


def test_a_snapshot_of_the_other_type_is_another_model(tmp_path: Path) -> None:
    from streamlasso_service.source import SourceError

    stream = write_lines(tmp_path / "e.jsonl", events(20))
    run(settings_for(tmp_path / "a", stream, model={"rule": "ftrl"}))
    with pytest.raises(SourceError, match="dtype: the configuration says float32"):
        run(settings_for(tmp_path / "a", stream, model={"rule": "ftrl", "dtype": "float32"}))


def test_a_rule_that_keeps_a_clock_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="dtype = 'float32' with SoftThreshold"):
        settings_for(tmp_path, tmp_path / "e", model={"rule": "soft_threshold", "dtype": "float32"})

"""Snapshots: the same bits after loading, and no way to load what is not one."""

import json
import math
import os
import pickle
import stat
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import Event, Variant, each_loss, each_mode, each_variant, stream
from safetensors.numpy import save_file

from streamlasso import (
    LOSSES,
    FTRLProximal,
    HashingIndex,
    SnapshotError,
    SoftThreshold,
    SparseClassifier,
    SparseRegressor,
    load,
    snapshot,
)
from streamlasso.index import FeatureIndex
from streamlasso.losses import Huber
from streamlasso.nametable import pack
from streamlasso.rules import Rule
from streamlasso.snapshot import FORMAT, capture, read_manifest, write_atomic
from streamlasso.stack import StackLearner

NAMES = ["a", "site=news", "naïve – ☃", "\ud800", 7, -1, ("t", 1), ("t", ("u", "\udfff")), ""]
"""One name for each feature of a stream."""


def estimator_of(
    loss: str, rule: Rule | None = None, index: FeatureIndex | None = None, *, compiled: bool = True
) -> Any:
    """The estimator that takes the loss."""
    kind = SparseClassifier if LOSSES[loss].domain == "binary" else SparseRegressor
    model = kind(rule, loss, index)
    return model if compiled else interpreted(model)


def interpreted(model: Any) -> Any:
    """The same estimator with kernels in plain Python."""
    model.learner.compiled = False
    model.learner._prepare()
    return model


def learn(model: Any, events: Iterable[Event]) -> list[Any]:
    """Predict, then learn, event by event; the predictions."""
    predictions = []
    for event in events:
        x = {NAMES[name]: value for name, value in zip(event.names, event.values, strict=True)}
        binary = isinstance(model, SparseClassifier)
        predictions.append(model.predict_proba_one(x) if binary else model.predict_one(x))
        model.learn_one(x, bool(event.target) if binary else event.target, event.importance)
    return predictions


def bits(model: Any) -> tuple[Any, ...]:
    """Everything of a model, for comparing bit for bit."""
    learner = model.learner
    labels = (model.classes, model._labels) if isinstance(model, SparseClassifier) else None
    stacked = isinstance(learner, StackLearner)
    totals = (learner.lanes_array, learner.book) if stacked else (learner.hyper,)
    return (
        type(model), model.rule, model.loss, model.fit_intercept, learner.rule, labels,
        learner.state.tobytes(), learner.state.shape, *(each.tobytes() for each in totals),
        learner.counts.tobytes(), learner.index.kind, learner.index.settings(),
        learner.index.entries(),
    )  # fmt: skip


def assert_going_on_is_never_having_stopped(
    path: Path, loss: str, rule: Rule | None, index: FeatureIndex | None = None, *, compiled: bool
) -> None:
    events = stream(loss, 150)
    never, stopped = (estimator_of(loss, rule, index, compiled=compiled) for _ in range(2))
    for start, stop in [(0, 47), (47, 48), (48, 110), (110, 150)]:
        assert learn(stopped, events[start:stop]) == learn(never, events[start:stop])
        before = bits(stopped)
        stopped.save(path)
        assert bits(stopped) == before
        stopped = load(path)
        if not compiled:
            interpreted(stopped)
        assert bits(stopped) == before == bits(never)
    assert stopped.weights == never.weights
    assert never.learner.state.any()


# The same bits


@each_loss
@each_variant
def test_saving_loading_and_going_on_is_never_having_stopped(
    variant: Variant, loss: str, tmp_path: Path
) -> None:
    assert_going_on_is_never_having_stopped(tmp_path / "m", loss, variant.rule, compiled=False)


@each_mode
def test_compiled_going_on_is_never_having_stopped(variant: Variant, tmp_path: Path) -> None:
    path = tmp_path / "m"
    assert_going_on_is_never_having_stopped(path, "logistic", variant.rule, compiled=True)


@pytest.mark.parametrize("index", [HashingIndex(bits=8), HashingIndex(bits=8, names=True)], ids=str)
@each_loss
def test_a_hashed_model_goes_on_as_if_never_stopped(
    loss: str, index: HashingIndex, tmp_path: Path
) -> None:
    rule = SoftThreshold(0.2, 0.01)
    assert_going_on_is_never_having_stopped(tmp_path / "m", loss, rule, index, compiled=False)


def test_a_default_model_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    assert_going_on_is_never_having_stopped(tmp_path / "m", "logistic", None, compiled=True)
    assert load(tmp_path / "m").rule is None


def test_a_model_that_is_rebased_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    rule = SoftThreshold(1.0, l1=0.003, l2=1.0, adaptive=False)
    events = stream("logistic", 500, scale=0.4)
    never, stopped = (estimator_of("logistic", rule, compiled=False) for _ in range(2))
    learn(never, events)
    for start in range(0, 500, 40):
        learn(stopped, events[start : start + 40])
        stopped = interpreted(load(stopped.save(tmp_path / "m")))
    assert bits(stopped) == bits(never)


@pytest.mark.parametrize("kind", [SparseClassifier, SparseRegressor])
def test_a_model_without_events_is_saved_too(kind: Any, tmp_path: Path) -> None:
    model = kind(FTRLProximal(), fit_intercept=False)
    again = load(model.save(tmp_path / "m"))
    assert bits(again) == bits(model)
    learn(again, stream("hinge", 5))
    learn(model, stream("hinge", 5))
    assert bits(again) == bits(model)


def test_names_of_every_kind_come_back(tmp_path: Path) -> None:
    names = [*NAMES, 2**70, (), ("",), ("a", ("b", ("c", 1))), "1", 1, ("1",), '"\\\n\0']
    model = SparseRegressor(FTRLProximal(l1=0.0))
    for i, name in enumerate(names):
        model.learn_one({name: 1.0}, float(i + 1))
    again = load(model.save(tmp_path / "m"))
    assert [name for _, name in again.learner.index.entries()] == names
    assert again.weights == model.weights
    assert len(again.weights) == len(names)


@pytest.mark.parametrize(
    "labels",
    [(), (True,), (False, True), ("spam",), ("ham", "spam"), (-1, 1), (2, 0), (1.5, 2.5),
     (("t", 1), ("t", ("u", 2))), ("\ud800", "")],
    ids=repr,
)  # fmt: skip
def test_labels_come_back(labels: tuple[Any, ...], tmp_path: Path) -> None:
    model = SparseClassifier(FTRLProximal(l1=0.0))
    for label in labels * 3:
        model.learn_one({"a": 1.0, "b": float(label == labels[0])}, label)
    again = load(model.save(tmp_path / "m"))
    assert bits(again) == bits(model)
    assert [type(label) for label in again.classes] == [type(label) for label in model.classes]
    for label in labels:
        again.learn_one({"a": 1.0}, label)


def test_counters_and_negative_zeros_come_back(tmp_path: Path) -> None:
    model = SparseRegressor(SoftThreshold())
    model.learn_one({"a": 1.0}, math.inf)
    model.learn_one({"a": 1.0}, 1.0)
    model.learner.state[3] = -0.0
    again = load(model.save(tmp_path / "m"))
    assert (again.learner.clock, again.learner.rejected) == (1, 1)
    assert bits(again) == bits(model)


@each_mode
def test_every_parameter_comes_back_infinities_included(variant: Variant, tmp_path: Path) -> None:
    rule: Any = variant.rule
    for changed in {
        rule,
        replace(rule, threshold=math.inf) if hasattr(rule, "threshold") else rule,
    }:
        model = SparseRegressor(changed)
        assert load(model.save(tmp_path / "m")).rule == changed


def test_a_capacity_beyond_the_names_comes_back(tmp_path: Path) -> None:
    model = SparseRegressor()
    for i in range(100):
        model.learn_one({f"n{i}": 1.0}, 1.0)
    assert len(load(model.save(tmp_path / "m")).learner.state) == len(model.learner.state) == 128


# The file


def digest_of(model: Any) -> str:
    """Of the content: safetensors writes its metadata in any order."""
    return capture(model).serialise()[1]


def test_the_digest_is_of_the_model_whenever_it_is_taken(tmp_path: Path) -> None:
    model = estimator_of("squared", compiled=False)
    learn(model, stream("squared", 60))
    assert digest_of(model) == digest_of(model) == digest_of(load(model.save(tmp_path / "m")))
    before = digest_of(model)
    learn(model, stream("squared", 1, importances=[1.0]))
    assert digest_of(model) != before


def test_the_manifest_says_what_the_file_is_and_brings_back_extras(tmp_path: Path) -> None:
    model = SparseClassifier(SoftThreshold(l1=0.5), "hinge", HashingIndex(bits=5))
    extra = {"positions": {"topic": [1, 2]}, "note": "ü"}
    snapshot.save(tmp_path / "m", model, extra)
    manifest = read_manifest(tmp_path / "m")
    assert manifest["extra"] == extra
    assert manifest["format"] == FORMAT
    assert (manifest["estimator"], manifest["rule"]) == ("SparseClassifier", "soft_threshold")
    assert (manifest["loss"], manifest["index"]) == ("hinge", "hashing")
    assert manifest["parameters"]["l1"] == 0.5
    assert read_manifest(model.save(tmp_path / "n"))["extra"] == {}


def test_a_loss_comes_back_with_its_parameters(tmp_path: Path) -> None:
    for given in (Huber(delta=2.5), "poisson", "logistic"):
        kind = SparseClassifier if given == "logistic" else SparseRegressor
        model = kind(loss=given)
        again = load(model.save(tmp_path / "m"))
        assert again.loss == given
        assert again.learner.loss == model.learner.loss
    assert read_manifest(SparseRegressor(loss=Huber(delta=2.5)).save(tmp_path / "m"))[
        "loss_parameters"
    ] == {"delta": 2.5}


def test_a_captured_model_is_not_moved_by_learning_on() -> None:
    model = estimator_of("squared", compiled=False)
    events = stream("squared", 60)
    learn(model, events[:30])
    captured = capture(model)
    before = captured.serialise()[1]
    learn(model, events[30:])
    model.learn_one({"another": 1.0}, 1.0)
    assert captured.serialise()[1] == before != digest_of(model)


def test_only_records_that_were_written_are_stored(tmp_path: Path) -> None:
    model = SparseRegressor(FTRLProximal(), index=HashingIndex(bits=18))
    model.learn_one({"a": 1.0}, 1.0)
    assert model.save(tmp_path / "m").stat().st_size < 4096
    assert load(tmp_path / "m").weights == model.weights


# Atomic


def test_saving_leaves_one_file_and_replaces_the_last(tmp_path: Path) -> None:
    model = SparseRegressor()
    for i in range(3):
        model.learn_one({"a": 1.0}, float(i))
        assert model.save(tmp_path / "m") == tmp_path / "m"
        assert [path.name for path in tmp_path.iterdir()] == ["m"]
        assert load(str(tmp_path / "m")).learner.clock == i + 1


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_last_file_and_nothing_else(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SparseRegressor()
    before = model.save(tmp_path / "m").read_bytes()
    model.learn_one({"a": 1.0}, 1.0)

    def fail(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="no space left"):
        model.save(tmp_path / "m")
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert (tmp_path / "m").read_bytes() == before


def test_the_content_is_on_disk_before_it_gets_the_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, rename = os.fsync, os.replace

    def watched_fsync(descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("sync folder" if folder else "sync file")
        fsync(descriptor)

    def watched_rename(source: Any, target: Any) -> None:
        assert Path(source).read_bytes() == b"content"
        steps.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_rename)
    write_atomic(tmp_path / "m", b"content")
    assert steps == ["sync file", "rename", "sync folder"]


# What is no snapshot


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    model = SparseClassifier(SoftThreshold(l1=0.01))
    for i in range(6):
        model.learn_one({"a": 1.0, ("b", i): 2.0}, i % 2)
    path: Path = model.save(tmp_path / "model")
    return path


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_one_damaged_byte_anywhere_is_found(saved: Path, flip: int) -> None:
    content = saved.read_bytes()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= flip
        saved.write_bytes(damaged)
        with pytest.raises(SnapshotError) as caught:
            read_manifest(saved)
        assert str(saved) in str(caught.value)


@pytest.mark.parametrize(("old", "new"), [(b'"F64"', b'"I64"'), (b'"F64"', b'"U64"')])
def test_a_damaged_type_is_found(saved: Path, old: bytes, new: bytes) -> None:
    """The bytes of the numbers are the same: the digest must hold what they mean."""
    content = saved.read_bytes()
    assert content.count(old) == 2
    saved.write_bytes(content.replace(old, new, 1))
    with pytest.raises(SnapshotError, match="is damaged: its content does not match its digest"):
        load(saved)


def test_a_damaged_shape_is_found(saved: Path) -> None:
    content = saved.read_bytes()
    records = read_manifest(saved)
    assert records["capacity"] == 64
    shape = b'"shape":[8,3]'
    assert content.count(shape) == 1
    saved.write_bytes(content.replace(shape, b'"shape":[3,8]'))
    with pytest.raises(SnapshotError, match="is damaged"):
        load(saved)


def test_a_truncated_or_longer_file_is_found(saved: Path) -> None:
    content = saved.read_bytes()
    for length in [*range(0, len(content), 37), len(content) - 1]:
        saved.write_bytes(content[:length])
        with pytest.raises(SnapshotError, match="is not a readable snapshot"):
            load(saved)
    saved.write_bytes(content + b"\0")
    with pytest.raises(SnapshotError, match="is not a readable snapshot"):
        load(saved)


def test_a_missing_file_and_a_folder_are_no_snapshots(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(SnapshotError, match="is not a readable snapshot") as caught:
            load(path)
        assert str(path) in str(caught.value)


def test_a_foreign_safetensors_file_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "foreign"
    for metadata in (None, {"format": "pt"}):
        save_file({"x": np.zeros(3)}, path, metadata)
        with pytest.raises(SnapshotError, match="safetensors file, but not a streamlasso snapshot"):
            load(path)


@pytest.mark.parametrize("number", [0, FORMAT + 1, None])
def test_another_format_is_an_error_that_says_what_to_do(number: Any, tmp_path: Path) -> None:
    captured = capture(SparseRegressor())
    captured.manifest["format"] = number
    (tmp_path / "m").write_bytes(captured.serialise()[0])
    with pytest.raises(
        SnapshotError, match=f"has format {number}, this version reads 2 to {FORMAT}"
    ):
        load(tmp_path / "m")
    with pytest.raises(SnapshotError, match="use the version of streamlasso that wrote it"):
        read_manifest(tmp_path / "m")


class Trap:
    """Unpickled, it leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "sprung")


def test_loading_never_unpickles(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap, sprung = tmp_path / "trap", tmp_path / "sprung"
    trap.write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(SnapshotError):
        load(trap)
    assert not sprung.exists()
    pickle.loads(trap.read_bytes())
    assert sprung.exists()

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("unpickled")

    for name in ("load", "loads", "Unpickler", "_Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    assert load(saved).learner.clock == 6
    assert b"manifest" in saved.read_bytes()


def test_the_names_in_the_file_are_packed_by_slot(saved: Path) -> None:
    arrays = capture(load(saved)).arrays
    names = ["a", *(("b", i) for i in range(6))]
    assert arrays["names"].tobytes() == pack(names)
    assert len(arrays["name_slots"]) == 0


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("index", [None, HashingIndex(bits=8, names=True)], ids=str)
def test_names_of_older_formats_are_json(number: int, index: Any, tmp_path: Path) -> None:
    model = SparseRegressor(FTRLProximal(l1=0.0), index=index)
    for i, name in enumerate(NAMES):
        model.learn_one({name: 1.0}, float(i + 1))
    captured = capture(model)
    captured.manifest["format"] = number
    entries = json.dumps(model.learner.index.entries())
    captured.arrays["names"] = np.frombuffer(entries.encode("utf-8", "surrogatepass"), np.uint8)
    del captured.arrays["name_slots"]
    (tmp_path / "m").write_bytes(captured.serialise()[0])
    assert bits(load(tmp_path / "m")) == bits(model)

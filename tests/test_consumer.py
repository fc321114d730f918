"""The loop loses nothing, whatever stops it: always the bits of an uninterrupted run."""

import json
import logging
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from serving import (
    account,
    call,
    command,
    content,
    damage,
    environment,
    events,
    good_events,
    learned_by_hand,
    mixed_stream,
    run,
    settings_for,
    snapshots,
    wait_for,
    write_lines,
)

from streamlasso import RULES
from streamlasso_service.consumer import MISMATCH_EXIT_CODE
from streamlasso_service.offline import open_snapshot
from streamlasso_service.source import SourceError


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    return mixed_stream(tmp_path / "events.jsonl")


BOUNDS: list[dict[str, Any]] = [
    {"index": "hashing", "bits": 8},
    {"max_features": 10},
    {"max_features": 20, "at_limit": "evict", "admit": "count"},
    {"admit": "random", "admit_probability": 0.3},
]
MODELS: list[dict[str, Any]] = [
    *({"rule": rule} for rule in RULES),
    *({"rule": "ftrl"} | bounds for bounds in BOUNDS),
    {"rule": "ftrl", "task": "regression", "fit_intercept": False},
    {},
    *BOUNDS,
    {"task": "regression"},
    {"task": "regression", "loss": "poisson"},
    {"parameters": {"max_active": 5}},
    {"parameters": {"serve": "all"}},
]
"""Every rule, and the stack; both with every kind of index."""


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_service_learns_the_bits_that_the_estimator_learns_one_by_one(
    tmp_path: Path, stream: Path, model: dict[str, Any]
) -> None:
    settings = settings_for(tmp_path / "s", stream, model=model)
    by_hand = learned_by_hand(settings, good_events(stream))
    assert content(run(settings).model) == content(by_hand)
    _, restored, _ = open_snapshot(tmp_path / "s")
    assert content(restored) == content(by_hand)


both = pytest.mark.parametrize("rule", ["stack", "ftrl"])


@both
@pytest.mark.parametrize("batch_events", [1, 7, 5000])
def test_result_does_not_depend_on_the_batches(
    tmp_path: Path, stream: Path, batch_events: int, rule: str
) -> None:
    model = {"rule": rule}
    whole = run(settings_for(tmp_path / "whole", stream, model=model))
    limits = {"batch_events": batch_events}
    other = run(settings_for(tmp_path / "other", stream, limits=limits, model=model))
    assert account(other) == account(whole)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_stopped_and_restarted_ends_in_the_same_bits(
    tmp_path: Path, stream: Path, model: dict[str, Any]
) -> None:
    whole = run(settings_for(tmp_path / "whole", stream, model=model))
    settings = settings_for(tmp_path / "parts", stream, model=model)
    for batches in (1, 5, 3):
        part = run(settings, stop_after=batches)
        assert part.model.learner.clock < whole.model.learner.clock
    assert account(run(settings)) == account(whole)
    # Once more at the end: nothing is learned twice.
    assert account(run(settings)) == account(whole)


@both
def test_crash_between_snapshots_learns_nothing_twice(
    tmp_path: Path, stream: Path, rule: str
) -> None:
    model = {"rule": rule}
    whole = run(settings_for(tmp_path / "whole", stream, model=model))
    settings = settings_for(tmp_path / "s", stream, snapshot={"interval_events": 300}, model=model)
    batches = 0

    def crash() -> None:
        nonlocal batches
        batches += 1
        if batches == 11:
            raise MemoryError

    with pytest.raises(MemoryError):
        loop_until(settings, crash)
    _, saved, _ = open_snapshot(tmp_path / "s")
    assert 0 < saved.learner.clock < 1000
    assert account(run(settings)) == account(whole)


def loop_until(settings: Any, after_batch: Any) -> None:
    from streamlasso_service.service import serve

    serve(settings, after_batch=after_batch)


def consume(folder: Path, stream: Path, *options: object) -> list[str]:
    sets = ("limits.batch_events=50", "snapshot.interval_events=500", "http.enabled=false")
    flags = [part for each in sets for part in ("--set", each)]
    return command("consume", "--file", stream, "--snapshots", folder, *flags, *options)


@pytest.fixture
def long_stream(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "long.jsonl", events(60_000, seed=2))


def interrupted(folder: Path, stream: Path, how: signal.Signals, rule: str = "stack") -> int:
    """Send a signal to a consumer in the middle of a stream; its exit code.

    It follows the file, whose second half is written only afterwards: however late the signal
    comes, it cannot have learned everything.
    """
    lines = stream.read_bytes().splitlines(keepends=True)
    half = len(lines) // 2
    stream.write_bytes(b"".join(lines[:half]))
    process = subprocess.Popen(
        consume(folder, stream, "--follow", "--rule", rule),
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    try:
        wait_for(lambda: len(snapshots(folder)) >= 2, 60)
        assert process.poll() is None, "it must not have finished yet"
        process.send_signal(how)
        code = process.wait(10)
    finally:
        process.kill()
        process.wait()
    with stream.open("ab") as file:
        file.writelines(lines[half:])
    return code


@both
def test_killed_consumer_goes_on_to_the_same_bits(
    tmp_path: Path, long_stream: Path, rule: str
) -> None:
    model = {"rule": rule}
    whole = run(settings_for(tmp_path / "whole", long_stream, model=model))
    assert interrupted(tmp_path / "s", long_stream, signal.SIGKILL, rule) == -signal.SIGKILL
    _, saved, manifest = open_snapshot(tmp_path / "s")
    assert 0 < saved.learner.clock < whole.model.learner.clock
    restarted = run(settings_for(tmp_path / "s", long_stream, model=model))
    assert account(restarted) == account(whole)
    assert manifest["extra"]["partitions"] != account(whole)["tallies"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stop_signal_saves_everything_and_exits_0(
    tmp_path: Path, long_stream: Path, how: signal.Signals
) -> None:
    assert interrupted(tmp_path / "s", long_stream, how) == 0
    _, saved, manifest = open_snapshot(tmp_path / "s")
    (tally,) = manifest["extra"]["partitions"].values()
    read = long_stream.read_bytes()[: tally["position"]]
    assert read.endswith(b"\n")
    done = write_lines(tmp_path / "done.jsonl", [json.loads(line) for line in read.splitlines()])
    settings = settings_for(tmp_path / "x", done)
    assert content(saved) == content(learned_by_hand(settings, good_events(done)))


def test_damaged_newest_snapshot_costs_only_time(
    tmp_path: Path, stream: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = run(settings_for(tmp_path / "whole", stream))
    settings = settings_for(tmp_path / "s", stream, snapshot={"interval_events": 200})
    run(settings, stop_after=9)
    *_, last = snapshots(tmp_path / "s")
    damage(last)
    with caplog.at_level(logging.INFO):
        assert account(run(settings)) == account(whole)
    assert f"{last} is " in caplog.text
    assert "trying the one before" in caplog.text
    assert "restored snapshot-000001" in caplog.text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"rule": "soft_threshold"}, ("SoftThreshold", "FTRLProximal")),
        ({"rule": "stack"}, ("rule: the configuration says stack", "FTRLProximal")),
        ({"parameters": {"l1": 3}}, ("l1=3", "l1=1.0")),
        ({"loss": "hinge"}, ("hinge", "logistic")),
        ({"index": "hashing"}, ("hashing", "growing")),
        ({"max_features": 9}, ("'max_features': 9", "'max_features': None")),
        ({"admit": "random"}, ("'probability': 0.1", "'admit': None")),
        (
            {"task": "regression", "loss": "huber", "loss_parameters": {"delta": 3}},
            ("huber", "'delta': 3.0", "logistic", "{}"),
        ),
        ({"fit_intercept": False}, ("False", "True")),
        ({"task": "regression"}, ("SparseRegressor", "SparseClassifier")),
    ],
    ids=str,
)
def test_changed_model_is_refused_with_both_values_named(
    tmp_path: Path, stream: Path, change: dict[str, Any], named: tuple[str, ...]
) -> None:
    run(settings_for(tmp_path / "s", stream, model={"rule": "ftrl"}), stop_after=1)
    with pytest.raises(SourceError) as caught:
        run(settings_for(tmp_path / "s", stream, model={"rule": "ftrl"} | change))
    assert caught.value.code == MISMATCH_EXIT_CODE == 5
    assert all(part in str(caught.value) for part in named), caught.value
    assert "the configuration says" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"rule": "ftrl"}, ("rule: the configuration says FTRLProximal", "the snapshot stack")),
        ({"parameters": {"serve": 0.5}}, ("serve", "0.5", "sparsest")),
        ({"parameters": {"tolerance": 0.1}}, ("tolerance", "0.1", "0.005")),
        ({"parameters": {"max_active": 7}}, ("max_active", "7", "None")),
        ({"index": "hashing"}, ("hashing", "growing")),
        ({"task": "regression"}, ("SparseRegressor", "SparseClassifier", "squared", "logistic")),
    ],
    ids=str,
)
def test_another_way_to_serve_a_stack_is_refused_with_both_values_named(
    tmp_path: Path, stream: Path, change: dict[str, Any], named: tuple[str, ...]
) -> None:
    run(settings_for(tmp_path / "s", stream), stop_after=1)
    with pytest.raises(SourceError) as caught:
        run(settings_for(tmp_path / "s", stream, model=change))
    assert caught.value.code == MISMATCH_EXIT_CODE
    assert all(part in str(caught.value) for part in named), caught.value


def test_what_does_not_shape_the_model_may_change(tmp_path: Path, stream: Path) -> None:
    run(settings_for(tmp_path / "s", stream), stop_after=1)
    renamed = settings_for(tmp_path / "s", stream, model={"name": "other"}, snapshot={"keep": 5})
    run(renamed)


def test_another_model_can_be_the_beginning(tmp_path: Path, stream: Path) -> None:
    first = run(settings_for(tmp_path / "first", stream))
    second = write_lines(tmp_path / "second.jsonl", events(500, seed=3))
    settings = settings_for(tmp_path / "s", second)
    (initial,) = snapshots(tmp_path / "first")[-1:]
    part = run(settings, stop_after=2, initial=initial)
    assert part.model.learner.clock > first.model.learner.clock
    # From then on its own snapshot counts.
    resumed = run(settings, initial=initial)
    for event in good_events(second):
        if event.target is not None:
            first.model.learn_one(event.features, event.target, event.importance)
    assert content(resumed.model) == content(first.model)


def test_second_consumer_on_one_folder_is_refused(tmp_path: Path, stream: Path) -> None:
    process = subprocess.Popen(
        consume(tmp_path / "s", stream, "--follow"), stderr=subprocess.DEVNULL, env=environment()
    )
    try:
        wait_for(lambda: snapshots(tmp_path / "s"), 60)
        second = call(*consume(tmp_path / "s", stream)[3:])
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
    assert second.returncode == 1
    assert "used by another running streamlasso" in second.stderr
    assert "Traceback" not in second.stderr


def test_moved_snapshots_go_on(tmp_path: Path, stream: Path) -> None:
    whole = run(settings_for(tmp_path / "whole", stream))
    run(settings_for(tmp_path / "a", stream), stop_after=4)
    shutil.move(tmp_path / "a", tmp_path / "b")
    assert account(run(settings_for(tmp_path / "b", stream))) == account(whole)

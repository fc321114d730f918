"""Each record is predicted, learned, set aside or dropped exactly once, and accounted for."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from serving import (
    BAD_RECORDS,
    account,
    events,
    good_events,
    learned_by_hand,
    mixed_stream,
    run,
    settings_for,
    write_lines,
)

from streamlasso import SparseRegressor
from streamlasso_service.bad_share import BAD_SHARE_EXIT_CODE
from streamlasso_service.offline import open_snapshot
from streamlasso_service.source import SourceError


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    return mixed_stream(tmp_path / "events.jsonl")


def test_events_without_a_target_are_predicted_only(tmp_path: Path) -> None:
    stream = write_lines(tmp_path / "e.jsonl", [{"id": i, "a": i} for i in range(10)])
    consumer = run(
        settings_for(tmp_path / "s", stream, output={"predictions": str(tmp_path / "p")})
    )
    assert consumer.model.learner.clock == 0
    assert consumer.model.learner.index.entries() == []
    assert consumer.failed == 0
    lines = [json.loads(line) for line in (tmp_path / "p").read_bytes().splitlines()]
    assert [(line["id"], line["target"], line["score"]) for line in lines] == [
        (i, None, 0) for i in range(10)
    ]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_predictions_are_from_before_learning(tmp_path: Path, stream: Path, task: str) -> None:
    path = tmp_path / "out" / "p.jsonl"
    settings = settings_for(
        tmp_path / "s", stream, model={"task": task}, output={"predictions": str(path)}
    )
    run(settings)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    model = learned_by_hand(settings, [])
    good = good_events(stream)
    assert len(lines) == len(good)
    for line, event in zip(lines, good, strict=True):
        assert line["id"] == event.id
        assert line["target"] == event.target
        assert line["source"] == f"{stream}/0"
        if isinstance(model, SparseRegressor):
            assert line["score"] == line["prediction"] == model.predict_one(event.features)
        else:
            assert line["prediction"] == model.predict_proba_one(event.features)[True]
            assert line["prediction"] == pytest.approx(1 / (1 + math.exp(-line["score"])))
        if event.target is not None:
            model.learn_one(event.features, event.target, event.importance)
    positions = [line["position"] for line in lines]
    assert positions == sorted(set(positions))


def test_bad_records_are_counted_kept_and_do_not_stop_learning(
    tmp_path: Path, stream: Path
) -> None:
    consumer = run(settings_for(tmp_path / "s", stream))
    raw = stream.read_bytes()
    letters = (tmp_path / "s" / "dead-letters.jsonl").read_text().splitlines()
    dead = [json.loads(line) for line in letters]
    assert [letter["reason"] for letter in dead] == [
        "decode", "schema", "schema", "schema", "decode",
    ]  # fmt: skip
    for letter, value in zip(dead, BAD_RECORDS, strict=True):
        position = letter["position"]
        assert raw[position : position + len(value)] == value
        assert letter["source"] == str(stream)
    assert consumer.failed == 5
    sample = consumer.metrics.registry.get_sample_value
    for name in ("events_failed", "dead_letters"):
        for reason, count in (("decode", 2), ("schema", 3), ("nonfinite", 0)):
            labels = {"model": "default", "topic": str(stream), "reason": reason}
            assert sample(f"streamlasso_{name}_total", labels) == count
    # In one pass and a half, too: the count is the model's lifetime's.
    assert open_snapshot(tmp_path / "s")[2]["extra"]["failed"] == 5


def test_too_many_bad_records_stop_the_service_with_a_reason(tmp_path: Path) -> None:
    good, bad = events(400), [{"id": 1, "features": {"x": {"deep": 1}}}] * 200
    stream = write_lines(tmp_path / "e.jsonl", [*good, *bad, *good])
    limits = {"bad_window": 200, "max_bad_share": 0.4}
    with pytest.raises(SourceError) as caught:
        run(settings_for(tmp_path / "s", stream, limits=limits))
    assert caught.value.code == BAD_SHARE_EXIT_CODE == 4
    assert "limits.max_bad_share = 0.4" in str(caught.value)
    assert "the last: schema: field 'x' holds a dict" in str(caught.value)


def test_few_bad_records_do_not_stop_it_wherever_they_stand(tmp_path: Path) -> None:
    lines: list[Any] = [b"{"] * 90 + events(400) + [b"{"] * 90
    stream = write_lines(tmp_path / "e.jsonl", lines)
    limits = {"bad_window": 200, "max_bad_share": 0.5}
    assert run(settings_for(tmp_path / "s", stream, limits=limits)).failed == 180


def test_huge_numbers_leave_the_model_and_its_snapshots_sound(tmp_path: Path) -> None:
    huge = [
        {"target": 1, "importance": 1e12, "a": 1e300},
        {"target": 1e140, "importance": 1e12, "a": 1},
        {"target": 1, "importance": 1e308, "a": 1},
        {"target": 1, "a": 1e200, "b": -1e308},
        {"target": -1e307, "a": 1},
    ]
    good = [{"target": i % 3, "a": i % 3} for i in range(300)]
    stream = write_lines(tmp_path / "e.jsonl", [*good, *huge * 20, *good])
    settings = settings_for(tmp_path / "s", stream, model={"task": "regression"})
    consumer = run(settings)
    _, restored, manifest = open_snapshot(tmp_path / "s")
    assert all(map(math.isfinite, manifest["extra"]["progress"]))
    assert all(map(math.isfinite, restored.weights.values()))
    assert account(run(settings)) == account(consumer)

"""Interactions in the service: configured, learned, shown, kept across a restart."""

import json
from pathlib import Path
from typing import Any

import pytest
from serving import (
    account,
    content,
    decode,
    events,
    good_events,
    run,
    settings_for,
    snapshots,
    succeed,
    write_lines,
)

from streamlasso_service.loading import ConfigError, load_settings
from streamlasso_service.models import build_model
from streamlasso_service.records import Bad, Event
from streamlasso_service.source import SourceError

FEATURES = {"interactions": [["site", "hour"], ["rare*", "*"]], "prefix": {"noise": "my_"}}


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    """2,000 events."""
    return write_lines(tmp_path / "events.jsonl", events(2000))


def test_the_service_learns_them_as_the_estimator_does(tmp_path: Path, stream: Path) -> None:
    settings = settings_for(tmp_path / "s", stream, features={"interactions": [["site", "hour"]]})
    whole = run(settings)
    model = build_model(settings.model, settings.features.interactions)
    for event in good_events(stream):
        if event.target is not None:
            model.learn_one(event.features, event.target, event.importance)
    assert content(whole.model) == content(model)
    assert any(str(name).endswith("^hour") for name in model.weights)


def test_they_act_on_names_after_the_prefix(tmp_path: Path, stream: Path) -> None:
    features = {"interactions": [["my_*", "site"]], "prefix": {"noise": "my_"}}
    learned = run(settings_for(tmp_path / "s", stream, features=features)).model
    assert any(str(name).startswith("my_noise^site=") for name in learned.weights)


def test_they_find_one_hot_fields_of_unit_length(tmp_path: Path, stream: Path) -> None:
    features = {"interactions": [["site", "hour"]], "unit_length": True}
    learned = run(settings_for(tmp_path / "s", stream, features=features)).model
    assert any(str(name).startswith("site=s1^") for name in learned.weights)


@pytest.mark.parametrize("model", [{}, {"index": "hashing", "bits": 12}])
def test_a_run_in_parts_gives_the_same_bits(
    tmp_path: Path, stream: Path, model: dict[str, Any]
) -> None:
    whole = run(settings_for(tmp_path / "whole", stream, features=FEATURES, model=model))
    parts = settings_for(tmp_path / "parts", stream, features=FEATURES, model=model)
    run(parts, stop_after=7)
    assert account(run(parts)) == account(whole)


def test_a_restart_with_others_is_refused(tmp_path: Path, stream: Path) -> None:
    run(settings_for(tmp_path / "s", stream, features=FEATURES), stop_after=1)
    others = settings_for(tmp_path / "s", stream, features={"interactions": [["hour", "site"]]})
    with pytest.raises(SourceError, match=r"another model:\n  \* interactions: .*\('hour', 'site'"):
        run(others)


def test_inspect_and_predict_know_them(tmp_path: Path, stream: Path) -> None:
    consumer = run(settings_for(tmp_path / "s", stream, features=FEATURES))
    shown = json.loads(succeed("inspect", tmp_path / "s", "--json", "--top", "100000"))
    assert shown["interactions"] == ["site^hour", "rare*^*"]
    assert shown["weights"].keys() == {str(name) for name in consumer.model.weights}
    lines = succeed("predict", snapshots(tmp_path / "s")[-1], stream).splitlines()
    event = decode(stream.read_bytes().splitlines()[0], rules=FEATURES)
    assert isinstance(event, Event)
    assert json.loads(lines[0])["score"] == pytest.approx(consumer.model._score(event.features))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([["site"]], r"features.interactions = \[\['site'\]\]: interactions\[0\] .* two or three"),
        ([["site", "site"]], r"crosses 'site' with itself"),
        (["site", "hour"], r"features.interactions.0 = 'site': .* list"),
        ([["site", 7]], r"features.interactions.0.1 = 7: .* string"),
        ("site", r"features.interactions = 'site': .* as JSON"),
    ],
)
def test_wrong_ones_are_named(wrong: Any, message: str) -> None:
    flags = {"file": {"paths": ["x"]}, "features": {"interactions": wrong}}
    with pytest.raises(ConfigError, match=message):
        load_settings(None, flags)


def test_they_can_come_from_a_file_or_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "streamlasso.toml"
    path.write_text('file.paths = ["x"]\n[features]\ninteractions = [["a", "b"], ["c*", "*"]]\n')
    assert load_settings(path).features.interactions == [["a", "b"], ["c*", "*"]]
    monkeypatch.setenv("STREAMLASSO_FEATURES__INTERACTIONS", '[["a", "b", "c"]]')
    assert load_settings(path).features.interactions == [["a", "b", "c"]]


def test_an_event_with_too_many_is_bad() -> None:
    rules, limits = {"interactions": [["*", "*"]]}, {"max_event_features": 55}
    good = decode({f"f{i}": 1.0 for i in range(10)}, rules=rules, limits=limits)
    assert isinstance(good, Event)
    bad = decode({f"f{i}": 1.0 for i in range(11)}, rules=rules, limits=limits)
    assert isinstance(bad, Bad)
    assert bad.reason == "feature_limit"
    assert "11 features and up to 55 interactions" in bad.message

"""A stack in the service: shown, exported, predicted with; nothing to tune but what is served."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from serving import (
    events,
    good_events,
    mixed_stream,
    run,
    settings_for,
    succeed,
    write_lines,
)

from streamlasso import FTRLProximal, Newton, SparseClassifier, load
from streamlasso.stack import StackLearner
from streamlasso_service.consumer import Consumer
from streamlasso_service.model_config import ModelConfig
from streamlasso_service.models import build_model, shape_mismatch
from streamlasso_service.offline import as_text, describe, open_snapshot


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def learned(folder: Path) -> Consumer:
    return run(settings_for(folder / "s", mixed_stream(folder / "events.jsonl")))


def test_inspect_shows_what_sparsity_costs(folder: Path, learned: Consumer) -> None:
    found = json.loads(succeed("inspect", folder / "s", "--json"))
    learner = learned.model.learner
    assert isinstance(learner, StackLearner)
    assert (found["rule"], found["select"]) == ("stack", "stack")
    assert found["served_loss"] == learner.served_loss
    assert found["served_loss"] == pytest.approx(found["progressive_loss"], rel=1e-12)
    assert found["full_loss"] == learner.full_loss
    assert found["served_loss"] < found["constant_model_loss"]
    assert (found["tolerance"], found["served_worth_nats"]) == (0.005, learner.worth)
    assert len(found["lanes"]) == 8
    assert sum(lane["share"] for lane in found["lanes"]) == pytest.approx(1)
    [served] = [level for level in found["levels"] if level["served"]]
    assert served["worth"] == learner.worth
    assert found["weights"].keys() <= learned.model.weights.keys()


def test_inspect_as_text_has_a_line_for_each_rule_and_level(
    folder: Path, learned: Consumer
) -> None:
    lines = succeed("inspect", folder / "s").splitlines()
    lanes, levels = lines.index("lanes"), lines.index("levels")
    assert levels - lanes == 2 + 8
    assert lines[lanes + 1].split() == ["memory", "recent_loss", "share", "weight", "rule"]
    assert lines[lanes + 2].split(maxsplit=4)[4] == repr(learned.model.learner.rule)
    assert lines[levels + 1].split() == ["worth", "recent_loss", "served"]
    assert any(line.startswith("full_loss ") for line in lines)


def test_a_stack_before_the_first_event_is_valid_json(tmp_path: Path) -> None:
    build_model(ModelConfig()).save(tmp_path / "m")
    found = describe(*open_snapshot(tmp_path / "m"), 5)
    json.dumps(found, allow_nan=False)
    assert (found["served_loss"], found["lanes"][0]["recent_loss"]) == (None, None)
    assert list(as_text(found))


def test_exported_weights_and_centres_give_the_scores_that_predict_gives(
    tmp_path: Path, folder: Path, learned: Consumer
) -> None:
    succeed("export", folder / "s", "-o", tmp_path / "weights.json")
    exported = json.loads((tmp_path / "weights.json").read_text())
    weights = {row["name"]: (row["weight"], row["centre"]) for row in exported["weights"]}
    assert weights.keys() == learned.model.weights.keys()
    asked = write_lines(tmp_path / "asked.jsonl", events(50, seed=9))
    lines = map(json.loads, succeed("predict", folder / "s", asked).splitlines())
    for line, event in zip(lines, good_events(asked), strict=True):
        parts = []
        for name, value in event.features.items():
            known = weights.get(f"{name}={value}" if isinstance(value, str) else name)
            if known is not None:
                weight, centre = known
                parts.append(weight * ((1.0 if isinstance(value, str) else value) - centre))
        score = exported["intercept"] + math.fsum(parts)
        assert line["score"] == pytest.approx(score, rel=1e-9, abs=1e-9)
        assert line["prediction"] == pytest.approx(1 / (1 + math.exp(-score)))


def test_a_limit_of_active_features_is_kept(tmp_path: Path, folder: Path) -> None:
    stream = mixed_stream(tmp_path / "events.jsonl")
    settings = settings_for(tmp_path / "s", stream, model={"parameters": {"max_active": 4}})
    consumer = run(settings)
    assert 0 < consumer.model.active_features <= 4 * 1.5
    assert consumer.model.active_features == consumer.reporter.status.active


@pytest.mark.parametrize(
    "other",
    [
        SparseClassifier([FTRLProximal(l1="evidence"), Newton()], select="stack"),
        SparseClassifier(FTRLProximal()),
        SparseClassifier(max_active=9),
    ],
    ids=["rules", "rule", "max_active"],
)
def test_another_model_of_the_library_is_another_shape(tmp_path: Path, other: Any) -> None:
    model = build_model(ModelConfig())
    assert shape_mismatch(model, load(SparseClassifier().save(tmp_path / "same"))) is None
    assert shape_mismatch(model, load(other.save(tmp_path / "other"))) is not None

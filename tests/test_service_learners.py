"""Penalties, grids and scales in the service: configured, learned, shown, restored, refused."""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from serving import (
    account,
    content,
    good_events,
    learned_by_hand,
    mixed_stream,
    run,
    settings_for,
    succeed,
)

from streamlasso import (
    Adaptive,
    Evidence,
    FTRLProximal,
    Group,
    Newton,
    SoftThreshold,
    SparseClassifier,
    TruncatedGradient,
)
from streamlasso.scales import SCALES
from streamlasso.selection import SELECTIONS
from streamlasso_service.loading import ConfigError, load_settings
from streamlasso_service.model_config import ModelConfig
from streamlasso_service.models import build_model, served_hyper, shape_mismatch
from streamlasso_service.offline import describe, open_snapshot
from streamlasso_service.source import SourceError

FILE: dict[str, Any] = {"file": {"paths": ["events.jsonl"]}}
GRID: dict[str, Any] = {
    "name": "clicks",
    "rule": "ftrl",
    "grid": {"alpha": [0.05, 0.5], "l1": [0.1, 5.0]},
    "select": "mix",
    "scale": "rms-max",
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("STREAMLASSO_"):
            monkeypatch.delenv(name)


def test_choices_are_those_of_the_library() -> None:
    fields = ModelConfig.model_fields
    assert fields["scale"].annotation.__args__ == ("none", *SCALES)  # type: ignore[union-attr]
    assert fields["select"].annotation.__args__ == tuple(SELECTIONS)  # type: ignore[union-attr]


PENALTIES = [
    ('l1 = "evidence"', FTRLProximal(l1=Evidence())),
    ('l1 = { penalty = "evidence", theta = 1 }', FTRLProximal(l1=Evidence(1.0))),
    ('l1 = { penalty = "group", l1 = 2.0, by = "=" }', FTRLProximal(l1=Group(2.0, "="))),
    (
        'l1 = { penalty = "group", by = { "site=a" = "site", hour = "time" } }',
        FTRLProximal(l1=Group(1.0, {"site=a": "site", "hour": "time"})),
    ),
    (
        'l1 = { penalty = "adaptive", l1 = 3, gamma = 0.5, cap = 7, pilot = { hour = 2 } }',
        FTRLProximal(l1=Adaptive(3.0, 0.5, 7.0, {"hour": 2.0})),
    ),
    ("l1 = 3\nhalf_life = 1e4\nnonnegative = true", FTRLProximal(l1=3, half_life=1e4,
                                                                 nonnegative=True)),
    ("half_life = inf", FTRLProximal()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rule"), PENALTIES, ids=[text for text, _ in PENALTIES])
def test_a_table_of_the_file_is_the_rule(tmp_path: Path, text: str, rule: FTRLProximal) -> None:
    path = tmp_path / "c.toml"
    path.write_text(f'[model]\nrule = "ftrl"\n[model.parameters]\n{text}\n')
    assert build_model(load_settings(path, FILE).model).rule == rule


@pytest.mark.parametrize(
    ("variables", "rule"),
    [
        ({"PARAMETERS__L1": "evidence"}, FTRLProximal(l1=Evidence())),
        (
            {"PARAMETERS__L1": '{"penalty": "group", "l1": 2, "by": "="}'},
            FTRLProximal(l1=Group(2.0)),
        ),
        (
            {"PARAMETERS__L1__PENALTY": "adaptive", "PARAMETERS__L1__GAMMA": "0.5"},
            FTRLProximal(l1=Adaptive(1.0, 0.5)),
        ),
        (
            {"PARAMETERS__HALF_LIFE": "500", "PARAMETERS__NONNEGATIVE": "true"},
            FTRLProximal(half_life=500.0, nonnegative=True),
        ),
        (
            {"RULE": "truncated_gradient", "PARAMETERS__HALF_LIFE": "500"},
            TruncatedGradient(half_life=500.0),
        ),
        ({"RULE": "newton", "PARAMETERS__L1__PENALTY": "evidence"}, Newton()),
    ],
    ids=str,
)
def test_variables_are_the_rule(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], rule: Any
) -> None:
    for name, text in ({"RULE": "ftrl"} | variables).items():
        monkeypatch.setenv(f"STREAMLASSO_MODEL__{name}", text)
    assert build_model(load_settings(None, FILE).model).rule == rule


def test_a_grid_comes_from_variables_and_from_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMLASSO_MODEL__GRID__L1", "[0.1, 1]")
    monkeypatch.setenv("STREAMLASSO_MODEL__SELECT", "1se")
    monkeypatch.setenv("STREAMLASSO_MODEL__SCALE", "max")
    flags = {"model": {"rule": "ftrl", "grid": {"alpha": ["0.5"]}}}
    model = build_model(load_settings(None, FILE | flags).model)
    assert model.grid == {"l1": [0.1, 1], "alpha": [0.5]}
    assert (model.select, model.scale) == ("1se", "max")
    assert [rule.l1 for rule in model.learner.rules] == [0.1, 1.0]


def test_a_grid_over_the_strength_of_a_penalty() -> None:
    config = ModelConfig(
        rule="ftrl",
        parameters={"l1": "evidence"},
        grid={"l1": [0.5, {"penalty": "evidence", "theta": 2}]},
    )
    rules = build_model(config).learner.rules
    assert [rule.l1 for rule in rules] == [Evidence(0.5), Evidence(2.0)]


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        (
            {"parameters": {"l1": {"penalty": "lasso"}}},
            ("model.parameters", "penalty = 'lasso'", "constant, evidence, adaptive, group"),
        ),
        (
            {"parameters": {"l1": {"penalty": "group", "theta": 1}}},
            ("model.parameters", "group has no 'theta'", "choose from l1, by"),
        ),
        (
            {"parameters": {"l1": {"penalty": "adaptive", "pilot": 3}, "alpha": -1}},
            ("model.parameters", "pilot = 3", "table from names to weights"),
        ),
        (
            {"parameters": {"l1": {"penalty": "evidence", "theta": -1}}},
            ("model.parameters", "theta = -1", "≥ 0"),
        ),
        (
            {"rule": "soft_threshold", "parameters": {"l1": "evidence"}},
            ("model.parameters", "'soft_threshold'", "'evidence'", "constant, adaptive"),
        ),
        (
            {"rule": "soft_threshold", "parameters": {"half_life": 9, "adaptive": False}},
            ("model.parameters", "half_life = 9", "adaptive = True"),
        ),
        (
            {"grid": {"alpha": [-1], "gravity": [2], "half_life": ["x"], "l1": []}},
            ("model.grid", "alpha = -1", "no number 'gravity'", "['x'] must be numbers", "has 0"),
        ),
        ({"grid": {"alpha": 3}}, ("model.grid.alpha", "= 3", "list")),
        ({"grid": {"l1": [0.1, "evidence"]}}, ("model", "one kind", "Evidence")),
        ({"grid": {"l1": [0.1] * 257}}, ("model.grid", "257 combinations", "256")),
        ({"select": "1se"}, ("model.select", "'1se'", "set grid", "default is 'leader'")),
        ({"scale": "unit"}, ("model.scale", "'unit'", "'max'", "default is 'none'")),
        (
            {"parameters": {"l1": {"penalty": "group"}}, "scale": "max", "index": "hashing"},
            ("model", "scale = 'max' with Group", "bits=22", "use GrowingIndex()"),
        ),
    ],
    ids=str,
)
def test_a_fault_names_setting_value_constraint_and_remedy(
    model: dict[str, Any], parts: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(None, FILE | {"model": {"rule": "ftrl"} | model})
    (fault,) = str(caught.value).splitlines()
    assert [part for part in parts if part not in fault] == [], fault


@pytest.mark.parametrize("rule", ["ftrl", "stack"])
def test_faults_of_grid_select_scale_and_parameters_come_together(rule: str) -> None:
    wrong = {"parameters": {"l1": {"penalty": "x"}}, "grid": 3, "select": "best", "scale": "unit"}
    wrong |= {"rule": rule}
    with pytest.raises(ConfigError) as caught:
        load_settings(None, FILE | {"model": wrong, "http": {"port": -1}})
    keys = [fault.split()[1].rstrip(":") for fault in str(caught.value).splitlines()]
    assert keys == [*(f"model.{name}" for name in ("parameters", "grid", "select", "scale")),
                    "http.port"]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"scale": "max"}, ("scale", "max", "rms-max")),
        ({"grid": {"alpha": [0.05, 0.5], "l1": [0.1, 6]}}, ("grid", "[0.1, 6]", "[0.1, 5.0]")),
        ({"select": "leader"}, ("select", "leader", "mix")),
        ({"grid": {}, "select": "leader"}, ("grid", "None", "[0.1, 5.0]")),
        ({"parameters": {"l1": "evidence"}}, ("rule", "Evidence(theta=0.5)", "l1=1.0")),
        ({"parameters": {"half_life": 9}}, ("rule", "half_life=9", "half_life=inf")),
        ({"parameters": {"l1": {"penalty": "adaptive", "pilot": {"x" * 600: 1}}}}, ("…",)),
    ],
    ids=lambda value: str(value)[:60],
)
def test_another_shape_is_named_with_both_values(
    change: dict[str, Any], named: tuple[str, ...]
) -> None:
    configured = build_model(ModelConfig(**(GRID | change)))
    mismatch = shape_mismatch(configured, build_model(ModelConfig(**GRID)))
    assert mismatch is not None
    assert all(part in mismatch for part in named), mismatch


def test_the_order_and_the_kind_of_numbers_are_no_shape() -> None:
    same = GRID | {"grid": {"l1": [0.1, 5], "alpha": [0.05, 0.5]}}
    mine, other = (build_model(ModelConfig(**each)) for each in (GRID, same))
    assert shape_mismatch(mine, other) is None
    refitted = SparseClassifier(FTRLProximal(), refit=True)
    assert "refit" in str(shape_mismatch(build_model(ModelConfig(rule="ftrl")), refitted))


# A grid that is served


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mixed_stream(tmp_path_factory.mktemp("stream") / "events.jsonl")


def test_a_grid_is_learned_shown_and_restored(tmp_path: Path, stream: Path) -> None:
    settings = settings_for(tmp_path / "s", stream, model=GRID)
    whole = run(settings)
    model = whole.model
    assert content(model) == content(learned_by_hand(settings, good_events(stream)))
    get = whole.metrics.registry.get_sample_value
    served = {"model": "clicks"}
    weights = model.weights
    assert get("streamlasso_active_features", served) == len(weights) == model.active_features
    assert get("streamlasso_sparsity_ratio", served) == pytest.approx(model.sparsity)
    sizes = [abs(weight) for weight in weights.values()]
    assert get("streamlasso_weight_l1_norm", served) == pytest.approx(sum(sizes))
    assert get("streamlasso_weight_max_abs", served) == max(sizes)
    shares, table = model.learner.shares, model.lane_table()
    for name in ("alpha", "l1"):
        mean = sum(share * lane[name] for share, lane in zip(shares, table, strict=True))
        labels = {"model": "clicks", "name": name}
        assert get("streamlasso_hyperparameter", labels) == pytest.approx(mean)
    assert get("streamlasso_hyperparameter", {"model": "clicks", "name": "half_life"}) == math.inf

    run(settings_for(tmp_path / "t", stream, model=GRID), stop_after=7)
    assert account(run(settings_for(tmp_path / "t", stream, model=GRID))) == account(whole)

    found = describe(*open_snapshot(tmp_path / "s"), 5)
    assert found["scale"] == "rms-max"
    assert (found["select"], found["lanes"]) == ("mix", table)
    assert json.loads(succeed("inspect", tmp_path / "s", "--json", "--top", 5)) == found
    text = succeed("inspect", tmp_path / "s")
    assert "lanes\n" in text
    (first,) = (line for line in text.splitlines() if line.split()[:2] == ["0.05", "0.1"])
    assert first.split()[-1] == str(table[0]["active_features"])

    with pytest.raises(SourceError, match="select: the configuration says leader"):
        run(settings_for(tmp_path / "s", stream, model=GRID | {"select": "leader"}))


def test_lanes_before_the_first_event_are_valid_json(tmp_path: Path) -> None:
    model = build_model(ModelConfig(**GRID))
    model.save(tmp_path / "m")
    shown = json.dumps(describe(*open_snapshot(tmp_path / "m"), 5), allow_nan=False)
    assert json.loads(shown)["lanes"][0]["loss"] is None


def test_the_hyperparameters_of_a_leader_are_its_own() -> None:
    model = SparseClassifier(SoftThreshold(), grid={"learning_rate": [0.1, 0.2, 0.4]})
    assert served_hyper(model.learner)["learning_rate"] == 0.1
    assert served_hyper(SparseClassifier(FTRLProximal(l1="evidence")).learner)["l1"] == 0.5


def test_groups_are_no_tracked_features(tmp_path: Path, stream: Path) -> None:
    penalty = {"penalty": "group", "l1": 2.0}
    grouped = {"name": "clicks", "rule": "ftrl", "parameters": {"l1": penalty}}
    consumer = run(settings_for(tmp_path / "s", stream, model=grouped))
    model, get = consumer.model, consumer.metrics.registry.get_sample_value
    assert get("streamlasso_tracked_features", {"model": "clicks"}) == model.tracked_features
    assert get("streamlasso_active_features", {"model": "clicks"}) == model.active_features > 0


def test_many_classes_are_inspected_and_not_predicted(tmp_path: Path) -> None:
    model = SparseClassifier(FTRLProximal(l1=0.01))
    for i in range(60):
        model.learn_one({"site": str(i % 3)}, ("ant", "bee", 7)[i % 3])
    model.save(tmp_path / "m")
    found = json.loads(succeed("inspect", tmp_path / "m", "--json"))
    assert found["loss"] == "softmax"
    assert set(found["intercept"]) == {"ant", "bee", "7"}
    assert found["weights"]["7: site=2"] == model.weights[7]["site=2"]
    with pytest.raises(AssertionError, match="3 classes, and the service knows models of two"):
        succeed("predict", tmp_path / "m", "-", input="{}")


def test_warm_compiles_what_is_configured(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text('[model]\nscale = "max"\n[source]\nkind = "kafka"\n')
    said = succeed("warm", "--config", config, "--set", "model.rule=newton")
    assert said.startswith("newton_evidence_max logistic: ")

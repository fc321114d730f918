"""The configuration: what overrides what, and every fault named at once."""

import os
from pathlib import Path
from typing import Any

import pytest
from servers import REPOSITORY

from streamlasso import LOSSES
from streamlasso.losses import Quantile
from streamlasso.stack import StackLearner
from streamlasso_service.config import ModelConfig, Settings
from streamlasso_service.loading import ConfigError, load_settings
from streamlasso_service.models import build_model

FILE: dict[str, Any] = {"file": {"paths": ["events.jsonl"]}}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("STREAMLASSO_"):
            monkeypatch.delenv(name)


def toml(folder: Path, text: str) -> Path:
    path = folder / "streamlasso.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path | None = None, flags: dict[str, Any] | None = None) -> list[str]:
    """One fault a line."""
    with pytest.raises(ConfigError) as caught:
        load_settings(path, flags)
    return str(caught.value).splitlines()


def only_fault(path: Path | None = None, flags: dict[str, Any] | None = None) -> str:
    (fault,) = faults(path, flags)
    return fault


def test_everything_but_the_files_has_a_default() -> None:
    settings = load_settings(None, FILE)
    assert settings.file.paths == ["events.jsonl"]
    assert (settings.model.rule, settings.model.task) == ("stack", "classification")
    assert settings.http.host == "127.0.0.1"


def test_shipped_configuration_loads_and_can_be_reached_from_other_containers() -> None:
    settings = load_settings(REPOSITORY / "services" / "streamlasso.toml")
    assert settings.source.kind == "kafka"
    assert settings.http.host == "0.0.0.0"


@pytest.mark.parametrize(
    ("variable", "flag", "expected"),
    [(None, None, 1001), ("1002", None, 1002), (None, 1003, 1003), ("1002", 1003, 1003)],
)
def test_flags_override_variables_override_the_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
    flag: int | None,
    expected: int,
) -> None:
    path = toml(tmp_path, '[http]\nport = 1001\nhost = "::1"\n[file]\npaths = ["a"]\n')
    if variable is not None:
        monkeypatch.setenv("STREAMLASSO_HTTP__PORT", variable)
    settings = load_settings(path, {} if flag is None else {"http": {"port": flag}})
    assert settings.http.port == expected
    assert settings.http.host == "::1", "other keys of the section stay"


@pytest.mark.parametrize(
    ("variable", "text", "read"),
    [
        ("MODEL__PARAMETERS__L1", "3.5", lambda s: s.model.parameters == {"l1": 3.5}),
        ("MODEL__PARAMETERS__ALPHA", "2", lambda s: s.model.parameters == {"alpha": 2}),
        ("MODEL__PARAMETERS__PENALTY", "per_event", lambda s: "per_event" in repr(s.model)),
        (
            "MODEL__PARAMETERS",
            '{"penalty": "per_event", "since_birth": true}',
            lambda s: s.model.parameters == {"penalty": "per_event", "since_birth": True},
        ),
        ("MODEL__FIT_INTERCEPT", "false", lambda s: s.model.fit_intercept is False),
        ("FILE__PATHS", '["a", "b"]', lambda s: s.file.paths == ["a", "b"]),
        ("FEATURES__CATEGORICAL", '["*_id"]', lambda s: s.features.categorical == ["*_id"]),
        ("FEATURES__PREFIX__SITE", "web.", lambda s: s.features.prefix == {"site": "web."}),
        ("SNAPSHOT__DIRECTORY", "there", lambda s: s.snapshot.directory == Path("there")),
        ("KAFKA__OPTIONS__CLIENT_ID", "me", lambda s: s.kafka.options == {"client_id": "me"}),
    ],
)
def test_variable_sets_a_nested_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, text: str, read: Any
) -> None:
    monkeypatch.setenv(f"STREAMLASSO_{variable}", text)
    path = toml(tmp_path, '[file]\npaths = ["x"]\n[model]\nrule = "ftrl"\n')
    settings: Settings = load_settings(path)
    assert read(settings)


def test_variables_say_what_a_stack_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMLASSO_MODEL__PARAMETERS__MAX_ACTIVE", "30")
    monkeypatch.setenv("STREAMLASSO_MODEL__PARAMETERS__TOLERANCE", "0.01")
    model = build_model(load_settings(None, FILE).model)
    assert (model.serve, model.tolerance, model.max_active) == ("sparsest", 0.01, 30)
    assert isinstance(model.learner, StackLearner)


def test_all_faults_of_file_variables_and_flags_come_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = toml(
        tmp_path,
        '[modle]\n[model]\nrule = "nope"\nbits = 99\nloss = "squared"\n'
        "[limits]\nbad_window = 0\n[snapshot]\nkeep = 1\n",
    )
    monkeypatch.setenv("STREAMLASSO_HTTP__PORT", "99999")
    monkeypatch.setenv("STREAMLASSO_KAFKA__TOPICS", "clicks")
    monkeypatch.setenv("STREAMLASSO_FLIE", "x")
    found = faults(path, {"event": {"tagret": "y"}})
    fields = (
        "modle", "model.rule", "model.bits", "model.loss", "limits.bad_window", "snapshot.keep",
        "http.port", "STREAMLASSO_KAFKA__TOPICS", "STREAMLASSO_FLIE", "event.tagret", "file",
    )  # fmt: skip
    for field in fields:
        assert sum(f" {field}" in fault.split(":")[0] for fault in found) == 1, (field, found)
    assert len(found) == len(fields)


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (
            {"http": {"port": 99999}},
            ("http.port", "99999", "less than or equal to 65535", "default is 9108", "free port"),
        ),
        ({"snapshot": {"keep": 1}}, ("snapshot.keep", "= 1", "greater than or equal to 2", "is 3")),
        ({"source": {"kind": "tape"}}, ("source.kind", "'tape'", "'file' or 'kafka'", "'file'")),
        ({"file": {"paths": "x"}}, ("file.paths", "'x'", "valid list", "default is []")),
        ({"model": 3}, ("model", "= 3", "dictionary")),
        (
            {"model": {"rule": "nope"}},
            (
                "model.rule",
                "'nope'",
                "stack, ftrl, truncated_gradient, soft_threshold",
                "default is 's",
            ),
        ),
        (
            {"model": {"loss": "squared"}},
            ("model.loss", "'squared'", "real targets", "choose one of logistic, hinge"),
        ),
        ({"model": {"loss": "cubic"}}, ("model.loss", "'cubic'", "choose one of", "logistic")),
        (
            {"model": {"task": "regression", "loss": "logistic"}},
            ("model.loss", "'logistic'", "choose one of", "squared"),
        ),
        (
            {"model": {"rule": "ftrl", "parameters": {"lambda1": 1}}},
            ("model.parameters", "lambda1", "l1, l2"),
        ),
        (
            {"model": {"parameters": {"l1": 1, "l2": 1, "serve": "some", "tolerance": "much"}}},
            (
                "model.parameters",
                "stack has no 'l1'; stack has no 'l2'; choose from serve, "
                "tolerance, max_active, or set rule = 'ftrl'",
                "serve = 'some' is unknown",
                "tolerance = 'much' must be a number",
            ),
        ),
        (
            {"model": {"parameters": {"serve": "all", "max_active": 5}}},
            ("model.parameters", "max_active = 5 with serve = 'all'", "leave serve out"),
        ),
        (
            {"model": {"parameters": {"max_active": 0, "tolerance": -1}}},
            ("model.parameters", "max_active = 0 must be", "tolerance = -1 must be", "≥ 0"),
        ),
        (
            {"model": {"grid": {"l1": [1, 2]}}},
            ("model.grid", "a stack learns several rules by itself", "or set rule = 'ftrl'"),
        ),
        (
            {"model": {"select": "mix"}},
            ("model.select", "'mix'", "set grid, with rule = 'ftrl'"),
        ),
        (
            {"model": {"scale": "rms"}},
            ("model.scale", "'rms'", "a scale of its own", "scale out, or set rule = 'ftrl'"),
        ),
        (
            {"model": {"fit_intercept": False}},
            ("model.fit_intercept", "False", "an intercept of its own", "or set rule = 'ftrl'"),
        ),
        (
            {"model": {"loss": "hinge"}},
            ("model.loss", "'hinge'", "no stack; choose one of logistic, or set rule = 'ftrl'"),
        ),
        (
            {"model": {"task": "regression", "loss": "huber"}},
            ("model.loss", "'huber'", "choose one of poisson, squared, or set rule = 'ftrl'"),
        ),
        (
            {"model": {"loss_parameters": {"delta": 1}}},
            ("model.loss_parameters", "logistic has no 'delta'", "it has no parameters"),
        ),
        (
            {
                "model": {
                    "rule": "ftrl",
                    "task": "regression",
                    "loss": "quantile",
                    "loss_parameters": {"q": 0.9},
                }
            },
            ("model.loss_parameters", "quantile has no 'q'", "choose from tau"),
        ),
        (
            {
                "model": {
                    "rule": "ftrl",
                    "task": "regression",
                    "loss": "huber",
                    "loss_parameters": {"delta": "0"},
                }
            },
            ("model.loss_parameters", "delta = 0 must be finite and > 0", "default is 1.0"),
        ),
        (
            {"model": {"rule": "ftrl", "parameters": {"l1": -3, "alpha": "big"}}},
            ("model.parameters", "l1 = -3", "≥ 0", "alpha = 'big'", "a number", "default is 0.1"),
        ),
        (
            {"model": {"index": "hashing", "max_features": 5}},
            ("model.max_features", "= 5", "bounded by its bits", "index = 'growing'"),
        ),
        (
            {"model": {"index": "hashing", "admit": "count"}},
            ("model.admit", "'count'", "bounded by its bits", "default is 'none'"),
        ),
        (
            {"model": {"at_limit": "evict"}},
            ("model.at_limit", "'evict'", "there is no limit: set max_features"),
        ),
        ({"model": {"max_features": 0}}, ("model.max_features", "= 0", "greater than 0")),
        ({"model": {"admit_times": 256}}, ("model.admit_times", "256", "to 255")),
        ({"kafka": {"bootstrap": "broker"}}, ("kafka.bootstrap", "'broker'", "host:port", "9092")),
        ({"kafka": {"bootstrap": "a:1,b:x"}}, ("kafka.bootstrap", "'b:x'", "host:port")),
        ({"kafka": {"topic": ""}}, ("kafka.topic", "''", "at least 1 character", "'events'")),
        ({"model": {"fit_intercept": "yes"}}, ("fit_intercept", "'yes'", "true or false")),
        ({"features": {"unit_length": 1}}, ("features.unit_length", "= 1", "true or false")),
        (
            {
                "model": {
                    "rule": "ftrl",
                    "parameters": {
                        "alpha": -1,
                        "lam": 2,
                        "l1": {"penalty": "group", "by": 3, "l1": -1, "x": 1},
                    },
                }
            },
            ("no 'lam'", "alpha = -1", "group has no 'x'", "l1 = -1 must", "by = 3 must"),
        ),
        (
            {
                "model": {
                    "rule": "ftrl",
                    "parameters": {"half_life": 9, "l1": {"penalty": "group"}},
                }
            },
            ("model.parameters", "group", "no closed form with half_life"),
        ),
    ],
)
def test_fault_names_field_value_constraint_and_remedy(
    flags: dict[str, Any], parts: tuple[str, ...]
) -> None:
    fault = only_fault(None, FILE | flags)
    assert [part for part in parts if part not in fault] == [], fault


@pytest.mark.parametrize(
    ("flags", "meant"),
    [
        ({"modle": {}}, "model"),
        ({"model": {"rul": "ftrl"}}, "model.rule"),
        ({"rule": "ftrl"}, "model.rule"),
        ({"snapshot": {"dir": "x"}}, "snapshot.directory"),
    ],
)
def test_unknown_key_is_a_fault_with_a_suggestion(flags: dict[str, Any], meant: str) -> None:
    assert f"no such setting; did you mean {meant}?" in only_fault(None, FILE | flags)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("STREAMLASSO_MODEL__RULES", "did you mean STREAMLASSO_MODEL__RULE?"),
        ("STREAMLASSO_MODEL_RULE", "did you mean STREAMLASSO_MODEL__RULE?"),
        ("STREAMLASSO_XYZZY", "unset it"),
    ],
)
def test_unknown_variable_is_a_fault_with_a_suggestion(
    monkeypatch: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    monkeypatch.setenv(variable, "x")
    fault = only_fault(None, FILE)
    assert variable in fault
    assert meant in fault


@pytest.mark.parametrize(
    ("variable", "text"),
    [("FILE__PATHS", "events.jsonl"), ("MODEL", "ftrl"), ("KAFKA__OPTIONS", "{"), ("FILE", "[")],
)
def test_variable_that_should_be_json_and_is_not_is_one_fault_among_others(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    monkeypatch.setenv(f"STREAMLASSO_{variable}", text)
    found = faults(None, {"http": {"port": -1}, **({} if "FILE" in variable else FILE)})
    assert any("http.port" in fault for fault in found)
    (fault,) = (fault for fault in found if "http.port" not in fault)
    assert variable.lower().replace("__", ".") in fault
    assert repr(text) in fault
    assert "JSON" in fault


def test_missing_file_is_named(tmp_path: Path) -> None:
    fault = only_fault(tmp_path / "none.toml", FILE)
    assert str(tmp_path / "none.toml") in fault
    assert "No such file" in fault
    assert "give --config an existing file" in fault


@pytest.mark.parametrize("text", ["[model", "rule == 3", "\x00"])
def test_file_that_is_not_toml_is_named(tmp_path: Path, text: str) -> None:
    path = toml(tmp_path, text)
    assert f"config file {path} is not TOML" in only_fault(path, FILE)


def test_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# caf\xe9\n")
    assert f"config file {path} is not TOML" in only_fault(path, FILE)


def test_file_source_without_files_says_both_ways_out() -> None:
    fault = only_fault()
    assert "paths = []" in fault
    assert "source.kind = 'kafka'" in fault


def test_kafka_source_needs_no_files() -> None:
    assert load_settings(None, {"source": {"kind": "kafka"}}).file.paths == []


def test_validation_does_not_allocate_the_model() -> None:
    settings = load_settings(None, FILE | {"model": {"index": "hashing", "bits": 30}})
    assert settings.model.bits == 30


def test_losses_of_regression_are_built_with_their_parameters() -> None:
    for name, kind in LOSSES.items():
        if kind.domain in ("real", "count"):
            model = build_model(ModelConfig(rule="ftrl", task="regression", loss=name))
            assert model.learner.loss == kind()
    given = ModelConfig(
        rule="ftrl", task="regression", loss="quantile", loss_parameters={"tau": "0.9"}
    )
    assert build_model(given).learner.loss == Quantile(tau=0.9)


def test_losses_of_a_stack_are_built_with_it() -> None:
    for task, losses in (("classification", ["logistic"]), ("regression", ["squared", "poisson"])):
        for name in losses:
            learner = build_model(ModelConfig(task=task, loss=name)).learner
            assert (learner.rule_name, learner.loss.name) == ("stack", name)

"""The command as it is installed: help, learning from files, and what to do with a snapshot."""

import csv
import json
import math
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from serving import (
    BAD_RECORDS,
    Json,
    call,
    command,
    environment,
    events,
    good_events,
    learned_by_hand,
    mixed_stream,
    settings_for,
    snapshots,
    succeed,
    write_lines,
)

from streamlasso import LOSSES

COMMANDS = ("consume", "learn", "demo", "predict", "inspect", "export", "produce", "warm")
HEAVY = (
    "numba", "numpy", "river", "pydantic_settings", "kafka", "starlette", "uvicorn",
    "prometheus_client", "rich.live", "msgspec", "scipy", "pandas",
)  # fmt: skip


# Help


def test_help_names_every_command() -> None:
    text = succeed("--help")
    assert re.findall(r"^  (\w+) ", text[text.index("Commands") :], re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_every_option_explained(name: str) -> None:
    text = succeed(name, "--help", env=environment(COLUMNS="200"))
    options = re.findall(r"^  -.*", text[text.index("Options") :], re.MULTILINE)
    assert options
    for option in options:
        assert re.search(r"\S {2,}\S", option), option


# The help of a command lets typer look at the options, for which it imports pydantic.
@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], (*HEAVY, "pydantic")),
        (["consume", "--help"], HEAVY),
        (["demo", "--help"], HEAVY),
    ],
    ids=["app", "consume", "demo"],
)
def test_help_imports_nothing_heavy(arguments: list[str], heavy: tuple[str, ...]) -> None:
    probe = (
        "import sys; from streamlasso_service.__main__ import main\n"
        f"sys.argv = ['streamlasso', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("arguments", [["--help"], ["consume", "--help"]], ids=["app", "consume"])
def test_help_is_quick(arguments: list[str]) -> None:
    def taken() -> float:
        begun = time.perf_counter()
        succeed(*arguments)
        return time.perf_counter() - begun

    # The quickest of a few: the machine may be busy.
    assert any(taken() < 0.3 for _ in range(20))


# Learning from a file, and its snapshot


class Trained:
    """A snapshot folder, the stream it was made from and what the command said."""

    def __init__(self, folder: Path) -> None:
        self.stream = mixed_stream(folder / "events.jsonl")
        self.snapshots = folder / "snapshots"
        self.done = call(
            *("consume", "--file", self.stream, "--snapshots", self.snapshots, "--port", 0),
            *("--rule", "ftrl", "--set", "model.parameters.alpha=0.5"),
        )
        model = {"rule": "ftrl", "parameters": {"alpha": 0.5}}
        settings = settings_for(folder / "x", self.stream, model=model)
        self.model = learned_by_hand(settings, good_events(self.stream))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("trained"))


def test_consume_learns_the_file_says_so_and_exits_0(trained: Trained) -> None:
    assert trained.done.returncode == 0, trained.done.stderr
    assert trained.done.stdout == ""
    log = trained.done.stderr
    assert re.search(r"page and metrics: http://127\.0\.0\.1:\d+/\n", log)
    clock = trained.model.learner.clock
    assert re.search(rf"{clock} events learned, progressive loss 0\.\d+ \(constant model 0", log)
    assert f"{trained.model.active_features} active features" in log
    assert len(snapshots(trained.snapshots)) == 1


@pytest.mark.parametrize("whole_folder", [True, False])
def test_inspect_as_json(trained: Trained, whole_folder: bool) -> None:
    path = trained.snapshots if whole_folder else snapshots(trained.snapshots)[0]
    found = json.loads(succeed("inspect", path, "--json", "--top", 5))
    model = trained.model
    assert found["snapshot"] == str(snapshots(trained.snapshots)[0])
    assert found["events_learned"] == model.learner.clock
    assert found["active_features"] == model.active_features
    assert found["sparsity_ratio"] == model.sparsity
    assert found["intercept"] == model.intercept
    assert found["bad_records"] == len(BAD_RECORDS)
    assert "alpha=0.5" in found["rule"]
    assert found["progressive_loss"] < found["constant_model_loss"]
    (tally,) = found["partitions"].values()
    assert tally["position"] == trained.stream.stat().st_size
    assert found["fields"]["site"] == "categorical"
    assert found["fields"]["hour"] == "numeric"
    ordered = sorted(model.weights.items(), key=lambda item: -abs(item[1]))
    assert list(found["weights"].items()) == ordered[:5]


def test_inspect_as_text(trained: Trained) -> None:
    text = succeed("inspect", trained.snapshots)
    assert re.search(rf"^events_learned +{trained.model.learner.clock}$", text, re.MULTILINE)
    assert re.search(r"^  site +categorical$", text, re.MULTILINE)
    name, weight = max(trained.model.weights.items(), key=lambda item: abs(item[1]))
    assert f"  {name:<40} {weight:+.6g}\n" in text


def test_inspect_of_a_model_that_has_learned_nothing_is_valid_json(tmp_path: Path) -> None:
    empty = write_lines(tmp_path / "e.jsonl", [])
    succeed("consume", "--file", empty, "--snapshots", tmp_path / "s", "--port", 0)
    text = succeed("inspect", tmp_path / "s", "--json")
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert found["progressive_loss"] is None


def predictions(text: str) -> list[Json]:
    return [json.loads(line) for line in text.splitlines()]


def exported(path: Path) -> tuple[float, dict[str, float]]:
    """The intercept and the weights of an exported file, read with nothing of ours."""
    if path.suffix == ".json":
        content = json.loads(path.read_text())
        return content["intercept"], {each["name"]: each["weight"] for each in content["weights"]}
    header, first, *rows = csv.reader(path.read_text().splitlines())
    assert header == ["name", "weight"]
    assert first[0] == ""
    return float(first[1]), {name: float(weight) for name, weight in rows}


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_exported_weights_give_the_scores_that_predict_gives(
    trained: Trained, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"weights.{ending}"
    said = succeed("export", trained.snapshots, "-o", path)
    assert said == f"{trained.model.active_features} active weights and the intercept: {path}\n"
    intercept, weights = exported(path)
    asked = events(50, seed=9)
    stream = write_lines(tmp_path / "asked.jsonl", asked)
    found = predictions(succeed("predict", trained.snapshots, stream))
    assert [line["id"] for line in found] == [event["id"] for event in asked]
    for line, event in zip(found, asked, strict=True):
        parts = [
            weights.get(f"{name}={value}", 0.0)
            if isinstance(value, str)
            else weights.get(name, 0.0) * value
            for name, value in event["features"].items()
        ]
        assert line["score"] == pytest.approx(intercept + math.fsum(parts), rel=1e-12, abs=1e-12)
        assert line["prediction"] == pytest.approx(1 / (1 + math.exp(-line["score"])))


def test_predict_names_bad_records_goes_on_and_exits_1(trained: Trained) -> None:
    done = call("predict", trained.snapshots, trained.stream)
    assert done.returncode == 1
    assert len(predictions(done.stdout)) == 2000
    lines = done.stderr.splitlines()
    assert [line.split(":")[1].strip() for line in lines[:-1]] == [
        "decode", "schema", "schema", "schema", "decode",
    ]  # fmt: skip
    assert lines[-1] == "streamlasso: 5 records could not be predicted"


def test_predict_reads_standard_input_and_unknown_names(trained: Trained) -> None:
    text = succeed("predict", trained.snapshots, "-", input='{"id": "a", "never": 5}\n\n{"id": 2}')
    first, second = predictions(text)
    assert (first["id"], second["id"]) == ("a", 2)
    assert first["score"] == second["score"] == trained.model.intercept


def test_predict_into_a_pipe_that_closes_is_quiet(trained: Trained, tmp_path: Path) -> None:
    stream = write_lines(tmp_path / "many.jsonl", events(5000))
    process = subprocess.Popen(
        command("predict", trained.snapshots, stream),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(10)


def test_snapshot_remembers_what_fields_are(tmp_path: Path) -> None:
    stream = tmp_path / "events.csv"
    rows = [f"{i},{50 + i % 4},{i % 2}" for i in range(200)]
    stream.write_text("\n".join(["id,user_id,clicked", *rows]))
    config = tmp_path / "c.toml"
    config.write_text(
        f'[file]\npaths = ["{stream}"]\n[snapshot]\ndirectory = "{tmp_path / "s"}"\n'
        '[event]\ntarget = "clicked"\n[features]\ncategorical = ["*_id"]\n'
        '[model]\nname = "mine"\nrule = "ftrl"\nparameters = { l1 = 0.0 }\n'
    )
    succeed("consume", "--config", config, env=environment(STREAMLASSO_HTTP__PORT="0"))
    found = json.loads(succeed("inspect", tmp_path / "s", "--json"))
    assert found["events_learned"] == 200
    assert found["fields"] == {"user_id": "categorical"}
    assert set(found["weights"]) == {f"user_id={50 + i}" for i in range(4)}
    text = succeed("predict", tmp_path / "s", "-", input='{"user_id": 51}\n{"user_id": "50"}')
    odd, even = predictions(text)
    assert odd["prediction"] > 0.6
    assert even["prediction"] < 0.4


def test_consume_can_begin_with_the_newest_snapshot_of_another_folder(
    trained: Trained, tmp_path: Path
) -> None:
    stream = write_lines(tmp_path / "e.jsonl", [{"target": 1, "a": 1}])
    succeed(
        *("consume", "--file", stream, "--snapshots", tmp_path / "s", "--port", 0),
        *("--init", trained.snapshots, "--rule", "ftrl", "--set", "model.parameters.alpha=0.5"),
    )
    found = json.loads(succeed("inspect", tmp_path / "s", "--json"))
    assert found["events_learned"] == trained.model.learner.clock + 1


def test_warm_compiles_one_rule() -> None:
    lines = succeed("warm", "--rule", "ftrl").splitlines()
    losses = {name for name, kind in LOSSES.items() if not kind.together}
    assert {line.split(":")[0] for line in lines} == {f"ftrl {loss}" for loss in losses}


def test_warm_compiles_the_stack_for_the_losses_that_have_one() -> None:
    lines = succeed("warm", "--rule", "stack").splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "stack squared", "stack poisson", "stack logistic",
    ]  # fmt: skip

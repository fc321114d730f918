"""``streamlasso learn``: files to a model, to the bits of the estimator's own pass; its words."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from serving import (
    BAD_RECORDS,
    content,
    events,
    good_events,
    learned_by_hand,
    mixed_stream,
    settings_for,
    succeed,
    write_lines,
)
from typer.testing import CliRunner, Result

from streamlasso import load
from streamlasso.snapshot import read_manifest
from streamlasso_service.cli import app
from streamlasso_service.offline import predict_file

RUNNER = CliRunner()
FTRL = ("--rule", "ftrl", "--set", "l1=0.1", "--set", "model.parameters.alpha=0.5")


def learn(*arguments: object) -> Result:
    return RUNNER.invoke(app, ["learn", *map(str, arguments)], prog_name="streamlasso")


def learned(*arguments: object) -> dict[str, Any]:
    done = learn(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    return mixed_stream(tmp_path / "events.jsonl")


def test_the_model_is_that_of_a_pass_by_hand_and_its_file_goes_on(
    stream: Path, tmp_path: Path
) -> None:
    found = learned(stream, *FTRL, "-o", tmp_path / "m.safetensors")
    model = {"rule": "ftrl", "parameters": {"alpha": 0.5, "l1": 0.1}}
    by_hand = learned_by_hand(settings_for(tmp_path, stream, model=model), good_events(stream))
    again = load(tmp_path / "m.safetensors")
    assert content(again) == content(by_hand)  # type: ignore[arg-type]
    manifest = read_manifest(tmp_path / "m.safetensors")
    assert manifest["extra"]["failed"] == len(BAD_RECORDS)
    assert manifest["extra"]["fields"]["site"] == "categorical"
    assert found["examples"] == by_hand.learner.clock
    assert found["active_features"] == by_hand.active_features
    assert found["progressive_loss"] < found["constant_model_loss"]
    lines = list(predict_file(again, manifest, str(stream), "auto", None))
    assert len(lines) == 2000 + len(BAD_RECORDS)


def test_bad_records_are_counted_by_reason_with_the_place_of_the_first(stream: Path) -> None:
    found = learned(stream, *FTRL)
    content = stream.read_bytes()
    places = {reason: content.index(line + b"\n") for reason, line in (
        ("decode", b"{"), ("schema", BAD_RECORDS[1]),
    )}  # fmt: skip
    bad = found["bad_records"]
    assert {reason: (each["count"], each["source"]) for reason, each in bad.items()} == {
        "decode": (2, str(stream)),
        "schema": (3, str(stream)),
    }
    assert bad["schema"]["position"] == places["schema"]
    text = learn(stream, *FTRL).stdout
    assert f"bad: schema          3, the first at byte {places['schema']:,} of {stream}: " in text
    assert "progressive loss     0." in text
    assert "seconds" in text


def test_the_installed_command_reads_standard_input_and_its_model_is_used(tmp_path: Path) -> None:
    text = "\n".join("+1 |s news h:2" if i % 2 else "-1 |s shop h:1" for i in range(200))
    path = tmp_path / "m"
    said = succeed("learn", "-", "--format", "vw", *FTRL, "-o", path, input=text)
    assert said.splitlines()[0] == "examples             200"
    assert said.splitlines()[-1] == f"snapshot             {path}"
    line = succeed("predict", path, "-", "--format", "vw", input="'a |s news h:2")
    found = json.loads(line)
    assert found["id"] == "a"
    assert found["prediction"] > 0.9
    assert set(load(path).weights) <= {"s^news", "s^shop", "s^h"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "target,x,site\n1,2,news\n0,1,shop\n"),
        ("a.svm", "1 1:2 2:1 # one\n-1 1:1\n"),
        ("a.vw", "1 | x:2\n-1 | x\n"),
        ("a.jsonl", '{"target": 1, "x": 2}\n{"target": 0, "x": 1}\n'),
    ],
)
def test_files_of_every_format_plain_or_packed(tmp_path: Path, name: str, text: str) -> None:
    plain, packed = tmp_path / name, tmp_path / f"{name}.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    found = learned(plain, packed, "--rule", "ftrl")
    assert found["examples"] == 4
    assert found["bad_records"] == {}


def test_quiet_says_nothing_of_success(stream: Path) -> None:
    assert learn(stream, *FTRL, "--quiet").stdout == ""


def test_index_type_of_numbers_and_loss_as_given(tmp_path: Path) -> None:
    stream = write_lines(tmp_path / "a.jsonl", [{"target": i % 5, "a": i % 5} for i in range(50)])
    path = tmp_path / "m"
    learned(
        *(stream, "--rule", "ftrl", "--loss", "huber", "--set", "model.loss_parameters.delta=2"),
        *("--index", "hashing:10", "--dtype", "float32", "-o", path),
    )
    model = load(path)
    assert type(model).__name__ == "SparseRegressor"
    assert (model.learner.dtype, model.learner.index.kind) == ("float32", "hashing")
    assert len(model.learner.state) == 1 << 10
    assert model.learner.loss.hyper()[0] == 2


def test_without_words_it_is_the_stack(tmp_path: Path) -> None:
    stream = write_lines(tmp_path / "a.jsonl", events(200))
    path = tmp_path / "m"
    learned(stream, "--set", "max_active=5", "-o", path)
    assert load(path).max_active == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--index", "hashing:x"], "--index 'hashing:x' must be"),
        (["--index", "growing:5"], "--index 'growing:5' must be"),
        (["--rule", "fast"], "there is no such rule"),
        (["--loss", "worst"], "worst"),
        (["--rule", "ftrl", "--set", "l3=1"], "ftrl has no 'l3'"),
        (["--set", "event.name=1"], "event.name"),
        (["--rule", "soft_threshold", "--dtype", "float32"], "counts events"),
    ],
)
def test_faults_are_named_and_the_exit_code_is_2(
    stream: Path, arguments: list[str], message: str
) -> None:
    done = learn(stream, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{\n[]\n", "all 2 records were bad: an event is a JSON object"),
        ('{"clicked": 1, "a": 1}\n', "--set event.target=NAME"),
        ("", "the files hold no record"),
    ],
)
def test_nothing_learned_is_a_failure_and_writes_nothing(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    done = learn(tmp_path / "a.jsonl", "--rule", "ftrl", "-o", tmp_path / "m")
    assert done.exit_code == 4
    assert message in done.stderr
    assert not (tmp_path / "m").exists()


def test_a_file_that_is_not_there_is_named() -> None:
    done = learn("nowhere.vw")
    assert done.exit_code == 2
    assert "no file 'nowhere.vw'" in done.stderr

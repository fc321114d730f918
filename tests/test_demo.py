"""``streamlasso demo``: the embedded streams, a file, and the summary."""

import json
import math
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import command, environment, events, succeed, write_lines

from streamlasso_service.watch import _skill


def check_summary(text: str) -> dict[str, float]:
    """The numbers of a summary, which must all be there."""
    summary = text[text.index("Summary") :].replace(",", "")
    patterns = {
        "events": r"(\d+) events learned in",
        "loss": r"progressive loss ([\d.]+)",
        "constant": r"constant model ([\d.]+)",
        "active": r"(\d+) active of \d+ features",
        "sparsity": r"sparsity ([\d.]+)%",
    }
    found = {name: re.search(pattern, summary) for name, pattern in patterns.items()}
    assert None not in found.values(), text
    assert "inspect" in summary
    assert "export" in summary
    return {name: float(match[1]) for name, match in found.items() if match}


def test_worse_than_the_constant_model_is_called_so() -> None:
    assert [_skill(loss, 2.0) for loss in (1.0, 2.1, math.nan)] == ["50% better", "5% worse", "–"]


@pytest.fixture
def demo(tmp_path: Path) -> Any:
    """`run(*options)` -> the output of ``demo``, whose snapshots go to the test's folder."""

    def run(*options: object) -> str:
        return succeed("demo", "--port", 0, *options, env=environment(TMPDIR=str(tmp_path)))

    return run


def test_demo_learns_the_simulated_stream_and_sums_up(demo: Any, tmp_path: Path) -> None:
    text = demo("--seconds", 3)
    found = check_summary(text)
    assert found["events"] > 10_000
    assert found["loss"] < 0.8 * found["constant"]
    assert 99 < found["sparsity"] < 100
    assert re.search(r"^events +[\d,]+ .* sparsity", text, re.MULTILINE), "lines on the way"
    # What it says to try next works.
    (folder,) = re.findall(r"inspect (\S+)", text)
    assert Path(folder).is_relative_to(tmp_path)
    inspected = json.loads(succeed("inspect", folder, "--json"))
    assert inspected["events_learned"] == found["events"]


def test_demo_replays_a_file(demo: Any, tmp_path: Path) -> None:
    stream = write_lines(tmp_path / "e.jsonl", events(3000))
    found = check_summary(demo("--data", stream))
    assert found["events"] == sum(
        "target" in event and event.get("importance", 1) > 0 for event in events(3000)
    )


def test_demo_learns_a_data_set_of_river_under_its_name(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("demo", "--dataset", "shuttle", "--seconds", 3, "--port", 0),
        stdout=subprocess.PIPE,
        text=True,
        env=environment(TMPDIR=str(tmp_path), PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    lines, address = [], ""
    for line in process.stdout:
        lines.append(line)
        if match := re.search(r"metrics +(http://\S+)", line):
            address = match[1]
        if line.startswith("events"):
            metrics = httpx.get(address).text
    assert process.wait(20) == 0
    process.stdout.close()
    topics = set(re.findall(r'streamlasso_events_consumed_total\{.*topic="(.*?)"', metrics))
    assert topics == {"shuttle"}
    found = check_summary("".join(lines))
    assert found["loss"] < found["constant"]


def test_demo_without_an_end_stops_at_ctrl_c_with_its_summary(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("demo", "--port", 0),
        stdout=subprocess.PIPE,
        text=True,
        env=environment(TMPDIR=str(tmp_path), PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    text = ""
    while not re.search(r"^events", text, re.MULTILINE):
        text += process.stdout.readline()
    process.send_signal(signal.SIGINT)
    text += process.communicate(timeout=10)[0]
    assert process.returncode == 0
    check_summary(text)

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


@pytest.fixture
def stopped(tmp_path: Path) -> Any:
    """`run(*options, after=…, look=…)` -> the output of a ``demo`` that is stopped by Ctrl-C.

    That is when so many events are learned, however long the machine takes; before, ``look`` is
    told the address of its metrics.
    """

    def run(*options: object, after: int, look: Any = lambda address: None) -> str:
        process = subprocess.Popen(
            command("demo", "--port", 0, *options),
            stdout=subprocess.PIPE,
            text=True,
            env=environment(TMPDIR=str(tmp_path), PYTHONUNBUFFERED="1"),
        )
        assert process.stdout is not None
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                progress = re.match(r"events +([\d,]+)", line)
                if progress and int(progress[1].replace(",", "")) >= after:
                    break
            text = "".join(lines)
            if address := re.search(r"metrics +(http://\S+)", text):
                look(address[1])
            process.send_signal(signal.SIGINT)
            text += process.communicate(timeout=10)[0]
        finally:
            process.kill()
            process.communicate()
        assert process.returncode == 0, text
        return text

    return run


def test_demo_learns_for_some_seconds_and_sums_up(demo: Any, tmp_path: Path) -> None:
    text = demo("--seconds", 3)
    found = check_summary(text)
    assert found["events"] > 0
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


def test_demo_learns_a_data_set_of_river_under_its_name(stopped: Any) -> None:
    pages: list[str] = []
    # At this rate the set's 49,097 events last 24 s, long after the look at the metrics.
    text = stopped(
        *("--dataset", "shuttle", "--rate", 2000),
        after=4000,
        look=lambda address: pages.append(httpx.get(address).text),
    )
    topics = set(re.findall(r'streamlasso_events_consumed_total\{.*topic="(.*?)"', pages[0]))
    assert topics == {"shuttle"}
    found = check_summary(text)
    assert found["loss"] < found["constant"]


def test_demo_without_an_end_learns_until_ctrl_c_and_sums_up(stopped: Any) -> None:
    found = check_summary(stopped(after=10_000))
    assert found["events"] >= 10_000
    assert found["loss"] < 0.95 * found["constant"]
    assert 0 < found["sparsity"] < 100

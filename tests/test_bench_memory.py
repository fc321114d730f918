"""The memory benchmark learns what it says and skips what is not there. Nothing is timed."""

import gzip
import math
from pathlib import Path

import pytest

from benchmarks import bench_memory
from benchmarks.bench_memory import DATA, POLICIES, amazon, criteo, measure, renamed, table
from streamlasso import GrowingIndex


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [f"{i % 2},{i % 3},{i}" for i in range(40)]
    text = "\n".join(["ACTION,RESOURCE,MGR_ID", *rows, ""])
    (tmp_path / "amazon_access.csv.gz").write_bytes(gzip.compress(text.encode()))
    text = "label,I1,I2,C1,C2\n1,0,,aa,bb\n0,-3,7,,cc\n"
    (tmp_path / "criteo_sample.csv.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


def test_events_are_as_described(folder: Path) -> None:
    assert list(amazon(folder))[1] == ({"RESOURCE": "1", "MGR_ID": "1"}, 1)
    assert list(renamed(folder))[19:21] == [
        ({"RESOURCE": "1", "MGR_ID": "19"}, 1),
        ({"RESOURCE": "new 2", "MGR_ID": "new 20"}, 0),
    ]
    first, second = criteo(folder)
    assert first == ({"I1": 0.0, "C1": "aa", "C2": "bb"}, 1)
    assert second[0] == {"I1": -math.log(4), "I2": math.log(8), "C2": "cc"}


def test_the_bounds_hold(folder: Path) -> None:
    events = list(amazon(folder))
    unbounded = measure(events, GrowingIndex())
    assert unbounded["tracked"] == 43
    assert 0 < unbounded["loss"] < 2
    for policy, make in POLICIES.items():
        found = measure(events, make(43))
        assert found["tracked"] <= (10 if "quarter" in policy else 43), policy
        assert found["state"] <= unbounded["state"], policy
        assert (found["admission"] > 0) == ("count" in policy)


def test_every_policy_is_a_line_and_missing_data_says_why(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "criteo_sample.csv.gz").unlink()
    lines = table(folder, rows=20)
    assert len(lines) == 2 + 2 * len(POLICIES) + 1
    assert lines[-1].startswith("| criteo | skipped: No such file or directory: ")
    monkeypatch.setenv("STREAM_DATA", str(folder))
    assert bench_memory.main(["--rows", "20"]) == 0
    assert capsys.readouterr().out.splitlines() == lines
    monkeypatch.delenv("STREAM_DATA")
    with pytest.raises(SystemExit):
        bench_memory.main([])
    assert "set STREAM_DATA or give --data" in capsys.readouterr().err


def test_every_data_set_is_in_the_documented_table() -> None:
    text = (Path(__file__).parent.parent / "docs" / "memory.md").read_text(encoding="utf-8")
    for name in DATA:
        for policy in POLICIES:
            assert f"| {name} | {policy} |" in text

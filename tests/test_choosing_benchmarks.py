"""The benchmarks of recovery and drift and the pictures of the documentation. Nothing is timed."""

import re
from pathlib import Path

import numpy as np
import pytest
from servers import REPOSITORY

from benchmarks import bench_drift, bench_recovery, choosing, plot_choosing
from benchmarks.bench_drift import DATA, OURS, Stream, airlines, elec2
from benchmarks.bench_recovery import BATCH, CASES, Size, curves, quality
from benchmarks.designs import sparse_design
from benchmarks.drift_peers import PEERS
from streamlasso import RULES, FTRLProximal
from streamlasso.grid import expand

DOCS = REPOSITORY / "docs"


def rows(text: str) -> list[list[str]]:
    """The cells of a markdown table, without its two head lines."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_designs_are_seeded_and_as_described() -> None:
    design = sparse_design(4000, 30, 6, 0.5, seed=0, noise=1.0)
    again = sparse_design(4000, 30, 6, 0.5, seed=0, noise=1.0)
    assert np.array_equal(design.X, again.X)
    assert np.array_equal(design.y, again.y)
    assert design.support.sum() == 6
    correlation = np.corrcoef(design.X.T)
    assert np.abs(np.diag(correlation, 1) - 0.5).max() < 0.06
    assert np.abs(np.diag(correlation, 2) - 0.25).max() < 0.07
    assert np.abs(design.X.std(axis=0) - 1).max() < 0.05


def test_quality_counts() -> None:
    support = np.array([True, True, False, False])
    found = quality(np.array([[1.0, 0, 2, 0], [0, 0, 0, 0], [1, -1, 0, 0]]), support)
    assert found.tolist() == [[0.5, 0.5, 0.5, 2], [1, 0, 0, 0], [1, 1, 1, 2]]


def test_every_rule_is_in_the_recovery_benchmark() -> None:
    assert {case.make(0.1).name for case in CASES.values()} == set(RULES)


def test_recovery_prints_a_row_for_each_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench_recovery.main(["--quick", "-o", str(tmp_path)]) == 0
    table = rows(capsys.readouterr().out)
    assert [row[0] for row in table] == [BATCH, *CASES]
    assert all(len(row) == 11 and 0 <= float(row[2]) <= 1 for row in table)
    assert (tmp_path / "recovery.png").stat().st_size < 100_000


def test_the_dual_rules_recover_and_the_explicit_ones_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = ("FTRL, per event", "DualAveraging", "SoftThreshold")
    monkeypatch.setattr(bench_recovery, "CASES", {name: CASES[name] for name in chosen})
    size = Size(events=600, features=24, true=3, points=6, seeds=1, noise=0.5, compiled=False)
    best = {name: measured[:, 2].max() for name, _, measured in curves(size, 0.0)}
    assert best[BATCH] == best["FTRL, per event"] == best["DualAveraging"] == 1.0
    assert best["SoftThreshold"] < 0.8


def test_events_of_the_streams_hold_what_is_known_beforehand(shared_data: Path) -> None:
    event, target = next(elec2(shared_data))
    assert not {"date", "class"} & set(event)
    assert isinstance(event["day"], str)
    assert target in (0, 1)
    event, target = next(airlines(shared_data))
    assert set(event) == {*bench_drift.NAMES, *bench_drift.NUMBERS}
    assert (event["Origin"], target) == ("SAN", 1)


def test_forgetting_beats_no_forgetting_on_elec2(shared_data: Path) -> None:
    stream = Stream(list(elec2(shared_data))[:4000])
    rule = FTRLProximal(alpha=1.0)
    [none] = [stream.measured(stream.scores(rule, compiled=False))]
    lanes = stream.scores(expand(rule, {"half_life": [500, 1000]}), compiled=False)
    assert stream.measured(lanes[:, 0])[0] < none[0] - 0.01
    assert stream.measured(lanes[:, 1])[0] < none[0] - 0.01


def test_drift_prints_a_row_for_each_learner(
    shared_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bench_drift, "QUICK_EVENTS", 60)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "elec2.csv.gz").symlink_to(shared_data / "elec2.csv.gz")
    assert bench_drift.main(["--quick", "--data", str(folder)]) == 0
    out, skipped = capsys.readouterr()
    table = rows(out)
    assert "airlines skipped: No such file" in skipped
    assert {row[0] for row in table} == {"the last label again", "no rule", *PEERS, *OURS}
    assert all(len(row) == 6 and row[3].endswith(" %") and not row[4] for row in table)
    monkeypatch.delenv("STREAM_DATA", raising=False)
    with pytest.raises(SystemExit):
        bench_drift.main([])
    assert "set STREAM_DATA or give --data" in capsys.readouterr().err


def test_every_picture_is_drawn_and_says_what_it_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plot_choosing.main(["--quick", "-o", str(tmp_path)]) == 0
    table = rows(capsys.readouterr().out)
    assert {row[0] for row in table} == set(plot_choosing.PICTURES)
    assert {row[1] for row in table if row[0] == "penalties"} == set(choosing.PENALTIES)
    for name in plot_choosing.PICTURES:
        assert (tmp_path / f"{name}.png").stat().st_size < 100_000


def test_l2_and_groups_keep_twins_together() -> None:
    found = choosing.twins(choosing.Effort(events=200, repeats=4, compiled=False))
    apart = {name: np.abs(pairs[:, 0] - pairs[:, 1]).mean() for name, pairs in found.items()}
    assert apart["elastic net"] < apart["l1"] < apart[choosing.BATCH]
    assert apart["group"] < apart["l1"]


def test_the_documentation_shows_every_picture_and_row() -> None:
    choose, drift = ((DOCS / f"{name}.md").read_text() for name in ("choosing", "drift"))
    shown = {*re.findall(r"plots/(\w+)\.png", choose + drift)}
    assert shown == {*plot_choosing.PICTURES, "recovery", "drift"}
    assert {path.stem for path in (DOCS / "plots").glob("*.png")} >= shown
    for name in (BATCH, *CASES):
        assert f"\n| {name} | " in choose
    for name in (*PEERS, *OURS):
        assert f"\n| {name} | " in drift
    assert all(f"{data}: log loss" in drift for data in DATA)


def test_pictures_in_the_repository_are_small() -> None:
    for path in (DOCS / "plots").glob("*.png"):
        assert path.stat().st_size < 100_000, path.name

"""The benchmarks measure what is registered, on the bytes that an id promises. Nothing is timed."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks.agreement import Agreement, agreements, with_river, with_vw
from benchmarks.cases import CASES, COVERED, EXCLUDED, Case, Entry, Inputs, Pair, width
from benchmarks.measure import Result, measure
from benchmarks.report import as_data, result_table
from benchmarks.touch import touch
from benchmarks.workloads import CARDINALITIES, FIELDS, WORKLOADS, ClickLog, generate
from streamlasso import LOSSES, RULES

SMALL = "clicks-2k-39-22b/1"


@pytest.fixture(scope="module")
def log() -> ClickLog:
    return WORKLOADS[SMALL].load()


@pytest.fixture
def inputs(log: ClickLog, tmp_path: Path) -> Inputs:
    return Inputs(log, 20, tmp_path)


def test_every_rule_and_loss_is_measured_or_excluded_with_a_reason() -> None:
    registered = {"rules": set(RULES), "losses": set(LOSSES)}
    for kind, names in registered.items():
        assert names <= COVERED[kind] | set(EXCLUDED), kind
        assert not COVERED[kind] & set(EXCLUDED)
    assert set(EXCLUDED) <= set(RULES) | set(LOSSES)
    assert all(EXCLUDED.values())


def test_what_is_covered_has_entries(inputs: Inputs) -> None:
    cases = {name: build(inputs) for name, build in CASES.items()}
    for rule in COVERED["rules"]:
        assert rule in cases["one_event"].entries
        assert f"{rule} float64" in cases["rows"].entries
    assert {f"ftrl {loss}" for loss in COVERED["losses"]} <= set(cases["losses"].entries)
    for case in cases.values():
        named = {name for pair in case.pairs for name in (pair.ours, pair.peer)}
        assert named == set(case.entries)


@pytest.mark.parametrize("name", CASES)
def test_every_entry_runs(inputs: Inputs, name: str) -> None:
    case = CASES[name](inputs)
    result = measure(case, repeat=1)
    assert set(result.seconds) | set(result.missing()) == set(case.entries)
    assert all(len(seconds) == 1 for seconds in result.seconds.values())
    assert result_table([result]).count("\n") == len(result.pairs()) + 1
    assert as_data(SMALL, [result], [])["cases"][0]["events"] == case.events


def test_an_id_stands_for_the_same_bytes(log: ClickLog) -> None:
    assert generate(WORKLOADS[SMALL]).checksum() == log.checksum() == WORKLOADS[SMALL].checksum
    changed = dataclasses.replace(WORKLOADS[SMALL], rows=1_999)
    with pytest.raises(ValueError, match="under a new id"):
        changed.load()


def test_a_short_log_is_the_beginning_of_a_longer_one(log: ClickLog) -> None:
    longer = generate(dataclasses.replace(WORKLOADS[SMALL], rows=3_000))
    np.testing.assert_array_equal(longer.ids[: len(log)], log.ids)
    np.testing.assert_array_equal(longer.clicks[: len(log)], log.clicks)


def test_the_click_log_is_as_described(log: ClickLog) -> None:
    assert log.ids.shape == (2_000, 39)
    assert ((log.ids >= 0) & (log.ids < CARDINALITIES)).all()
    assert 0.2 < log.clicks.mean() < 0.3
    assert min(log.slots.min(), log.exact_slots.min()) >= 2
    assert max(log.slots.max(), log.exact_slots.max()) < 1 << log.bits
    names = {tuple(pair) for pair in zip(np.tile(FIELDS, 2_000), log.ids.ravel(), strict=True)}
    assert len(set(log.exact_slots.tolist())) == len(names)


def test_all_forms_hold_the_same_rows(log: ClickLog) -> None:
    joined = [[f"{field}={value}" for field, value in row.items()] for row in log.categorical(5)]
    lines = [line for _, line in zip(range(5), log.vw_lines(), strict=False)]
    assert [line.split(" | ")[1].split() for line in lines] == joined
    assert [line.startswith("1 ") for line in lines] == log.clicks[:5].astype(bool).tolist()
    assert all(len(row) == 39 and min(row.values()) >= 0 for row in log.numeric(5))
    assert all(max(row.values()) <= 1 for row in log.numeric(2_000))


def test_the_touch_limit_reads_and_writes_every_column() -> None:
    state = np.ones((8, 3))
    scores = np.zeros(1)
    touch(3)(state, np.array([0, 2]), np.array([2, 5], np.uint32), np.array([1.0, 4.0]), scores)
    assert scores[0] == 5.0
    np.testing.assert_array_equal(np.flatnonzero((state == 6.0).all(axis=1)), [2, 5])
    assert (state[[0, 1, 3, 4, 6, 7]] == 1.0).all()


def test_the_touch_limit_has_the_columns_of_the_rule(inputs: Inputs) -> None:
    limits = [name for name in CASES["losses"](inputs).entries if name.startswith("touch")]
    assert limits == ["touch limit, 2 × float64", "touch limit, 4 × float64"]
    assert (width(RULES["ftrl"]()), width(RULES["ftrl"](), "softmax")) == (2, 4)


def test_progressive_loss_equals_that_of_vowpalwabbit(log: ClickLog, tmp_path: Path) -> None:
    pytest.importorskip("vowpalwabbit")
    exact, hashed = (with_vw(log, tmp_path, exact=exact) for exact in (True, False))
    assert (exact.decimals, hashed.decimals) == (5, 3)
    assert exact.ours == pytest.approx(exact.peer, abs=5e-6)
    assert hashed.ours == pytest.approx(hashed.peer, abs=5e-4)


def test_plain_gradient_descent_equals_that_of_river(log: ClickLog) -> None:
    one = with_river(log, 500)
    assert one.ours == pytest.approx(one.peer, abs=1e-9)


def test_all_agreements_hold(log: ClickLog, tmp_path: Path) -> None:
    assert [one.what for one in agreements(log, 200, tmp_path) if not one.met] == []


def test_ratios_are_taken_round_by_round() -> None:
    entry = Entry(lambda: lambda: None)
    entries = {"a": entry, "b": entry, "absent": Entry(entry.prepare, "no_such_module")}
    pairs = (Pair("a", "b", goal=1.5), Pair("a", "absent"))
    case = Case("two", "rows/s", 10, entries, pairs)
    assert set(measure(case, 2).seconds) == {"a", "b"}
    result = Result(case, {"a": [1.0, 2.0, 4.0], "b": [2.0, 4.0, 4.0]})
    assert result.ratio(pairs[0]) == 2.0
    assert result.missing() == ["absent"]
    assert "≥ 1.5: met" in result_table([result])
    slower = Result(case, {"a": [1.0], "b": [1.4]})
    assert "≥ 1.5: missed" in result_table([slower])


def test_the_command_fails_only_where_results_differ(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "QUICK", SMALL)
    arguments = ["--quick", "--only", "losses", "--repeat", "1", "--json", str(tmp_path / "t.json")]
    for loss, status in ((0.5, 0), (0.6, 1)):
        found = [Agreement("made up", 0.5, loss, 5)]
        monkeypatch.setattr(command, "agreements", lambda *_, found=found: found)
        assert command.main(arguments) == status
    assert "| ftrl logistic |" in capsys.readouterr().out
    assert (tmp_path / "t.json").stat().st_size

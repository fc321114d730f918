"""The benchmark of float32 records, on a few rows."""

from pathlib import Path

from benchmarks.bench_float32 import DATA, LEARNERS, measure, seeded, table


def test_both_types_learn_the_same_rows_and_every_learner_is_a_line() -> None:
    rows = measure("long", lambda: seeded(300))
    assert [row["learner"] for row in rows] == list(LEARNERS)
    for row in rows:
        (loss, _, size), (half, _, smaller) = row["full"], row["half"]
        assert abs(loss - half) < 1e-5
        assert size == 2 * smaller
    assert len(table(rows).splitlines()) == 2 + len(LEARNERS)


def test_every_data_set_is_in_the_documented_table() -> None:
    text = (Path(__file__).parent.parent / "docs" / "memory.md").read_text(encoding="utf-8")
    for name in (*DATA, "long"):
        for learner in LEARNERS:
            assert f"| {name} | {learner} | 0." in text

"""The picture of how cost grows is drawn from what is kept. Nothing is timed."""

import json
from pathlib import Path

from benchmarks.bench_growth import BITS, DTYPES, FEATURES, LANES, RESULTS, main, slots_of


def test_what_is_kept_is_drawn(tmp_path: Path) -> None:
    assert RESULTS.exists()
    assert main(["--plot-only", "-o", str(tmp_path)]) == 0
    assert (tmp_path / "growth.png").stat().st_size > 5_000


def test_a_point_of_each_kind_is_kept() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    for panel, places in {
        "slots": BITS, "slots alike": BITS, "features": FEATURES, "lanes": LANES,
    }.items():  # fmt: skip
        for dtype in DTYPES:
            assert list(found[panel][dtype]) == [str(place) for place in places]


def test_slots_are_of_the_table() -> None:
    for alike in (False, True):
        slots = slots_of(16, 10_000, alike)
        assert slots.min() >= 2
        assert 60_000 < slots.max() < 1 << 16

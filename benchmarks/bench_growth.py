"""How the cost of learning grows: events/s over slots, over features of an event, over lanes.

    python -m benchmarks.bench_growth [--plot-only]

FTRL-Proximal with a logistic loss, `Learner.learn_encoded`: the compiled loop alone. An event's
slots are drawn as 1/rank from all that there are, so some are hot and most are cold, or all alike,
and its values are 1. Each number is the median of short rounds; what was measured is kept beside
this script, and the picture is drawn from it.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.drawing import COLOURS, save, sheet
from streamlasso import FTRLProximal, HashingIndex, Learner

RESULTS = Path(__file__).parent / "growth.json"
PLOTS = Path(__file__).parent.parent / "docs" / "plots"

DTYPES = ("float64", "float32")
BITS = (16, 18, 20, 22, 24, 26)
FEATURES = (5, 10, 20, 39, 100, 300, 1000)
LANES = (1, 2, 4, 8, 16, 32, 64)
ROUNDS, VALUES = 11, 600_000
"""Rounds of a point, the first not counted; features of a round, fewer with many lanes."""

Array = npt.NDArray[Any]


def slots_of(bits: int, count: int, alike: bool) -> Array:
    """So many slots, alike or with a popularity as 1/rank, strewn over the table."""
    random = np.random.default_rng(bits)
    if alike:
        return random.integers(2, 1 << bits, count).astype(np.uint32)
    rank = np.exp(random.random(count) * np.log(2.0) * bits).astype(np.uint64)
    strewn = rank * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(64 - bits)
    return np.maximum(strewn, 2).astype(np.uint32)


def point(bits: int, features: int, lanes: int, dtype: str, alike: bool = False) -> float:
    """Events learned in a second."""
    rows = max(VALUES // features // max(1, lanes // 8), 50)
    slots = slots_of(bits, rows * features * ROUNDS, alike).reshape(ROUNDS, -1)
    indptr = np.arange(rows + 1, dtype=np.int64) * features
    targets = (np.random.default_rng(0).random(rows) < 0.3).astype(dtype)
    values, ones = np.ones(rows * features, dtype), np.ones(rows, dtype)
    rules = [FTRLProximal(0.05 + 0.01 * lane, l1=1.0 + 0.1 * lane) for lane in range(lanes)]
    learner = Learner(rules, "logistic", HashingIndex(bits), dtype=dtype)
    learner.state.fill(0.0)  # new zeros are pages that the system has yet to find
    seconds = []
    for part in slots:  # each round brings slots of its own: the caches do not know them
        begun = time.perf_counter()
        learner.learn_encoded(indptr, part, values, targets, ones)
        seconds.append(time.perf_counter() - begun)
    return rows / statistics.median(seconds[1:])


def points() -> Iterator[tuple[str, str, int, float]]:
    """Panel, dtype, abscissa and events/s of all points."""
    for dtype in DTYPES:
        for bits in BITS:
            yield "slots", dtype, bits, point(bits, 39, 1, dtype)
            yield "slots alike", dtype, bits, point(bits, 39, 1, dtype, alike=True)
        for features in FEATURES:
            yield "features", dtype, features, point(22, features, 1, dtype)
        for lanes in LANES:
            yield "lanes", dtype, lanes, point(18, 39, lanes, dtype)


def measure() -> dict[str, dict[str, dict[str, float]]]:
    """Everything, printed as it comes."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for panel, dtype, at, speed in points():
        print(f"{panel} {dtype} {at}: {speed:,.0f} events/s", flush=True)
        found.setdefault(panel, {}).setdefault(dtype, {})[str(at)] = round(speed)
    return found


def draw(found: dict[str, dict[str, dict[str, float]]], folder: Path) -> Path:
    """Three panels; dotted where all slots are alike, or where cost would be in proportion."""
    figure, panels = sheet(1, 3, 12, 3.6)
    titles = {
        "slots": "slots (39 features, 1 lane)",
        "features": "features per event (2²² slots, 1 lane)",
        "lanes": "lanes (39 features, 2¹⁸ slots)",
    }
    for panel, (name, title) in zip(panels.flat, titles.items(), strict=True):
        for colour, dtype in zip(COLOURS, DTYPES, strict=False):
            places, speeds = zip(*found[name][dtype].items(), strict=True)
            at = [2 ** int(place) if name == "slots" else int(place) for place in places]
            panel.plot(at, speeds, "o-", color=colour, markersize=4, label=dtype)
            dotted = list(found["slots alike"][dtype].values())
            if name != "slots":
                dotted = [speeds[0] * at[0] / one for one in at]
            words = "all slots alike" if name == "slots" else "in proportion to the first"
            panel.plot(at, dotted, ":", color=colour, linewidth=1.5, label=f"{dtype}, {words}")
        panel.set_xscale("log", base=10 if name == "features" else 2)
        panel.set_yscale("linear" if name == "slots" else "log")
        panel.set_xlabel(title, fontsize=9)
    panels[0, 0].set_ylim(bottom=0)
    panels[0, 0].set_ylabel("events/s", fontsize=9)
    for panel in panels.flat:
        panel.legend(fontsize=8, frameon=False, loc="lower left")
    return save(figure, folder, "growth")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and draw, or draw what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_growth", description=__doc__)
    parser.add_argument("--plot-only", action="store_true", help="draw what is kept")
    parser.add_argument("-o", type=Path, metavar="FOLDER", default=PLOTS, help="for the picture")
    chosen = parser.parse_args(arguments)
    if not chosen.plot_only:
        RESULTS.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
    print(draw(json.loads(RESULTS.read_text(encoding="utf-8")), chosen.o))
    return 0


if __name__ == "__main__":
    sys.exit(main())

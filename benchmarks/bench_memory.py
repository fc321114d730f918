"""``python -m benchmarks.bench_memory``: what bounds of the growing index save, and what they cost.

One pass over each data set, every event predicted before it is learned, with FTRL-Proximal as it
comes (α = 0.1, l1 = 1). Nothing is timed.
"""

import argparse
import csv
import gzip
import math
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from streamlasso import (
    AdmitAtRandom,
    AdmitByCount,
    FTRLProximal,
    GrowingIndex,
    Progress,
    SparseClassifier,
)

__all__ = ["DATA", "POLICIES", "amazon", "criteo", "measure", "renamed", "table"]

Event = dict[str, Any]
Row = dict[str, Any]

HEADER = "| data | index | tracked | state, kB | names, kB | admission, kB | log loss |"


def amazon(folder: Path) -> Iterator[tuple[Event, int]]:
    """Employee access: nine columns of ids, all categorical."""
    with gzip.open(folder / "amazon_access.csv.gz", "rt", encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            target = int(row.pop("ACTION"))
            yield dict(row), target


def renamed(folder: Path) -> Iterator[tuple[Event, int]]:
    """The same, but half-way every id becomes another: old names never come again."""
    rows = list(amazon(folder))
    for i, (event, target) in enumerate(rows):
        mark = "new " if i >= len(rows) // 2 else ""
        yield {name: mark + value for name, value in event.items()}, target


def criteo(folder: Path) -> Iterator[tuple[Event, int]]:
    """Display advertising: I* are counts, taken as sgn(v)·log(1 + |v|); C* are categories."""
    with gzip.open(folder / "criteo_sample.csv.gz", "rt", encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            target = int(row.pop("label"))
            event: Event = {}
            for name, text in row.items():
                if text and name.startswith("I"):
                    value = float(text)
                    event[name] = math.copysign(math.log1p(abs(value)), value)
                elif text:
                    event[name] = text
            yield event, target


DATA: dict[str, Callable[[Path], Iterator[tuple[Event, int]]]] = {
    "amazon": amazon,
    "amazon, renamed half-way": renamed,
    "criteo": criteo,
}

POLICIES: dict[str, Callable[[int], GrowingIndex]] = {
    "unbounded": lambda names: GrowingIndex(),
    "admit by count, 2 times": lambda names: GrowingIndex(admit=AdmitByCount(2, bits=17)),
    "admit at random, 0.5": lambda names: GrowingIndex(admit=AdmitAtRandom(0.5)),
    "admit at random, 0.1": lambda names: GrowingIndex(admit=AdmitAtRandom(0.1)),
    "a quarter, refuse": lambda names: GrowingIndex(max(1, names // 4)),
    "a quarter, evict": lambda names: GrowingIndex(max(1, names // 4), "evict"),
    "a quarter, evict, by count": lambda names: GrowingIndex(
        max(1, names // 4), "evict", AdmitByCount(2, bits=17)
    ),
}


def measure(events: list[tuple[Event, int]], index: GrowingIndex) -> Row:
    """Learn the events in one pass; what is kept in the end, and the progressive log loss."""
    model = SparseClassifier(FTRLProximal(alpha=0.1, l1=1.0), index=index)
    learner = model.learner
    scores = np.empty(len(events))
    encoder = model._encoder
    for i, (x, y) in enumerate(events):
        encoder.encode(x, allocate=False)
        scores[i] = learner.score_row(encoder.slots, encoder.values, encoder.size)
        model.learn_one(x, y)
    progress = Progress(learner.loss)
    targets = np.array([y for _, y in events], np.float64)
    progress.add(learner.rule, scores, targets, np.ones(len(events)))
    kept: Any = learner.index
    admission = {} if kept.admit is None else kept.admit.memory()
    return {
        "tracked": kept.tracked,
        "state": learner.state.nbytes,
        "names": kept.names_nbytes,
        "admission": sum(array.nbytes for array in admission.values()),
        "loss": progress.mean_loss,
    }


def table(folder: Path, rows: int | None = None) -> list[str]:
    """The lines of the markdown table; a data set that is not there is a line with its reason."""
    lines = [HEADER, "|---|---|" + "---:|" * 5]
    for name, read in DATA.items():
        try:
            events = list(read(folder))[:rows]
        except OSError as error:
            lines.append(f"| {name} | skipped: {error.strerror}: {error.filename} | | | | | |")
            continue
        names = 0
        for policy, make in POLICIES.items():
            found = measure(events, make(names))
            names = names or found["tracked"]
            sizes = [f"{found[part] / 1000:,.0f}" for part in ("state", "names", "admission")]
            cells = [name, policy, f"{found['tracked']:,}", *sizes, f"{found['loss']:.4f}"]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_memory", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the data sets (default: $STREAM_DATA)")
    parser.add_argument("--rows", type=int, help="only the first rows of each")
    chosen = parser.parse_args(arguments)
    folder = chosen.data or os.environ.get("STREAM_DATA")
    if folder is None:
        parser.error("no data: set STREAM_DATA or give --data FOLDER")
    print("\n".join(table(Path(folder), chosen.rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

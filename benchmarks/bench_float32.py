"""``python -m benchmarks.bench_float32``: what float32 records cost in loss, and save in memory.

One pass over each data set, every event predicted before it is learned, with the rules as they come
(FTRL-Proximal with l1 = 1) and the stack; the same rows for both types. ``long`` is a seeded stream
of ten million events, since a sum in float32 stops growing where what is added is below 2^-24 of
it. Nothing is timed.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality_rows import FIRST, Rows
from benchmarks.quality_sets import load
from streamlasso import HashingIndex, Learner, Progress
from streamlasso.rules import RULES, FTRLProximal
from streamlasso.stack import StackLearner

__all__ = ["LEARNERS", "measure", "table"]

DATA = ("criteo", "amazon", "elec2", "airlines", "imdb")
LONG, NAMES, FIELDS, CHUNK = 10_000_000, 2000, 6, 250_000

Row = dict[str, Any]
Make = Callable[[HashingIndex, str], Any]

HEADER = "| data | learner | log loss, float64 | float32 | difference | active | state, kB |"


def _of_rule(rule: Any, scale: str | None = None) -> Make:
    return lambda index, dtype: Learner(rule, "logistic", index, dtype=dtype, scale=scale)


LEARNERS: dict[str, Make] = {
    "FTRL, l1 = 1": _of_rule(FTRLProximal(l1=1.0)),
    "FTRL, l1 = 1, rms-max": _of_rule(FTRLProximal(l1=1.0), "rms-max"),
    "Newton": _of_rule(RULES["newton"]()),
    "stack": lambda index, dtype: StackLearner("logistic", index, dtype=dtype),
}


def seeded(count: int) -> Iterator[Rows]:
    """Six names of 2,000 an event, the first ones frequent; a tenth of them matter, seldom 1."""
    rng = np.random.default_rng(5)
    weights = rng.normal(size=NAMES) * (rng.random(NAMES) < 0.1)
    names = [str(i) for i in range(NAMES)]
    for begin in range(0, count, CHUNK):
        rows = min(CHUNK, count - begin)
        chosen = (NAMES * rng.random((rows, FIELDS)) ** 3).astype(np.uint32)
        targets = rng.random(rows) < 1 / (1 + np.exp(3.0 - weights[chosen].sum(axis=1)))
        yield Rows(
            "binary", np.arange(0, rows * FIELDS + 1, FIELDS), chosen.ravel() + np.uint32(FIRST),
            np.ones(rows * FIELDS), targets.astype(np.float64), names, np.zeros(NAMES, bool),
        )  # fmt: skip


def _pass(chunks: Iterator[Rows], make: Make, dtype: str) -> tuple[float, int, int]:
    """Progressive loss, active features and bytes of the state."""
    learner = progress = None
    for rows in chunks:
        if learner is None or progress is None:
            bits = (len(rows.names) + FIRST - 1).bit_length()
            learner = make(HashingIndex(bits), dtype)
            progress = Progress(learner.loss)
        scores = learner.learn_rows(rows.indptr, rows.slots, rows.values, rows.targets)
        progress.add(learner.rule, scores, rows.targets, np.ones(len(rows)))
    assert learner is not None
    assert progress is not None
    return progress.mean_loss, learner.active_features(), learner.state.nbytes


def measure(data: str, stream: Callable[[], Iterator[Rows]]) -> list[Row]:
    """One row for each learner."""
    found = []
    for name, make in LEARNERS.items():
        full, half = (_pass(stream(), make, dtype) for dtype in ("float64", "float32"))
        found.append({"data": data, "learner": name, "full": full, "half": half})
    return found


def table(rows: list[Row]) -> str:
    """As Markdown."""
    lines = [HEADER, "|---|---|---:|---:|---:|---:|---:|"]
    for row in rows:
        (loss, active, size), (half, other, smaller) = row["full"], row["half"]
        lines.append(
            f"| {row['data']} | {row['learner']} | {loss:.6f} | {half:.6f} | {half - loss:+.1e} "
            f"| {active:,} / {other:,} | {size / 1e3:,.0f} / {smaller / 1e3:,.0f} |"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("STREAM_DATA"))
    parser.add_argument("--rows", type=int, help="only so many of each set")
    chosen = parser.parse_args(arguments)
    if chosen.data is None:
        parser.error("name the folder of the data sets: --data, or STREAM_DATA")
    rows: list[Row] = []
    for data in DATA:
        whole = load(data, chosen.data)
        part = whole.first(chosen.rows or len(whole))
        rows += measure(data, lambda part=part: iter([part]))  # type: ignore[misc]
        print(f"{data} done", file=sys.stderr)
    rows += measure("long", lambda: seeded(chosen.rows or LONG))
    print(table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

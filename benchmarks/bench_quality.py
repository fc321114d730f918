"""``python -m benchmarks.bench_quality``: one pass without arguments against the best tuned peers.

Every row is predicted before it is learned; all get the same features (`quality_sets`). Peers are
the best of a grid in hindsight, from `quality_peers.json`, or run anew with ``--peers``. Ours is
given nothing but the loss: *full* is all that it has learned, *served* the sparse model that it
predicts with. What is measured of ours goes to `quality_ours.json`, the tables to the page.
"""

import argparse
import math
import os
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.quality_peers import PEER_RESULTS, PEERS, run_peers
from benchmarks.quality_rows import FIRST, Rows
from benchmarks.quality_score import (
    LOOK,
    Result,
    Results,
    best,
    measured,
    read_results,
    write_results,
)
from benchmarks.quality_sets import GROUPS, SETS, load
from streamlasso import GrowingIndex
from streamlasso.stack import StackLearner
from streamlasso.stack.classes.learner import ClassStackLearner

__all__ = ["OUR_RESULTS", "learner_for", "main", "ours", "tables", "write_page"]

Array = npt.NDArray[Any]
OUR_RESULTS = Path(__file__).parent / "quality_ours.json"
LOSSES = {"binary": "logistic", "regression": "squared"}
MEASURED = "## Measured\n"
LEVELS = (0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # nats
MIXED = "log loss, of bike root mean squared error"
UNITS = {
    "Regression": "root mean squared error",
    "Raw, uncentred numbers": MIXED,
    "Shifted by 30 deviations": MIXED,
}


def learner_for(rows: Rows, **served: Any) -> Any:
    """Our learner without arguments, its index filled with the names of the set."""
    index = GrowingIndex()
    slots = [index.add(name) for name in rows.names]
    if slots != list(range(FIRST, FIRST + len(slots))):
        raise ValueError("names of a set must be given slots in order")
    if rows.task == "classes":
        return ClassStackLearner(rows.classes, index, **served)
    return StackLearner(LOSSES[rows.task], index, **served)


def learn(learner: Any, rows: Rows, start: int, end: int) -> Array:
    """Learn these rows; scores from before each."""
    first, last = rows.indptr[start], rows.indptr[end]
    return learner.learn_rows(rows.indptr[start : end + 1] - first, rows.slots[first:last],
                              rows.values[first:last], rows.targets[start:end])  # fmt: skip


def shares(scores: Array) -> Array:
    """Probabilities of classes, from scores or from themselves."""
    if scores.min() >= 0 and np.allclose(scores.sum(axis=1), 1):
        return scores
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def full(rows: Rows, marks: list[int], means: list[float], seconds: float) -> Result:
    """The result of the whole mixture, from its mean loss after so many rows."""
    skipped, before, curve = 0, 0.0, []
    for mark, mean in zip(marks, means, strict=True):
        if rows.task != "regression":
            curve.append([mark, float(f"{mean:.5g}")])
        elif mark <= LOOK:
            skipped, before = mark, mark * mean
        else:
            error = 2 * (mark * mean - before) / (mark - skipped)  # ours is half the square
            curve.append([mark, float(f"{math.sqrt(max(error, 0.0)):.5g}")])
    return Result("full", "StackLearner", curve[-1][1], None, None, float(f"{seconds:.3g}"), curve)


def ours(rows: Rows) -> list[Result]:
    """What is served, and the full model."""
    learn(learner_for(rows), rows, 0, 1)  # compiles
    learner = learner_for(rows)
    marks = np.geomspace(min(10, len(rows)), len(rows), 40).astype(int)
    marks = sorted({*marks.tolist(), min(LOOK, len(rows))})
    scores, means, seconds = [], [], 0.0
    for begin, end in pairwise([0, *marks]):
        start = time.perf_counter()
        scores.append(learn(learner, rows, begin, end))
        seconds += time.perf_counter() - start
        means.append(learner.full_loss)
    said = np.concatenate(scores)
    said = shares(said) if rows.task == "classes" else said
    active, kind = int(np.sum(learner.active_features())), type(learner).__name__
    served = measured(rows, said, "served", kind, active, seconds)
    return [served, full(rows, marks, means, seconds)]


def path(rows: Rows) -> list[Result]:
    """A pass for each level of sparsity, served from the first row to the last."""
    found = []
    for worth in LEVELS:
        learner = learner_for(rows, serve=worth)
        start = time.perf_counter()
        scores = learn(learner, rows, 0, len(rows))
        seconds, active = time.perf_counter() - start, int(learner.active_features())
        found.append(measured(rows, scores, "level", f"{worth:g}", active, seconds))
    return found


def by_system(results: list[Result]) -> dict[str, Result]:
    """The best of each system."""
    systems = dict.fromkeys(one.system for one in results)
    return {name: best([one for one in results if one.system == name]) for name in systems}


def cell(one: Result | None) -> str:
    """Loss and, in brackets, active features."""
    if one is None:
        return ""
    return f"{one.loss:.4g}" + ("" if one.active is None else f" ({one.active:,})")


def ratio_lines(ratios: dict[str, list[float]], blank: int) -> list[str]:
    """Geometric means and worst ratios of a group."""
    lines = []
    for name, of in (("geometric mean", lambda logs: np.mean(logs)), ("worst", max)):
        cells = [f"{math.exp(of(np.log(some))):.3f}" if some else "" for some in ratios.values()]
        lines.append(f"| {name} {'| ' * blank}| {' | '.join(cells)} |")
    return lines


def tables(peers: Results, our: Results, missing: dict[str, str]) -> list[str]:
    """The lines of the page: a table for each group, then the settings of the best peers."""
    heads = ["set", *PEERS, "full", "served", "accuracy: peer", "served", "seconds: peer", "ours",
             "full ÷ peer", "served ÷ peer"]  # fmt: skip
    lines, settings = [], ["### Best settings", "", "| set | system | setting |", "|---|---|---|"]
    for group, sets in GROUPS.items():
        lines += [f"### {group}: {UNITS.get(group, 'log loss')}", "", f"| {' | '.join(heads)} |"]
        lines.append("|---|" + "---:|" * (len(heads) - 1))
        ratios: dict[str, list[float]] = {"full": [], "served": []}
        for name in sets:
            if name in missing:
                lines.append(f"| {name} | {missing[name]} {'| ' * (len(heads) - 2)}|")
                continue
            tuned, own = by_system(peers.get(name, [])), by_system(our.get(name, []))
            cells = [cell(tuned.get(system)) for system in PEERS]
            cells += [cell(own.get(which)) for which in ratios]
            least = best(list(tuned.values())) if tuned else None
            served = own.get("served")
            right = [one.accuracy for one in peers.get(name, []) if one.accuracy is not None]
            cells.append(f"{max(right):.2%}" if right else "")
            cells.append(f"{served.accuracy:.2%}" if served and served.accuracy else "")
            cells += ["" if one is None else f"{one.seconds:.2g}" for one in (least, served)]
            for which, kept in ratios.items():
                if least is not None and which in own:
                    kept.append(own[which].loss / least.loss)
                cells.append(f"{kept[-1]:.3f}" if least is not None and which in own else "")
            lines.append(f"| {name} | {' | '.join(cells)} |")
            settings += [
                f"| {name} | {'ours' if system == 'served' else system} | {one.setting} |"
                for system, one in {**tuned, **own}.items()
                if system in PEERS or one.setting == "Learner"
            ]
        lines += [*ratio_lines(ratios, len(heads) - 3), ""]
    return lines + settings


def write_page(path: Path, lines: list[str]) -> None:
    """Replace what is under *Measured*."""
    text = path.read_text(encoding="utf-8") if path.exists() else f"# Quality\n\n{MEASURED}"
    kept = text.partition(MEASURED)[0]
    path.write_text(kept + MEASURED + "\n" + "\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Measure, keep what was measured, print the tables or write them to the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_quality", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the data sets (default: $STREAM_DATA)")
    parser.add_argument("--only", choices=SETS, action="append", help="this set; repeatable")
    parser.add_argument("--rows", type=int, help="only the first rows of each; nothing is kept")
    parser.add_argument("--peers", nargs="*", choices=PEERS, help="run these anew (default: all)")
    parser.add_argument(
        "--levels",
        choices=SETS,
        action="append",
        default=[],
        help="of this set a pass for each level of sparsity, too; repeatable",
    )
    parser.add_argument("-o", type=Path, metavar="PAGE", help="page whose tables are replaced")
    chosen = parser.parse_args(arguments)
    data = chosen.data or os.environ.get("STREAM_DATA")
    if data is None:
        parser.error("no data: set STREAM_DATA or give --data FOLDER")
    peers, our = read_results(PEER_RESULTS), read_results(OUR_RESULTS)
    missing: dict[str, str] = {}
    for name in chosen.only or SETS:
        try:
            rows = load(name, Path(data))
        except OSError as error:
            missing[name] = f"missing: {Path(error.filename).name}"
            continue
        rows = rows.first(chosen.rows or len(rows))
        if chosen.peers is not None:
            run_peers(name, rows, peers, chosen.peers or list(PEERS),
                      None if chosen.rows else PEER_RESULTS)  # fmt: skip
        levels = [one for one in our.get(name, []) if one.system == "level"]
        our[name] = ours(rows) + (path(rows) if name in chosen.levels else levels)
        told = " ".join(f"{one.system} {one.loss:.5g}" for one in our[name][:2])
        print(f"{name}: {told} in {our[name][0].seconds:.3g} s", file=sys.stderr, flush=True)
        if not chosen.rows:
            write_results(OUR_RESULTS, our)
    lines = tables(peers, our, missing)
    if chosen.o is None:
        print("\n".join(lines))
    else:
        write_page(chosen.o, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What is measured of one pass, and the file of measurements that others' runs are kept in."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.quality_rows import Rows

__all__ = ["LOOK", "Result", "best", "losses", "measured", "read_results", "write_results"]

Array = npt.NDArray[Any]
LOOK = 50  # so many targets give others the units of a regression; its error counts after them
LEAST = 1e-15
EDGE = math.log((1 - LEAST) / LEAST)


@dataclass
class Result:
    """One setting of one system over one set."""

    system: str
    setting: str
    loss: float  # progressive: mean log loss, or root mean squared error
    accuracy: float | None
    active: int | None
    seconds: float
    curve: list[list[float]] | None = None  # rows, and the loss up to there


Results = dict[str, list[Result]]


def losses(rows: Rows, scores: Array) -> Array:
    """Of each row: log loss of probabilities between 1e-15 and 1 − 1e-15, or squared error.

    Scores are margins for two classes, predictions for a regression, probabilities for classes.
    """
    with np.errstate(all="ignore"):
        if rows.task == "regression":
            return (scores - rows.targets) ** 2
        if rows.task == "classes":
            share = scores[np.arange(len(rows)), rows.targets.astype(int)]
            return -np.log(np.clip(share, LEAST, 1.0))
        return np.logaddexp(0.0, np.clip(scores, -EDGE, EDGE) * (1.0 - 2.0 * rows.targets))


def measured(
    rows: Rows, scores: Array, system: str, setting: str, active: int | None, seconds: float
) -> Result:
    """The result of a pass whose row i was scored before it was learned."""
    skipped = LOOK if rows.task == "regression" else 0
    each = losses(rows, scores)[skipped:]
    with np.errstate(all="ignore"):
        means = np.cumsum(each) / np.arange(1, len(each) + 1)
    if rows.task == "regression":
        means, accuracy = np.sqrt(means), None
    elif rows.task == "classes":
        accuracy = float((scores.argmax(axis=1) == rows.targets).mean())
    else:
        accuracy = float(((scores > 0) == (rows.targets > 0)).mean())
    marks = np.unique(np.geomspace(min(10, len(means)), len(means), 40).astype(int))
    curve = [[int(mark) + skipped, float(f"{means[mark - 1]:.5g}")] for mark in marks]
    loss = float(f"{means[-1]:.6g}")
    return Result(system, setting, loss, accuracy and round(accuracy, 5), active,
                  float(f"{seconds:.3g}"), curve)  # fmt: skip


def best(results: list[Result]) -> Result:
    """The least loss."""
    return min(results, key=lambda one: one.loss if math.isfinite(one.loss) else math.inf)


def read_results(path: Path) -> Results:
    """What was written, by set; nothing where there is no file."""
    if not path.exists():
        return {}
    found: Results = {}
    for name, part in json.loads(path.read_text(encoding="utf-8")).items():
        found[name] = [Result(*one) for one in part["results"]]
        for one in found[name]:
            if part["curves"].get(one.system, [""])[0] == one.setting:
                one.curve = part["curves"][one.system][1]
    return found


def write_results(path: Path, results: Results) -> None:
    """A line for each result; curves only of each system's best."""
    parts = []
    for name, listed in results.items():
        curves = {}
        for system in dict.fromkeys(one.system for one in listed):
            least = best([one for one in listed if one.system == system])
            curves[system] = [least.setting, least.curve]
        lines = ",\n".join(f"  {json.dumps(list(asdict(one).values())[:-1])}" for one in listed)
        parts.append(f' {json.dumps(name)}: {{"results": [\n{lines}\n ],\n'
                     f'  "curves": {json.dumps(curves)}}}')  # fmt: skip
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")

"""``python -m benchmarks.bench_recovery``: which rules find the true features in one pass.

Gaussian designs of which 20 in 1,000 features are true, 20,000 events, R² about 0.5; uncorrelated,
and AR(1) with correlation 0.5 between neighbours. Each rule learns a grid of its penalty as lanes
of one learner, in one pass; the yardstick is scikit-learn's batch lasso on the same rows. Reported
is the best F1 over the grid, chosen in hindsight by the mean over the seeds. Nothing is timed.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.designs import Design, learn_dense, sparse_design
from streamlasso import (
    Adaptive,
    DualAveraging,
    Evidence,
    FTRLProximal,
    Newton,
    SoftThreshold,
    TruncatedGradient,
)
from streamlasso.rules import Rule

__all__ = ["BATCH", "CASES", "Case", "Size", "curves", "main", "quality", "table"]

Array = npt.NDArray[Any]
RATE = 0.1  # the step size of all rules that have one


@dataclass(frozen=True)
class Case:
    """A rule as a function of its penalty, and where that penalty is of interest."""

    make: Callable[[float], Rule]
    lowest: float
    highest: float
    unit: str

    def grid(self, points: int) -> list[float]:
        """Values of the penalty in equal ratios."""
        return np.geomspace(self.lowest, self.highest, points).tolist()


@dataclass(frozen=True)
class Size:
    """How much to learn."""

    events: int = 20_000
    features: int = 1_000
    true: int = 20
    points: int = 12
    seeds: int = 3
    noise: float = 3.0
    compiled: bool = True


QUICK = Size(events=300, features=12, true=3, points=4, seeds=1, noise=0.5, compiled=False)

BATCH = "batch lasso (scikit-learn)"
CASES: dict[str, Case] = {
    "FTRL, per event": Case(
        lambda l1: FTRLProximal(alpha=RATE, l1=l1, penalty="per_event"), 0.01, 1, "λ"
    ),
    "FTRL, per event, adaptive": Case(
        lambda l1: FTRLProximal(alpha=RATE, l1=Adaptive(l1), penalty="per_event"), 0.001, 0.3, "λ"
    ),
    "FTRL, total": Case(lambda l1: FTRLProximal(alpha=RATE, l1=l1), 100, 20_000, "λ"),
    "FTRL, total, adaptive": Case(
        lambda l1: FTRLProximal(alpha=RATE, l1=Adaptive(l1)), 10, 5_000, "λ"
    ),
    "FTRL, evidence": Case(
        lambda theta: FTRLProximal(alpha=RATE, l1=Evidence(theta)), 0.5, 20, "θ"
    ),
    "DualAveraging": Case(lambda l1: DualAveraging(learning_rate=RATE, l1=l1), 0.01, 1, "λ"),
    "Newton, evidence": Case(lambda theta: Newton(l1=Evidence(theta)), 0.5, 20, "θ"),
    "SoftThreshold": Case(lambda l1: SoftThreshold(learning_rate=RATE, l1=l1), 0.01, 3, "λ"),
    "TruncatedGradient": Case(
        lambda gravity: TruncatedGradient(learning_rate=RATE, gravity=gravity), 0.01, 3, "G"
    ),
}

CORRELATIONS = (0.0, 0.5)


def quality(weights: Array, support: Array) -> Array:
    """Precision, recall, F1, active features of each row of weights; shape (rows, 4).

    A model without any active feature has precision 1: it claims nothing.
    """
    active = weights != 0
    hits = (active & support).sum(axis=1)
    count, true = active.sum(axis=1), support.sum()
    precision = np.where(count > 0, hits / np.maximum(count, 1), 1.0)
    return np.column_stack([precision, hits / true, 2 * hits / (count + true), count])


def batch(design: Design, points: int) -> tuple[list[float], Array]:
    """The batch lasso's path, from its definition (1/2N)‖y − Xw‖² + λ‖w‖₁."""
    from sklearn.linear_model import lasso_path

    grid = np.geomspace(0.01, 1, points)[::-1]
    _, weights, _ = lasso_path(design.X, design.y - design.y.mean(), alphas=grid, precompute=True)
    return grid[::-1].tolist(), weights.T[::-1]


def curves(size: Size, correlation: float) -> Iterator[tuple[str, list[float], Array]]:
    """For each rule, and the batch lasso first: the grid and the mean quality over the seeds."""
    found: dict[str, tuple[list[float], list[Array]]] = {}
    for seed in range(size.seeds):
        design = sparse_design(size.events, size.features, size.true, correlation, seed, size.noise)
        grid, weights = batch(design, 2 * size.points)
        found.setdefault(BATCH, (grid, []))[1].append(quality(weights, design.support))
        for name, case in CASES.items():
            grid = case.grid(size.points)
            rules = [case.make(value) for value in grid]
            [weights] = learn_dense(rules, design.X, design.y, compiled=size.compiled)
            found.setdefault(name, (grid, []))[1].append(quality(weights, design.support))
    for name, (grid, measured) in found.items():
        yield name, grid, np.mean(measured, axis=0)


Found = dict[float, list[tuple[str, list[float], Array]]]


def table(found: Found) -> list[str]:
    """The lines of the markdown table: each rule where its F1 is best."""
    heads = [f"correlation {rho}: best at | F1 | precision | recall | active" for rho in found]
    lines = [f"| rule | {' | '.join(heads)} |", "|---|" + "---|---:|---:|---:|---:|" * len(found)]
    for of_one_rule in zip(*found.values(), strict=True):
        name = of_one_rule[0][0]
        cells = [name]
        for _, grid, measured in of_one_rule:
            at = int(measured[:, 2].argmax())
            precision, recall, f1, active = measured[at]
            unit = CASES[name].unit if name in CASES else "λ"
            cells += [f"{unit} = {float(f'{grid[at]:.2g}'):,g}", f"{f1:.2f}"]
            cells += [f"{precision:.2f}", f"{recall:.2f}", f"{active:.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def draw(found: Found, folder: Path) -> Path:
    """A panel for each rule: precision and recall over its penalty; both are 1 at best."""
    from benchmarks.drawing import COLOURS, save, sheet

    figure, panels = sheet(2, 5, 12, 5.2, sharey=True)
    for correlation, rows in found.items():
        strong = correlation == max(found)
        for panel, (name, grid, measured) in zip(panels.flat, rows, strict=True):
            for column, part in enumerate(("precision", "recall")):
                panel.plot(
                    grid, measured[:, column], color=COLOURS[column],
                    linestyle="--" if strong else "-", label=f"{part}, correlation {correlation}",
                )  # fmt: skip
            panel.set_xscale("log")
            panel.set_title(name.removesuffix(" (scikit-learn)"), fontsize=10)
            panel.set_xlabel(CASES[name].unit if name in CASES else "λ", fontsize=9)
    panels[0, 0].set_ylim(0, 1.03)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9, frameon=False)
    return save(figure, folder, "recovery")


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and draw it where a folder is given."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bench_recovery", description=__doc__
    )
    parser.add_argument("--quick", action="store_true", help="a tiny problem, not compiled")
    parser.add_argument("-o", type=Path, metavar="FOLDER", help="folder for the picture")
    chosen = parser.parse_args(arguments)
    size = QUICK if chosen.quick else Size()
    found = {correlation: list(curves(size, correlation)) for correlation in CORRELATIONS}
    print("\n".join(table(found)))
    if chosen.o is not None:
        draw(found, chosen.o)
    return 0


if __name__ == "__main__":
    sys.exit(main())

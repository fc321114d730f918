"""``python -m benchmarks.plot_choosing -o docs/plots``: the pictures of docs/choosing.md.

Seeded problems; with each picture the figures that its caption claims. Nothing is timed.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import choosing
from benchmarks.choosing import NAMES, TRUE, Effort
from benchmarks.drawing import COLOURS, GREY, save, sheet

__all__ = ["PICTURES", "QUICK", "main"]

QUICK = Effort(events=80, repeats=2, passes=2, compiled=False)
Claims = list[tuple[str, str]]


def _place(entry: tuple[Any, str]) -> int:
    """True features come first, in their order; all else stays."""
    return list(TRUE).index(entry[1]) if entry[1] in TRUE else len(TRUE)


def _legend(figure: Any, panel: Any, columns: int) -> None:
    handles, labels = panel.get_legend_handles_labels()
    handles, labels = zip(*sorted(zip(handles, labels, strict=True), key=_place), strict=True)
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, fontsize=9, frameon=False
    )


def penalties(effort: Effort, folder: Path | None) -> Claims:
    """Weights over time under each penalty."""
    marks, found = choosing.over_time(effort)
    claims = []
    figure, panels = sheet(2, 4, 12, 5.4, sharex=True, sharey=True)
    for panel, (name, weights) in zip(panels.flat, found.items(), strict=True):
        for j in reversed(range(len(NAMES))):
            true = NAMES[j] in TRUE
            colour = COLOURS[list(TRUE).index(NAMES[j])] if true else GREY
            label = NAMES[j] if true else "eight of noise" if j == len(TRUE) else None
            panel.plot(marks, weights[:, j], color=colour, linewidth=1.8 if true else 0.9,
                       label=label, zorder=2 + true)  # fmt: skip
        active = weights[-1] != 0
        noise = int(active[len(TRUE) :].sum())
        claims.append((name, f"{active[: len(TRUE)].sum()} true and {noise} noise active"))
        panel.set_title(name, fontsize=10)
    for panel in panels[-1]:
        panel.set_xlabel("events", fontsize=9)
    for panel in panels[:, 0]:
        panel.set_ylabel("weight", fontsize=9)
    _legend(figure, panels[0, 0], 5)
    return _saved(figure, folder, "penalties", claims)


def solvers(effort: Effort, folder: Path | None) -> Claims:
    """Objective and non-zeros over passes."""
    passes, found = choosing.over_passes(effort)
    claims = []
    figure, panels = sheet(1, 2, 9, 3.6)
    left, right = panels[0]
    for (name, (excess, active)), colour in zip(found.items(), COLOURS, strict=False):
        # The subgradient's line lies on the proximal one: dashed and on top, both are seen.
        style = {"color": colour, "marker": "o", "markersize": 3}
        style |= {"linestyle": ":", "zorder": 5} if name == "subgradient" else {}
        left.plot(passes, np.maximum(excess, 1e-7), label=name, **style)
        right.plot(passes, active, **style)
        claims.append((name, f"{max(excess[-1], 0.0):.1e} above the optimum, {active[-1]} of 50"))
    left.set_yscale("log")
    for panel, title in ((left, "objective above the optimum, relative"), (right, "non-zeros")):
        panel.set(xscale="log")
        panel.set_title(title, fontsize=10)
        panel.set_xlabel("passes over 400 events", fontsize=9)
    right.set_ylim(0, 52)
    _legend(figure, left, 4)
    return _saved(figure, folder, "solvers", claims)


def twins(effort: Effort, folder: Path | None) -> Claims:
    """Which of two correlated features is chosen."""
    found = choosing.twins(effort)
    claims = []
    figure, panels = sheet(1, len(found), 12, 3.1, sharex=True, sharey=True)
    for panel, (name, pairs) in zip(panels.flat, found.items(), strict=True):
        first, second = pairs.T
        panel.scatter(first, second, s=14, color=COLOURS[0], alpha=0.5, linewidth=0)
        panel.plot([0.4], [0.4], "x", color=COLOURS[1], markersize=9, markeredgewidth=2)
        panel.set_title(name, fontsize=10)
        panel.set_xlabel("weight of twin A", fontsize=9)
        only = int(((first == 0) != (second == 0)).sum())
        gap = float(np.abs(first - second).mean())
        larger = int((first > second).sum())
        claims.append((name, f"A larger in {larger}, only one in {only} of {len(pairs)}; "
                             f"apart by {gap:.2f} on average"))  # fmt: skip
    panels[0, 0].set_ylabel("weight of twin B", fontsize=9)
    return _saved(figure, folder, "twins", claims)


def shrinkage(effort: Effort, folder: Path | None) -> Claims:
    """Reported weights against true ones."""
    true, found = choosing.shrinkage(effort)
    claims = []
    figure, panels = sheet(1, len(found), 9, 3.4, sharex=True, sharey=True)
    chosen = true != 0
    for panel, (name, weights) in zip(panels.flat, found.items(), strict=True):
        panel.plot([-1, 1], [-1, 1], color=GREY, linewidth=1)
        panel.plot(true, weights, "o", markersize=4, color=COLOURS[0])
        panel.set_title(name, fontsize=10)
        panel.set_xlabel("true weight", fontsize=9)
        kept = chosen & (weights != 0)
        bias = float((np.abs(weights) - np.abs(true))[kept].mean()) if kept.any() else 0.0
        claims.append((name, f"{bias:+.3f} on average in absolute size"))
    panels[0, 0].set_ylabel("reported", fontsize=9)
    return _saved(figure, folder, "shrinkage", claims)


def stability(effort: Effort, folder: Path | None) -> Claims:
    """How often each feature is selected over bootstrap samples."""
    true, found = choosing.stability(effort)
    claims = []
    figure, panels = sheet(1, len(found), 9, 3.6, sharey=True)
    for panel, (name, shares) in zip(panels.flat, found.items(), strict=True):
        order = np.lexsort((-shares, true == 0))
        colours = [COLOURS[0] if true[j] else GREY for j in order]
        panel.bar(np.arange(len(order)), shares[order], color=colours, width=0.8)
        panel.axhline(0.9, color=COLOURS[1], linewidth=1, linestyle="--")
        panel.set_title(name, fontsize=10)
        panel.set_xlabel("8 true features, 22 of noise", fontsize=9)
        panel.set_xticks([])
        count = shares @ np.ones(len(shares)) - shares[true != 0].sum()
        often = [int((shares[mask] >= 0.9).sum()) for mask in (true != 0, true == 0)]
        claims.append((name, f"{count:.1f} of noise a sample; in 90 % of samples "
                             f"{often[0]} true, {often[1]} of noise"))  # fmt: skip
    panels[0, 0].set_ylabel("share of samples that select it", fontsize=9)
    return _saved(figure, folder, "stability", claims)


def _saved(figure: Any, folder: Path | None, name: str, claims: Claims) -> Claims:
    if folder is not None:
        save(figure, folder, name)
    return claims


PICTURES = {
    "penalties": penalties,
    "solvers": solvers,
    "twins": twins,
    "shrinkage": shrinkage,
    "stability": stability,
}


def main(arguments: list[str] | None = None) -> int:
    """Draw all pictures, print what they show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plot_choosing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny problems, not compiled")
    parser.add_argument("-o", type=Path, metavar="FOLDER", help="folder for the pictures")
    chosen = parser.parse_args(arguments)
    print("| picture | what | shows |\n|---|---|---|")
    for picture, draw in PICTURES.items():
        for name, shows in draw(QUICK if chosen.quick else Effort(), chosen.o):
            print(f"| {picture} | {name} | {shows} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())

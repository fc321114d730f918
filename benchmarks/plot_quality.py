"""``python -m benchmarks.plot_quality -o docs/plots``: the pictures of docs/quality.md.

From what `benchmarks.bench_quality` kept; nothing is learned. *quality_events*: progressive loss
against the number of events, the best setting of each peer and ours. *quality_sparsity*: loss
against active features, every setting of the peers a point, ours a curve over its levels.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.bench_quality import OUR_RESULTS, by_system
from benchmarks.drawing import COLOURS, GREY, save, sheet
from benchmarks.quality_peers import PEER_RESULTS, PEERS
from benchmarks.quality_score import Results, read_results
from benchmarks.quality_sets import GROUPS

__all__ = ["draw_events", "draw_sparsity", "main"]

EVENTS = ("imdb", "criteo", "amazon", "elec2", "airlines", "kddcup99", "bike", "news20")
SPARSITY = ("imdb", "a9a", "criteo", "amazon", "airlines", "kddcup99")
OURS = {"full": "ours, full", "served": "ours, served"}
STYLE = {**dict(zip(PEERS, (GREY, COLOURS[4], COLOURS[3]), strict=True)),
         "full": COLOURS[5], "served": COLOURS[0]}  # fmt: skip


def unit(name: str) -> str:
    """What the loss of a set is."""
    return "RMSE" if name in GROUPS["Regression"] else "log loss"


def legend(figure: Any, panels: Any) -> None:
    """Each label once, below all panels."""
    found: dict[str, Any] = {}
    for panel in panels.flat:
        handles, labels = panel.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=len(found),
                  fontsize=9, frameon=False)  # fmt: skip


def draw_events(peers: Results, our: Results, folder: Path) -> Path:
    """Progressive loss up to each number of events."""
    figure, panels = sheet(2, 4, 13, 6)
    for panel, name in zip(panels.flat, EVENTS, strict=True):
        ends = []
        for system, one in by_system(peers.get(name, []) + our.get(name, [])).items():
            if one.curve is None or system not in STYLE:
                continue
            rows, means = zip(*one.curve, strict=True)
            label = OURS.get(system, f"{system}, best setting")
            panel.plot(rows, means, color=STYLE[system], label=label)
            ends.append(means[-1])
            ends += [mean for row, mean in one.curve if row > rows[-1] / 50]
        if ends:
            margin = 0.05 * (max(ends) - min(ends))
            panel.set_ylim(min(ends) - margin, max(ends) + margin)
        panel.set_xscale("log")
        panel.set_title(f"{name}: {unit(name)}", fontsize=10)
    for panel in panels[-1]:
        panel.set_xlabel("events", fontsize=9)
    legend(figure, panels)
    return save(figure, folder, "quality_events")


def draw_sparsity(peers: Results, our: Results, folder: Path) -> Path:
    """Loss against active features; settings much worse than the best are left out."""
    figure, panels = sheet(2, 3, 12, 6.5)
    for panel, name in zip(panels.flat, SPARSITY, strict=True):
        listed = [one for one in peers.get(name, []) if one.active]
        own = our.get(name, [])
        if not listed:
            continue
        least = min(one.loss for one in listed + own)
        most = least + 0.6 * (min(one.loss for one in listed) - least) + 0.35 * least
        for system in PEERS:
            points = [one for one in listed if one.system == system and one.loss < most]
            if points:
                panel.plot([one.active for one in points], [one.loss for one in points], ".",
                           color=STYLE[system], label=f"{system}, all settings")  # fmt: skip
        path = sorted((one.active, one.loss) for one in own if one.system == "level" and one.active)
        if path:
            panel.plot(*zip(*path, strict=True), "-", color=STYLE["full"], label="ours, levels")
        for one in own:
            if one.system == "served":
                panel.plot(
                    [one.active], [one.loss], "o", color=STYLE["served"], label="ours, served"
                )
        panel.set_xscale("log")
        panel.set_title(f"{name}: log loss", fontsize=10)
    for panel in panels[-1]:
        panel.set_xlabel("active features", fontsize=9)
    legend(figure, panels)
    return save(figure, folder, "quality_sparsity")


def main(arguments: list[str] | None = None) -> int:
    """Draw both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plot_quality", description=__doc__)
    parser.add_argument("-o", type=Path, metavar="FOLDER", required=True)
    folder = parser.parse_args(arguments).o
    peers, our = read_results(PEER_RESULTS), read_results(OUR_RESULTS)
    for draw in (draw_events, draw_sparsity):
        print(draw(peers, our, folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())

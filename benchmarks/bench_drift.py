"""``python -m benchmarks.bench_drift``: what forgetting is worth where the world changes.

Two real streams in the order of time, one pass, every event predicted before it is learned. The
same events go to every learner; one setting for both streams. Ours divide values by their size
(``scale="rms-max"``). A *leader* is chosen while learning, by its recent loss. Nothing is timed.
"""

import argparse
import csv
import gzip
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.drift_peers import PEERS
from streamlasso import (
    DualAveraging,
    FTRLProximal,
    GrowingIndex,
    Learner,
    Newton,
    SoftThreshold,
)
from streamlasso.encoding import RowEncoder
from streamlasso.grid import expand
from streamlasso.rules import Rule
from streamlasso.stack import StackLearner

__all__ = ["DATA", "HALF_LIVES", "OURS", "Stream", "airlines", "elec2", "main", "ours", "table"]

Array = npt.NDArray[Any]
Event = tuple[dict[str, Any], int]

HALF_LIVES = (300, 1_000, 3_000, 10_000)
QUICK_EVENTS = 300
RATES = (0.1, 0.3, 1.0)
EVERY = {"half_life": [*HALF_LIVES, float("inf")]}
HEADER = "| learner | forgetting | elec2: log loss | accuracy | airlines: log loss | accuracy |"

# What is known before departure.
NAMES = ("Year", "Month", "DayofMonth", "DayOfWeek", "UniqueCarrier", "FlightNum", "Origin", "Dest")
NUMBERS = ("CRSDepTime", "CRSArrTime", "Distance", "CRSElapsedTime")


def elec2(folder: Path) -> Iterator[Event]:
    """Electricity price up or down, half-hourly: day of the week as a name, no date."""
    with gzip.open(folder / "elec2.csv.gz", "rt", encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            target = int(row.pop("class") == "UP")
            del row["date"]
            day = row.pop("day")
            yield {"day": day, **{name: float(text) for name, text in row.items()}}, target


def airlines(folder: Path) -> Iterator[Event]:
    """Flights that depart late, 2,000 a year from 1987 to 2008."""
    with gzip.open(folder / "airlines_1987_2008.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            event: dict[str, Any] = {name: row[name] for name in NAMES if row[name] != "NA"}
            event |= {name: float(row[name]) for name in NUMBERS if row[name] != "NA"}
            yield event, int(row["IsDepDelayed"] == "YES")


DATA: dict[str, Callable[[Path], Iterator[Event]]] = {"elec2": elec2, "airlines": airlines}

OURS: dict[str, tuple[Rule, Mapping[str, Any]]] = {
    "FTRL": (FTRLProximal(), {}),
    "FTRL, leader of three α": (FTRLProximal(), {"alpha": RATES}),
    "DualAveraging": (DualAveraging(), {}),
    "Newton": (Newton(), {}),
    "SoftThreshold": (SoftThreshold(), {}),
}


@dataclass
class Stream:
    """Events, and the same as rows of arrays."""

    events: list[Event]

    def __post_init__(self) -> None:
        self.index = GrowingIndex()
        encoder = RowEncoder(self.index, "float64")
        self.rows = encoder.encode_rows([event for event, _ in self.events], allocate=True)
        self.targets = np.array([float(target) for _, target in self.events])

    def scores(self, rules: Any, *, select: str | None = None, compiled: bool = True) -> Array:
        """Each event's score from before it was learned, one column for each of several rules."""
        learner = Learner(
            rules, "logistic", self.index, scale="rms-max", select=select, compiled=compiled
        )
        return learner.learn_rows(*self.rows, self.targets)

    def losses(self, scores: Array) -> Array:
        """Log loss of each event."""
        return np.logaddexp(0.0, scores * (1.0 - 2.0 * self.targets))

    def measured(self, scores: Array) -> tuple[float, float]:
        """Progressive log loss and accuracy."""
        loss = float(self.losses(scores).mean())
        return loss, float(((scores > 0) == (self.targets > 0)).mean())


Measured = dict[tuple[str, str], tuple[float, float]]


def ours(stream: Stream, *, compiled: bool = True) -> Measured:
    """(learner, forgetting) → log loss and accuracy."""
    stack = StackLearner("logistic", stream.index, compiled=compiled)
    found: Measured = {
        ("no rule", ""): stream.measured(stack.learn_rows(*stream.rows, stream.targets))
    }
    for name, (rule, grid) in OURS.items():
        how = {"select": "leader" if grid else None, "compiled": compiled}
        found[name, "none"] = stream.measured(stream.scores(expand(rule, grid), **how))
        if not grid:
            lanes = stream.scores(expand(rule, {"half_life": HALF_LIVES}), compiled=compiled)
            for lane, half_life in enumerate(HALF_LIVES):
                found[name, f"{half_life:,} events"] = stream.measured(lanes[:, lane])
        led = stream.scores(expand(rule, {**grid, **EVERY}), select="leader", compiled=compiled)
        found[name, "leader"] = stream.measured(led)
    return found


def peers(stream: Stream) -> Measured:
    """The same of others with their defaults, and of the guess that nothing changes."""
    again = np.append(0.0, stream.targets[:-1]) == stream.targets
    found: Measured = {("the last label again", ""): (float("nan"), float(again.mean()))}
    for name, run in PEERS.items():
        found[name, ""] = stream.measured(run(stream.events))
    return found


def table(found: Mapping[str, Measured]) -> list[str]:
    """The lines of the markdown table; a data set that is not there has empty cells."""
    lines = [HEADER, "|---|---|" + "---:|" * 4]
    for key in next(iter(found.values()), {}):
        cells = list(key)
        for data in DATA:
            loss, accuracy = found[data][key] if data in found else (float("nan"),) * 2
            cells += ["" if np.isnan(loss) else f"{loss:.4f}"]
            cells += ["" if np.isnan(accuracy) else f"{100 * accuracy:.1f} %"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def draw(streams: Mapping[str, Stream], folder: Path, window: int = 2_000) -> Path:
    """Log loss over the last 2,000 events, with forgetting and without."""
    from benchmarks.drawing import COLOURS, GREY, save, sheet

    figure, panels = sheet(len(streams), 1, 9, 5.5)
    rule, grid = OURS["FTRL, leader of three α"]
    for panel, (name, stream) in zip(panels.flat, streams.items(), strict=True):
        vowpal = PEERS["VowpalWabbit"](stream.events)
        none = stream.scores(expand(rule, grid), select="leader")
        led = stream.scores(expand(rule, {**grid, **EVERY}), select="leader")
        curves = {"VowpalWabbit, defaults": vowpal, "FTRL": none, "FTRL with half_life": led}
        for (label, scores), colour in zip(curves.items(), [GREY, *COLOURS], strict=False):
            mean = np.convolve(stream.losses(scores), np.ones(window) / window, "valid")
            at = np.arange(window, window + len(mean))
            panel.plot(at[::100], mean[::100], color=colour, label=label)
        panel.set_title(f"{name}: log loss over the last {window:,} events", fontsize=10)
        panel.set_xlim(0, len(stream.events))
    panels[-1, 0].set_xlabel("events", fontsize=9)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    return save(figure, folder, "drift")


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and draw it where a folder is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_drift", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the data sets (default: $STREAM_DATA)")
    parser.add_argument("--quick", action="store_true", help="a few events of each, not compiled")
    parser.add_argument("-o", type=Path, metavar="FOLDER", help="folder for the picture")
    chosen = parser.parse_args(arguments)
    folder = chosen.data or os.environ.get("STREAM_DATA")
    if folder is None:
        parser.error("no data: set STREAM_DATA or give --data FOLDER")
    streams, found = {}, {}
    for name, read in DATA.items():
        try:
            events = list(islice(read(Path(folder)), QUICK_EVENTS if chosen.quick else None))
        except OSError as error:
            print(f"{name} skipped: {error.strerror}: {error.filename}", file=sys.stderr)
            continue
        streams[name] = stream = Stream(events)
        found[name] = {**peers(stream), **ours(stream, compiled=not chosen.quick)}
    print("\n".join(table(found)))
    if chosen.o is not None and streams:
        draw(streams, chosen.o)
    return 0


if __name__ == "__main__":
    sys.exit(main())

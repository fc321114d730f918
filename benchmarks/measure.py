"""The clock: all entries of a case take turns, so that a drift of the machine meets every one.

The order within a turn is drawn anew each time, from a seed: what ran before an entry matters (the
memory it gave back, the caches it left), so in a fixed order the same one would always pay.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.cases import Case, Entry, Pair

Made = TypeVar("Made")

__all__ = ["Result", "measure", "wall_seconds"]


@dataclass(frozen=True)
class Result:
    """Seconds of each entry in each round."""

    case: Case
    seconds: Mapping[str, list[float]]

    def ratios(self, pair: Pair) -> list[float]:
        """time(peer) / time(ours) of each round: how many times as fast ours is."""
        ours, peer = self.seconds[pair.ours], self.seconds[pair.peer]
        return [b / a for a, b in zip(ours, peer, strict=True)]

    def ratio(self, pair: Pair) -> float:
        """The median of `ratios`."""
        return statistics.median(self.ratios(pair))

    def pairs(self) -> list[Pair]:
        """The pairs of which both were measured."""
        return [pair for pair in self.case.pairs if {pair.ours, pair.peer} <= set(self.seconds)]

    def missing(self) -> list[str]:
        """Entries that are not installed."""
        return [name for name in self.case.entries if name not in self.seconds]


def measure(case: Case, repeat: int) -> Result:
    """Run every entry ``repeat`` times in turns, after one turn that is not counted."""
    entries = {name: entry for name, entry in case.entries.items() if entry.available}
    seconds: dict[str, list[float]] = {name: [] for name in entries}
    order = list(entries)
    shuffle = random.Random(1).shuffle
    for turn in range(repeat + 1):
        shuffle(order)
        for name in order:
            elapsed = _time(entries[name])
            if turn:
                seconds[name].append(elapsed)
    return Result(case, seconds)


def _time(entry: Entry) -> float:
    elapsed, made = wall_seconds(entry.prepare())
    del made  # kept until here, so that taking a model apart is not on the clock
    return elapsed


def wall_seconds(run: Callable[[], Made]) -> tuple[float, Made]:
    """How long it takes, and what it makes."""
    gc.collect()
    begin = time.perf_counter()
    made = run()
    return time.perf_counter() - begin, made

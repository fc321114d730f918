"""``python -m benchmarks.bench_files``: from a file to a model, whole processes against each other.

Everybody reads the same simulated clicks, 39 strings an event, as VowpalWabbit's text or as JSON
lines, in a process of its own: start-up, reading, parsing, hashing and learning are all on the
clock. Entries take turns in a seeded random order. What starting costs is measured on a file of one
event and shown apart. VowpalWabbit and we have the same algorithm with the same settings and as
many bits, each with its own hash, so the progressive losses have to agree to three decimals.

river learns from parsed dicts; at its pace the first events are enough, without its start-up.
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import wall_seconds
from benchmarks.peers import VW_FTRL, river_file
from benchmarks.report import machine
from benchmarks.workloads import FIELDS, WORKLOADS, ClickLog

__all__ = ["Contest", "contests", "main"]

FULL, QUICK = "clicks-2m-39-22b/1", "clicks-30k-39-22b/1"
RIVER_EVENTS = 5_000
LOSS = re.compile(r"^average loss = (\S+)", re.MULTILINE)
# One thread less for everybody would be another question: each may use both cores.
OURS = (
    "learn --quiet --json --rule ftrl --index hashing:{bits} --set alpha=0.1 --set beta=1 "
    "--set l1=1 --set model.fit_intercept=false --set event.target=_label"
)


@dataclass(frozen=True)
class Contest:
    """Ours and a peer over one file; both return the progressive loss, None if not comparable."""

    title: str
    events: int
    ours: Callable[[], float | None]
    peer: Callable[[], float | None]
    ours_start: Callable[[], float | None]
    peer_start: Callable[[], float | None]
    goal: float
    peer_events: int
    """How many events the peer reads, of as many as there are."""


def streamlasso(path: Path, bits: int) -> float:
    """A new process of the command line; the progressive loss that it prints."""
    command = [sys.executable, "-m", "streamlasso_service", *OURS.format(bits=bits).split()]
    told = subprocess.run([*command, str(path)], check=True, capture_output=True, text=True)
    return float(json.loads(told.stdout)["progressive_loss"])


def vowpal(path: Path, bits: int, *options: str) -> float:
    """A new process of the package's command line; the average loss that it prints."""
    settings = VW_FTRL.format(bits=bits).replace("--quiet ", "").split()
    command = [sys.executable, "-m", "vowpalwabbit", "-d", str(path), *settings, *options]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    found = LOSS.search(told.stderr + told.stdout)
    if found is None:
        raise ValueError(f"no average loss in what VowpalWabbit says: {told.stderr[-500:]}")
    return float(found[1])


def write_json(log: ClickLog, path: Path) -> Path:
    """The log as JSON lines, ``{"_label":1,"n1":"a4",…}``, for VowpalWabbit's ``--json`` too."""
    middle = [f'","{name}":"a' for name in FIELDS]
    middle[0] = middle[0].removeprefix('",')
    with path.open("w", encoding="ascii") as file:
        for row, click in zip(log.ids.tolist(), log.clicks.tolist(), strict=True):
            label = 1 if click else -1
            cells = "".join(map("{}{}".format, middle, row))
            file.write(f'{{"_label":{label},{cells}"}}\n')
    return path


def _files(log: ClickLog, folder: Path) -> dict[str, Path]:
    """The log as text and as JSON lines, and the first event of each; kept if they are there."""
    found = {}
    for name, write in (
        ("clicks.vw", log.write_vw),
        ("clicks.jsonl", lambda p: write_json(log, p)),
    ):
        path = folder / f"{len(log)}-{name}"
        if not path.exists():
            write(path.with_suffix(".part")).rename(path)
        one = folder / f"one-{name}"
        with path.open("rb") as file:
            one.write_bytes(file.readline())
        found |= {name: path, f"one {name}": one}
    return found


def contests(log: ClickLog, folder: Path) -> list[Contest]:
    """The three, in the order of the table."""
    files, bits, rows = _files(log, folder), log.bits, len(log)
    text, lines = files["clicks.vw"], files["clicks.jsonl"]
    first_text, first_line = files["one clicks.vw"], files["one clicks.jsonl"]
    return [
        Contest(
            "VW text file, against VowpalWabbit", rows,
            lambda: streamlasso(text, bits), lambda: vowpal(text, bits),
            lambda: streamlasso(first_text, bits), lambda: vowpal(first_text, bits), 2.5, rows,
        ),
        Contest(
            "JSON lines, against VowpalWabbit --json", rows,
            lambda: streamlasso(lines, bits), lambda: vowpal(lines, bits, "--json"),
            lambda: streamlasso(first_line, bits), lambda: vowpal(first_line, bits, "--json"),
            4.0, rows,
        ),
        Contest(
            "JSON lines, against orjson + river FTRL", rows,
            lambda: streamlasso(lines, bits), lambda: river_file(lines, RIVER_EVENTS),
            lambda: streamlasso(first_line, bits), lambda: None, 50.0, min(rows, RIVER_EVENTS),
        ),
    ]  # fmt: skip


def measure(contest: Contest, rounds: int) -> dict[str, Any]:
    """Seconds of each entry in each round, the losses, and the ratios of events a second."""
    entries = {
        "ours": contest.ours, "peer": contest.peer,
        "ours_start": contest.ours_start, "peer_start": contest.peer_start,
    }  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in entries}
    losses: dict[str, float | None] = {}
    order = list(entries)
    shuffle = random.Random(1).shuffle
    for turn in range(rounds + 1):  # the first one fills the file cache and is not counted
        shuffle(order)
        for name in order:
            elapsed, losses[name] = wall_seconds(entries[name])
            if turn:
                seconds[name].append(elapsed)
    share = contest.events / contest.peer_events
    pairs = zip(seconds["ours"], seconds["peer"], strict=True)
    ratios = [share * peer / ours for ours, peer in pairs]
    told = {name: getattr(contest, name) for name in ("title", "events", "peer_events", "goal")}
    return told | {"seconds": seconds, "losses": losses, "ratios": ratios}


def _cell(seconds: Sequence[float], events: int) -> str:
    middle = statistics.median(seconds)
    return (
        f"{middle:.2f} ({min(seconds):.2f}–{max(seconds):.2f}) s, "
        f"{events / middle / 1e3:,.0f}k events/s"
    )


def table(results: Sequence[dict[str, Any]]) -> str:
    """Markdown, a line for each contest."""
    lines = [
        "| file → model | events | ours | start-up | peer | start-up | times as fast | goal "
        "| progressive loss, ours and peer |",
        "|---|---:|---|---:|---|---:|---:|---|---|",
    ]
    for one in results:
        ratios, seconds, losses = one["ratios"], one["seconds"], one["losses"]
        middle = statistics.median(ratios)
        starts = [statistics.median(seconds[name]) for name in ("ours_start", "peer_start")]
        peer_loss = losses["peer"]
        agreed = "" if peer_loss is None else f"{losses['ours']:.5f}, {peer_loss:.5f}"
        verdict = f"≥ {one['goal']:g}: {'met' if middle >= one['goal'] else 'missed'}"
        lines.append(
            f"| {one['title']} | {one['events']:,} | {_cell(seconds['ours'], one['events'])} "
            f"| {starts[0]:.2f} s | {_cell(seconds['peer'], one['peer_events'])} "
            f"| {starts[1]:.2f} s | {middle:.2f} ({min(ratios):.2f}–{max(ratios):.2f}) "
            f"| {verdict} | {agreed} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; the exit status says whether the losses agree, speed is only reported."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_files", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"a try-out on {QUICK}, 1 round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="keep the written files here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every time here")
    chosen = parser.parse_args(arguments)
    log = WORKLOADS[QUICK if chosen.quick else FULL].load()
    print(f"{machine()}, {os.cpu_count()} cores.\n", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.folder or Path(scratch)
        begun = time.perf_counter()
        made = contests(log, folder)
        print(f"files written in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        results = [measure(one, 1 if chosen.quick else chosen.rounds) for one in made]
    print(table(results))
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    losses = [one["losses"] for one in results if one["losses"]["peer"] is not None]
    return 0 if all(abs(one["ours"] - one["peer"]) < 5e-4 for one in losses) else 1


if __name__ == "__main__":
    sys.exit(main())

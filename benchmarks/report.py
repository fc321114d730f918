"""The tables, in Markdown, and the same figures as plain data."""

import os
import platform
import statistics
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.agreement import Agreement
from benchmarks.measure import Result

__all__ = ["agreement_table", "as_data", "machine", "result_table"]

PACKAGES = ("numpy", "numba", "river", "scikit-learn", "vowpalwabbit")
HEAD = ("case", "ours", "median (min–max)", "peer", "median (min–max)", "times as fast", "goal")


def machine() -> str:
    """Processor, system and versions, in one line."""
    parts = [f"{os.cpu_count()} × {_processor()}", f"{platform.system()} {platform.machine()}"]
    parts.append(f"Python {platform.python_version()}")
    for package in PACKAGES:
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            parts.append(f"no {package}")
    return ", ".join(parts)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown processor"


def _speed(result: Result, name: str) -> str:
    """Median and spread in the unit of the case; the fastest round is the highest rate."""
    seconds, events = result.seconds[name], result.case.events
    each = statistics.median(seconds), min(seconds), max(seconds)
    if result.case.unit == "rows/s":
        middle, low, high = (events / each[i] / 1e3 for i in (0, 2, 1))
        return f"{middle:,.0f}k ({low:,.0f}–{high:,.0f}k) {result.case.unit}"
    middle, low, high = (1e6 * one / events for one in each)
    return f"{middle:.1f} ({low:.1f}–{high:.1f}) {result.case.unit}"


def _verdict(ratios: Sequence[float], goal: float | None) -> str:
    """By the median; the rounds that reach the goal show how safely."""
    if goal is None:
        return ""
    met = statistics.median(ratios) >= goal
    reached = sum(ratio >= goal for ratio in ratios)
    return f"≥ {goal:g}: {'met' if met else 'missed'}, {reached} of {len(ratios)} rounds"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines
    )


def result_table(results: Sequence[Result]) -> str:
    """One line per pair."""
    return _table(HEAD, (line for result in results for line in _lines(result)))


def _lines(result: Result) -> Iterator[Sequence[str]]:
    title = result.case.title
    for pair in result.pairs():
        ratios = result.ratios(pair)
        yield (
            title,
            pair.ours,
            _speed(result, pair.ours),
            pair.peer,
            _speed(result, pair.peer),
            f"{result.ratio(pair):.2f} ({min(ratios):.2f}–{max(ratios):.2f})",
            _verdict(ratios, pair.goal),
        )
        title = ""


def agreement_table(agreements: Sequence[Agreement]) -> str:
    """One line per figure that ours and a peer must share."""
    head = ("same algorithm, mean log loss", "ours", "peer", "equal to")
    rows = (
        (
            one.what,
            f"{one.ours:.7f}",
            f"{one.peer:.7f}",
            f"{one.decimals} decimals: {'yes' if one.met else 'NO'}",
        )
        for one in agreements
    )
    return _table(head, rows)


def as_data(workload: str, results: Sequence[Result], agreements: Sequence[Agreement]) -> Any:
    """Everything that was measured, for `json`."""
    return {
        "machine": machine(),
        "workload": workload,
        "cases": [
            {
                "case": result.case.title,
                "events": result.case.events,
                "seconds": dict(result.seconds),
                "pairs": [
                    {"ours": p.ours, "peer": p.peer, "ratio": result.ratio(p), "goal": p.goal}
                    for p in result.pairs()
                ],
            }
            for result in results
        ],
        "agreements": [
            {"what": a.what, "ours": a.ours, "peer": a.peer, "decimals": a.decimals, "met": a.met}
            for a in agreements
        ],
    }

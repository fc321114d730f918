"""``streamlasso demo``: the whole service on an embedded source, watched in the terminal."""

import math
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streamlasso_service.config import Settings, load_settings
from streamlasso_service.consumer import Consumer
from streamlasso_service.service import make_source, serve
from streamlasso_service.simulate import (
    DATASETS,
    EmbeddedSource,
    dataset_events,
    simulated_clicks,
)
from streamlasso_service.source import Source
from streamlasso_service.status import Status

__all__ = ["run_demo"]

SIMULATED = "simulated clicks"
REFRESH_S = 0.25
PLAIN_REFRESH_S = 2.0


def run_demo(
    seconds: float | None,
    data: str | None,
    dataset: str | None,
    rate: float,
    port: int | None,
    flags: Mapping[str, Any],
) -> None:
    """Learn from a stream for a while, show it, and sum up."""
    folder = Path(tempfile.gettempdir()) / "streamlasso-demo"
    shutil.rmtree(folder, ignore_errors=True)
    defaults: dict[str, Any] = {
        "model": {"name": "demo"},
        "file": {"paths": [data or SIMULATED]},
        "snapshot": {"directory": folder},
        "http": {"port": 9108 if port is None else port},
        "limits": {"batch_events": 1000},
    }
    settings = load_settings(None, _merged(defaults, flags))
    view = _View(_title(data, dataset), settings, seconds)
    try:
        consumer = serve(
            settings,
            source=_source(settings, data, dataset, rate),
            started=view.started,
            after_batch=view.after_batch,
        )
    except OSError as error:
        if port is not None or "http.port" not in str(error):
            raise
        # Someone else has the usual port: a try-out takes any.
        return run_demo(seconds, data, dataset, rate, 0, flags)
    finally:
        view.close()
    view.summary(consumer, folder)
    return None


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _title(data: str | None, dataset: str | None) -> str:
    if data is not None:
        return f"your file {data}"
    if dataset is not None:
        return f"river's data set {DATASETS[dataset]}"
    return "a simulated click stream (seeded, 52,500 names, about 150 matter, they drift)"


def _source(settings: Settings, data: str | None, dataset: str | None, rate: float) -> Source:
    if data is not None:
        return make_source(settings)
    pace = rate or math.inf
    if dataset is not None:
        return EmbeddedSource(dataset, dataset_events(dataset), pace)
    return EmbeddedSource(SIMULATED, simulated_clicks(), pace)


class _View:
    """The live picture: a table on a terminal, a line every two seconds elsewhere."""

    def __init__(self, title: str, settings: Settings, seconds: float | None) -> None:
        self._title = title
        self._settings = settings
        self._seconds = seconds
        self._console = Console(highlight=False)
        self._live: Live | None = None
        self._consumer: Consumer | None = None
        self._begun = self._shown = 0.0

    def started(self, consumer: Consumer, address: str | None) -> None:
        """Say what is about to happen and where to look."""
        self._consumer = consumer
        learning = self._settings.model
        print_ = self._console.print
        print_(f"Learning from {self._title}")
        print_(f"  rule {learning.rule}, loss {consumer.model.learner.loss.name}")
        if address:
            print_(f"  page     {address}/")
            print_(f"  metrics  {address}/metrics")
        print_("  the first run compiles the kernels: a few seconds; stop with Ctrl-C\n")
        self._begun = time.monotonic()

    def after_batch(self) -> None:
        """Refresh the picture; stop when the time is up."""
        assert self._consumer is not None
        now = time.monotonic()
        if not self._shown:
            self._begun = now
            if self._console.is_terminal:
                self._live = Live(console=self._console, auto_refresh=False)
                self._live.start()
        if self._seconds is not None and now - self._begun >= self._seconds:
            self._consumer.stop()
        if now - self._shown < (REFRESH_S if self._live else PLAIN_REFRESH_S):
            return
        self._shown = now
        status = self._consumer.reporter.status
        if self._live:
            self._live.update(_picture(status), refresh=True)
        elif status.events:
            print(_line(status), flush=True)

    def close(self) -> None:
        """Give the terminal back."""
        if self._live:
            self._live.stop()

    def summary(self, consumer: Consumer, folder: Path) -> None:
        """What was learned, and what to try next."""
        status = consumer.reporter.status
        elapsed = max(time.monotonic() - self._begun, 1e-9)
        print_ = self._console.print
        print_("\nSummary")
        print_(f"  {status.events:,} events learned in {elapsed:.1f} s, {status.failed:,} bad")
        print_(
            f"  progressive loss {status.loss:.4f}, constant model {status.baseline:.4f}"
            f" ({_skill(status.loss, status.baseline)} better)"
        )
        print_(
            f"  {status.active:,} active of {status.tracked:,} features:"
            f" sparsity {status.sparsity:.1%}"
        )
        for name, weight in status.top[:8]:
            print_(Text(f"    {weight:+.3f}  {name}"))
        print_("\nTry next")
        print_(f"  {_command()} inspect {folder}")
        print_(f"  {_command()} export {folder} -o weights.csv")


def _command() -> str:
    """How this command was called."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "streamlasso" else "streamlasso"


def _skill(loss: float, baseline: float) -> str:
    return f"{1 - loss / baseline:.0%}" if baseline else "–"


def _line(status: Status) -> str:
    return (
        f"events {status.events:>10,}  {status.events_per_second:>8,.0f}/s  "
        f"loss {status.recent_loss:.4f}  constant {status.recent_baseline:.4f}  "
        f"active {status.active:>6,} of {status.tracked:,}  sparsity {status.sparsity:.1%}"
    )


def _picture(status: Status) -> Group:
    numbers = Table.grid(padding=(0, 3))
    numbers.add_row("events", f"{status.events:,}", f"{status.events_per_second:,.0f}/s")
    numbers.add_row(
        "progressive loss, last seconds",
        f"{status.recent_loss:.4f}",
        f"constant model {status.recent_baseline:.4f}"
        f" ({_skill(status.recent_loss, status.recent_baseline)} better)",
    )
    numbers.add_row("active features", f"{status.active:,}", f"of {status.tracked:,} tracked")
    numbers.add_row("sparsity", f"{status.sparsity:.1%}", f"{status.failed:,} bad records")
    weights = Table(title="top weights", title_justify="left", box=None, padding=(0, 2))
    weights.add_column("weight", justify="right")
    weights.add_column("feature")
    weights.add_column("")
    largest = max((abs(weight) for _, weight in status.top[:1]), default=1.0)
    for name, weight in status.top[:10]:
        bar = "█" * max(1, round(24 * abs(weight) / largest))
        weights.add_row(
            f"{weight:+.3f}", Text(str(name)), Text(bar, "green" if weight > 0 else "red")
        )
    return Group(numbers, Text(), weights)

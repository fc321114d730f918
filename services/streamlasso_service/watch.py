"""The live picture of a running service in a terminal."""

import math
import sys
import time
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streamlasso.learners import AnyLearner
from streamlasso.stack import StackLearner
from streamlasso_service.advice import remarks
from streamlasso_service.config import Settings
from streamlasso_service.consumer import Consumer
from streamlasso_service.status import Status

__all__ = ["Watch"]

REFRESH_S = 0.25
PLAIN_REFRESH_S = 2.0


class Watch:
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
        self._print(f"Learning from {self._title}")
        learner = consumer.model.learner
        self._print(f"  {_named(learner)}")
        if address:
            self._print(f"  page     {address}/")
            self._print(f"  metrics  {address}/metrics")
        self._print("  the first run compiles the kernels: a few seconds; stop with Ctrl-C\n")
        self._begun = time.monotonic()

    def after_batch(self) -> None:
        """Refresh the picture; stop when the time is up."""
        assert self._consumer is not None
        now = time.monotonic()
        if not self._shown:
            self._begun = now
            if before := self._consumer.restored_events:
                print(f"going on from a snapshot after {before:,} events\n", flush=True)
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

    def _print(self, text: str | Text) -> None:
        self._console.print(text, soft_wrap=True)

    def close(self) -> None:
        """Give the terminal back."""
        if self._live:
            self._live.stop()

    def summary(self, consumer: Consumer, folder: Path) -> None:
        """What was learned, and what to try next."""
        status = consumer.reporter.status
        elapsed = max(time.monotonic() - self._begun, 1e-9)
        learned = status.events - consumer.restored_events

        self._print("\nSummary")
        self._print(f"  {learned:,} events learned in {elapsed:.1f} s, {status.failed:,} bad")
        for reason in remarks(consumer):
            self._print(f"  {reason}")
        self._print(
            f"  progressive loss {_shown(status.loss)}, constant model {_shown(status.baseline)}"
            f" ({_skill(status.loss, status.baseline)})"
        )
        if math.isfinite(status.full_loss):
            self._print(
                f"  {_shown(status.full_loss)} with all features; "
                f"served are those worth {status.worth:g} nats"
            )
        self._print(
            f"  {status.active:,} active of {status.tracked:,} features:"
            f" sparsity {status.sparsity:.1%}"
        )
        for name, weight in status.top[:8]:
            self._print(Text(f"    {weight:+.3f}  {name}"))
        self._print("\nTry next")
        self._print(f"  {_command()} inspect {folder}")
        self._print(f"  {_command()} export {folder} -o weights.csv")


def _command() -> str:
    """How this command was called."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "streamlasso" else "streamlasso"


def _shown(loss: float) -> str:
    """A dash while there is none."""
    return f"{loss:.4f}" if math.isfinite(loss) else "–"


def _skill(loss: float, baseline: float) -> str:
    gain = 1 - loss / baseline if baseline > 0 else math.nan
    return f"{abs(gain):.0%} {'worse' if gain < 0 else 'better'}" if math.isfinite(gain) else "–"


def _named(learner: AnyLearner) -> str:
    """Rule, loss, and what else there is."""
    if isinstance(learner, StackLearner):
        return f"a stack of {len(learner.rules)} rules, loss {learner.loss.name}"
    scaled = "" if learner.scale is None else f", scale {learner.scale}"
    grid = f", {len(learner.rules)} models, {learner.select}" if learner.select else ""
    return f"rule {learner.rule_name}, loss {learner.loss.name}{scaled}{grid}"


def _line(status: Status) -> str:
    return (
        f"events {status.events:>10,}  {status.events_per_second:>8,.0f}/s  "
        f"loss {_shown(status.recent_loss)}  constant {_shown(status.recent_baseline)}  "
        f"active {status.active:>6,} of {status.tracked:,}  sparsity {status.sparsity:.1%}"
    )


def _picture(status: Status) -> Group:
    numbers = Table.grid(padding=(0, 3))
    numbers.add_row("events", f"{status.events:,}", f"{status.events_per_second:,.0f}/s")
    numbers.add_row(
        "progressive loss, last seconds",
        _shown(status.recent_loss),
        f"constant model {_shown(status.recent_baseline)}"
        f" ({_skill(status.recent_loss, status.recent_baseline)})",
    )
    if math.isfinite(status.full_loss):
        served = f"with all features {_shown(status.full_loss)}"
        numbers.add_row("over its life", _shown(status.served_loss), served)
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

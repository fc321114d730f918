"""``streamlasso learn``: from files to a model, without a service."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from streamlasso import Progress
from streamlasso.encoding import RowEncoder
from streamlasso.snapshot import save
from streamlasso_service import STARTED
from streamlasso_service.config import Settings
from streamlasso_service.decoding import Decoder
from streamlasso_service.fields import Fields
from streamlasso_service.file_source import FileSource
from streamlasso_service.models import Estimator, build_model
from streamlasso_service.pipeline import in_order
from streamlasso_service.records import Block
from streamlasso_service.rows import Decoded, RowReader
from streamlasso_service.source import Source
from streamlasso_service.store import snapshot_extra

__all__ = ["FirstBad", "Learning", "as_text"]

BLOCK_EVENTS = 1 << 16
"""More lines than a chunk of a file usually has."""


@dataclass
class FirstBad:
    """Bad records of one reason: how many, and where the first is and why."""

    count: int
    source: str
    position: int
    message: str


@dataclass
class Seconds:
    """What the time of the process went into."""

    start: float = 0.0
    read: float = 0.0
    learn: float = 0.0

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Add what the block takes."""
        begun = time.perf_counter()
        yield
        setattr(self, stage, getattr(self, stage) + time.perf_counter() - begun)


def _blocks(source: Source, events: int) -> Iterator[Block]:
    """All of a source that comes to an end."""
    while not source.finished:
        yield from source.poll(0.25, events).blocks


@dataclass
class Learning:
    """One run over the files of ``settings``, and what is to be said of it.

    ``records`` are all that were read; ``learned`` of them had a target and an importance above 0.
    ``threads`` read and scan ahead of this one, which finds slots and learns; 0 is none. At most
    ``block_events`` are read at a time.
    """

    settings: Settings
    threads: int = 1
    block_events: int = BLOCK_EVENTS
    records: int = 0
    learned: int = 0
    without_target: int = 0
    bad: dict[str, FirstBad] = field(default_factory=dict)
    seconds: Seconds = field(default_factory=Seconds)
    snapshot: Path | None = None

    def __post_init__(self) -> None:
        self.model: Estimator = build_model(
            self.settings.model, self.settings.features.interactions
        )
        learner = self.model.learner
        self.progress = Progress(learner.loss)
        self._fields = Fields(self.settings.features)
        decoder = Decoder.of(self.settings, self._fields, learner.loss)
        self._encoder = RowEncoder(learner.index, learner.dtype, self.model.interactions)
        self._reader = RowReader(decoder, self._encoder)

    def run(self) -> None:
        """Learn every file to its end."""
        self.seconds.start = time.perf_counter() - STARTED
        settings = self.settings
        files = FileSource(settings.file, settings.source.format, settings.event)
        with closing(files) as source:
            source.start({})
            scans = in_order(_blocks(source, self.block_events), self._reader.scan, self.threads)
            while True:
                with self.seconds.of("read"):
                    scan = next(scans, None)
                    if scan is None:
                        break
                    decoded = self._reader.finish(*scan)
                self._count(decoded)
                with self.seconds.of("learn"):
                    self._learn(decoded)

    def _learn(self, decoded: Decoded) -> None:
        learner = self.model.learner
        scores = decoded.learn(learner, self._encoder)
        self.progress.add(learner.rule, scores, decoded.given, decoded.importances)

    def _count(self, decoded: Decoded) -> None:
        self.records += len(decoded.block)
        self.learned += int((decoded.importances > 0).sum())
        self.without_target += int(np.isnan(decoded.targets).sum())
        for row, (reason, message) in decoded.bad:
            if reason in self.bad:
                self.bad[reason].count += 1
                continue
            record = decoded.block.record(row)
            self.bad[reason] = FirstBad(1, record.partition.topic, record.offset, message)

    @property
    def failed(self) -> int:
        """Bad records."""
        return sum(each.count for each in self.bad.values())

    def save(self, path: Path) -> None:
        """Write the model, with what a snapshot of the service says too."""
        extra = snapshot_extra(self.settings, self.progress, self._fields, self.failed, {})
        self.snapshot = save(path, self.model, extra)

    def result(self) -> dict[str, Any]:
        """Everything as JSON has it; NaN is null."""
        means = self.progress.mean_loss, self.progress.baseline
        loss, baseline = (mean if self.progress.examples else None for mean in means)
        total = time.perf_counter() - STARTED
        return {
            "examples": self.learned,
            "without_target": self.without_target,
            "bad_records": {reason: vars(first) for reason, first in self.bad.items()},
            "rejected": self.model.rejected,
            "progressive_loss": loss,
            "constant_model_loss": baseline,
            "active_features": self.model.active_features,
            "tracked_features": self.model.tracked_features,
            "seconds": {"total": total, **vars(self.seconds)},
            "snapshot": None if self.snapshot is None else str(self.snapshot),
        }


def as_text(result: dict[str, Any]) -> Iterator[str]:
    """The lines that ``streamlasso learn`` prints."""
    unlabelled, rejected = result["without_target"], result["rejected"]
    also = f", {unlabelled:,} without a target" if unlabelled else ""
    yield _line("examples", f"{result['examples']:,}{also}")
    for reason, first in result["bad_records"].items():
        where = f"the first at byte {first['position']:,} of {first['source']}"
        yield _line(f"bad: {reason}", f"{first['count']:,}, {where}: {first['message']}")
    if rejected:
        yield _line("rejected", f"{rejected:,} examples with numbers too large to learn from")
    if result["progressive_loss"] is not None:
        loss, baseline = result["progressive_loss"], result["constant_model_loss"]
        yield _line("progressive loss", f"{loss:.6f} (constant model {baseline:.6f})")
    active, tracked = result["active_features"], result["tracked_features"]
    yield _line("active features", f"{active:,} of {tracked:,}")
    seconds = result["seconds"]
    parts = (f"{name} {seconds[name]:.2f}" for name in ("start", "read", "learn"))
    yield _line("seconds", f"{seconds['total']:.2f} ({', '.join(parts)})")
    if result["snapshot"] is not None:
        yield _line("snapshot", result["snapshot"])


def _line(name: str, text: str) -> str:
    return f"{name:<20} {text}"

"""Events, settings and runs for the tests of the service."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import wait
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from streamlasso.estimators import SparseClassifier, SparseRegressor
from streamlasso.stack import StackLearner
from streamlasso_service.config import EventConfig, FeaturesConfig, LimitsConfig, Settings
from streamlasso_service.consumer import Consumer
from streamlasso_service.decoding import Decoder
from streamlasso_service.fields import Fields
from streamlasso_service.learn import Learning
from streamlasso_service.loading import load_settings
from streamlasso_service.models import build_model
from streamlasso_service.records import Bad, Event, Partition, Record
from streamlasso_service.service import serve
from streamlasso_service.source import Source
from streamlasso_service.store import NAME

Json = dict[str, Any]


def events(count: int, seed: int = 1) -> list[Json]:
    """Nested events with words, numbers, importances and a few without a target."""
    rng = random.Random(seed)
    made = []
    for i in range(count):
        site, hour = rng.randrange(40), rng.randrange(24)
        features: Json = {"site": f"s{site}", "hour": hour / 10, "noise": round(rng.gauss(0, 1), 3)}
        if rng.random() < 0.3:
            features[f"rare{rng.randrange(200)}"] = 1.0
        event: Json = {"id": i, "features": features}
        if rng.random() < 0.9:
            event["target"] = int(rng.random() < (0.8 if site < 12 else 0.2))
        if rng.random() < 0.2:
            event["importance"] = rng.choice((0, 0.5, 2))
        made.append(event)
    return made


def write_lines(path: Path, lines: Iterable[Json | bytes]) -> Path:
    """JSON lines; bytes are written as they are."""
    encoded = (each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines)
    path.write_bytes(b"".join(line + b"\n" for line in encoded))
    return path


BAD_RECORDS = [
    b"{",
    b'{"a": [1]}',
    b'{"target": "maybe"}',
    b'{"target": 1, "importance": -1}',
    b"\xff\xfe",
]
"""Reasons: decode, schema three times, decode."""


def mixed_stream(path: Path) -> Path:
    """2,000 good events and `BAD_RECORDS` among them."""
    lines: list[Json | bytes] = [*events(2000)]
    for i, line in enumerate(BAD_RECORDS):
        lines.insert(300 * i + 7, line)
    return write_lines(path, lines)


def settings_for(folder: Path, *files: Path, **sections: Mapping[str, Any]) -> Settings:
    """Small batches, frequent snapshots, no HTTP; sections override single keys."""
    flags: dict[str, dict[str, Any]] = {
        "file": {"paths": [str(file) for file in files]},
        "snapshot": {"directory": str(folder), "interval_events": 1000},
        "limits": {"batch_events": 100},
        "http": {"enabled": False},
    }
    for section, values in sections.items():
        flags.setdefault(section, {}).update(values)
    return load_settings(None, flags)


def run(settings: Settings, *, stop_after: int | None = None, **options: Any) -> Consumer:
    """Serve to the end of the files, or for ``stop_after`` batches."""
    running: list[Consumer] = []
    batches = 0

    def after_batch() -> None:
        nonlocal batches
        batches += 1
        if batches == stop_after:
            running[0].stop()

    def started(consumer: Consumer, address: str | None) -> None:
        running.append(consumer)

    return serve(settings, started=started, after_batch=after_batch, **options)


def content(model: SparseClassifier | SparseRegressor) -> Json:
    """Everything a model has learned, to be compared bit for bit."""
    learner = model.learner
    stacked = isinstance(learner, StackLearner)
    totals = (learner.lanes_array, learner.book) if stacked else (learner.hyper,)
    return {
        "names": learner.index.entries(),
        "state": learner.state[: learner.index.size].tobytes(),
        "totals": [each.tobytes() for each in totals],
        "clock": learner.clock,
    }


def account(consumer: Consumer) -> Json:
    """What a run has learned, how well, and from what."""
    return {
        **content(consumer.model),
        "progress": consumer.progress.sums.tobytes(),
        "tallies": {str(name): tally.as_json() for name, tally in consumer.tallies.items()},
        "failed": consumer.failed,
    }


def learn_lines(path: Path, threads: int) -> Json:
    """What ``streamlasso learn`` makes of a file, read in small blocks."""
    settings = settings_for(path.parent, path, model={"rule": "ftrl"})
    run = Learning(settings, threads, block_events=50)
    run.run()
    return content(run.model) | {"progress": run.progress.sums.tobytes(), "bad": run.bad}


def decoder(
    task: str = "classification",
    rules: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
    counts: bool = False,
    **event: Any,
) -> Decoder:
    """A decoder as the service makes it from the sections of its configuration."""
    return Decoder(
        EventConfig(**event),
        Fields(FeaturesConfig(**(rules or {}))),
        LimitsConfig(**(limits or {})),
        task,
        counts=counts,
    )


def decode(value: bytes | Json, **options: Any) -> Event | Bad:
    """One record's event, or why there is none."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return decoder(**options).decode(Record(Partition("events", 0), 0, 1, raw))


def good_events(path: Path) -> list[Event]:
    """The decoded events of a file of JSON lines."""
    decoded = [decode(line) for line in path.read_bytes().splitlines()]
    return [event for event in decoded if isinstance(event, Event)]


def learned_by_hand(settings: Settings, stream: Iterable[Event]) -> SparseClassifier:
    """The estimator's own pass over events, one at a time, without the service."""
    model = build_model(settings.model)
    for event in stream:
        if event.target is not None:
            model.learn_one(event.features, event.target, event.importance)
    return model


def read_all(source: Source, positions: Mapping[Partition, int] | None = None) -> list[Record]:
    """Every record of a source that comes to an end."""
    with closing(source):
        source.start(positions or {})
        records = []
        while not source.finished:
            records += source.poll(0.0, 7).records
        return records


def snapshots(folder: Path) -> list[Path]:
    """The snapshots of a folder, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))


def damage(path: Path) -> None:
    """Turn one bit in the middle of a file."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def wait_for(condition: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """The condition's value once it is true."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
    return value


def command(*arguments: object) -> list[str]:
    """The command line of ``streamlasso`` with these arguments."""
    return [sys.executable, "-m", "streamlasso_service", *map(str, arguments)]


def environment(**variables: str) -> dict[str, str]:
    """The environment without settings of the developer's own."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("STREAMLASSO_")}
    return kept | variables


def call(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``streamlasso`` to its end."""
    options = {"env": environment(), "timeout": 60} | options
    return subprocess.run(command(*arguments), capture_output=True, text=True, **options)


def succeed(*arguments: object, **options: Any) -> str:
    """Standard output of a call that must succeed."""
    done = call(*arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Seen:
    """What a service showed before the first record (``start``) and after the last (``end``)."""

    PATHS = ("/metrics", "/status", "/model/top?k=3", "/livez", "/readyz", "/")

    def __init__(self, folder: Path, stream: Path, **model: Any) -> None:
        self.pages: dict[tuple[str, str], httpx.Response] = {}
        self.rule = model.get("rule", "stack")
        self._address, self._waited = "", False
        settings = settings_for(
            folder,
            stream,
            model={"name": "clicks", **model},
            http={"enabled": True, "port": 0},
            snapshot={"interval_events": 500},
        )
        serve(settings, started=self._started, after_batch=self._after_batch)

    def _started(self, consumer: Consumer, address: str | None) -> None:
        self.consumer, self._address = consumer, str(address)
        self._look("start")

    def _after_batch(self) -> None:
        if self.consumer.source.finished:
            self._look("end")
            return
        # The sweep that finds the largest weights is due once a second, and the snapshots that
        # are due are written in another thread.
        if not self._waited:
            time.sleep(1.0)
        self._waited = True
        writing = self.consumer._checkpoint._writing
        if writing is not None:
            wait([writing[0]])

    def _look(self, moment: str) -> None:
        for path in self.PATHS:
            self.pages[moment, path] = httpx.get(self._address + path)

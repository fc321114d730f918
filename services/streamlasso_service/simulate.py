"""Embedded sources: a simulated click stream with drift, and the data sets that river ships."""

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping

import msgspec
import numpy as np

from streamlasso_service.records import Batch, Partition, Record

__all__ = ["DATASETS", "EmbeddedSource", "dataset_events", "simulated_clicks"]

DATASETS = {"shuttle": "Shuttle", "phishing": "Phishing", "bananas": "Bananas"}
"""Binary sets inside the river package (nothing is downloaded) and their class names."""

encode = msgspec.json.Encoder().encode

BLOCK = 1000
DRIFT_EVENTS = 100_000
FIELDS = {"site": 400, "ad": 2000, "campaign": 60, "device": 5, "country": 40, "user": 50_000}


class EmbeddedSource:
    """Events from a function of the position, at a bounded rate."""

    def __init__(
        self, name: str, events: Callable[[int], Iterator[bytes]], rate: float = math.inf
    ) -> None:
        self._partition = Partition(name, 0)
        self._make = events
        self._rate = rate
        self._events: Iterator[bytes] = iter(())
        self._position = self._served = 0
        self._begun = 0.0
        self.finished = False
        self.ready = True

    def start(self, positions: Mapping[Partition, int]) -> None:
        """Go on after a position."""
        self._position = positions.get(self._partition, 0)
        self._events = self._make(self._position)
        self._begun = time.monotonic()

    def poll(self, timeout_s: float, limit: int) -> Batch:
        """As many events as the rate allows by now."""
        due = int((time.monotonic() - self._begun) * self._rate) if self._rate < math.inf else limit
        wanted = min(limit, due - self._served if self._rate < math.inf else limit)
        if wanted <= 0:
            time.sleep(min(timeout_s, 0.02))
            return Batch()
        batch = Batch()
        for value in itertools.islice(self._events, wanted):
            after = self._position + 1
            batch.records.append(Record(self._partition, self._position, after, value))
            self._position = after
        self._served += len(batch.records)
        self.finished = len(batch.records) < wanted
        batch.positions[self._partition] = self._position
        return batch

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Nobody to tell."""

    def lag(self) -> dict[Partition, int]:
        """None: the source is as fast as its reader."""
        return {self._partition: 0}

    def close(self) -> None:
        """Nothing to let go of."""


def simulated_clicks(seed: int = 1) -> Callable[[int], Iterator[bytes]]:
    """Simulated clicks on advertisements: heavy-tailed names, few that matter, slow drift.

    Of about 52,500 categories and 6 numbers some 150 have an effect; every 100,000 events some
    effects change. Each block of 1,000 events has its own seed, so any position can be reached.
    """

    def events(position: int) -> Iterator[bytes]:
        for block in itertools.count(position // BLOCK):
            lines = _block(seed, block)
            yield from lines[position - block * BLOCK :] if block == position // BLOCK else lines

    return events


def _effects(seed: int, field: str, epoch: int) -> dict[int, float]:
    """Which categories of a field matter, and how much, in an epoch of the drift."""
    index = list(FIELDS).index(field)
    rng = np.random.default_rng([seed, index])
    count = min(30, FIELDS[field])
    popular = rng.choice(min(FIELDS[field], 200), count, replace=False)
    effects = dict(zip(popular.tolist(), rng.normal(0, 1.0, count).tolist(), strict=True))
    for past in range(1, epoch + 1):
        drift = np.random.default_rng([seed, index, past])
        for category in drift.choice(popular, count // 5, replace=False).tolist():
            effects[category] = float(drift.normal(0, 1.0))
    return effects


def _block(seed: int, block: int) -> list[bytes]:
    rng = np.random.default_rng([seed, 1_000_003, block])
    epoch = block * BLOCK // DRIFT_EVENTS
    score = np.full(BLOCK, -1.2)
    columns: dict[str, list[str]] = {}
    for field, size in FIELDS.items():
        popularity = rng.random(BLOCK) ** 3
        ids = (popularity * size).astype(np.int64)
        effects = _effects(seed, field, epoch)
        score += np.array([effects.get(each, 0.0) for each in ids.tolist()])
        columns[field] = [f"{field[0]}{each}" for each in ids.tolist()]
    numbers = rng.normal(size=(BLOCK, 6))
    score += 0.8 * numbers[:, 0] - 0.5 * numbers[:, 1]
    clicks = (rng.random(BLOCK) < 1 / (1 + np.exp(-score))).astype(int).tolist()
    rounded = numbers.round(3).tolist()
    return [
        encode(
            {
                "id": block * BLOCK + i,
                "target": clicks[i],
                "features": {field: column[i] for field, column in columns.items()}
                | {f"n{j}": rounded[i][j] for j in range(6)},
            }
        )
        for i in range(BLOCK)
    ]


def dataset_events(name: str) -> Callable[[int], Iterator[bytes]]:
    """The events of one of `DATASETS`."""
    from river import datasets

    dataset = getattr(datasets, DATASETS[name])()

    def events(position: int) -> Iterator[bytes]:
        for i, (x, y) in enumerate(dataset):
            if i >= position:
                yield encode({"id": i, "target": int(y), "features": x})

    return events

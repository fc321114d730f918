"""``python -m benchmarks.bench_kafka``: reading from a real broker on the same machine.

A topic of JSON events of about 294 bytes for each compression is produced once; then every way to
read it takes turns, the whole topic each time, and is held against kafka-python polled with no work
at all: how many times as many records a second. The broker is on the same cores.

* bare polling: kafka-python's consumer, its records dropped;
* public, raw: the service's source with ``kafka.raw = off`` and ``auto``, its blocks dropped;
* public, learned; raw, learned: the whole service, FTRL-Proximal over 2²² hashed slots.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import kafka
import numpy as np
import numpy.typing as npt

from streamlasso_service.config import KafkaConfig
from streamlasso_service.consumer import Consumer
from streamlasso_service.kafka_source import OPTIONS, KafkaSource
from streamlasso_service.loading import load_settings
from streamlasso_service.records import Partition
from streamlasso_service.service import serve

__all__ = ["WAYS", "Topic", "main"]

SCRIPT = Path(__file__).resolve().parent.parent / "services" / "kafka" / "run.sh"
PORTS = (19092, 19093)
START_TIMEOUT_MS = 60_000
POLL_S = 1.0
HEADER = (
    "| codec | way | records/s | × bare | spread | CPU, µs a record | × bare |\n"
    "|---|---|---:|---:|---:|---:|---:|"
)


Seconds = npt.NDArray[np.float64]
"""On the wall, and of the processor."""


def now() -> Seconds:
    """To be subtracted."""
    return np.array([time.perf_counter(), time.process_time()])


@dataclass(frozen=True)
class Topic:
    """Where so many events are."""

    bootstrap: str
    name: str
    events: int


def click(number: int, draw: random.Random) -> bytes:
    """An event of 22 fields: 14 categories and 8 numbers."""
    features: dict[str, str | float] = {
        f"c{field:02}": f"v{int(1000 * draw.random() ** 3)}" for field in range(14)
    }
    features |= {f"n{field}": round(draw.random(), 2) for field in range(8)}
    target = int(draw.random() < 0.2)
    event = {"id": number, "target": target, "features": features}
    return json.dumps(event, separators=(",", ":")).encode()


def produce(bootstrap: str, codec: str, count: int, batch_bytes: int) -> Topic:
    """A new topic of one partition."""
    topic = Topic(bootstrap, f"events-{codec}-{time.time_ns()}", count)
    with kafka.KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.create_topics({topic.name: {"num_partitions": 1}}, wait_for_metadata=True)
    producer = kafka.KafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if codec == "none" else codec,
        batch_size=batch_bytes,
        linger_ms=100,
    )
    draw = random.Random(1)
    for number in range(count):
        producer.send(topic.name, click(number, draw))
        if number % 20_000 == 0:
            producer.flush()  # it queues without a bound
    producer.close()
    return topic


def bare(topic: Topic, limit: int) -> Seconds:
    """kafka-python alone, with what it takes by default at a time."""
    consumer = kafka.KafkaConsumer(bootstrap_servers=topic.bootstrap, **OPTIONS)
    partition = kafka.TopicPartition(topic.name, 0)
    begun = now()
    consumer.assign([partition])
    consumer.seek(partition, 0)
    count = 0
    while count < topic.events:
        count += sum(map(len, consumer.poll(timeout_ms=1000).values()))
    elapsed = now() - begun
    consumer.close()
    return elapsed


def polled(topic: Topic, limit: int, raw: str) -> Seconds:
    """The source alone."""
    config = KafkaConfig.model_validate(
        {"bootstrap": topic.bootstrap, "topic": topic.name, "raw": raw}
    )
    source = KafkaSource(config)
    begun = now()
    source.start({})
    count = 0
    while count < topic.events:
        count += len(source.poll(POLL_S, limit))
    elapsed = now() - begun
    source.close()
    return elapsed


class Timed(KafkaSource):
    """Knows when its reading begins."""

    def start(self, positions: Mapping[Partition, int]) -> None:
        """Begin: the model is there."""
        super().start(positions)
        self.begun = now()


def learned(topic: Topic, limit: int, raw: str) -> Seconds:
    """The service, until the last event is learned."""
    ends: list[Seconds] = []
    running: list[Consumer] = []

    def after_batch() -> None:
        if running[0].consumed >= topic.events:
            ends.append(now())
            running[0].stop()

    with tempfile.TemporaryDirectory() as folder:
        flags = {
            "source": {"kind": "kafka"},
            "kafka": {"bootstrap": topic.bootstrap, "topic": topic.name, "raw": raw},
            "model": {"rule": "ftrl", "index": "hashing", "bits": 22},
            "snapshot": {"directory": folder, "interval_s": 3600.0, "interval_events": 10**9},
            "limits": {"batch_events": limit},
            "http": {"enabled": False},
        }
        settings = load_settings(None, flags)
        source = Timed(settings.kafka)
        started = running.append
        serve(settings, source=source, started=lambda c, _: started(c), after_batch=after_batch)
    return ends[0] - source.begun


BARE = "bare polling"
WAYS: dict[str, Callable[[Topic, int], Seconds]] = {
    BARE: bare,
    "public": partial(polled, raw="off"),
    "raw": partial(polled, raw="auto"),
    "public, learned": partial(learned, raw="off"),
    "raw, learned": partial(learned, raw="auto"),
}
"""Each reads a topic, and returns the seconds from the first poll to the last record, and those
of the processor that this process took (the broker is another)."""


def measure(topic: Topic, names: list[str], limit: int, rounds: int) -> dict[str, Seconds]:
    """Seconds of each way in each round; they take turns in a drawn order."""
    seconds: dict[str, list[Seconds]] = {name: [] for name in names}
    order, shuffle = list(names), random.Random(1).shuffle
    for turn in range(rounds + 1):
        shuffle(order)
        for name in order:
            elapsed = WAYS[name](topic, limit)
            if turn:  # the first is not counted: it compiles, and the broker fills its caches
                seconds[name].append(elapsed)
    return {name: np.array(rows) for name, rows in seconds.items()}


def lines(codec: str, topic: Topic, seconds: dict[str, Seconds]) -> Iterator[str]:
    """Of the table: records a second, how many times as many as bare polling, processor time."""
    for name, times in seconds.items():
        ratios, own = (seconds[BARE] / times).T
        wall, processor = np.median(times, axis=0) / topic.events
        yield (
            f"| {codec} | {name} | {1 / wall:,.0f} | {np.median(ratios):.2f} "
            f"| {ratios.min():.2f}–{ratios.max():.2f} | {processor * 1e6:.2f} "
            f"| {np.median(own):.2f} |"
        )


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """A Kafka node of its own; its ``host:port`` once it answers."""
    ports = dict(zip(("KAFKA_PORT", "KAFKA_CONTROLLER_PORT"), map(str, PORTS), strict=True))
    settings = os.environ | ports | {"KAFKA_DATA": str(folder / "data")}
    with (folder / "kafka.log").open("wb") as log:
        process = subprocess.Popen(
            [SCRIPT], stdout=log, stderr=log, env=settings, start_new_session=True
        )
    bootstrap = f"localhost:{PORTS[0]}"
    try:
        kafka.KafkaAdminClient(
            bootstrap_servers=bootstrap, bootstrap_timeout_ms=START_TIMEOUT_MS
        ).close()
        yield bootstrap
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_kafka", description=__doc__)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--codecs", nargs="+", default=["none", "lz4"])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--limit", type=int, default=20_000, help="records taken at a time")
    parser.add_argument("--batch-bytes", type=int, default=16_384, help="of the producer")
    chosen = parser.parse_args(arguments)
    names = list(dict.fromkeys([BARE, *chosen.ways]))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bootstrap = stack.enter_context(broker(folder))
        print(HEADER)
        for codec in chosen.codecs:
            topic = produce(bootstrap, codec, chosen.events, chosen.batch_bytes)
            seconds = measure(topic, names, chosen.limit, chosen.rounds)
            print("\n".join(lines(codec, topic, seconds)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

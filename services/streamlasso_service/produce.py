"""``streamlasso produce``: fill a topic from a file, for a try-out."""

import itertools
import time
from collections.abc import Iterable, Iterator

from streamlasso_service.config import FileConfig
from streamlasso_service.file_source import FileSource
from streamlasso_service.outputs import KafkaSink
from streamlasso_service.simulate import simulated_clicks

__all__ = ["file_events", "produce", "simulated_events"]


def file_events(path: str, kind: str, names: str | None) -> Iterator[bytes]:
    """The JSON events of a file."""
    source = FileSource(FileConfig(paths=[path], names=names), kind)
    source.start({})
    while not source.finished:
        for record in source.poll(0.1, 10_000).records:
            yield record.value
    source.close()


def simulated_events(count: int) -> Iterator[bytes]:
    """The first events of the simulated click stream."""
    return itertools.islice(simulated_clicks()(0), count)


def produce(
    events: Iterable[bytes], bootstrap: str, topic: str, rate: float | None
) -> tuple[int, float]:
    """Send events to a topic; return how many and in how many seconds."""
    sink = KafkaSink(bootstrap, topic)
    begun = time.monotonic()
    count = 0
    for value in events:
        sink.send(value)
        count += 1
        if rate is not None:
            time.sleep(max(0.0, count / rate - (time.monotonic() - begun)))
    sink.close()
    return count, time.monotonic() - begun

"""``streamlasso produce``: fill a topic from a file, for a try-out."""

import time
from collections.abc import Iterator

from streamlasso_service.config import FileConfig
from streamlasso_service.outputs import KafkaSink
from streamlasso_service.source import FileSource

__all__ = ["file_events", "produce"]


def file_events(path: str, kind: str, names: str | None) -> Iterator[bytes]:
    """The JSON events of a file."""
    source = FileSource(FileConfig(paths=[path], names=names), kind)
    source.start({})
    while not source.finished:
        for record in source.poll(0.1, 10_000).records:
            yield record.value
    source.close()


def produce(
    path: str, kind: str, names: str | None, bootstrap: str, topic: str, rate: float | None
) -> tuple[int, float]:
    """Send every event of a file; return how many and in how many seconds."""
    sink = KafkaSink(bootstrap, topic)
    begun = time.monotonic()
    count = 0
    for value in file_events(path, kind, names):
        sink.send(value)
        count += 1
        if rate is not None:
            time.sleep(max(0.0, count / rate - (time.monotonic() - begun)))
    sink.close()
    return count, time.monotonic() - begun

"""Putting the parts together: source, store, sinks, metrics, HTTP, signals."""

import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from streamlasso_service.config import Settings
from streamlasso_service.consumer import Consumer
from streamlasso_service.exporter import Metrics
from streamlasso_service.file_source import FileSource
from streamlasso_service.models import Estimator
from streamlasso_service.outputs import FileSink, KafkaSink, Sink
from streamlasso_service.source import Source
from streamlasso_service.store import SnapshotStore

__all__ = ["make_source", "serve"]

log = logging.getLogger(__name__)


def make_source(settings: Settings) -> Source:
    """The configured source."""
    if settings.source.kind == "kafka":
        from streamlasso_service.kafka_source import KafkaSource

        return KafkaSource(settings.kafka)
    return FileSource(settings.file, settings.source.format, settings.event)


def _sink(settings: Settings, target: str) -> Sink:
    """A topic with the Kafka source, a file with the file source."""
    if settings.source.kind == "kafka":
        return KafkaSink(settings.kafka.bootstrap, target, settings.kafka.options)
    return FileSink(target)


def _dead_letters(settings: Settings) -> Sink:
    kafka = settings.source.kind == "kafka"
    default = (
        f"{settings.kafka.topic}.dlq"
        if kafka
        else str(settings.snapshot.directory / "dead-letters.jsonl")
    )
    return _sink(settings, settings.output.dead_letters or default)


def serve(
    settings: Settings,
    *,
    source: Source | None = None,
    initial: Path | None = None,
    started: Callable[[Consumer, str | None], None] = lambda consumer, address: None,
    after_batch: Callable[[], None] = lambda: None,
) -> Consumer:
    """Run the service until it is stopped or its source is finished; return the consumer.

    ``started`` is told the consumer and the HTTP address. SIGTERM and SIGINT finish the batch,
    save and return.
    """
    with ExitStack() as stack:
        store = SnapshotStore(settings.snapshot.directory, settings.snapshot.keep)
        stack.callback(store.close)
        source = source or make_source(settings)
        stack.callback(source.close)
        consumer = Consumer(
            settings,
            source,
            store,
            Metrics(settings.model.name),
            _closing(stack, _dead_letters(settings)),
            _closing(stack, _sink(settings, settings.output.predictions))
            if settings.output.predictions
            else None,
            _load_initial(initial),
        )
        _stop_on_signals(stack, consumer)
        address = _start_http(stack, settings, consumer)
        started(consumer, address)
        consumer.run(after_batch=after_batch)
    return consumer


def _closing(stack: ExitStack, sink: Sink) -> Sink:
    stack.callback(sink.close)
    return sink


def _load_initial(path: Path | None) -> Estimator | None:
    if path is None:
        return None
    from streamlasso_service.offline import open_snapshot

    return open_snapshot(path)[1]


def _start_http(stack: ExitStack, settings: Settings, consumer: Consumer) -> str | None:
    if not settings.http.enabled:
        return None
    from streamlasso_service.admin import AdminServer, build_app

    app = build_app(
        settings.model.name,
        consumer.metrics.registry,
        lambda: consumer.reporter.status,
        lambda: consumer.beat,
    )
    server = AdminServer(app, settings.http.host, settings.http.port)
    address = server.start()
    stack.callback(server.stop)
    return address


def _stop_on_signals(stack: ExitStack, consumer: Consumer) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        log.info("%s: finishing the batch", signal.Signals(number).name)
        consumer.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.signal(number, stop)
        stack.callback(signal.signal, number, before)

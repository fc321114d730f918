"""Where predictions and dead letters go: a file or a topic, behind one protocol."""

import base64
import json
import os
from pathlib import Path
from typing import Any, Protocol

from kafka import KafkaProducer
from kafka.errors import KafkaError

from streamlasso_service.records import Bad, Record

__all__ = ["FileSink", "KafkaSink", "Sink"]

OUTSTANDING_BYTES = 16 << 20

Message = tuple[Any, ...]


class Sink(Protocol):
    """Takes messages; `flush` returns when they are durable."""

    def send(self, value: bytes, key: bytes | None = None) -> None:
        """Queue one message."""

    def dead_letter(self, record: Record, bad: Bad) -> None:
        """Queue a copy of a bad record, with where it stood and why it is bad."""

    def flush(self) -> None:
        """Make everything sent so far durable."""

    def close(self) -> None:
        """Flush and let go."""


class FileSink:
    """Appends lines to a file."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torn = _is_torn(self.path)
        self._file = self.path.open("ab")
        if torn:
            # What comes now must not be glued to it.
            self._file.write(b"\n")

    def __str__(self) -> str:
        return str(self.path)

    def send(self, value: bytes, key: bytes | None = None) -> None:
        """Write one line."""
        self._file.write(value + b"\n")

    def dead_letter(self, record: Record, bad: Bad) -> None:
        """One JSON line: the value as text, or as base64 where it is none."""
        line: dict[str, Any] = {
            "source": record.partition.topic,
            "position": record.offset,
            "reason": bad.reason,
            "message": bad.message,
        }
        try:
            line["value"] = record.value.decode()
        except UnicodeDecodeError:
            line["value_base64"] = base64.b64encode(record.value).decode()
        self.send(json.dumps(line).encode())

    def flush(self) -> None:
        """To the disk."""
        self._file.flush()
        if self.path.is_file():  # not a pipe, such as /dev/stdout
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._file.close()


def _is_torn(path: Path) -> bool:
    """Whether a crash has cut the last line of a file."""
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


class KafkaSink:
    """Sends to a topic and waits for every acknowledgement at `flush`.

    kafka-python's producer has no bound on what it queues, so this one waits by itself whenever
    16 MiB are outstanding.
    """

    def __init__(self, bootstrap: str, topic: str, options: dict[str, Any] | None = None) -> None:
        self.topic = topic
        # Shared with the consumer: what only that one knows would be refused here.
        known = {k: v for k, v in (options or {}).items() if k in KafkaProducer.DEFAULT_CONFIG}
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap, acks="all", linger_ms=5, **known
            )
        except KafkaError as error:
            raise ConnectionError(f"no Kafka broker at {bootstrap!r}: {error}") from error
        self._pending: list[tuple[Any, Message]] = []
        self._bytes = 0

    def __str__(self) -> str:
        return f"the topic {self.topic}"

    def send(self, value: bytes, key: bytes | None = None) -> None:
        """Queue one message."""
        self._send(value, key, [])

    def dead_letter(self, record: Record, bad: Bad) -> None:
        """Copy the record byte for byte, with Kafka Connect's header names (KIP-298)."""
        partition, number = record.partition
        headers = [
            # kafka-python's producer does not send headers without a value.
            *((name, value or b"") for name, value in record.headers),
            ("__connect.errors.topic", partition.encode()),
            ("__connect.errors.partition", str(number).encode()),
            ("__connect.errors.offset", str(record.offset).encode()),
            ("__connect.errors.stage", b"VALUE_CONVERTER"),
            ("__connect.errors.exception.class.name", bad.reason.encode()),
            ("__connect.errors.exception.message", bad.message.encode()),
        ]
        self._send(record.value, record.key, headers)

    def _send(self, *message: Any) -> None:
        value, key, headers = message
        try:
            future = self._producer.send(self.topic, value=value, key=key, headers=headers)
        except KafkaError as error:
            raise ConnectionError(f"topic {self.topic!r}: {error}") from error
        self._pending.append((future, message))
        self._bytes += len(value)
        if self._bytes > OUTSTANDING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Wait for the broker. What it did not take is queued again, and the error raised."""
        try:
            self._producer.flush(timeout=60)
        except KafkaError as error:
            raise ConnectionError(f"topic {self.topic!r}: {error}") from error
        pending, self._pending, self._bytes = self._pending, [], 0
        failed = [(future, message) for future, message in pending if not future.succeeded()]
        for _, message in failed:
            self._send(*message)
        for future, _ in failed:
            raise ConnectionError(f"topic {self.topic!r}: {future.exception or 'no answer'}")

    def close(self) -> None:
        """Flush and disconnect."""
        self.flush()
        self._producer.close()

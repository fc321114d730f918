"""Both ways to read from a real broker give the same records and positions."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

kafka = pytest.importorskip("kafka")

from streamlasso_service.config import KafkaConfig  # noqa: E402
from streamlasso_service.kafka_reading import OldFormatError, OneByOne, reading_for  # noqa: E402
from streamlasso_service.kafka_source import KafkaSource  # noqa: E402
from streamlasso_service.outputs import KafkaSink  # noqa: E402
from streamlasso_service.raw_fetch import Batches  # noqa: E402
from streamlasso_service.records import Bad, Batch, Partition, Record  # noqa: E402

Make = Callable[..., str]


def source_of(bootstrap: str, topic: str, raw: str) -> KafkaSource:
    given = {"bootstrap": bootstrap, "topic": topic, "raw": raw}
    return KafkaSource(KafkaConfig.model_validate(given))


def read(
    source: KafkaSource, start: dict[Partition, int], count: int, limit: int
) -> tuple[list[Record], dict[Partition, int]]:
    """So many records, and the positions after them when the rest has been asked for too."""
    source.start(start)
    records: list[Record] = []
    positions: dict[Partition, int] = {}
    for _ in range(1000):
        batch = source.poll(0.2, limit)
        for block in batch.blocks:
            records += [block.record(row) for row in range(len(block))]
        assert len(batch) <= limit
        positions |= batch.positions
        if len(records) >= count and not batch:
            break
    source.close()
    return sorted(records, key=lambda record: record[:2]), positions


def fill(bootstrap: str, topic: str) -> int:
    """Records of every compression, with and without keys, values and headers; transactions."""
    visible = 0
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        producer = kafka.KafkaProducer(
            bootstrap_servers=bootstrap,
            compression_type=codec,
            transactional_id=f"{topic}-{codec}",
            linger_ms=20,
        )
        producer.init_transactions()
        for finish in ("commit", "abort", "commit"):
            producer.begin_transaction()
            for i in range(20):
                producer.send(
                    topic,
                    value=None if i == 4 else b"value " * i,
                    key=[None, b"", b"key"][i % 3],
                    headers=[("name", b"v"), ("ü", b"")][: i % 3],
                    partition=i % 2,
                )
            producer.flush()
            getattr(producer, f"{finish}_transaction")()
            visible += 20 * (finish == "commit")
        producer.close()
    return visible


def test_whole_batches_are_the_same_records_at_the_same_positions(
    kafka_bootstrap: str, kafka_topic: Make
) -> None:
    topic = kafka_topic(partitions=2)
    count = fill(kafka_bootstrap, topic)
    middle = {Partition(topic, 0): 5, Partition(topic, 1): 0}  # inside a batch
    for start, wanted, limit in (({}, count, 1000), ({}, count, 7), (middle, count - 5, 1000)):
        raw, public = (
            read(source_of(kafka_bootstrap, topic, way), start, wanted, limit)
            for way in ("auto", "off")
        )
        assert len(raw[0]) == wanted
        assert raw == public
        assert sum(raw[1].values()) == 300 + 30  # with the control records


def test_old_formats_are_read_record_by_record(kafka_bootstrap: str, kafka_topic: Make) -> None:
    topic = kafka_topic()
    producer = kafka.KafkaProducer(bootstrap_servers=kafka_bootstrap)
    producer.send(topic, value=b"one")
    producer.close()
    source = source_of(kafka_bootstrap, topic, "auto")
    source.start({})
    while not source.ready:
        source.poll(0.2, 10)
    assert isinstance(source._reading, Batches)

    def fail(**options: Any) -> Any:
        raise OldFormatError("record format v1")

    source._consumer.poll = fail
    assert not source.poll(0.2, 10)
    assert isinstance(source._reading, OneByOne)
    batch = Batch()
    while not len(batch):
        batch = source.poll(0.2, 10)
    assert [record.value for record in batch.records] == [b"one"]
    source.close()


def test_an_untested_version_is_read_through_its_public_interface(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(reading_for("auto"), Batches)
    assert isinstance(reading_for("off"), OneByOne)
    monkeypatch.setattr(kafka, "__version__", "3.0.99")
    with caplog.at_level(logging.WARNING):
        assert isinstance(reading_for("auto"), OneByOne)
    assert "3.0.99" in caplog.text


def test_a_dead_letter_whose_header_has_no_value_is_sent(
    kafka_bootstrap: str, kafka_topic: Make
) -> None:
    topic = kafka_topic()
    sink = KafkaSink(kafka_bootstrap, topic)
    letter = Record(Partition("events", 0), 7, 8, b"bad", headers=(("name", None),))
    sink.dead_letter(letter, Bad("decode", "not JSON"))
    sink.close()
    [found], _ = read(source_of(kafka_bootstrap, topic, "auto"), {}, 1, 10)
    assert found.headers[0] == ("name", b"")
    assert found.value == b"bad"

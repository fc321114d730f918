"""The service against a real Kafka broker, as a process of its own."""

import gzip
import itertools
import json
import math
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import servers
from running import consume, wait_for
from serving import content

from streamlasso import SparseClassifier

kafka = pytest.importorskip("kafka")

Make = Callable[..., str]


def events(count: int, seed: int = 0) -> list[bytes]:
    """JSON events with few features that matter."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        site, hour = int(rng.integers(50)), int(rng.integers(24))
        score = (site % 7 == 0) * 2.0 - 1.0
        clicked = int(rng.random() < 1 / (1 + math.exp(-score)))
        features = {"site": f"s{site}", "hour": hour / 24, "noise": float(rng.normal())}
        made.append(json.dumps({"id": i, "target": clicked, "features": features}).encode())
    return made


def send(bootstrap: str, topic: str, values: list[bytes], partition: int | None = None) -> None:
    producer = kafka.KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=20)
    for value in values:
        producer.send(topic, value=value, partition=partition)
    producer.flush()
    producer.close()


def read(bootstrap: str, topic: str, count: int) -> list[Any]:
    """The first messages of a topic."""
    consumer = kafka.KafkaConsumer(bootstrap_servers=bootstrap, consumer_timeout_ms=20_000)
    consumer.assign([kafka.TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    messages = list(itertools.islice(consumer, count))
    consumer.close()
    return messages


def in_process(values: list[bytes]) -> SparseClassifier:
    """One uninterrupted pass with the library alone."""
    model = SparseClassifier()
    for value in values:
        event = json.loads(value)
        if event["target"] is not None:
            model.learn_one(event["features"], event["target"])
    return model


def restored(folder: Path) -> tuple[SparseClassifier, dict[str, Any]]:
    from streamlasso_service.offline import open_snapshot

    _, model, manifest = open_snapshot(folder / "snapshots")
    assert isinstance(model, SparseClassifier)
    return model, manifest["extra"]


def assert_same_model(one: SparseClassifier, other: SparseClassifier) -> None:
    """Bit for bit: names, weights, and the whole state behind them."""
    assert one.weights == other.weights
    assert one.intercept == other.intercept
    assert content(one) == content(other)


def streaming(bootstrap: str, topic: str, *settings: str) -> list[str]:
    arguments = ["--bootstrap", bootstrap, "--topic", topic]
    return arguments + [part for setting in settings for part in ("--set", setting)]


def test_a_topic_is_learned_shown_and_saved(
    kafka_bootstrap: str, kafka_topic: Make, tmp_path: Path
) -> None:
    topic, values = kafka_topic(), events(1500)
    send(kafka_bootstrap, topic, values)
    with consume(tmp_path, *streaming(kafka_bootstrap, topic)) as service:
        service.wait_for_events(1500)
        wait_for("readiness", lambda: service.get("/readyz")[0] == 200)
        wait_for("no lag", lambda: service.status()["lag"] == 0)
        # What is active in a stack is counted in sweeps, once a second.
        wait_for("a full count", lambda: service.status()["exact_at_event"] == 1500)
        metrics = service.metrics()
        assert service.stop() == 0
    label = '{model="default"}'
    by_topic = f'{{model="default",topic="{topic}"}}'
    expected = in_process(values)
    assert metrics[f"streamlasso_events_consumed_total{by_topic}"] == 1500
    assert metrics[f"streamlasso_events_learned_total{label}"] == 1500
    assert metrics[f"streamlasso_progressive_examples_total{label}"] == 1500
    assert metrics[f"streamlasso_active_features{label}"] == expected.active_features
    assert metrics[f"streamlasso_tracked_features{label}"] == expected.tracked_features
    model, extra = restored(tmp_path)
    assert_same_model(model, expected)
    assert extra["partitions"][f"{topic}/0"]["position"] == 1500
    committed = kafka.KafkaConsumer(bootstrap_servers=kafka_bootstrap, group_id="streamlasso")
    assert committed.committed(kafka.TopicPartition(topic, 0)) == 1500
    committed.close()


def test_stopping_and_going_on_changes_no_bit(
    kafka_bootstrap: str, kafka_topic: Make, tmp_path: Path
) -> None:
    topic, values = kafka_topic(), events(2000)
    arguments = streaming(kafka_bootstrap, topic)
    for begin, end in ((0, 700), (700, 2000)):
        send(kafka_bootstrap, topic, values[begin:end])
        with consume(tmp_path, *arguments) as service:
            service.wait_for_events(end)
            assert service.stop() == 0
    assert_same_model(restored(tmp_path)[0], in_process(values))


def test_a_killed_service_loses_and_doubles_nothing(
    kafka_bootstrap: str, kafka_topic: Make, tmp_path: Path
) -> None:
    topic, values = kafka_topic(), events(6000)
    arguments = streaming(
        kafka_bootstrap, topic, "snapshot.interval_events=500", "limits.batch_events=100"
    )
    send(kafka_bootstrap, topic, values[:3000])
    with consume(tmp_path, *arguments) as service:
        wait_for("two snapshots", lambda: len(list(tmp_path.glob("snapshots/*.safetensors"))) > 1)
        service.stop(signal.SIGKILL)
    send(kafka_bootstrap, topic, values[3000:])
    with consume(tmp_path, *arguments) as service:
        service.wait_for_events(6000)
        assert service.stop() == 0
    model, extra = restored(tmp_path)
    assert_same_model(model, in_process(values))
    assert extra["partitions"][f"{topic}/0"]["learned"] == 6000


def test_several_partitions_are_each_learned_exactly_once(
    kafka_bootstrap: str, kafka_topic: Make, tmp_path: Path
) -> None:
    from streamlasso_service.tally import fingerprint

    topic, values = kafka_topic(partitions=3), events(3000)
    arguments = streaming(
        kafka_bootstrap, topic, "snapshot.interval_events=300", "limits.batch_events=100"
    )

    def send_each(begin: int, end: int) -> None:
        for number in range(3):
            send(kafka_bootstrap, topic, values[number::3][begin:end], number)

    # The rest comes only after the kill, which is in the middle however late it comes.
    send_each(0, 500)
    with consume(tmp_path, *arguments) as service:
        wait_for("a snapshot", lambda: list(tmp_path.glob("snapshots/*.safetensors")))
        service.stop(signal.SIGKILL)
    send_each(500, 1000)
    with consume(tmp_path, *arguments) as service:
        service.wait_for_events(3000)
        assert service.stop() == 0
    partitions = restored(tmp_path)[1]["partitions"]
    expected = {
        "position": 1000,
        "learned": 1000,
        "fingerprint": f"{fingerprint(range(1000)):016x}",
    }
    assert partitions == {f"{topic}/{number}": expected for number in range(3)}


def test_a_poison_record_goes_to_the_dead_letters_and_learning_goes_on(
    kafka_bootstrap: str, kafka_topic: Make, tmp_path: Path
) -> None:
    topic, values = kafka_topic(), events(400)
    poison = [b"\xff\xfenot json", b"[1, 2]", b'{"target": 1, "features": {"a": {"b": 1}}}']
    send(kafka_bootstrap, topic, values[:200] + poison + values[200:])
    with consume(tmp_path, *streaming(kafka_bootstrap, topic)) as service:
        service.wait_for_events(400)
        metrics = service.metrics()
        assert service.stop() == 0
    letters = read(kafka_bootstrap, f"{topic}.dlq", 3)
    assert [letter.value for letter in letters] == poison
    headers = [dict(letter.headers) for letter in letters]
    assert [each["__connect.errors.offset"] for each in headers] == [b"200", b"201", b"202"]
    assert {each["__connect.errors.topic"] for each in headers} == {topic.encode()}
    reasons = [each["__connect.errors.exception.class.name"] for each in headers]
    assert reasons == [b"decode", b"schema", b"schema"]
    series = f'streamlasso_events_failed_total{{model="default",reason="schema",topic="{topic}"}}'
    assert metrics[series] == 2
    assert_same_model(restored(tmp_path)[0], in_process(values))


def test_events_without_target_are_predicted_before_what_follows_is_learned(
    kafka_bootstrap: str, kafka_topic: Make, tmp_path: Path
) -> None:
    topic, outputs, values = kafka_topic(), kafka_topic("predictions"), events(300)
    question = json.loads(values[150])
    question["target"] = None
    values[150] = json.dumps(question).encode()
    send(kafka_bootstrap, topic, values)
    with consume(tmp_path, *streaming(kafka_bootstrap, topic), "--predictions", outputs) as service:
        service.wait_for_events(299)
        assert service.stop() == 0
    predictions = [json.loads(message.value) for message in read(kafka_bootstrap, outputs, 300)]
    model = SparseClassifier()
    for value, prediction in zip(values, predictions, strict=True):
        event = json.loads(value)
        assert prediction["id"] == event["id"]
        assert prediction["prediction"] == model.predict_proba_one(event["features"])[True]
        if event["target"] is not None:
            model.learn_one(event["features"], event["target"])


def test_aborted_transactions_are_not_learned(
    kafka_bootstrap: str, kafka_topic: Make, tmp_path: Path
) -> None:
    topic, values = kafka_topic(), events(90)
    producer = kafka.KafkaProducer(
        bootstrap_servers=kafka_bootstrap, transactional_id=f"test-{topic}"
    )
    producer.init_transactions()
    for first, finish in ((0, "commit"), (30, "abort"), (60, "commit")):
        producer.begin_transaction()
        for value in values[first : first + 30]:
            producer.send(topic, value=value)
        producer.flush()  # an abort would drop what has not been sent
        getattr(producer, f"{finish}_transaction")()
    producer.close()
    with consume(tmp_path, *streaming(kafka_bootstrap, topic)) as service:
        service.wait_for_events(60)
        wait_for("no lag", lambda: service.status()["lag"] == 0)
        assert service.stop() == 0
    model, extra = restored(tmp_path)
    assert_same_model(model, in_process(values[:30] + values[60:]))
    assert extra["partitions"][f"{topic}/0"]["position"] == 93  # with three control records


def test_a_lost_position_stops_the_service_unless_the_gap_is_accepted(
    kafka_bootstrap: str, kafka_topic: Make, tmp_path: Path
) -> None:
    topic, values = kafka_topic(), events(100)
    send(kafka_bootstrap, topic, values)
    arguments = streaming(kafka_bootstrap, topic)
    with consume(tmp_path, *arguments) as service:
        service.wait_for_events(100)
        assert service.stop() == 0
    with kafka.KafkaAdminClient(bootstrap_servers=kafka_bootstrap) as admin:
        admin.delete_topics([topic])
        wait_for("the deletion", lambda: topic not in admin.list_topics())
        # A request whose answer was lost is sent again: then the topic is there already.
        with suppress(kafka.errors.TopicAlreadyExistsError):
            admin.create_topics({topic: {"num_partitions": 1}}, wait_for_metadata=True)
        wait_for("the topic", lambda: topic in admin.list_topics())
    send(kafka_bootstrap, topic, values[:40])
    with consume(tmp_path, *arguments) as service:
        assert service.process.wait(60) == 3
        assert "missing: 40 to 100" in service.log.read_text()
        assert "--accept-gap" in service.log.read_text()
    with consume(tmp_path, *arguments, "--accept-gap") as service:
        service.wait_for_events(140)
        assert service.stop() == 0


def test_the_service_waits_for_a_topic_and_can_be_stopped_meanwhile(
    kafka_bootstrap: str, kafka_topic: Make, tmp_path: Path
) -> None:
    name = kafka_topic("model")  # to take the dead letters: they must not make the missing topic
    missing = f"{name}-later"
    arguments = [*streaming(kafka_bootstrap, missing), "--set", f"output.dead_letters={name}"]
    with consume(tmp_path, *arguments) as service:
        wait_for("the warning", lambda: "does not exist yet" in service.log.read_text())
        assert service.get("/livez")[0] == 200
        assert service.get("/readyz")[0] == 503
        assert service.stop() == 0
    with consume(tmp_path, *arguments) as service:
        wait_for("the warning", lambda: "does not exist yet" in service.log.read_text())
        send(kafka_bootstrap, missing, events(50))
        service.wait_for_events(50)
        assert service.stop() == 0


def test_a_broker_that_goes_away_and_comes_back_is_learned_from_again(tmp_path: Path) -> None:
    ports, values = servers.free_ports(2), events(600)
    (tmp_path / "broker").mkdir()
    with ExitStack() as stack:
        with servers.kafka_broker(tmp_path / "broker", ports) as bootstrap:
            send(bootstrap, "events", values[:300])
            arguments = streaming(bootstrap, "events", "snapshot.interval_s=1")
            service = stack.enter_context(consume(tmp_path, *arguments))
            service.wait_for_events(300)
        time.sleep(5)
        assert service.get("/livez")[0] == 200
        with servers.kafka_broker(tmp_path / "broker", ports):
            send(bootstrap, "events", values[300:])
            service.wait_for_events(600)
            assert service.stop() == 0
    assert_same_model(restored(tmp_path)[0], in_process(values))


def test_the_source_polls_on_after_an_error_in_poll(
    kafka_bootstrap: str, kafka_topic: Make
) -> None:
    """kafka-python hangs in the poll after a corrupt record: the consumer must be made anew."""
    from kafka.errors import CorruptRecordError

    from streamlasso_service.config import KafkaConfig
    from streamlasso_service.kafka_source import KafkaSource

    topic, values = kafka_topic(), events(50)
    send(kafka_bootstrap, topic, values)
    source = KafkaSource(KafkaConfig(bootstrap=kafka_bootstrap, topic=topic))
    source.start({})
    seen = [record.value for record in poll_until(source, 10)]
    broken = source._consumer

    def fail(**options: Any) -> Any:
        raise CorruptRecordError("CRC of the batch at offset 10")

    broken.poll = fail
    seen += [record.value for record in poll_until(source, 40)]
    assert seen == values
    assert source._consumer is not broken
    source.close()


def poll_until(source: Any, count: int) -> Iterator[Any]:
    """Records in polls of at most ten; each poll must return, whatever happened before."""
    deadline = time.monotonic() + 30
    while count > 0:
        assert time.monotonic() < deadline
        for record in source.poll(0.5, 10).records:
            count -= 1
            yield record


def test_deserializers_which_make_poll_hang_are_refused(kafka_bootstrap: str) -> None:
    from streamlasso_service.loading import ConfigError, load_settings

    flags = {"source": {"kind": "kafka"}, "kafka": {"options": {"value_deserializer": "json"}}}
    with pytest.raises(ConfigError, match=r"kafka\.options.*value_deserializer"):
        load_settings(None, flags)


def test_poll_hangs_after_a_deserializer_error_in_this_version_of_kafka_python(
    kafka_bootstrap: str, kafka_topic: Make
) -> None:
    """Why there are no deserializers; when this fails, the caution is no longer needed."""
    topic = kafka_topic()
    send(kafka_bootstrap, topic, [b"1", b"poison", b"2"])
    program = f"""
import json, kafka
consumer = kafka.KafkaConsumer({topic!r}, bootstrap_servers={kafka_bootstrap!r},
    auto_offset_reset="earliest", value_deserializer=json.loads)
failed = False
while not failed:
    try:
        consumer.poll(timeout_ms=500)
    except ValueError:
        failed = True
print("failed", flush=True)
consumer.poll(timeout_ms=500)
print("returned", flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert child.stdout is not None
    timer = threading.Timer(20, child.kill)
    timer.start()
    assert child.stdout.readline() == b"failed\n"
    timer.cancel()
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(4)
    child.kill()
    child.communicate()


def test_imdb_killed_half_way_ends_in_the_bits_of_one_pass(
    kafka_bootstrap: str, kafka_topic: Make, tmp_path: Path, shared_data: Path
) -> None:
    """25,000 reviews, log(1 + count), unit length: produce → broker → consume, SIGKILL, consume."""
    from streamlasso_service.config import EventConfig, FeaturesConfig, LimitsConfig
    from streamlasso_service.decoding import Decoder
    from streamlasso_service.fields import Fields
    from streamlasso_service.produce import file_events
    from streamlasso_service.records import Event, Partition, Record

    topic, reviews = kafka_topic(), str(shared_data / "imdb_train.svm.gz")
    with gzip.open(reviews) as file:
        lines = file.readlines()

    def produce(begin: int, end: int) -> None:
        part = tmp_path / f"{begin}.svm.gz"
        part.write_bytes(gzip.compress(b"".join(lines[begin:end]), 1))
        command = [sys.executable, "-m", "streamlasso_service", "produce", str(part)]
        subprocess.run([*command, "--topic", topic, "--bootstrap", kafka_bootstrap], check=True)

    arguments = streaming(
        kafka_bootstrap,
        topic,
        'features.log1p=["*"]',
        "features.unit_length=true",
        "snapshot.interval_events=3000",
        "limits.batch_events=500",
    )
    # Reviews after the first 15,000 come only after the kill: it cannot come too late.
    produce(0, 15_000)
    with consume(tmp_path, *arguments) as service:
        service.wait_for_events(12_500)
        service.stop(signal.SIGKILL)
    assert restored(tmp_path)[0].learner.clock < 25_000
    produce(15_000, 25_000)
    with consume(tmp_path, *arguments) as service:
        service.wait_for_events(25_000)
        assert service.stop() == 0
    fields = Fields(FeaturesConfig(log1p=["*"], unit_length=True))
    decoder = Decoder(EventConfig(), fields, LimitsConfig(), "classification")
    model = SparseClassifier()
    for value in file_events(reviews, "auto", None):
        event = decoder.decode(Record(Partition(topic, 0), 0, 1, value))
        assert isinstance(event, Event)
        model.learn_one(event.features, event.target)
    assert_same_model(restored(tmp_path)[0], model)

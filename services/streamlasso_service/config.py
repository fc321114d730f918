"""What can be configured: a class for each table of the file, `Settings` for the whole."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streamlasso_service.model_config import DEFAULT_LOSSES, DOMAINS, Flag, ModelConfig, Section

__all__ = [
    "DEFAULT_LOSSES",
    "DOMAINS",
    "PREFIX",
    "EventConfig",
    "FeaturesConfig",
    "FileConfig",
    "HttpConfig",
    "KafkaConfig",
    "LimitsConfig",
    "ModelConfig",
    "OutputConfig",
    "Settings",
    "SnapshotConfig",
    "SourceConfig",
]

PREFIX = "STREAMLASSO_"


class EventConfig(Section):
    """Names of the fields of an event."""

    id: str = Field("id", description="the field that comes back with predictions")
    target: str = Field("target", description="the label; without it an event is only predicted")
    importance: str = Field("importance", description="a weight ≥ 0; 1 where the field is missing")
    features: str = Field(
        "features", description="the field that holds the features; without it an event is flat"
    )
    positive: str | int | float | bool | None = Field(
        None, description="the target that counts as positive; by default 1, true"
    )


class FeaturesConfig(Section):
    """What a field is, by name patterns (``*`` and ``?``); otherwise numbers are numeric and
    strings one-hot."""

    categorical: list[str] = Field([], description="one-hot name=value, numbers too")
    numeric: list[str] = Field([], description="numbers, also those written as text")
    ignore: list[str] = Field([], description="no features")
    log1p: list[str] = Field([], description="numeric, as sgn(v)·log(1 + abs(v))")
    prefix: dict[str, str] = Field({}, description="pattern → what to put before the name")
    unit_length: Flag = Field(False, description="scale each event's values to Σ value² = 1")
    interactions: list[list[str]] = Field(
        [], description="pairs and triples of fields, or patterns, whose products are features too"
    )

    @field_validator("interactions")
    @classmethod
    def _pairs_and_triples(cls, interactions: list[list[str]]) -> list[list[str]]:
        from streamlasso.interactions import checked_interactions

        checked_interactions(interactions)
        return interactions


class SourceConfig(Section):
    """Where events come from."""

    kind: Literal["file", "kafka"] = Field("file", description="files, or a Kafka topic")
    format: Literal["auto", "json", "csv", "svmlight", "vw"] = Field(
        "auto", description="of files, by their names; Kafka's values are json"
    )


class FileConfig(Section):
    """Files as a stream, in order; plain or ``.gz``; ``-`` is standard input."""

    paths: list[str] = Field([], description="read one after the other")
    follow: Flag = Field(False, description="wait for more at the end of the last file")
    names: str | None = Field(None, description="a file whose i-th line names svmlight's index i")


class KafkaConfig(Section):
    """The event topic."""

    bootstrap: str = Field("localhost:9092", description="a broker, host:port")
    topic: str = Field("events", min_length=1, description="all its partitions are read")
    group: str = Field("streamlasso", description="under which positions are shown to lag tools")
    start: Literal["earliest", "latest"] = Field(
        "earliest", description="where to begin without a snapshot"
    )
    accept_gap: Flag = Field(
        False, description="go on when the broker no longer holds the snapshot's position"
    )
    raw: Literal["auto", "off"] = Field(
        "auto",
        description="read whole record batches where kafka-python's version is known, or never",
    )
    options: dict[str, Any] = Field({}, description="more of kafka-python's options (TLS, SASL)")

    @field_validator("bootstrap")
    @classmethod
    def _host_and_port(cls, bootstrap: str) -> str:
        for broker in bootstrap.split(","):
            host, _, port = broker.strip().rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise ValueError(f"{broker!r} must be host:port; Kafka's own port is 9092")
        return bootstrap

    @field_validator("options")
    @classmethod
    def _no_deserializers(cls, options: dict[str, Any]) -> dict[str, Any]:
        for name in ("key_deserializer", "value_deserializer"):
            if name in options:
                raise ValueError(f"{name} can make poll hang for ever; values are read as JSON")
        return options


class SnapshotConfig(Section):
    """When and where the model is saved, together with its positions."""

    directory: Path = Field(Path("snapshots"), description="owned by one process")
    interval_s: float = Field(60.0, gt=0, description="a snapshot at least so often, in seconds")
    interval_events: int = Field(1_000_000, gt=0, description="and after so many events")
    keep: int = Field(3, ge=2, description="how many snapshots to keep")


class OutputConfig(Section):
    """Where predictions and dead letters go."""

    predictions: str | None = Field(None, description="a topic or file; none by default")
    dead_letters: str | None = Field(
        None, description="a topic or file; <topic>.dlq, or dead-letters.jsonl beside the snapshots"
    )


class HttpConfig(Section):
    """Metrics, health and the page."""

    host: str = Field("127.0.0.1", description="there is no authentication")
    port: int = Field(9108, ge=0, le=65535, description="0 picks a free port")
    enabled: Flag = Field(True, description="false: no page, no metrics")


class LimitsConfig(Section):
    """Bounds against bad input."""

    max_event_bytes: int = Field(1_000_000, gt=0, description="a larger record is bad")
    max_event_features: int = Field(100_000, gt=0, description="an event with more is bad")
    max_bad_share: float = Field(
        0.5, gt=0, le=1, description="of the last bad_window events; above it the service stops"
    )
    bad_window: int = Field(1000, gt=0, description="records that the share is taken over")
    batch_events: int = Field(5000, gt=0, description="records taken at a time")


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    model: ModelConfig = ModelConfig()
    source: SourceConfig = SourceConfig()
    event: EventConfig = EventConfig()
    features: FeaturesConfig = FeaturesConfig()
    file: FileConfig = FileConfig()
    kafka: KafkaConfig = KafkaConfig()
    snapshot: SnapshotConfig = SnapshotConfig()
    output: OutputConfig = OutputConfig()
    http: HttpConfig = HttpConfig()
    limits: LimitsConfig = LimitsConfig()

    @property
    def streams(self) -> list[str]:
        """What is read: the topic, or the files."""
        return [self.kafka.topic] if self.source.kind == "kafka" else self.file.paths

    @field_validator("file")
    @classmethod
    def _source_complete(cls, file: FileConfig, info: ValidationInfo) -> FileConfig:
        source = info.data.get("source")
        if source is not None and source.kind == "file" and not file.paths:
            raise ValueError("paths = [] must name at least one file, or set source.kind = 'kafka'")
        return file

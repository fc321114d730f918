"""Prometheus metrics: one registry of its own, updated once a batch, never while scraping.

Totals start at 0 in each process (one restored from a snapshot would step back after a crash);
lifetime numbers are gauges. All label values exist from the start, so that ``rate()`` sees zero.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

from streamlasso import __version__
from streamlasso.learners import AnyLearner
from streamlasso_service.decoding import REASONS
from streamlasso_service.models import served_hyper

__all__ = ["STAGES", "Metrics"]

STAGES = ("poll", "decode", "learn", "output", "snapshot", "commit")
TURNED_AWAY = ("not_admitted", "at_limit")
SECONDS = (0.0005, 0.002, 0.01, 0.05, 0.2, 1.0, 5.0, 30.0)
EVENTS = (1, 10, 100, 500, 1000, 5000, 20000)


class Metrics:
    """Every metric of the service as an attribute, without the prefix."""

    def __init__(self, model: str) -> None:
        # A second series for each counter, which nothing here reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.model = model
        self.events_consumed = self._counter("events_consumed", "Records read", "topic")
        self.events_learned = self._counter("events_learned", "Events learned from")
        self.events_skipped = self._counter(
            "events_skipped", "Good events that were not learned", "reason"
        )
        self.events_failed = self._counter(
            "events_failed", "Records that could not be used", "topic", "reason"
        )
        self.dead_letters = self._counter(
            "dead_letters", "Records copied to the dead letters", "topic", "reason"
        )
        self.poll_idle_seconds = self._counter("poll_idle_seconds", "Time spent without records")
        self.progressive_loss = self._counter(
            "progressive_loss", "Sum of losses, each from before its event was learned"
        )
        self.progressive_examples = self._counter(
            "progressive_examples", "Sum of the importances of these events"
        )
        self.baseline_loss = self._counter(
            "baseline_loss", "The same sum for a constant model that knows the running mean"
        )
        self.feature_transitions = self._counter(
            "feature_transitions",
            "Weights that left or reached zero; of a stack between two counts of active_features",
            "direction",
        )
        self.nonfinite_updates = self._counter(
            "nonfinite_updates", "Events whose update was not finite and was left out"
        )
        self.names_turned_away = self._counter(
            "names_turned_away",
            "Occurrences of names without a slot that were not learned",
            "reason",
        )
        self.features_evicted = self._counter(
            "features_evicted", "Features of weight zero whose slot was freed for another name"
        )
        self.snapshots = self._counter("snapshots", "Snapshots", "result")
        self.offset_commits = self._counter("offset_commits", "Commits for lag tools", "result")
        self.rebalances = self._counter("rebalances", "Changes of the assignment", "event")
        self.replayed_events = self._counter(
            "replayed_events", "Records skipped because the model has them already"
        )
        self.batch_events = self._histogram("batch_events", "Records in a batch", EVENTS)
        self.batch_stage_duration_seconds = self._histogram(
            "batch_stage_duration_seconds", "Time of a stage of a batch", SECONDS, "stage"
        )
        self.prediction_sum = self._gauge("prediction_sum", "Sum of predictions since the start")
        self.target_sum = self._gauge("target_sum", "Sum of their targets since the start")
        self.model_events_learned = self._gauge(
            "model_events_learned", "Events learned in the model's lifetime"
        )
        self.active_features = self._gauge("active_features", "Features with a weight other than 0")
        self.active_features_exact_at_event = self._gauge(
            "active_features_exact_at_event", "Lifetime event at which active_features was counted"
        )
        self.tracked_features = self._gauge("tracked_features", "Features seen in learning")
        self.sparsity_ratio = self._gauge("sparsity_ratio", "1 - active/tracked")
        self.weight_l1_norm = self._gauge("weight_l1_norm", "Sum of |weight|")
        self.weight_max_abs = self._gauge("weight_max_abs", "Largest |weight|")
        self.hyperparameter = self._gauge(
            "hyperparameter", "Of the rule; of a grid the mean by the models' shares", "name"
        )
        self.lifetime_loss = self._gauge(
            "lifetime_loss",
            "Mean progressive loss in the model's lifetime, and of a stack that of its full model",
            "of",
        )
        self.served_worth_nats = self._gauge(
            "served_worth_nats", "What a feature of a stack must be worth to be served"
        )
        self.partition_lag_records = self._gauge(
            "partition_lag_records", "Records not yet read (bytes for files)", "topic", "partition"
        )
        self.partition_position_offset = self._gauge(
            "partition_position_offset", "Next offset to read", "topic", "partition"
        )
        self.partition_snapshot_offset = self._gauge(
            "partition_snapshot_offset", "Position in the newest snapshot", "topic", "partition"
        )
        self.assigned_partitions = self._gauge("assigned_partitions", "Partitions being read")
        self.snapshot_duration_seconds = self._gauge(
            "snapshot_duration_seconds", "Time the newest snapshot took to write"
        )
        self.snapshot_size_bytes = self._gauge("snapshot_size_bytes", "Its size")
        self.last_snapshot_timestamp_seconds = self._gauge(
            "last_snapshot_timestamp_seconds", "When it was written"
        )
        self.restore_duration_seconds = self._gauge(
            "restore_duration_seconds", "Time the restart took to load its snapshot"
        )
        self.ready = self._gauge("ready", "1 when restored, assigned and learning")
        self.build_info = self._gauge("build_info", "Version", "version")
        self.model_info = self._gauge("model_info", "What is learned", "rule", "loss", "index")
        self._create_labels()

    def _create_labels(self) -> None:
        for direction in ("activated", "deactivated"):
            self.feature_transitions.labels(self.model, direction)
        for of in ("served", "full"):
            self.lifetime_loss.labels(self.model, of).set(float("nan"))
        for reason in TURNED_AWAY:
            self.names_turned_away.labels(self.model, reason)
        for result in ("ok", "failed"):
            self.snapshots.labels(self.model, result)
            self.offset_commits.labels(self.model, result)
        for event in ("assigned", "revoked", "lost"):
            self.rebalances.labels(self.model, event)
        for stage in STAGES:
            self.batch_stage_duration_seconds.labels(self.model, stage)
        for reason in ("no_target", "zero_importance"):
            self.events_skipped.labels(self.model, reason)

    def describe(self, learner: AnyLearner, topics: Iterable[str]) -> None:
        """What does not change while the service runs."""
        self.build_info.labels(self.model, __version__).set(1)
        names = (learner.rule_name, learner.loss.name, learner.index.kind)
        self.model_info.labels(self.model, *names).set(1)
        self.served(learner)
        self.create_topics(topics)

    def served(self, learner: AnyLearner) -> None:
        """The hyper-parameters, which of a grid or stack change with what is served."""
        for name, value in served_hyper(learner).items():
            self.hyperparameter.labels(self.model, name).set(value)

    def consumed(self, counts: Iterable[tuple[str, int]]) -> None:
        """Count a batch, given as topics and how many of its records came from there."""
        together = 0
        for topic, count in counts:
            self.events_consumed.labels(self.model, topic).inc(count)
            together += count
        self.batch_events.observe(together)

    def failed(self, topic: str, reason: str) -> None:
        """Count a bad record, which is kept as a dead letter."""
        for counter in (self.events_failed, self.dead_letters):
            counter.labels(self.model, topic, reason).inc()

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, float]]:
        """Time a stage of a batch; what is yielded holds the seconds afterwards."""
        timing = {"seconds": 0.0}
        begun = time.perf_counter()
        yield timing
        timing["seconds"] = time.perf_counter() - begun
        self.batch_stage_duration_seconds.labels(self.model, name).observe(timing["seconds"])

    def create_topics(self, topics: Iterable[str]) -> None:
        """Make the series of these topics (or files) exist at zero."""
        for topic in topics:
            self.events_consumed.labels(self.model, topic)
            for reason in REASONS:
                self.events_failed.labels(self.model, topic, reason)
                self.dead_letters.labels(self.model, topic, reason)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        counter = Counter(f"streamlasso_{name}", text, ("model", *labels), registry=self.registry)
        return counter if labels else counter.labels(self.model)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        gauge = Gauge(f"streamlasso_{name}", text, ("model", *labels), registry=self.registry)
        return gauge if labels else gauge.labels(self.model)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        histogram = Histogram(
            f"streamlasso_{name}", text, ("model", *labels), registry=self.registry, buckets=buckets
        )
        return histogram if labels else histogram.labels(self.model)

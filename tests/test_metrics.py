"""Every metric is there, from zero, and equals what was learned."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families
from serving import (
    BAD_RECORDS,
    Seen,
    good_events,
    learned_by_hand,
    mixed_stream,
    run,
    settings_for,
    write_lines,
)

from streamlasso import Progress
from streamlasso.stack import StackLearner
from streamlasso_service.decoding import REASONS
from streamlasso_service.exporter import STAGES, Metrics
from streamlasso_service.models import build_model
from streamlasso_service.status import Reporter

NAME = "clicks"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    """(name without prefix, labels other than the model) → value."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("model") == NAME, sample
            key = sample.name.removeprefix("streamlasso_"), tuple(sorted(labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mixed_stream(tmp_path_factory.mktemp("stream") / "events.jsonl")


@pytest.fixture(scope="module", params=["stack", "ftrl"])
def seen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stream: Path
) -> Seen:
    return Seen(tmp_path_factory.mktemp("snapshots"), stream, rule=request.param)


def test_every_metric_appears_with_the_model_as_label(seen: Seen) -> None:
    text = seen.pages["end", "/metrics"].text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    metrics = seen.consumer.metrics
    names = [name for name, value in vars(metrics).items() if isinstance(value, MetricWrapperBase)]
    assert len(names) > 35
    assert {f"streamlasso_{name}" for name in names} == set(families)
    for family in families.values():
        assert family.samples, family.name
        assert family.documentation


def test_metrics_need_no_redirect_and_have_their_type(seen: Seen) -> None:
    answer = seen.pages["end", "/metrics"]
    assert answer.status_code == 200
    assert not answer.history
    assert answer.headers["content-type"].startswith("text/plain; version=")


def test_series_of_every_label_exist_at_zero_from_the_start(seen: Seen) -> None:
    start = samples(seen.pages["start", "/metrics"].text)
    expected = [
        *(("feature_transitions_total", "direction", d) for d in ("activated", "deactivated")),
        *(("snapshots_total", "result", r) for r in ("ok", "failed")),
        *(("offset_commits_total", "result", r) for r in ("ok", "failed")),
        *(("rebalances_total", "event", e) for e in ("assigned", "revoked", "lost")),
        *(("events_skipped_total", "reason", r) for r in ("no_target", "zero_importance")),
        *(("batch_stage_duration_seconds_count", "stage", s) for s in STAGES),
    ]
    for name, label, value in expected:
        assert start[name, ((label, value),)] == 0, (name, value)
    for name in ("events_learned_total", "progressive_loss_total", "replayed_events_total"):
        assert start[name, ()] == 0


def test_series_of_every_file_and_reason_exist_before_its_first_record(tmp_path: Path) -> None:
    empty = write_lines(tmp_path / "none.jsonl", [])
    consumer = run(settings_for(tmp_path / "s", empty, model={"name": NAME}))
    get = consumer.metrics.registry.get_sample_value
    for name in ("events_failed", "dead_letters"):
        for reason in REASONS:
            labels = {"model": NAME, "topic": str(empty), "reason": reason}
            assert get(f"streamlasso_{name}_total", labels) == 0
    assert get("streamlasso_events_consumed_total", {"model": NAME, "topic": str(empty)}) == 0


def test_counters_equal_what_was_learned(seen: Seen, stream: Path) -> None:
    end, good = samples(seen.pages["end", "/metrics"].text), good_events(stream)
    learned = [event for event in good if event.target is not None and event.importance > 0]
    topic = ("topic", str(stream))
    partition = (("partition", "0"), topic)
    expected = {
        ("events_consumed_total", (topic,)): len(good) + len(BAD_RECORDS),
        ("events_learned_total", ()): len(learned),
        ("model_events_learned", ()): len(learned),
        ("events_skipped_total", (("reason", "no_target"),)): sum(e.target is None for e in good),
        ("events_skipped_total", (("reason", "zero_importance"),)): sum(
            e.target is not None and e.importance == 0 for e in good
        ),
        ("progressive_examples_total", ()): sum(event.importance for event in learned),
        ("target_sum", ()): sum(event.importance * event.target for event in learned),
        ("batch_events_sum", ()): len(good) + len(BAD_RECORDS),
        ("partition_position_offset", partition): stream.stat().st_size,
        ("partition_lag_records", partition): 0,
        ("nonfinite_updates_total", ()): 0,
        ("ready", ()): 1,
        ("snapshots_total", (("result", "failed"),)): 0,
    }
    learner = seen.consumer.model.learner
    hyper = {"l1": 1} if seen.rule == "ftrl" else {"tolerance": 0.005, "worth": learner.worth}
    expected |= {("hyperparameter", (("name", name),)): value for name, value in hyper.items()}
    info = (("index", "growing"), ("loss", "logistic"), ("rule", seen.rule))
    expected["model_info", info] = 1
    for reason, count in (("decode", 2), ("schema", 3), ("nonfinite", 0), ("too_large", 0)):
        for name in ("events_failed_total", "dead_letters_total"):
            expected[name, (("reason", reason), topic)] = count
    assert {key: end[key] for key in expected} == expected
    assert end["snapshots_total", (("result", "ok"),)] >= 1
    assert 0 < end["partition_snapshot_offset", partition] <= stream.stat().st_size


def log_loss(probability: float, target: float) -> float:
    return -math.log(probability if target else 1 - probability)


def test_sums_equal_an_independent_pass(seen: Seen, stream: Path) -> None:
    model = learned_by_hand(seen.consumer.settings, [])
    loss = baseline = predictions = 0.0
    targets, examples = 0.5, 1.0
    for event in good_events(stream):
        if event.target is None or event.importance == 0:
            continue
        probability, weight = model.predict_proba_one(event.features)[True], event.importance
        loss += weight * log_loss(probability, event.target)
        predictions += weight * probability
        baseline += weight * log_loss(targets / examples, event.target)
        targets, examples = targets + weight * event.target, examples + weight
        model.learn_one(event.features, event.target, weight)
    end = samples(seen.pages["end", "/metrics"].text)
    found = [end[name, ()] for name in ("progressive_loss_total", "baseline_loss_total")]
    assert [*found, end["prediction_sum", ()]] == pytest.approx(
        [loss, baseline, predictions], rel=1e-9
    )
    assert loss < 0.95 * baseline, "the stream can be learned"


def test_gauges_equal_the_model(seen: Seen) -> None:
    end, model = samples(seen.pages["end", "/metrics"].text), seen.consumer.model
    weights = [abs(weight) for weight in model.weights.values()]
    assert end["active_features", ()] == len(weights) == model.active_features
    assert end["tracked_features", ()] == model.tracked_features
    assert end["sparsity_ratio", ()] == pytest.approx(model.sparsity)
    # Activations less deactivations are what is active.
    changes = [
        end["feature_transitions_total", (("direction", d),)] for d in ("activated", "deactivated")
    ]
    assert changes[0] - changes[1] == len(weights)
    get = seen.consumer.metrics.registry.get_sample_value
    assert get("streamlasso_weight_l1_norm", {"model": NAME}) == pytest.approx(sum(weights))
    assert get("streamlasso_weight_max_abs", {"model": NAME}) == max(weights)


def test_losses_of_what_is_served_and_of_the_full_model_are_those_of_a_life(seen: Seen) -> None:
    end, learner = samples(seen.pages["end", "/metrics"].text), seen.consumer.model.learner
    served, full = (end["lifetime_loss", (("of", of),)] for of in ("served", "full"))
    sums = [end[f"progressive_{name}_total", ()] for name in ("loss", "examples")]
    assert served == pytest.approx(sums[0] / sums[1], rel=1e-12)
    if isinstance(learner, StackLearner):
        assert (served, full) == (learner.served_loss, learner.full_loss)
        assert end["served_worth_nats", ()] == learner.worth
        assert full != served
    else:
        assert math.isnan(full)
        assert end["served_worth_nats", ()] == 0


def test_a_stack_counts_transitions_from_sweep_to_sweep(tmp_path: Path, stream: Path) -> None:
    """A feature that becomes active and ceases to be between two sweeps is not seen."""
    settings = settings_for(tmp_path / "s", stream, model={"name": NAME})
    metrics, model = Metrics(NAME), build_model(settings.model)
    now = 0.0
    reporter = Reporter(metrics, clock=lambda: now)
    progress = Progress(model.learner.loss)
    expected, before = {"activated": 0, "deactivated": 0}, set[str]()
    reporter.batch(model, progress)
    reporter.sweep_if_due(model)
    for number, event in enumerate(good_events(stream)):
        if event.target is not None:
            model.learn_one(event.features, event.target, event.importance)
        reporter.batch(model, progress)
        if number % 100 == 99:
            now += 1000.0
            after = set(model.weights)
            expected["activated"] += len(after - before)
            expected["deactivated"] += len(before - after)
            before = after
        reporter.sweep_if_due(model)
    get = metrics.registry.get_sample_value
    for direction, count in expected.items():
        labels = {"model": NAME, "direction": direction}
        assert get("streamlasso_feature_transitions_total", labels) == count > 0


def test_restarted_process_counts_from_zero_and_knows_the_lifetime(
    tmp_path: Path, stream: Path
) -> None:
    settings = settings_for(tmp_path / "s", stream, model={"name": NAME})
    first = run(settings)
    second = run(settings)
    get = second.metrics.registry.get_sample_value
    assert get("streamlasso_events_learned_total", {"model": NAME}) == 0
    assert get("streamlasso_progressive_loss_total", {"model": NAME}) == 0
    lifetime = get("streamlasso_model_events_learned", {"model": NAME})
    assert lifetime == first.model.learner.clock
    assert second.reporter.status.loss == first.reporter.status.loss


def test_names_turned_away_and_evicted_are_counted(tmp_path: Path, stream: Path) -> None:
    bounds = {"max_features": 20, "at_limit": "evict", "admit": "count", "admit_bits": 10}
    consumer = run(settings_for(tmp_path / "s", stream, model={"name": NAME, **bounds}))
    index: Any = consumer.model.learner.index
    get = consumer.metrics.registry.get_sample_value
    for reason, count in (("not_admitted", index.waiting), ("at_limit", index.refused)):
        labels = {"model": NAME, "reason": reason}
        assert get("streamlasso_names_turned_away_total", labels) == count > 0
    assert get("streamlasso_features_evicted_total", {"model": NAME}) == index.evicted > 0
    assert get("streamlasso_tracked_features", {"model": NAME}) == index.tracked <= 20


def test_no_label_holds_an_id_or_a_feature(seen: Seen, stream: Path) -> None:
    for _, labels in samples(seen.pages["end", "/metrics"].text):
        for name, value in labels:
            assert name in {
                "topic", "partition", "reason", "result", "event", "direction", "stage", "le",
                "name", "version", "rule", "loss", "index", "of",
            }  # fmt: skip
            assert not re.search(r"site|rare|noise|hour", value)

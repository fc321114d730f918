"""What can be done with a snapshot alone: predict, inspect, export."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from streamlasso import FTRLProximal, Progress, load
from streamlasso.estimators import SparseClassifier
from streamlasso.interactions import JOINER
from streamlasso.learners import AnyLearner
from streamlasso.snapshot import SnapshotError, read_manifest
from streamlasso.stack import StackLearner
from streamlasso_service.config import EventConfig, FeaturesConfig, FileConfig, LimitsConfig
from streamlasso_service.decoding import Decoder
from streamlasso_service.fields import Fields
from streamlasso_service.file_source import FileSource
from streamlasso_service.models import Estimator, name_counts
from streamlasso_service.records import Bad
from streamlasso_service.store import NAME

__all__ = ["as_text", "describe", "open_snapshot", "predict_file"]

encode = msgspec.json.Encoder().encode


def open_snapshot(path: Path) -> tuple[Path, Estimator, dict[str, Any]]:
    """The snapshot at a path, or the newest of a folder: its path, estimator and manifest."""
    if path.is_dir():
        found = sorted(each for each in path.iterdir() if NAME.fullmatch(each.name))
        if not found:
            raise SnapshotError(f"{path} holds no snapshot")
        path = found[-1]
    return path, load(path), read_manifest(path)


def predict_file(
    model: Estimator, manifest: dict[str, Any], path: str, kind: str, names: str | None
) -> Iterator[bytes | Bad]:
    """One JSON line per event of a file, decoded with the settings the model was trained with."""
    saved = manifest["extra"].get("settings", {})
    task = "classification" if manifest["estimator"] == "SparseClassifier" else "regression"
    event_config = EventConfig(**saved.get("event", {}))
    decoder = Decoder(
        event_config,
        Fields(FeaturesConfig(**saved.get("features", {}))),
        LimitsConfig(),
        task,
        counts=model.learner.loss.domain == "count",
    )
    source = FileSource(FileConfig(paths=[path], names=names), kind, event_config)
    source.start({})
    learner = model.learner
    if learner.loss.together:
        raise SnapshotError(
            f"this model has {len(learner.rules)} classes, and the service knows models of two; "
            "predict with streamlasso.load"
        )
    while not source.finished:
        for record in source.poll(0.1, 10_000).records:
            event = decoder.decode(record)
            if isinstance(event, Bad):
                yield event
                continue
            model._encoder.encode(event.features, allocate=False)
            encoder = model._encoder
            score = learner.score_row(encoder.slots, encoder.values, encoder.size)
            yield encode({"id": event.id, "prediction": learner.loss.mean(score), "score": score})
    source.close()


def describe(path: Path, model: Estimator, manifest: dict[str, Any], top: int) -> dict[str, Any]:
    """What ``streamlasso inspect`` shows."""
    extra = manifest["extra"]
    learner = model.learner
    lanes = _tables(model)
    weights = {str(name): weight for name, weight in learner.weights().items()}
    if isinstance(model, SparseClassifier) and learner.loss.together:
        weights = {
            f"{label}: {name}": weight
            for label, own in model.weights.items()
            for name, weight in own.items()
        }
    largest = sorted(weights.items(), key=lambda item: -abs(item[1]))
    progress = None
    if "progress" in extra:
        progress = Progress(learner.loss, np.array(extra["progress"]))
    if progress and not progress.examples:
        progress = None  # its means would be NaN, which JSON has not
    return {
        "snapshot": str(path),
        "estimator": manifest["estimator"],
        "rule": _rule(model),
        "scale": model.scale,
        **lanes,
        "loss": learner.loss.name,
        "index": repr(learner.index),
        "interactions": [JOINER.join(each) for each in model.interactions],
        "events_learned": learner.clock,
        "progressive_loss": progress.mean_loss if progress else None,
        "constant_model_loss": progress.baseline if progress else None,
        **_served(learner),
        "active_features": model.active_features,
        "tracked_features": model.tracked_features,
        "sparsity_ratio": model.sparsity,
        "names": name_counts(model),
        "intercept": _by_label(model.intercept),
        "bad_records": extra.get("failed", 0),
        "partitions": extra.get("partitions", {}),
        "fields": extra.get("fields", {}),
        "weights": dict(largest[:top]),
    }


def _rule(model: Estimator) -> str:
    if model.rule is None:
        stacked = isinstance(model.learner, StackLearner)
        return model.learner.rule_name if stacked else repr(FTRLProximal())
    return repr(model.rule)


def _tables(model: Estimator) -> dict[str, Any]:
    """What learns side by side."""
    if model.grid is None and not isinstance(model.learner, StackLearner):
        return {}
    tables: dict[str, Any] = {"select": model.learner.select}
    tables["lanes"] = [_finite(lane) for lane in model.lane_table()]
    if isinstance(model.learner, StackLearner):
        tables["levels"] = [_finite(level) for level in model.learner.level_table()]
    return tables


def _served(learner: AnyLearner) -> dict[str, float | None]:
    """Of a stack what sparsity costs: the losses of what is served and of the full model."""
    if not isinstance(learner, StackLearner):
        return {}
    return _finite({
        "served_loss": learner.served_loss,
        "full_loss": learner.full_loss,
        "tolerance": learner.tolerance,
        "served_worth_nats": learner.worth,
    })  # fmt: skip


def _by_label(intercept: Any) -> Any:
    """A number, or numbers by the labels' texts."""
    if not isinstance(intercept, dict):
        return intercept
    return {str(label): number for label, number in intercept.items()}


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """Without NaN and infinity, which JSON has not."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _cell(value: Any) -> str:
    if isinstance(value, int | float):
        return f"{value:.6g}"
    return "–" if value is None else str(value)


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Numbers in columns, texts behind them."""
    texts = [name for name, value in rows[0].items() if isinstance(value, str)]
    numbers = [name for name in rows[0] if name not in texts]
    for row in ({name: name for name in rows[0]}, *rows):
        cells = [f"{_cell(row[name]):>18}" for name in numbers]
        yield "  " + "".join([*cells, *(f"  {row[name]}" for name in texts)])


def as_text(content: dict[str, Any]) -> Iterator[str]:
    """The lines of ``streamlasso inspect`` without ``--json``."""
    for key, value in content.items():
        if key in ("lanes", "levels"):
            yield key
            yield from _table(value)
        elif isinstance(value, dict):
            yield key
            for name, item in value.items():
                shown = f"{item:+.6g}" if isinstance(item, float) else item
                yield f"  {name:<40} {shown}"
        else:
            yield f"{key:<20} {value}"

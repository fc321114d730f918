"""What can be done with a snapshot alone: predict, inspect, export."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from streamlasso import Progress, load
from streamlasso.interactions import JOINER
from streamlasso.snapshot import SnapshotError, read_manifest
from streamlasso_service.config import EventConfig, FeaturesConfig, FileConfig, LimitsConfig
from streamlasso_service.decoding import Decoder
from streamlasso_service.fields import Fields
from streamlasso_service.file_source import FileSource
from streamlasso_service.models import Estimator, name_counts
from streamlasso_service.records import Bad
from streamlasso_service.store import NAME

__all__ = ["describe", "open_snapshot", "predict_file"]

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
    mean, learner = model.learner.loss.mean, model.learner
    while not source.finished:
        for record in source.poll(0.1, 10_000).records:
            event = decoder.decode(record)
            if isinstance(event, Bad):
                yield event
                continue
            model._encoder.encode(event.features, allocate=False)
            encoder = model._encoder
            score = learner.score_row(encoder.slots, encoder.values, encoder.size)
            yield encode({"id": event.id, "prediction": mean(score), "score": score})
    source.close()


def describe(path: Path, model: Estimator, manifest: dict[str, Any], top: int) -> dict[str, Any]:
    """What ``streamlasso inspect`` shows."""
    extra = manifest["extra"]
    tracked, sums = model.learner.survey()
    weights = sorted(model.weights.items(), key=lambda item: -abs(item[1]))
    progress = None
    if "progress" in extra:
        progress = Progress(model.learner.loss, np.array(extra["progress"]))
    if progress and not progress.examples:
        progress = None  # its means would be NaN, which JSON has not
    return {
        "snapshot": str(path),
        "estimator": manifest["estimator"],
        "rule": repr(model.learner.rule),
        "loss": manifest["loss"],
        "index": repr(model.learner.index),
        "interactions": [JOINER.join(each) for each in model.interactions],
        "events_learned": model.learner.clock,
        "progressive_loss": progress.mean_loss if progress else None,
        "constant_model_loss": progress.baseline if progress else None,
        "active_features": int(sums[0, 0]),
        "tracked_features": tracked,
        "sparsity_ratio": 1 - float(sums[0, 0]) / tracked if tracked else 1.0,
        "names": name_counts(model),
        "intercept": model.intercept,
        "bad_records": extra.get("failed", 0),
        "partitions": extra.get("partitions", {}),
        "fields": extra.get("fields", {}),
        "weights": {str(name): weight for name, weight in weights[:top]},
    }

"""``streamlasso demo``: the whole service on an embedded source, watched in the terminal."""

import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamlasso_service.config import Settings
from streamlasso_service.loading import load_settings
from streamlasso_service.service import make_source, serve
from streamlasso_service.simulate import (
    DATASETS,
    EmbeddedSource,
    dataset_events,
    simulated_clicks,
)
from streamlasso_service.source import Source
from streamlasso_service.watch import Watch

__all__ = ["run_demo"]

SIMULATED = "simulated clicks"


def run_demo(
    seconds: float | None,
    data: str | None,
    dataset: str | None,
    rate: float,
    port: int | None,
    flags: Mapping[str, Any],
) -> None:
    """Learn from a stream for a while, show it, and sum up."""
    folder = Path(tempfile.mkdtemp(prefix="streamlasso-demo-"))
    defaults: dict[str, Any] = {
        "model": {"name": "demo"},
        "file": {"paths": [data or dataset or SIMULATED]},
        "snapshot": {"directory": folder},
        "http": {"port": 9108 if port is None else port},
        "limits": {"batch_events": 1000},
    }
    settings = load_settings(None, _merged(defaults, flags))
    view = Watch(_title(data, dataset), settings, seconds)
    try:
        consumer = serve(
            settings,
            source=_source(settings, data, dataset, rate),
            started=view.started,
            after_batch=view.after_batch,
        )
    except OSError as error:
        if port is not None or "http.port" not in str(error):
            raise
        # Someone else has the usual port: a try-out takes any.
        return run_demo(seconds, data, dataset, rate, 0, flags)
    finally:
        view.close()
    view.summary(consumer, folder)
    return None


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _title(data: str | None, dataset: str | None) -> str:
    if data is not None:
        return f"your file {data}"
    if dataset is not None:
        return f"river's data set {DATASETS[dataset]}"
    return "a simulated click stream (seeded, 52,500 names, about 150 matter, they drift)"


def _source(settings: Settings, data: str | None, dataset: str | None, rate: float) -> Source:
    if data is not None:
        return make_source(settings)
    pace = rate or math.inf
    if dataset is not None:
        return EmbeddedSource(dataset, dataset_events(dataset), pace)
    return EmbeddedSource(SIMULATED, simulated_clicks(), pace)

"""Snapshots: an estimator in one atomic, checksummed file without pickle.

The format is safetensors: the state's non-empty records, the hyper-parameters with their running
totals, the counters and the names as JSON bytes, with a manifest in the metadata. The manifest
holds a BLAKE2 digest of all of it. Writing is a pure read of the estimator.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from streamlasso.estimators import SparseClassifier, SparseRegressor
from streamlasso.index import INDEXES, Name
from streamlasso.labels import BinaryLabels
from streamlasso.losses import get_loss
from streamlasso.rules import get_rule

__all__ = [
    "FORMAT",
    "Captured",
    "SnapshotError",
    "capture",
    "load",
    "read_manifest",
    "save",
    "write_atomic",
]

FORMAT = 1

Estimator = SparseClassifier | SparseRegressor
Array = npt.NDArray[Any]


class SnapshotError(Exception):
    """A snapshot cannot be used: says which file and why."""


def _plain(value: Any) -> Any:
    """JSON has no infinity and no tuples of its own."""
    return str(value) if value in (float("inf"), float("-inf")) else value


def _manifest(model: Estimator) -> dict[str, Any]:
    learner = model.learner
    labels = None
    if isinstance(model, SparseClassifier):
        labels = {"classes": model.classes, "seen": sorted(model._labels.seen, key=repr)}
    return {
        "format": FORMAT,
        "estimator": type(model).__name__,
        "rule": None if model.rule is None else model.rule.name,
        "parameters": {name: _plain(value) for name, value in asdict(learner.rule).items()},
        "loss": learner.loss.name,
        "loss_parameters": asdict(learner.loss),
        "index": None if model.index is None else model.index.kind,
        "index_settings": learner.index.settings(),
        "fit_intercept": model.fit_intercept,
        "dtype": learner.dtype,
        "capacity": len(learner.state),
        "labels": labels,
    }


@dataclass(frozen=True)
class Captured:
    """A copy of everything that a snapshot holds: safe to write while learning goes on."""

    manifest: dict[str, Any]
    arrays: dict[str, Array]
    names: list[tuple[int, Name]]

    def serialise(self) -> tuple[bytes, str]:
        """The file's content and the digest that it carries."""
        names = json.dumps(self.names, separators=(",", ":"), allow_nan=False)
        encoded = np.frombuffer(names.encode("utf-8", "surrogatepass"), np.uint8)
        arrays = {**self.arrays, "names": encoded}
        manifest = json.dumps(self.manifest, allow_nan=False)
        digest = _digest(manifest, arrays)
        return to_bytes(arrays, {"manifest": manifest, "digest": digest}), digest


def capture(model: Estimator, extra: dict[str, Any] | None = None) -> Captured:
    """Copy an estimator; ``extra`` is JSON that comes back in the manifest."""
    learner = model.learner
    bits = learner.state.view(np.uint64 if learner.dtype == "float64" else np.uint32)
    slots = np.flatnonzero(bits.any(axis=1))  # by bits: a record of -0.0 is kept too
    arrays = {
        "slots": slots.astype(np.uint32),
        "records": learner.state[slots],
        "hyper": learner.hyper.copy(),
        "counts": learner.counts.copy(),
        **learner.index.memory(),
    }
    manifest = {**_manifest(model), "extra": extra or {}}
    return Captured(manifest, arrays, learner.index.entries())


def _digest(manifest: str, arrays: dict[str, Array]) -> str:
    digest = hashlib.blake2b(manifest.encode(), digest_size=16)
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).view(np.uint8).data)
    return digest.hexdigest()


def write_atomic(path: Path, content: bytes) -> None:
    """Write so that the name holds the whole content or none of it, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)  # a full disk must not fill up with attempts
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def save(path: str | Path, model: Estimator, extra: dict[str, Any] | None = None) -> Path:
    """Save an estimator to one file."""
    path = Path(path)
    write_atomic(path, capture(model, extra).serialise()[0])
    return path


def _open(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise SnapshotError(f"{path} is not a readable snapshot: {error}") from error
    if "manifest" not in metadata:
        raise SnapshotError(f"{path} is a safetensors file, but not a streamlasso snapshot")
    if _digest(metadata["manifest"], arrays) != metadata.get("digest"):
        raise SnapshotError(f"{path} is damaged: its content does not match its digest")
    manifest: dict[str, Any] = json.loads(metadata["manifest"])
    if manifest["format"] != FORMAT:
        raise SnapshotError(
            f"{path} has format {manifest['format']}, this version reads {FORMAT}; "
            "use the version of streamlasso that wrote it"
        )
    return manifest, arrays


def read_manifest(path: str | Path) -> dict[str, Any]:
    """What a snapshot says of itself, after checking the whole file."""
    return _open(Path(path))[0]


def _name(value: Any) -> Name:
    return tuple(_name(part) for part in value) if isinstance(value, list) else value


def load(path: str | Path) -> Estimator:
    """The estimator of a snapshot, ready to go on learning to the same bits.

    Raises `SnapshotError` if the file is damaged, foreign or of another format.
    """
    manifest, arrays = _open(Path(path))
    kinds = {kind.__name__: kind for kind in (SparseClassifier, SparseRegressor)}
    rule = None
    if manifest["rule"] is not None:
        parameters = {
            name: float(value) if value in ("inf", "-inf") else value
            for name, value in manifest["parameters"].items()
        }
        rule = get_rule(manifest["rule"], **parameters)
    index = None
    if manifest["index"] is not None:
        index = INDEXES[manifest["index"]](**manifest["index_settings"])
    loss = get_loss(manifest["loss"], **manifest.get("loss_parameters", {}))
    model: Estimator = kinds[manifest["estimator"]](
        # A name where it says all, as most estimators are given it.
        rule,
        loss.name if loss == get_loss(loss.name) else loss,
        index,
        manifest["fit_intercept"],
    )
    learner = model.learner
    names = json.loads(arrays["names"].tobytes().decode("utf-8", "surrogatepass"))
    learner.index.restore((slot, _name(name)) for slot, name in names)
    learner.state = np.zeros((manifest["capacity"], learner.state.shape[1]), learner.dtype)
    learner.state[arrays["slots"]] = arrays["records"]
    learner.hyper[:] = arrays["hyper"]
    learner.counts[:] = arrays["counts"]
    learner.index.remember(arrays)
    if isinstance(model, SparseClassifier):
        negative, positive = map(_name, manifest["labels"]["classes"])
        model._labels = BinaryLabels(
            negative, positive, set(map(_name, manifest["labels"]["seen"]))
        )
    return model

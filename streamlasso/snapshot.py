"""Snapshots: an estimator in one atomic, checksummed file without pickle.

The format is safetensors: the state's non-empty records, the hyper-parameters with their running
totals, the counters and the names (`streamlasso.nametable.pack`), with a manifest in the metadata.
The manifest holds a BLAKE2 digest of all of it. Writing is a pure read of the estimator.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from streamlasso.estimators import SparseClassifier, SparseMultiRegressor, SparseRegressor
from streamlasso.estimators.making import SERVING
from streamlasso.growth import zeros
from streamlasso.index import INDEXES, Name
from streamlasso.learner import Learner
from streamlasso.learners import AnyLearner
from streamlasso.losses import Softmax, get_loss
from streamlasso.manifest import given_from, given_to, value_from, value_to
from streamlasso.stack import StackLearner
from streamlasso.stack.classes.learner import ClassStackLearner
from streamlasso.tensors import tensors_bytes

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

FORMAT = 4
READS = (2, 3, FORMAT)
"""Up to 3 the names were JSON, pairs of a slot and a name."""

Estimator = SparseClassifier | SparseRegressor | SparseMultiRegressor
Array = npt.NDArray[Any]


class SnapshotError(Exception):
    """A snapshot cannot be used: says which file and why."""


def _manifest(model: Estimator) -> dict[str, Any]:
    learner = model.learner
    labels = None
    if isinstance(model, SparseClassifier):
        labels = {"classes": model.classes, "seen": sorted(model._labels.seen, key=repr)}
    several = isinstance(model, SparseMultiRegressor)
    return {
        "format": FORMAT,
        "estimator": type(model).__name__,
        **given_to(model.rule, model.learner.rule),
        # The loss it was made with: a third class has the learner go on with another.
        "loss": get_loss(model.loss).name,
        "loss_parameters": asdict(get_loss(model.loss)),
        "index": None if model.index is None else model.index.kind,
        "index_settings": learner.index.settings(),
        "fit_intercept": model.fit_intercept,
        "scale": model.scale,
        **({"targets": model.targets} if several else _choices(model)),
        "interactions": model.interactions,
        "dtype": learner.dtype,
        **_served(model),
        "capacity": len(learner.state),
        "labels": labels,
    }


def _served(model: Any) -> dict[str, Any]:
    """How a stack serves, and the events that wait for their labels."""
    if isinstance(model, SparseMultiRegressor):
        return {}
    serving = {name: getattr(model, name) for name in (*SERVING, "max_pending")}
    return {"serving": serving, "tokens": list(model._pending.inputs)}


def _choices(model: Any) -> dict[str, Any]:
    """What an estimator of one target may have besides."""
    grid = None
    if model.grid is not None:
        grid = [[name, [value_to(v) for v in values]] for name, values in model.grid.items()]
    return {"grid": grid, "select": model.select, "refit": model.refit}


@dataclass(frozen=True)
class Captured:
    """A copy of everything that a snapshot holds: safe to write while learning goes on."""

    manifest: dict[str, Any]
    arrays: dict[str, Array]

    def serialise(self) -> tuple[bytes, str]:
        """The file's content and the digest that it carries."""
        manifest = json.dumps(self.manifest, allow_nan=False)
        digest = _digest(manifest, self.arrays)
        content = tensors_bytes(self.arrays, {"manifest": manifest, "digest": digest})
        return content, digest


def capture(model: Estimator, extra: dict[str, Any] | None = None) -> Captured:
    """Copy an estimator; ``extra`` is JSON that comes back in the manifest."""
    arrays = _state(model.learner) | model.learner.index.memory()
    if not isinstance(model.learner, Learner) and len(model._pending):
        arrays["pending"] = model._pending.arrays()
    companion = getattr(model, "companion", None)
    if companion is not None:
        arrays |= {f"refit_{name}": array for name, array in _state(companion).items()}
    manifest = {**_manifest(model), "extra": extra or {}}
    arrays["name_slots"], arrays["names"] = model.learner.index.packed()
    return Captured(manifest, arrays)


def _whole(learner: AnyLearner) -> tuple[str, ...]:
    """The arrays that a snapshot holds whole."""
    if isinstance(learner, ClassStackLearner):
        return ("lanes_array", "book", "each")
    if isinstance(learner, StackLearner):
        return ("lanes_array", "book")
    return ("hyper", "counts", *(() if learner.select is None else ("ledger",)))


def _state(learner: AnyLearner) -> dict[str, Array]:
    """A copy of a learner's arrays; of the state the records that are not empty."""
    bits = learner.state.view(np.uint64 if learner.dtype == "float64" else np.uint32)
    slots = np.flatnonzero(bits.any(axis=1))  # by bits: a record of -0.0 is kept too
    return {
        "slots": slots.astype(np.uint32),
        "records": learner.packed(learner.state[slots]),
        **{name: getattr(learner, name).copy() for name in _whole(learner)},
    }


def _restore(
    learner: AnyLearner, arrays: dict[str, Array], capacity: int, prefix: str = ""
) -> None:
    """Take the arrays of `_state` into a learner of the same settings."""
    learner.state = zeros((capacity, learner.state.shape[1]), learner.dtype)
    learner.state[arrays[f"{prefix}slots"]] = learner.unpacked(arrays[f"{prefix}records"])
    for name in _whole(learner):
        getattr(learner, name)[:] = arrays[prefix + name]
    learner.refresh()


def _digest(manifest: str, arrays: dict[str, Array]) -> str:
    digest = hashlib.blake2b(manifest.encode(), digest_size=16)
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).view(np.uint8).data)
    return digest.hexdigest()


def write_atomic(path: Path, content: bytes) -> None:
    """Write so that the name holds the whole content or none of it, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{str(path)!r} cannot be written: there is no folder {str(path.parent)!r}; make it"
        )
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
    except FileNotFoundError as error:
        raise SnapshotError(
            f"{path} is not a readable snapshot: there is no such file; check the path"
        ) from error
    except (SafetensorError, OSError) as error:
        weights = "; exported weights are for warm_start" * (path.suffix in (".csv", ".json"))
        raise SnapshotError(f"{path} is not a readable snapshot: {error}{weights}") from error
    if "manifest" not in metadata:
        raise SnapshotError(f"{path} is a safetensors file, but not a streamlasso snapshot")
    if _digest(metadata["manifest"], arrays) != metadata.get("digest"):
        raise SnapshotError(f"{path} is damaged: its content does not match its digest")
    manifest: dict[str, Any] = json.loads(metadata["manifest"])
    if manifest["format"] not in READS:
        raise SnapshotError(
            f"{path} has format {manifest['format']}, this version reads {READS[0]} to {FORMAT}; "
            "use the version of streamlasso that wrote it, or have that one export the weights and "
            "begin from them with warm_start"
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
    kinds = {kind.__name__: kind for kind in get_args(Estimator)}
    index = None
    if manifest["index"] is not None:
        index = INDEXES[manifest["index"]](**manifest["index_settings"])
    loss = get_loss(manifest["loss"], **manifest["loss_parameters"])
    choices: dict[str, Any] = {
        name: manifest[name] for name in ("select", "refit") if name in manifest
    }
    if manifest.get("grid") is not None:
        grid = {name: [value_from(v) for v in values] for name, values in manifest["grid"]}
        choices["grid"] = grid
    model: Estimator = kinds[manifest["estimator"]](
        rule=given_from(manifest),
        # A name where it says all, as most estimators are given it.
        loss=loss.name if loss == get_loss(loss.name) else loss,
        index=index,
        fit_intercept=manifest["fit_intercept"],
        scale=manifest["scale"],
        interactions=manifest["interactions"],
        dtype=manifest["dtype"],
        **choices,
        **manifest.get("serving", {}),
    )
    if isinstance(model, SparseClassifier):
        _take_labels(model, manifest)
    learner = model.learner
    if isinstance(model, SparseMultiRegressor):
        model._take_targets([_name(name) for name in manifest["targets"]])
    if manifest["format"] < 4:
        names = json.loads(arrays["names"].tobytes().decode("utf-8", "surrogatepass"))
        learner.index.restore((slot, _name(name)) for slot, name in names)
    else:
        learner.index.take(arrays["name_slots"], arrays["names"])
    learner.index.remember(arrays)
    _restore(learner, arrays, manifest["capacity"])
    if "pending" in arrays:
        tokens = [_name(token) for token in manifest["tokens"]]
        model._pending.restore(tokens, arrays["pending"])
    companion = getattr(model, "companion", None)
    if companion is not None:
        capacity = max(len(companion.state), 1 << (learner.index.size - 1).bit_length())
        _restore(companion, arrays, capacity, "refit_")
    return model


def _take_labels(model: SparseClassifier, manifest: dict[str, Any]) -> None:
    """The labels, and the lanes of a third and later classes."""
    classes = tuple(map(_name, manifest["labels"]["classes"]))
    model._labels.classes = classes
    model._labels.seen = set(map(_name, manifest["labels"]["seen"]))
    learner = model.learner
    if len(classes) <= 2:
        return
    if isinstance(learner, Learner):
        learner.rearrange(Softmax(len(classes)), [None] * len(classes))
    else:
        many = ClassStackLearner(
            len(classes), learner.index.fresh(), dtype=learner.dtype, **model._serving
        )
        model._learner = many
        model._encoder = model._new_encoder()

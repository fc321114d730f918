"""The folder of snapshots: the truth about model and positions.

Names are ``snapshot-<epoch>-<sequence>-<digest>.safetensors``. Each owner of the folder takes a
higher epoch, so that what a stopped and continued old owner still writes is never loaded; the
newest (epoch, sequence) whose content matches its digest wins.
"""

import fcntl
import logging
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from streamlasso.progressive import Progress
from streamlasso.snapshot import Captured, SnapshotError, load, read_manifest, write_atomic
from streamlasso_service.config import Settings
from streamlasso_service.fields import Fields
from streamlasso_service.models import Estimator

__all__ = ["SnapshotStore", "StoreLockedError", "Written", "snapshot_extra"]

log = logging.getLogger(__name__)

NAME = re.compile(r"snapshot-(\d{6})-(\d{8})-([0-9a-f]{32})\.safetensors")


class StoreLockedError(Exception):
    """Another process owns the folder."""


@dataclass(frozen=True)
class Written:
    """What a finished write was."""

    path: Path
    size_bytes: int
    duration_s: float
    time_s: float


def snapshot_extra(
    settings: Settings,
    progress: Progress,
    fields: Fields,
    failed: int,
    partitions: Mapping[str, Any],
) -> dict[str, Any]:
    """What a snapshot holds beside the model."""
    return {
        "partitions": dict(partitions),
        "progress": progress.sums.tolist(),
        "fields": dict(fields.seen),
        "failed": failed,
        "time": time.time(),
        "model": settings.model.name,
        "settings": settings.model_dump(mode="json", include={"event", "features"}),
    }


class SnapshotStore:
    """Writes, finds and prunes the snapshots of one model."""

    def __init__(self, directory: Path, keep: int, clock: Callable[[], float] = time.time) -> None:
        self.directory = directory
        self.keep = keep
        self._clock = clock
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = self._take_lock()
        self.epoch = self._claim_epoch()
        self._sequence = 0
        self._writer = ThreadPoolExecutor(1, "snapshot")
        for stale in directory.glob(".snapshot-*.tmp"):
            stale.unlink()

    def _take_lock(self) -> IO[str]:
        file = (self.directory / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise StoreLockedError(
                f"snapshot.directory = {str(self.directory)!r} is used by another running "
                "streamlasso; stop that one or give this one a folder of its own"
            ) from None
        return file

    def _claim_epoch(self) -> int:
        """Highest + 1, by exclusive creation: two claimants cannot get the same."""
        claimed = [int(path.name[6:]) for path in self.directory.glob("epoch-[0-9]*")]
        epoch = max([*claimed, *(key[0] for key, _ in self._found())], default=0) + 1
        while True:
            try:
                (self.directory / f"epoch-{epoch:06d}").touch(exist_ok=False)
                break
            except FileExistsError:
                epoch += 1
        for old in self.directory.glob("epoch-[0-9]*"):
            if int(old.name[6:]) < epoch:
                old.unlink(missing_ok=True)
        return epoch

    def _found(self) -> list[tuple[tuple[int, int], Path]]:
        """((epoch, sequence), path) of every snapshot, newest first."""
        matches = [(NAME.fullmatch(path.name), path) for path in self.directory.iterdir()]
        keyed = [((int(m[1]), int(m[2])), path) for m, path in matches if m]
        return sorted(keyed, reverse=True)

    def newest(self) -> tuple[Path, Estimator, dict[str, Any]] | None:
        """The newest good snapshot: path, estimator, manifest; damaged ones are named."""
        found = self._found()
        for _, path in found:
            try:
                manifest = read_manifest(path)
                return path, load(path), manifest
            except SnapshotError as error:
                log.error("%s; trying the one before", error)
        if found:
            raise SnapshotError(
                f"none of the {len(found)} snapshots in {self.directory} can be read; "
                "move them away to begin anew"
            )
        return None

    def write(self, captured: Captured) -> Future[Written]:
        """Write in another thread."""
        self._sequence += 1
        return self._writer.submit(self._write, captured, self._sequence)

    def _write(self, captured: Captured, sequence: int) -> Written:
        begun = time.monotonic()
        content, digest = captured.serialise()
        path = self.directory / f"snapshot-{self.epoch:06d}-{sequence:08d}-{digest}.safetensors"
        write_atomic(path, content)
        self._prune()
        return Written(path, len(content), time.monotonic() - begun, self._clock())

    def _prune(self) -> None:
        own = [(key, path) for key, path in self._found() if key[0] <= self.epoch]
        for _, path in own[self.keep :]:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Finish writing and let another process have the folder."""
        self._writer.shutdown()
        self._lock.close()

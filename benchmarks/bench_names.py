"""``python -m benchmarks.bench_names``: what many names cost in memory and time.

Rows of ten features named ``id=u00000000`` and on, each name once in the first pass and once in the
second, are hashed, resolved by a growing index and learned by one lane of FTRL-Proximal (float64).
Then names are drawn at random, and the model is saved and loaded. Each number of names has a
process of its own, whose memory the system tells: ``now`` is resident, ``peak`` the most ever.

Every slot and a sample of the names are checked, so the index is exact or this fails.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from streamlasso import FTRLProximal, GrowingIndex, SparseClassifier, load
from streamlasso.hashing import hash_both
from streamlasso.kernels import FIRST

__all__ = ["NamedChunk", "main", "measure"]

Array = npt.NDArray[Any]

CHUNK, PER_ROW, SIZE = 100_000, 10, 12
HEADER = (
    "| names | new, ns | again, ns | at random, ns | learn, ns | now 1, MB | now 2, MB | peak, MB |"
    " save, s | load, s | file, MB | peak saved, MB | peak loaded, MB |"
)


@njit(nogil=True)  # type: ignore[untyped-decorator]
def _hash_all(buffer, names_at, names_size, keys, checks):  # type: ignore[no-untyped-def]
    for i in range(len(keys)):
        stop = names_at[i] + names_size[i]
        keys[i], checks[i] = hash_both(buffer, names_at[i], stop, np.uint64(0))


@dataclass
class NamedChunk:
    """Rows of features as a scanner gives them."""

    buffer: Array
    arena: Array
    names_at: Array
    names_size: Array
    keys: Array
    checks: Array
    indptr: Array

    @staticmethod
    def of(numbers: Array) -> "NamedChunk":
        size, names = len(numbers), np.full((len(numbers), SIZE), ord("0"), np.uint8)
        names[:, :4] = np.frombuffer(b"id=u", np.uint8)
        for place in range(SIZE - 1, 3, -1):
            names[:, place] += (numbers % 10).astype(np.uint8)
            numbers = numbers // 10
        chunk = NamedChunk(
            names.ravel(), np.empty(0, np.uint8),
            np.arange(size, dtype=np.int64) * SIZE, np.full(size, SIZE, np.int32),
            np.empty(size, np.uint64), np.empty(size, np.uint32),
            np.arange(0, size + 1, PER_ROW, dtype=np.int64),
        )  # fmt: skip
        _hash_all(chunk.buffer, chunk.names_at, chunk.names_size, chunk.keys, chunk.checks)
        return chunk


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def now_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def clocked(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def resolve_all(index: GrowingIndex, learner: Any, numbers: Iterator[Array]) -> tuple[float, float]:
    """Seconds for resolving and for learning chunks of these names, with each slot checked."""
    slots, rows = np.empty(CHUNK, np.uint32), CHUNK // PER_ROW
    allocate, values, importances = np.ones(rows, bool), np.ones(CHUNK), np.ones(rows)
    targets = np.arange(rows) % 2.0
    resolving = learning = 0.0
    for each in numbers:
        chunk = NamedChunk.of(each)
        resolving += clocked(lambda: index.resolve(chunk, allocate, slots, 0, rows))  # noqa: B023
        learning += clocked(
            lambda: learner.learn_encoded(chunk.indptr, slots, values, targets, importances)  # noqa: B023
        )
        if not (slots == each + FIRST).all():
            raise AssertionError("a name has another's slot")
    return resolving, learning


def measure(names: int) -> dict[str, float]:
    """One line of the table, for a multiple of the chunk."""
    warm = SparseClassifier(FTRLProximal(l1=0.1)).learner
    resolve_all(warm.index, warm, iter([np.arange(CHUNK)]))
    model = SparseClassifier(FTRLProximal(l1=0.1))
    index, learner = model.learner.index, model.learner
    assert isinstance(index, GrowingIndex)

    def chunks() -> Iterator[Array]:
        return (np.arange(start, start + CHUNK) for start in range(0, names, CHUNK))

    new, _ = resolve_all(index, learner, chunks())
    first = now_mb()
    again, learn = resolve_all(index, learner, chunks())
    source = np.random.default_rng(1)
    drawn = [source.integers(0, names, CHUNK) for _ in range(20)]
    random, _ = resolve_all(index, learner, iter(drawn))
    second, peak = now_mb(), peak_mb()
    for number in drawn[0][:1000].tolist():
        assert index.name(number + FIRST) == f"id=u{number:08d}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        start = time.perf_counter()
        model.save(path)
        saved = time.perf_counter()
        size, saving = path.stat().st_size / 2**20, peak_mb()
        del model, learner, index
        restart = time.perf_counter()
        loaded = load(path)
        save, loading = saved - start, time.perf_counter() - restart
    resolve_all(loaded.learner.index, loaded.learner, iter(drawn[:1]))  # type: ignore[arg-type]
    per = 1e9 / names
    return {
        "new": new * per, "again": again * per, "random": random * 1e9 / (20 * CHUNK),
        "learn": learn * per, "first": first, "second": second, "peak": peak,
        "save": save, "load": loading, "size": size, "saving": saving, "loading": peak_mb(),
    }  # fmt: skip


def line(names: int, row: dict[str, float]) -> str:
    cells = [f"{value:.1f}" if name in ("save", "load") else f"{value:.0f}"
             for name, value in row.items()]  # fmt: skip
    return f"| {names:,} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, nargs="*", default=[CHUNK, 1_000_000, 10_000_000])
    parser.add_argument("--alone", action="store_true", help="in this process, as JSON")
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(measure(given.names[0])))
        return
    print(HEADER, "|---:" * 13 + "|", sep="\n")
    for names in given.names:
        command = [sys.executable, "-m", __spec__.name, "--alone", "--names", str(names)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        print(line(names, json.loads(answer)), flush=True)


if __name__ == "__main__":
    main()

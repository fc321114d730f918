"""``python -m benchmarks.bench_scanning``: the JSON scanner against decoders of one event each.

Kinds of events, each in the same run: µs an event (the least of several rounds of processor time)
and MB/s of the scanner, µs of ``msgspec`` (and ``orjson`` where it is installed), which make a dict
and no hashes, and their ratio.
"""

import contextlib
import importlib
import random
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from streamlasso.scanning import PADDING, TAKEN, Scanned
from streamlasso.scanning.json_scanner import JsonScanner

EVENTS, ROUNDS = 20_000, 15
WORDS = ("site", "ad", "camp", "device", "city", "user", "os", "lang", "day", "hour", "zone")

Make = Callable[[random.Random], dict[str, Any]]


def _popular(rng: random.Random, size: int) -> int:
    return int(rng.random() ** 3 * size)


KINDS: dict[str, Make] = {
    "11 numbers, 11 categories": lambda rng: {
        **{f"n{i}": round(rng.gauss(0, 1), 3) for i in range(11)},
        **{word: f"{word[0]}{_popular(rng, 400)}" for word in WORDS},
    },
    "39 categories": lambda rng: {f"c{i}": f"v{_popular(rng, 1000)}" for i in range(39)},
    "39 numbers of 17 digits": lambda rng: {f"n{i}": rng.gauss(0, 1) for i in range(39)},
    "13 counts, 26 codes": lambda rng: {
        **{f"I{i}": int(rng.expovariate(0.02)) for i in range(13)},
        **{f"C{i}": f"{rng.getrandbits(32):08x}" for i in range(26)},
    },
    "30 fields, a third missing": lambda rng: {
        f"field{i}": rng.randrange(100) for i in range(30) if rng.random() < 0.7
    },
    "100 of a million words": lambda rng: {
        "features": {f"w{_popular(rng, 1_000_000)}": rng.randrange(1, 5) for _ in range(100)}
    },
}


def seconds(run: Callable[[], object]) -> float:
    """Processor time of one call."""
    begun = time.thread_time()
    run()
    return time.thread_time() - begun


def decoders() -> dict[str, Callable[[bytes], Any]]:
    """Those that are installed."""
    found: dict[str, Callable[[bytes], Any]] = {"msgspec": msgspec.json.Decoder().decode}
    with contextlib.suppress(ModuleNotFoundError):
        found["orjson"] = importlib.import_module("orjson").loads
    return found


def compare(kind: str, make: Make) -> None:
    """Measure one kind and print a row."""
    rng = random.Random(1)
    lines = [msgspec.json.encode({"target": rng.randrange(2), **make(rng)}) for _ in range(EVENTS)]
    stops = np.cumsum([len(line) + 1 for line in lines]) - 1
    starts = np.concatenate([[0], stops[:-1] + 1])
    buffer = b"\n".join(lines) + bytes(PADDING)
    scanner, into = JsonScanner(), Scanned()
    scanner.scan(buffer, starts, stops, into)
    assert (into.status[:EVENTS] == TAKEN).all()
    runs: dict[str, Callable[[], object]] = {
        "scanner": lambda: scanner.scan(buffer, starts, stops, into)
    }
    for name, decode in decoders().items():
        runs[name] = lambda decode=decode: [decode(line) and None for line in lines]
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            least[name] = min(least[name], seconds(run))
    ours = least.pop("scanner")
    peers = "  ".join(
        f"{name} {1e6 * taken / EVENTS:5.2f} µs, {taken / ours:4.1f}×"
        for name, taken in least.items()
    )
    size = len(buffer) / EVENTS
    print(
        f"{kind:28} {size:5.0f} bytes  scanner {1e6 * ours / EVENTS:5.2f} µs"
        f" {size * EVENTS / ours / 1e6:5.0f} MB/s  {peers}",
        flush=True,
    )


def main() -> None:
    """Every kind."""
    for kind, make in KINDS.items():
        compare(kind, make)


if __name__ == "__main__":
    main()

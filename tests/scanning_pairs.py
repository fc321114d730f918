"""Scanners beside the path they stand for: what either makes of a record, and how to compare.

A `Pair` is a format with settings. Its slow path decodes one record by the library of the format;
its scanner takes many. `PAIRS` names them all, for tests and for long runs of `fuzz_scanning`.
"""

import random
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from streamlasso import GrowingIndex
from streamlasso.encoding import RowEncoder
from streamlasso.hashing import hash_bytes
from streamlasso.scanning import ASK, NOTHING, TAKEN, Scanned

Taken = tuple[str, Any, float | None, float, list[tuple[bytes, bytes]]]
"""("taken", id, target, importance, features as (name, bits of the value))."""


@dataclass(frozen=True)
class Pair:
    """One format with settings.

    ``slow`` gives what a record means, None if it is bad, and "nothing" if it is blank or a
    comment; ``scan`` reads many records ``buffer[start:stop]``; ``seeds`` are records to begin with
    and ``tokens`` pieces that change the meaning of one. ``ident`` makes an id of its raw bytes.
    """

    name: str
    slow: Callable[[bytes], Any]
    scan: Callable[[bytes, Any, Any], Scanned]
    seeds: Sequence[bytes]
    tokens: Sequence[bytes]
    ident: Callable[[bytes], Any] = msgspec.json.decode


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def encoded(features: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """Names and values as the row encoder gives them."""
    encoder = RowEncoder(index := GrowingIndex())
    encoder.encode(features, allocate=True)
    names = [
        str(index.name(int(slot))).encode("utf-8", "surrogatepass")
        for slot in encoder.slots[: encoder.size]
    ]
    return list(zip(names, map(bits, encoder.values[: encoder.size].tolist()), strict=True))


def laid_out(records: Sequence[bytes], between: bytes = b"\n") -> tuple[bytes, Any, Any]:
    """Records in one buffer, something between them, and their bounds."""
    starts, at = [], 0
    for record in records:
        starts.append(at)
        at += len(record) + len(between)
    bounds = np.array(starts, np.int64)
    sizes = np.array([len(record) for record in records], np.int64)
    return b"".join(record + between for record in records), bounds, bounds + sizes


def scanned(pair: Pair, records: Sequence[bytes], between: bytes = b"\n") -> Iterator[Any]:
    """What the scanner says of each record: `Taken`, "ask" or "nothing"."""
    found = pair.scan(*laid_out(records, between))
    assert found.rows == len(records)
    for row in range(found.rows):
        status = found.status[row]
        features = found.features(row)
        if status != TAKEN:
            assert features == []
            assert status in (ASK, NOTHING)
            yield "ask" if status == ASK else "nothing"
            continue
        for feature in range(found.indptr[row], found.indptr[row + 1]):
            hashes = int(found.keys[feature]), int(found.checks[feature])
            assert hashes == hash_bytes(found.name(feature))
        target, ident = float(found.targets[row]), found.ident(row)
        yield (
            "taken",
            None if ident is None else pair.ident(ident),
            None if target != target else target,
            float(found.importances[row]),
            [(name, bits(value)) for name, value in features],
        )


def same(record: bytes, slow: Any, fast: Any) -> bool:
    """Whether the scanner may say so; it may always ask."""
    if fast == "ask":
        return True
    if fast == "taken" or slow is None or isinstance(slow, str) or isinstance(fast, str):
        return bool(slow == fast)
    return repr(slow) == repr(fast)  # 1, 1.0 and True are different ids


def check(pair: Pair, records: Sequence[bytes], between: bytes = b"\n") -> list[str]:
    """Compare; for each record "taken", "ask" or "nothing"."""
    said = []
    for record, fast in zip(records, scanned(pair, records, between), strict=True):
        if fast != "ask":
            slow = pair.slow(record)
            assert same(record, slow, fast), (pair.name, record, slow, fast)
        said.append(fast if isinstance(fast, str) else "taken")
    return said


def mutated(record: bytes, pair: Pair, rng: random.Random) -> bytes:
    """A record with up to four changes."""
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 4))):
        record = _changed(record, pair, rng)
    return record


def check_mutated(pair: Pair, seed: int, count: int, between: bytes) -> None:
    """`check` so many of the pair's seeds, each changed."""
    rng = random.Random(seed)
    records = [mutated(rng.choice(pair.seeds), pair, rng) for _ in range(count)]
    check(pair, records, between)


def _changed(record: bytes, pair: Pair, rng: random.Random) -> bytes:
    at, end = sorted((rng.randrange(len(record) + 1), rng.randrange(len(record) + 1)))
    short = min(end, at + rng.choice((1, 1, 2, 5, 20)))
    piece = rng.choice(pair.tokens)
    kind = rng.randrange(9)
    if kind == 0 and record:
        at = min(at, len(record) - 1)
        return record[:at] + bytes([record[at] ^ 1 << rng.randrange(8)]) + record[at + 1 :]
    if kind == 1:
        return record[:at] + record[short:]
    if kind == 2:
        return record[:at] + bytes([rng.randrange(256)]) + record[at:]
    if kind == 3:
        return record[: rng.choice((at, len(record) - 1, len(record) - 2))]
    if kind == 4:
        return record[:at] + record[at:short] * 2 + record[short:]
    if kind == 5:
        other = rng.choice(pair.seeds)
        cut = rng.randrange(len(other) + 1)
        return record[:at] + other[cut:]
    if kind == 6:  # one token for another
        places = [i for i in range(len(record)) if record.startswith(piece, i)]
        if places:
            at = rng.choice(places)
            return record[:at] + rng.choice(pair.tokens) + record[at + len(piece) :]
    return record[:at] + piece + record[at if kind == 7 else short :]


PAIRS: dict[str, Callable[[], Pair]] = {}
"""By name; made when asked for, since each compiles its scanner."""

"""Hashes of many names at a time, against those of one after the other."""

import random
from typing import Any

import numpy as np
import pytest

from streamlasso.hashing import hash_bytes
from streamlasso.scanning import PADDING, Scanned
from streamlasso.scanning.compiling import compile_scanner
from streamlasso.scanning.naming import TOGETHER, hash_names, new_lines


def _run(data: Any, features: Any, begin: int, end: int, lines: Any) -> None:
    hash_names(data, features, begin, end, lines)


@pytest.fixture(scope="module")
def hashed() -> Any:
    return compile_scanner(_run)


@pytest.mark.parametrize("in_arena", [False, True], ids=["buffer", "arena"])
def test_names_of_every_length_have_the_hashes_of_their_bytes(hashed: Any, in_arena: bool) -> None:
    rng, lines = random.Random(1), new_lines()
    raw = rng.randbytes(3000)
    array = np.frombuffer(raw + rng.randbytes(PADDING), np.uint8)
    for count in (0, 1, 7, 8, 9, TOGETHER - 1, TOGETHER, TOGETHER + 1, 300):
        found = Scanned()
        found.reserve(1, count + 5, 0)
        buffer = found.buffer = np.zeros(0, np.uint8) if in_arena else array
        if in_arena:
            found.arena = array.copy()
        names = []
        for i in range(count):
            size = rng.randrange(17) if rng.random() < 0.9 else rng.randrange(100)
            at = rng.randrange(len(raw) - size)
            names.append(raw[at : at + size])
            found.names_at[3 + i], found.names_size[3 + i] = ~at if in_arena else at, size
        features = (found.keys, found.checks, found.names_at, found.names_size,
                    found.values, found.arena)  # fmt: skip
        hashed(buffer, features, 3, 3 + count, lines)
        for i, name in enumerate(names):
            assert (int(found.keys[3 + i]), int(found.checks[3 + i])) == hash_bytes(name)

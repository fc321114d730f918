"""Hashes of many names at a time, against those of one after the other."""

import random
from typing import Any

import numpy as np
import pytest

from streamlasso.hashing import hash_bytes
from streamlasso.scanning import PADDING, Scanned
from streamlasso.scanning.compiling import compile_scanner
from streamlasso.scanning.naming import TOGETHER, hash_arena_names, hash_names, new_lines


def _run(data: Any, features: Any, begin: int, end: int, lines: Any, only_arena: bool) -> None:
    if only_arena:
        hash_arena_names(features, begin, end, lines)
    else:
        hash_names(data, features, begin, end, lines)


@pytest.fixture(scope="module")
def hashed() -> Any:
    return compile_scanner(_run)


WHERE = ("buffer", "arena", "mixed")


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("only_arena", [False, True])
def test_names_of_every_length_have_the_hashes_of_their_bytes(
    hashed: Any, where: str, only_arena: bool
) -> None:
    rng, lines = random.Random(1), new_lines()
    raw = rng.randbytes(3000)
    buffer = np.frombuffer(raw + rng.randbytes(PADDING), np.uint8)
    for count in (0, 1, 7, 8, 9, TOGETHER - 1, TOGETHER, TOGETHER + 1, 300):
        found = Scanned()
        found.reserve(1, count + 5, 0)
        found.arena = buffer.copy()
        found.keys[:], found.checks[:] = 1, 2
        expected = []
        for i in range(3, 3 + count):
            size = rng.choice((rng.randrange(17), rng.randrange(15, 34), rng.randrange(100)))
            at = rng.randrange(len(raw) - size)
            in_arena = where == "arena" or (where == "mixed" and rng.random() < 0.5)
            left_alone = only_arena and not in_arena
            expected.append((1, 2) if left_alone else hash_bytes(raw[at : at + size]))
            found.names_at[i], found.names_size[i] = ~at if in_arena else at, size
        features = (found.keys, found.checks, found.names_at, found.names_size,
                    found.values, found.arena)  # fmt: skip
        hashed(buffer, features, 3, 3 + count, lines, only_arena)
        got = zip(found.keys[3 : 3 + count], found.checks[3 : 3 + count], strict=True)
        assert [(int(key), int(check)) for key, check in got] == expected

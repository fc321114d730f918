"""Hashes of bytes in compiled code, and numbers at odd places, against Python's own."""

import random
from typing import Any

import numpy as np
import pytest
import xxhash
from numba import njit

from streamlasso import memory
from streamlasso.hashing import hash_bytes

BITS = 2**64 - 1


@pytest.mark.parametrize("seed", [0, 1, 2**63 + 5])
def test_hash64_is_xxhash_64_at_every_length(seed: int) -> None:
    source = random.Random(seed)
    for size in range(201):
        data = source.randbytes(size)
        assert hash_bytes(data, seed)[0] == xxhash.xxh64_intdigest(data, seed=seed)


def plain_check(data: bytes, seed: int) -> int:
    """The formula of `check32`, in Python's integers."""
    factor, final = 0x6A09E667F3BCC909, 0xBB67AE8584CAA73B
    size = len(data)
    words = [data[i : i + 8] for i in range(0, size - 8, 8)]
    if size >= 8:
        words.append(data[-8:])
    elif size >= 4:
        words.append(data[:4] + data[-4:])
    elif size:
        words.append(bytes([data[0], data[size // 2], data[-1]]))
    else:
        words.append(b"")
    mixed = (size + seed * final) * factor & BITS
    for word in words:
        mixed = (mixed ^ int.from_bytes(word, "little")) * factor & BITS
        mixed ^= mixed >> 32
    return (mixed * final & BITS) >> 32


@pytest.mark.parametrize("seed", [0, 1])
def test_check32_is_its_formula_at_every_length(seed: int) -> None:
    source = random.Random(seed)
    for size in range(80):
        data = source.randbytes(size)
        assert hash_bytes(data, seed)[1] == plain_check(data, seed)


def test_hashes_are_of_the_part_alone_and_of_every_byte_of_it() -> None:
    source = random.Random(3)
    for size in [*range(1, 41), 65]:
        data = bytearray(source.randbytes(size))
        before = hash_bytes(bytes(data))
        for at in range(size):
            data[at] ^= 1 << source.randrange(8)
            key, check = hash_bytes(bytes(data))
            assert key != before[0]
            assert check != before[1]
            before = key, check


def test_checks_are_even_and_tell_apart_what_keys_do_not() -> None:
    """Of numbered names: as many equal checks, and equal lower halves of keys, as by chance."""
    hashes = [hash_bytes(b"id=u%07d" % i) for i in range(60_000)]
    pairs = 60_000**2 / 2 / 2**24
    for bits in (
        [check >> 8 for _, check in hashes],
        [check & 0xFFFFFF for _, check in hashes],
        [(key ^ check) & 0xFFFFFF for key, check in hashes],
    ):
        met = 60_000 - len(set(bits))
        assert abs(met - pairs) < 6 * pairs**0.5


@njit
def read_all(data: Any, at: int) -> Any:
    return (
        memory.load8(data, at),
        memory.load16(data, at),
        memory.load32(data, at),
        memory.load64(data, at),
    )


@njit
def write_all(data: Any, source: Any) -> None:
    memory.store8(data, 1, np.uint8(0x11))
    memory.store16(data, 3, np.uint16(0x2322))
    memory.store32(data, 5, np.uint32(0x36353433))
    memory.store64(data, 11, np.uint64(0x4746454443424140))
    memory.copy_bytes(data, 21, source, 2, 5)


def test_numbers_are_read_and_written_at_odd_places() -> None:
    data = np.arange(40, dtype=np.uint8) * 37
    for at in range(9):
        whole = data[at : at + 8].tobytes()
        expected = [int.from_bytes(whole[:size], "little") for size in (1, 2, 4, 8)]
        assert list(read_all(data, at)) == expected
    out = np.zeros(30, np.uint8)
    write_all(out, np.arange(9, dtype=np.uint8) + 0x50)
    assert out.tobytes().hex() == (
        "00110022233334353600" "00" "4041424344454647" "0000" "5253545556" "00000000"
    )  # fmt: skip

"""Hashes of bytes, for compiled functions: what names are known by.

``hash64`` is xxHash-64, which the package ``xxhash`` gives too. ``check32`` is another, independent
hash: names are told apart by both together, 96 bits. Each reads ``data[start:stop]`` of a uint8
array, ``start`` and ``stop`` of type int64, ``seed`` of type uint64; nothing outside is read.

References
----------
Y. Collet, "xxHash fast digest algorithm", format description, section "XXH64 algorithm".
"""

from functools import cache
from typing import Any

import numpy as np
from numba import njit

from streamlasso import jitting, memory
from streamlasso.jitting import PART, compile_top, digest_of
from streamlasso.memory import load8, load32, load64

__all__ = ["check32", "hash64", "hash_both", "hash_bytes"]

PRIME_1 = np.uint64(0x9E3779B185EBCA87)
PRIME_2 = np.uint64(0xC2B2AE3D27D4EB4F)
PRIME_3 = np.uint64(0x165667B19E3779F9)
PRIME_4 = np.uint64(0x85EBCA77C2B2AE63)
PRIME_5 = np.uint64(0x27D4EB2F165667C5)

# Odd numbers, none of xxHash: 64 bits after the point of √2 and √3 (the first made odd).
FACTOR = np.uint64(0x6A09E667F3BCC909)
FINAL = np.uint64(0xBB67AE8584CAA73B)

U = np.uint64


@njit(**PART)
def _turned(word, bits):
    """The word rotated to the left."""
    return (word << U(bits)) | (word >> U(64 - bits))


@njit(**PART)
def _round(lane, word):
    return _turned(lane + word * PRIME_2, 31) * PRIME_1


@njit(**PART)
def _stripes(data, start, stop, seed):
    """The four lanes over all whole stripes of 32 bytes, merged."""
    a, b = seed + PRIME_1 + PRIME_2, seed + PRIME_2
    c, d = seed, seed - PRIME_1
    while start + 32 <= stop:
        a = _round(a, load64(data, start))
        b = _round(b, load64(data, start + 8))
        c = _round(c, load64(data, start + 16))
        d = _round(d, load64(data, start + 24))
        start += 32
    mixed = _turned(a, 1) + _turned(b, 7) + _turned(c, 12) + _turned(d, 18)
    for lane in (a, b, c, d):
        mixed = (mixed ^ _round(U(0), lane)) * PRIME_1 + PRIME_4
    return mixed


@njit(**PART)
def hash64(data, start, stop, seed):
    """xxHash-64 of ``data[start:stop]``."""
    size = stop - start
    mixed = seed + PRIME_5
    at = start
    if size >= 32:
        mixed = _stripes(data, start, stop, seed)
        at = start + (size & ~31)
    mixed += U(size)
    while at + 8 <= stop:
        mixed = _turned(mixed ^ _round(U(0), load64(data, at)), 27) * PRIME_1 + PRIME_4
        at += 8
    if at + 4 <= stop:
        mixed = _turned(mixed ^ (U(load32(data, at)) * PRIME_1), 23) * PRIME_2 + PRIME_3
        at += 4
    while at < stop:
        mixed = _turned(mixed ^ (U(load8(data, at)) * PRIME_5), 11) * PRIME_1
        at += 1
    mixed = (mixed ^ (mixed >> U(33))) * PRIME_2
    mixed = (mixed ^ (mixed >> U(29))) * PRIME_3
    return mixed ^ (mixed >> U(32))


@njit(**PART)
def _last(data, start, stop):
    """The last 8 bytes in one number; of fewer bytes all of them."""
    size = stop - start
    if size >= 8:
        return load64(data, stop - 8)
    if size >= 4:
        return U(load32(data, start)) | (U(load32(data, stop - 4)) << U(32))
    if size == 0:
        return U(0)
    middle = U(load8(data, start + (size >> 1))) << U(8)
    return U(load8(data, start)) | middle | (U(load8(data, stop - 1)) << U(16))


@njit(**PART)
def check32(data, start, stop, seed):
    """32 bits that do not hang on those of `hash64`.

    h ← (h ⊕ word)·F, h ← h ⊕ h/2³² over the words of 8 bytes, of which the last may overlap the
    one before, from the size and the seed on; the upper half of h·F′.
    """
    mixed = (U(stop - start) + seed * FINAL) * FACTOR
    at = start
    while at + 8 < stop:
        mixed = (mixed ^ load64(data, at)) * FACTOR
        mixed ^= mixed >> U(32)
        at += 8
    mixed = (mixed ^ _last(data, start, stop)) * FACTOR
    mixed = (mixed ^ (mixed >> U(32))) * FINAL
    return np.uint32(mixed >> U(32))


@njit(**PART)
def hash_both(data, start, stop, seed):
    """`hash64` and `check32`."""
    return hash64(data, start, stop, seed), check32(data, start, stop, seed)


def _hash_into(data, start, stop, seed, out):
    key, check = hash_both(data, start, stop, seed)
    out[0] = key
    out[1] = check


@cache
def _compiled() -> Any:
    """Under a name with a digest of the sources: numba files its cache by the name alone."""
    files = [__file__, str(memory.__file__), str(jitting.__file__)]
    _hash_into.__qualname__ = f"hash_into_{digest_of(files)}"
    return compile_top(_hash_into)


def hash_bytes(data: bytes, seed: int = 0) -> tuple[int, int]:
    """`hash64` and `check32` of bytes.

    >>> [hex(number) for number in hash_bytes(b"")]
    ['0xef46db3751d8e999', '0x0']
    """
    out: Any = np.empty(2, np.uint64)
    _compiled()(np.frombuffer(bytearray(data), np.uint8), 0, len(data), np.uint64(seed), out)
    return int(out[0]), int(out[1])

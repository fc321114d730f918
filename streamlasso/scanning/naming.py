"""The hashes of all names of a record, for compiled functions: several at a time.

Short names, of fewer than 16 bytes, are put as two words of 8 bytes each side by side and go
through `hash64` and `check32` written without a branch, so that the compiler makes vectors of it:
a name takes 1 ns where one after the other takes 6 (measured with AVX-512). Those of fewer than 32
bytes follow in the same way, with four words; then longer ones, one after the other.
"""

from typing import Any

import numpy as np
from numba import njit

from streamlasso.hashing import (
    FACTOR,
    FINAL,
    PRIME_1,
    PRIME_2,
    PRIME_3,
    PRIME_4,
    PRIME_5,
    hash_both,
)
from streamlasso.memory import load64
from streamlasso.specialise import PART

__all__ = ["hash_arena_names", "hash_names", "new_lines"]

TOGETHER = 64
"""Names whose words wait side by side: they stay in the nearest cache."""

VECTOR = 8
LONG, LONGEST = 16, 32
SEED = np.uint64(0)

U = np.uint64
LOWER = U(0xFFFFFFFF)
BYTE = U(0xFF)


def new_lines() -> tuple[Any, Any, Any, Any, Any]:
    """Room for names' words, sizes and places; hashes and checks stand where the words were."""
    first, second, sizes, places = (np.zeros(TOGETHER, np.uint64) for _ in range(4))
    return first, second, sizes, places, np.zeros(6 * TOGETHER, np.uint64)


@njit(forceinline=True, **PART)
def _turned(word, bits):
    return (word << U(bits)) | (word >> U(64 - bits))


@njit(forceinline=True, **PART)
def _with_byte(mixed, byte, there):
    """A step of `hash64` for one of the last bytes, if it is there."""
    further = _turned(mixed ^ ((byte & BYTE) * PRIME_5), 11) * PRIME_1
    return further if there else mixed


@njit(forceinline=True, **PART)
def _with_word(mixed, word):
    """A step of `hash64` for a word of 8 bytes."""
    further = _turned(word * PRIME_2, 31) * PRIME_1
    return _turned(mixed ^ further, 27) * PRIME_1 + PRIME_4


@njit(forceinline=True, **PART)
def _key(mixed, first, second, size):
    """The end of `hash64`: of fewer than 16 bytes; what stands behind them does not matter."""
    mixed = _with_word(mixed, first) if size >= U(8) else mixed
    rest = second if size >= U(8) else first
    further = _turned(mixed ^ ((rest & LOWER) * PRIME_1), 23) * PRIME_2 + PRIME_3
    four = (size & U(4)) != U(0)
    mixed = further if four else mixed
    rest = rest >> U(32) if four else rest
    for each in range(3):
        mixed = _with_byte(mixed, rest >> U(8 * each), (size & U(3)) > U(each))
    mixed = (mixed ^ (mixed >> U(33))) * PRIME_2
    mixed = (mixed ^ (mixed >> U(29))) * PRIME_3
    return mixed ^ (mixed >> U(32))


@njit(forceinline=True, **PART)
def _last(first, second, size):
    """What `check32` takes for the last word of fewer than 16 bytes."""
    left = (size & U(7)) * U(8)  # bits beyond the first word
    eight = (first >> left) | ((second << U(1)) << (U(63) - left))
    four = (first & LOWER) | ((first >> (left & U(31))) & LOWER) << U(32)
    middle = (first >> ((size >> U(1)) * U(8))) & BYTE
    end = (first >> ((left - U(8)) & U(63))) & BYTE
    few = (first & BYTE) | (middle << U(8)) | (end << U(16))
    few = few if size > U(0) else U(0)
    few = four if size >= U(4) else few
    return eight if size >= U(8) else few


@njit(forceinline=True, **PART)
def _check_word(mixed, word, there):
    """A step of `check32` for a word that is not the last, if it is there."""
    further = (mixed ^ word) * FACTOR
    further ^= further >> U(32)
    return further if there else mixed


@njit(forceinline=True, **PART)
def _check(mixed, last):
    """The end of `check32`."""
    mixed = (mixed ^ last) * FACTOR
    return ((mixed ^ (mixed >> U(32))) * FINAL) >> U(32)


@njit(forceinline=True, **PART)
def _all(first, second, sizes, count):
    """Hashes in the place of the first words, checks in that of the second."""
    for i in range(count):
        word, more, size = first[i], second[i], sizes[i]
        first[i] = _key(PRIME_5 + size, word, more, size)
        mixed = _check_word(size * FACTOR, word, size > U(8))
        second[i] = _check(mixed, _last(word, more, size))


@njit(forceinline=True, **PART)
def _all_longer(longer, count):
    """As `_all`, of 16 to 31 bytes: four words, the last 8 bytes and the size in rows of 64."""
    for i in range(count):
        first, second = longer[i], longer[TOGETHER + i]
        third, fourth = longer[2 * TOGETHER + i], longer[3 * TOGETHER + i]
        last, size = longer[4 * TOGETHER + i], longer[5 * TOGETHER + i]
        mixed = _with_word(_with_word(PRIME_5 + size, first), second)
        longer[i] = _key(mixed, third, fourth, size - U(LONG))
        mixed = _check_word(size * FACTOR, first, True)
        mixed = _check_word(mixed, second, size > U(16))
        mixed = _check_word(mixed, third, size > U(24))
        longer[TOGETHER + i] = _check(mixed, last)


@njit(forceinline=True, **PART)
def _put_longer(data, at, size, longer, i):
    for word in range(4):
        longer[word * TOGETHER + i] = load64(data, at + 8 * word)
    longer[4 * TOGETHER + i] = load64(data, at + size - 8)
    longer[5 * TOGETHER + i] = size


@njit(**PART)
def _hash_longer(data, features, places, count, longer):
    """Write the hashes of some features whose names have 16 bytes or more."""
    keys, checks, names_at, names_size, _, arena = features
    for i in range(count):
        at, size = names_at[places[i]], names_size[places[i]]
        if at >= 0:
            _put_longer(data, at, size, longer, i)
        else:
            _put_longer(arena, ~at, size, longer, i)
    _all_longer(longer, (count + VECTOR - 1) & -VECTOR)
    for i in range(count):
        place = places[i]
        keys[place], checks[place] = longer[i], longer[TOGETHER + i]
        at, size = names_at[place], names_size[place]
        if size >= LONGEST and at >= 0:
            keys[place], checks[place] = hash_both(data, at, at + size, SEED)
        elif size >= LONGEST:
            keys[place], checks[place] = hash_both(arena, ~at, ~at + size, SEED)


@njit(forceinline=True, **PART)
def hash_names(data, features, begin, end, lines):
    """Write the hashes of the features from ``begin`` to ``end``.

    16 bytes must be there behind each name. ``lines`` is from `new_lines`.
    """
    keys, checks, names_at, names_size, _, arena = features
    first, second, sizes, places, longer = lines
    for base in range(begin, end, TOGETHER):
        count, long = min(TOGETHER, end - base), 0
        for i in range(count):
            at = names_at[base + i]
            sizes[i] = names_size[base + i]
            if at >= 0:
                first[i], second[i] = load64(data, at), load64(data, at + 8)
            else:
                first[i], second[i] = load64(arena, ~at), load64(arena, ~at + 8)
        _all(first, second, sizes, (count + VECTOR - 1) & -VECTOR)
        for i in range(count):
            keys[base + i], checks[base + i] = first[i], second[i]
            places[U(long)] = base + i
            long += sizes[i] >= LONG
        if long > 0:
            _hash_longer(data, features, places, long, longer)


@njit(forceinline=True, **PART)
def hash_arena_names(features, begin, end, lines):
    """As `hash_names`, of the features whose names are in the arena; the others are left alone."""
    keys, checks, names_at, names_size, _, arena = features
    first, second, sizes, places, longer = lines
    each = begin
    while each < end:
        count, long = 0, 0
        while each < end and count < TOGETHER:
            at = ~names_at[U(each)]
            if at >= 0:
                place = U(count)
                first[place], second[place] = load64(arena, at), load64(arena, at + 8)
                sizes[place], places[place] = names_size[U(each)], each
                count += 1
            each += 1
        _all(first, second, sizes, (count + VECTOR - 1) & -VECTOR)
        for i in range(count):
            place = places[i]
            keys[place], checks[place] = first[i], second[i]
            places[U(long)] = place
            long += sizes[i] >= LONG
        if long > 0:
            _hash_longer(arena, features, places, long, longer)

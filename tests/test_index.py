"""From names to slots: exact, hashed, the same in every process."""

import enum
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from streamlasso import AdmitByCount, GrowingIndex, HashingIndex, hashed
from streamlasso.index import INDEXES, FeatureIndex, Name
from streamlasso.kernels import FIRST, UNSEEN

NAMES: list[Name] = [
    "", "price", "site=news", "naïve", "\ud800", "1", 1, -7, ("1",), (1,), ("user", ("a", 3)),
    "#5", 0, 2**70, ("a", "b"), ("a,b",),
]  # fmt: skip

KINDS: list[Callable[[], FeatureIndex]] = [
    GrowingIndex,
    HashingIndex,
    lambda: HashingIndex(bits=20, names=True),
    lambda: GrowingIndex(100, "evict", AdmitByCount(times=1, bits=4)),
]
IDS = ["growing", "hashing", "hashing-names", "bounded"]
each_index = pytest.mark.parametrize("make", KINDS, ids=IDS)


class Shade(str, enum.Enum):  # noqa: UP042 - its str() is not its text
    DARK = "dark"


class Level(enum.IntEnum):
    HIGH = 3


@each_index
def test_names_of_every_kind_stay_distinct(make: Callable[[], FeatureIndex]) -> None:
    index = make()
    slots = [index.add(name) for name in NAMES]
    assert len(set(slots)) == len(NAMES)
    assert all(FIRST <= slot < index.size for slot in slots)
    assert [index.find(name) for name in NAMES] == slots
    assert [index.add(name) for name in NAMES] == slots


@each_index
@pytest.mark.parametrize(
    ("name", "plain"),
    [
        (np.str_("a"), "a"),
        (np.int64(3), 3),
        (np.uint8(3), 3),
        (True, 1),
        (Shade.DARK, "dark"),
        (Level.HIGH, 3),
        ((np.int64(1), np.str_("b")), (1, "b")),
        ((Shade.DARK, (Level.HIGH,)), ("dark", (3,))),
    ],
)
def test_names_of_derived_types_are_the_plain_names(
    make: Callable[[], FeatureIndex], name: Any, plain: Name
) -> None:
    index = make()
    slot = index.add(name)
    assert index.add(name) == index.find(name) == index.add(plain) == index.find(plain) == slot
    other = make()
    assert other.add(plain) == other.find(name)
    kept = [entry for _, entry in index.entries()]
    assert kept == [plain][: len(kept)]
    assert all(type(entry) in (str, int, tuple) for entry in kept)


@each_index
@pytest.mark.parametrize("name", [1.5, None, b"bytes", frozenset(), ("a", 2.5), ("a", None)])
def test_what_is_no_name_is_an_error_that_says_what_is(
    make: Callable[[], FeatureIndex], name: Any
) -> None:
    index = make()
    with pytest.raises(TypeError, match="a name must be a str, an int or a tuple") as caught:
        index.add(name)
    part = name[1] if isinstance(name, tuple) else name
    assert repr(part) in str(caught.value)
    assert type(part).__name__ in str(caught.value)
    assert index.entries() == []


@each_index
def test_finding_never_allocates_nor_names(make: Callable[[], FeatureIndex]) -> None:
    index = make()
    index.add("known")
    size, entries = index.size, index.entries()
    for name in NAMES:
        index.find(name)
    assert (index.size, index.entries()) == (size, entries)


@each_index
def test_a_fresh_index_is_empty_and_has_the_same_settings(make: Callable[[], FeatureIndex]) -> None:
    index = make()
    index.add("a")
    fresh = index.fresh()
    assert type(fresh) is type(index)
    assert fresh.settings() == index.settings()
    assert fresh.entries() == []
    assert fresh.size == make().size


@each_index
def test_entries_restore_the_same_slots(make: Callable[[], FeatureIndex]) -> None:
    index = make()
    slots = [index.add(name) for name in NAMES]
    again = INDEXES[index.kind](**index.settings())
    again.restore(index.entries())
    assert [again.find(name) for name in NAMES] == slots
    assert [again.name(slot) for slot in slots] == [index.name(slot) for slot in slots]
    assert again.entries() == index.entries()


@each_index
def test_a_pickled_index_finds_the_same_slots(make: Callable[[], FeatureIndex]) -> None:
    index = make()
    slots = [index.add(name) for name in NAMES]
    again = pickle.loads(pickle.dumps(index))
    assert [again.find(name) for name in NAMES] == slots
    assert again.entries() == index.entries()


# Growing


def test_growing_slots_come_in_order_from_2() -> None:
    index = GrowingIndex()
    assert index.size == FIRST
    assert [index.add(name) for name in "abcab"] == [2, 3, 4, 2, 3]
    assert index.size == 5
    assert [index.name(slot) for slot in (2, 3, 4)] == ["a", "b", "c"]
    assert index.find("d") == UNSEEN


def test_growing_refuses_names_out_of_order() -> None:
    with pytest.raises(ValueError, match="name 'a' cannot have slot 3: names are out of order"):
        GrowingIndex().restore([(3, "a")])


# Hashing: slots pinned, since snapshots of other processes and machines depend on them

PINNED: list[tuple[Name, int, int]] = [
    ("", 3920310, 239),
    ("price", 269170, 16),
    ("site=news", 41170, 2),
    ("naïve", 3153108, 192),
    ("\ud800", 2282569, 139),
    ("1", 3009796, 183),
    (1, 412334, 25),
    (-7, 876750, 53),
    (("1",), 1777565, 108),
    (("user", ("a", 3)), 2434658, 148),
]


@pytest.mark.parametrize(("name", "wide", "narrow"), PINNED)
def test_hashed_slots_are_pinned(name: Name, wide: int, narrow: int) -> None:
    assert HashingIndex().find(name) == wide
    assert HashingIndex(bits=8).find(name) == narrow


def test_the_hash_is_xxhash_64_with_its_published_value() -> None:
    """XXH64 of the empty input, seed 0, is EF46DB3751D8E999; a slot is its highest bits."""
    assert HashingIndex(bits=30).find("") == 0xEF46DB3751D8E999 >> 34


@pytest.mark.parametrize("seed", ["0", "4242"])
def test_hashed_slots_do_not_depend_on_the_process(seed: str) -> None:
    script = (
        "from streamlasso import HashingIndex; index = HashingIndex();"
        f"print([index.find(name) for name in {[name for name, _, _ in PINNED]!a}])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == repr([wide for _, wide, _ in PINNED])


@pytest.mark.parametrize("bits", [2, 3, 10])
def test_hashed_slots_fill_the_range_and_spare_the_reserved_ones(bits: int) -> None:
    index = HashingIndex(bits)
    slots = [index.find(f"name {i}") for i in range(50 << bits)]
    assert index.size == 1 << bits
    assert set(slots) == set(range(FIRST, 1 << bits))
    counts = np.bincount(slots)[2 * FIRST :]  # slots 2 and 3 take over the share of 0 and 1
    assert ((counts > 10) & (counts < 110)).all()


def test_the_memo_is_bounded_and_changes_no_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashed, "MEMO_LIMIT", 10)
    index, fresh = HashingIndex(), HashingIndex()
    slots = []
    for i in range(95):
        slots.append(index.find(f"n{i}"))
        assert len(index._memo) <= 10
    assert slots == [fresh.find(f"n{i}") for i in range(95)]


def test_hashed_slots_are_reported_by_number_or_by_the_first_name_that_was_learned() -> None:
    plain, named = HashingIndex(bits=2), HashingIndex(bits=2, names=True)
    first = named.find("a")
    other = next(f"x{i}" for i in range(100) if named.find(f"x{i}") == first)
    assert plain.add("a") == first
    assert plain.name(first) == f"#{first}"
    assert named.name(first) == f"#{first}"
    named.add(other)
    named.add("a")
    assert named.name(first) == other
    assert plain.entries() == []
    assert named.entries() == [(first, other)]


@pytest.mark.parametrize("bits", [1, 31, 0, -3, 8.0, "8", None])
def test_bits_out_of_range_are_an_error_with_the_range(bits: Any) -> None:
    with pytest.raises(ValueError, match="must be an integer from 2 to 30") as caught:
        HashingIndex(bits=bits)
    assert f"bits = {bits!r}" in str(caught.value)

"""Names in arrays against a plain dict: one by one and many at once, dropped, packed, pickled."""

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlasso import FTRLProximal, GrowingIndex, HashingIndex, SparseRegressor, growth, load
from streamlasso.growth import extended, zeros
from streamlasso.hashing import hash_bytes
from streamlasso.kernels import FIRST, UNSEEN
from streamlasso.names import Name
from streamlasso.nametable import NameTable, pack, unpack
from streamlasso.snapshot import capture

tried = settings(max_examples=60, deadline=None, derandomize=True, database=None)

TEXTS = ["", "a", "1", "é", "\ud800", "x" * 63, "x" * 64, "long " * 2000, "('a', 1)"]
TEXT = st.sampled_from(TEXTS) | st.integers(0, 400).map(lambda i: f"n{i}")
OTHER = st.sampled_from([1, -7, 2**70, ("a", 1), ("\ud800", ("b",)), ("1",), (1,), ()])
NAME = TEXT | OTHER | st.integers(0, 300)


class Rows:
    """Rows of features as a scanner gives them: every third name in the arena."""

    def __init__(self, rows: list[list[str]]) -> None:
        texts = [text.encode("utf-8", "surrogatepass") for row in rows for text in row]
        self.indptr = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        hashes = [hash_bytes(text) for text in texts]
        self.keys = np.array([key for key, _ in hashes], np.uint64)
        self.checks = np.array([check for _, check in hashes], np.uint32)
        parts = {False: b"-", True: b""}
        at = []
        for i, text in enumerate(texts):
            in_arena = i % 3 == 2
            start = len(parts[in_arena])
            at.append(~start if in_arena else start)
            parts[in_arena] += text
        self.names_at = np.array(at, np.int64)
        self.names_size = np.array([len(text) for text in texts], np.int32)
        self.buffer = np.frombuffer(parts[False], np.uint8)
        self.arena = np.frombuffer(bytearray(parts[True]), np.uint8)


ACTIONS = st.lists(
    st.tuples(st.just("claim"), NAME)
    | st.tuples(st.just("find"), NAME)
    | st.tuples(st.just("drop"), st.integers(0, 100))
    | st.tuples(st.just("pickle"), st.none())
    | st.tuples(st.just("pack"), st.none())
    | st.tuples(st.just("resolve"), st.lists(st.lists(TEXT, max_size=30), min_size=1, max_size=4)),
    max_size=60,
)


def resolve(table: NameTable, slots_of: dict[Name, int], rows: list[list[str]], given: int) -> int:
    """Resolve rows, every second one to be learned, and do the same by the dict."""
    named = Rows(rows)
    slots = np.full(len(named.keys), 77, np.uint32)
    allocate = np.arange(len(rows)) % 2 == 0
    table.resolve(named, allocate, slots, 0, len(rows))
    expected = []
    for row, learned in zip(rows, allocate, strict=True):
        for text in row:
            if learned and text not in slots_of:
                slots_of[text] = given + FIRST
                given += 1
            expected.append(slots_of.get(text, UNSEEN))
    assert slots.tolist() == expected
    return given


@tried
@given(actions=ACTIONS)
def test_a_table_is_a_dict(actions: list[tuple[str, Any]]) -> None:
    table, slots_of, given, free = NameTable(), dict[Name, int](), 0, list[int]()
    for action, what in actions:
        if action == "find":
            assert table.find(what) == slots_of.get(what, UNSEEN)
        elif action == "claim" and what not in slots_of and free:
            slots_of[what] = free.pop()
            table.place(what, slots_of[what])
        elif action == "claim":
            if what not in slots_of:
                slots_of[what] = given + FIRST
                given += 1
            assert table.claim(what) == slots_of[what]
        elif action == "drop" and slots_of:
            name = list(slots_of)[what % len(slots_of)]
            free.append(slots_of.pop(name))
            table.drop(free[-1])
        elif action == "pickle":
            table = pickle.loads(pickle.dumps(table))
        elif action == "pack":
            slots, names = table.named(), table.packed()
            table = NameTable()
            table.take(slots, names)
            table.reserve(given)
        elif action == "resolve":
            given = resolve(table, slots_of, what, given)
        assert len(table) == len(slots_of)
        assert table.slots == given
    for name, slot in slots_of.items():
        assert (table.find(name), table.name(slot)) == (slot, name)
    assert table.named().tolist() == sorted(slots_of.values())
    assert not any(table.has(slot) for slot in free)


def test_a_full_cluster_over_the_end_is_dropped_and_spread() -> None:
    """Names whose homes are the last cells run over the end of the table, old and new."""
    names = [f"k{i}" for i in range(60_000)]
    keys = [hash_bytes(name.encode())[0] for name in names]
    last = [name for name, key in zip(names, keys, strict=True) if key % 256 in (62, 63, 254, 255)]
    table = NameTable()
    for turn in range(3):
        chosen = last[turn * 180 : (turn + 1) * 180]
        for name in chosen:
            table.claim(name)
        for name in chosen[::2]:
            table.drop(table.find(name))
        assert [table.find(name) == UNSEEN for name in chosen] == [True, False] * 90


def test_many_names_keep_their_slots_while_the_arrays_grow() -> None:
    index, texts = GrowingIndex(), [f"id=u{i}" for i in range(30_000)]
    rows = [texts[i : i + 7] for i in range(0, len(texts), 7)]
    named = Rows(rows)
    slots = np.zeros(len(texts), np.uint32)
    for first in range(0, len(rows), 1000):
        last = min(first + 1000, len(rows))
        index.resolve(named, np.ones(len(rows), bool), slots, first, last)
    assert slots.tolist() == list(range(FIRST, FIRST + len(texts)))
    assert [index.find(text) for text in texts[::97]] == slots[::97].tolist()
    assert [index.name(slot) for slot in slots[::97].tolist()] == texts[::97]
    assert index.entries()[-1] == (int(slots[-1]), texts[-1])


@tried
@given(rows=st.lists(st.lists(TEXT, max_size=9), min_size=1, max_size=9), names=st.booleans())
def test_a_hashing_index_resolves_as_it_adds(rows: list[list[str]], names: bool) -> None:
    ours, other = HashingIndex(6, names), HashingIndex(6, names)
    named = Rows(rows)
    slots = np.zeros(len(named.keys), np.uint32)
    learned = np.arange(len(rows)) % 3 > 0
    for i in range(len(rows)):  # in parts
        ours.resolve(named, learned, slots, i, i + 1)
    expected = [
        (other.add if one else other.find)(text)
        for row, one in zip(rows, learned, strict=True)
        for text in row
    ]
    assert slots.tolist() == expected
    assert ours.entries() == other.entries()


def test_an_index_that_turns_names_away_does_not_resolve() -> None:
    index = GrowingIndex(max_features=5)
    with pytest.raises(ValueError, match="decides on each name by itself"):
        index.resolve(Rows([["a"]]), np.ones(1, bool), np.zeros(1, np.uint32), 0, 1)


@tried
@given(names=st.lists(NAME, max_size=20))
def test_packed_names_are_unpacked(names: list[Name]) -> None:
    arena = np.frombuffer(pack(names), np.uint8)
    at, found = 0, []
    while at < len(arena):
        name, at = unpack(arena, at)
        found.append(name)
    assert found == names
    assert [type(name) for name in found] == [type(name) for name in names]


def test_the_memo_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlasso.growing.MEMO_LIMIT", 10)
    index = GrowingIndex()
    slots = [index.add(f"n{i}") for i in range(95)]
    assert len(index.known) <= 10
    assert [index.find(f"n{i}") for i in range(95)] == slots == list(range(2, 97))


@pytest.mark.skipif(sys.platform != "linux", reason="reserves nothing there")
def test_a_large_array_grows_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "LARGE", 1 << 12)
    array = zeros((300, 3), np.float64)
    array[:] = 1.5
    whole, small = extended(array, 5000), extended(np.ones(5, np.int64), 9)
    assert np.shares_memory(array, whole)
    assert whole.ctypes.data == array.ctypes.data
    assert (whole[:300] == 1.5).all()
    assert not whole[300:].any()
    assert small.tolist() == [1] * 5 + [0] * 4
    over = extended(whole, 64 * 300 + 1)
    assert not np.shares_memory(over, whole)
    assert (over[:300] == 1.5).all()
    assert not over[300:].any()
    part = extended(whole[10:20], 400)  # not at the start of the mapping
    assert not np.shares_memory(part, whole)


def test_growing_copies_where_nothing_can_be_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "LARGE", 1)
    monkeypatch.setattr(growth, "RESERVATIONS", (1 << 60,))
    array = zeros((4, 2), np.float32)
    array[:] = 3
    assert extended(array, 6).tolist() == [[3.0, 3.0]] * 4 + [[0.0, 0.0]] * 2


def test_a_model_whose_arrays_grow_where_they_are_is_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def learned(large: int) -> Any:
        monkeypatch.setattr(growth, "LARGE", large)
        model = SparseRegressor(FTRLProximal(alpha=0.5))
        for i in range(700):
            model.learn_one({f"n{i}": 1.0, f"n{i // 2}": 2.0, ("t", i % 3): -1.0}, float(i % 5))
            if i % 200 == 130:
                model = [pickle.loads(pickle.dumps(model)), load(model.save(tmp_path / "m"))][i % 2]
        return model

    plain, reserved = learned(1 << 24), learned(1 << 9)
    assert len(reserved.learner.state) == 1024
    assert capture(plain).serialise() == capture(reserved).serialise()

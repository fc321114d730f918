"""From events to rows: what a value means, and that what is remembered never shows."""

import decimal
import enum
import fractions
import math
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlasso import GrowingIndex, HashingIndex
from streamlasso.encoding import LAYOUTS_LIMIT, RowEncoder, categorical_name
from streamlasso.index import Name
from streamlasso.kernels import UNSEEN

Row = list[tuple[Name, float]]


def row_of(encoder: RowEncoder) -> Row:
    """The encoded row as (name, value)."""
    slots, values = encoder.slots[: encoder.size].tolist(), encoder.values[: encoder.size].tolist()
    return [
        ("unseen" if slot == UNSEEN else encoder.index.name(slot), value)
        for slot, value in zip(slots, values, strict=True)
    ]


def encode(event: dict[Any, Any]) -> Row:
    """One event through an encoder of its own."""
    encoder = RowEncoder(GrowingIndex())
    encoder.encode(event, allocate=True)
    return row_of(encoder)


class Shade(str, enum.Enum):  # noqa: UP042 - its str() is not its text
    DARK = "dark"


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1.5, 1.5),
        (-3, -3.0),
        (0, 0.0),
        (True, 1.0),
        (False, 0.0),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
        (10**400, math.inf),
        (-(10**400), -math.inf),
        (2**63, 2.0**63),
        (np.float32(0.5), 0.5),
        (np.float64(2.5), 2.5),
        (np.int8(-4), -4.0),
        (np.bool_(True), 1.0),
        (np.array(3.0), 3.0),
        (decimal.Decimal("0.25"), 0.25),
        (fractions.Fraction(1, 8), 0.125),
        (Level.HIGH, 3.0),
    ],
)
def test_numbers_and_bools_are_values(value: Any, number: float) -> None:
    assert encode({"a": value}) == [("a", number)]


@pytest.mark.parametrize(
    ("name", "value", "feature"),
    [
        ("site", "news", "site=news"),
        ("site", "", "site="),
        ("site", "1", "site=1"),
        ("site", np.str_("news"), "site=news"),
        ("site", Shade.DARK, "site=dark"),
        (Shade.DARK, "x", "dark=x"),
        (Shade.DARK, Shade.DARK, "dark=dark"),
        (7, "x", (7, "=", "x")),
        (("a", 1), "x", (("a", 1), "=", "x")),
        ("\ud800", "naïve", "\ud800=naïve"),
    ],
)
def test_a_string_is_a_one_hot_feature(name: Name, value: str, feature: Name) -> None:
    assert encode({name: value}) == [(feature, 1.0)]
    assert categorical_name(name, value) == feature


@pytest.mark.parametrize(
    "value", [None, math.nan, np.nan, np.float32("nan"), pd.NA, pd.NaT, decimal.Decimal("nan")]
)
def test_none_nan_and_na_are_absent(value: Any) -> None:
    assert encode({"a": value}) == []
    assert encode({"b": 1.0, "a": value, "c": "x"}) == [("b", 1.0), ("c=x", 1.0)]


@pytest.mark.parametrize("value", [[1.0], {"x": 1}, object(), 1 + 2j, np.array([1.0, 2.0])])
def test_other_values_are_errors_that_name_the_feature_and_the_type(value: Any) -> None:
    encoder = RowEncoder(GrowingIndex())
    for event in ({"ok": 1.0, "a": value}, {"a": value}):
        for _ in range(2):
            with pytest.raises(TypeError, match="feature 'a' has the value") as caught:
                encoder.encode(event, allocate=True)
            assert f"of type {type(value).__name__}" in str(caught.value)
            assert "a value must be a number, a string, a bool or None" in str(caught.value)
    encoder.encode({"ok": 2.0, "a": 3.0}, allocate=True)
    assert row_of(encoder) == [("ok", 2.0), ("a", 3.0)]


def test_an_empty_event_is_an_empty_row() -> None:
    assert encode({}) == []


def test_wide_events_grow_the_buffer() -> None:
    event = {f"n{i}": float(i) for i in range(1000)}
    assert encode(event) == list(event.items())


def test_unknown_names_read_the_unseen_slot_until_they_are_learned() -> None:
    encoder = RowEncoder(GrowingIndex())
    encoder.encode({"a": 1.0}, allocate=True)
    for _ in range(2):
        encoder.encode({"a": 1.0, "b": 2.0, "c": "x"}, allocate=False)
        assert row_of(encoder) == [("a", 1.0), ("unseen", 2.0), ("unseen", 1.0)]
        assert encoder.index.size == 3
    encoder.encode({"a": 1.0, "b": 2.0, "c": "x"}, allocate=True)
    assert row_of(encoder) == [("a", 1.0), ("b", 2.0), ("c=x", 1.0)]
    encoder.encode({"a": 1.0, "b": 2.0, "c": "x"}, allocate=False)
    assert row_of(encoder) == [("a", 1.0), ("b", 2.0), ("c=x", 1.0)]


def test_a_dict_that_its_owner_reuses_is_encoded_anew() -> None:
    encoder = RowEncoder(GrowingIndex())
    event = {"a": 1.0, "b": 2.0}
    encoder.encode(event, allocate=True)
    event["a"] = 5.0
    encoder.encode(event, allocate=True)
    assert row_of(encoder) == [("a", 5.0), ("b", 2.0)]
    del event["a"]
    encoder.encode(event, allocate=True)
    assert row_of(encoder) == [("b", 2.0)]


def test_na_after_a_number_and_back() -> None:
    """pandas' NA refuses to be compared: remembering the last event must survive that."""
    encoder = RowEncoder(GrowingIndex())
    for value, row in [(1.0, [("a", 1.0)]), (pd.NA, []), (pd.NA, []), (2.0, [("a", 2.0)])]:
        encoder.encode({"a": value}, allocate=True)
        assert row_of(encoder) == row


def test_numpy_numbers_beside_integers_too_large_for_them() -> None:
    encoder = RowEncoder(GrowingIndex())
    for value in (10**400, np.float32(0.5), 10**400):
        encoder.encode({"a": value}, allocate=True)
        assert row_of(encoder) == [("a", 0.5 if value == 0.5 else math.inf)]


def test_names_are_kept_by_learning_although_a_prediction_came_first() -> None:
    for event, name in (({"a": 1.0}, "a"), ({"a": "x"}, "a=x")):
        encoder = RowEncoder(HashingIndex(bits=10, names=True))
        for allocate in (False, True, False, True):
            encoder.encode(event, allocate=allocate)
        assert [entry for _, entry in encoder.index.entries()] == [name]
        looked_up = RowEncoder(HashingIndex(bits=10, names=True))
        looked_up.encode(event, allocate=False)
        assert looked_up.index.entries() == []


def test_the_remembered_layouts_are_bounded() -> None:
    encoder = RowEncoder(GrowingIndex())
    for i in range(LAYOUTS_LIMIT + 50):
        for value in (1.0, 2.0):
            encoder.encode({f"n{i}": value}, allocate=True)
            assert row_of(encoder) == [(f"n{i}", value)]
    assert len(encoder._layouts) <= LAYOUTS_LIMIT


def test_a_row_that_was_looked_up_stays_as_it_was_when_its_names_are_learned_next() -> None:
    encoder = RowEncoder(GrowingIndex())
    event = {"a": 1.0, "b": "x"}
    indptr, slots, _ = encoder.encode_rows([event] * 4, allocate=[False, False, True, False])
    assert indptr.tolist() == [0, 2, 4, 6, 8]
    assert slots.tolist() == [UNSEEN, UNSEEN, UNSEEN, UNSEEN, 2, 3, 2, 3]


def test_float32_rows() -> None:
    encoder = RowEncoder(GrowingIndex(), "float32")
    for value in (0.1, 0.2):
        encoder.encode({"a": value, "b": 1}, allocate=True)
        assert encoder.values.dtype == np.float32
        assert row_of(encoder) == [("a", float(np.float32(value))), ("b", 1.0)]


VALUES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-3, 3),
    st.integers(10**300, 10**310),
    st.booleans(),
    st.none(),
    st.just(pd.NA),
    st.sampled_from(["", "x", "y"]),
)
EVENTS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["a", "b", "c", 1, ("t", 2)]), VALUES, max_size=4),
        st.booleans(),
        st.integers(1, 2),
    ),
    max_size=8,
)


def plainly(event: dict[Name, Any], known: set[Name]) -> Row:
    """What a row means, spelled out."""
    row: Row = []
    for name, value in event.items():
        if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
            continue
        if isinstance(value, str):
            name = f"{name}={value}" if isinstance(name, str) else (name, "=", value)
            number = 1.0
        else:
            number = math.inf if value > sys.float_info.max else float(value)
        row.append((name if name in known else "unseen", number))
    return row


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(events=EVENTS)
def test_what_is_remembered_never_shows(events: list[tuple[dict[Name, Any], bool, int]]) -> None:
    """Any events, repeated, predicted or learned, encode as if each were the first.

    But for the order: equal dicts are one event, whatever the order of their names.
    """
    encoder = RowEncoder(GrowingIndex())
    for event, allocate, repeats in events:
        for _ in range(repeats):
            encoder.encode(event, allocate=allocate)
            known = {name for _, name in encoder.index.entries()}
            assert sorted(row_of(encoder), key=repr) == sorted(plainly(event, known), key=repr)
            if allocate:
                assert all(slot != UNSEEN for slot in encoder.slots[: encoder.size])


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(events=EVENTS)
def test_many_rows_are_the_single_rows(events: list[tuple[dict[Name, Any], bool, int]]) -> None:
    together, alone = RowEncoder(GrowingIndex()), RowEncoder(GrowingIndex())
    indptr, slots, values = together.encode_rows(
        (event for event, _, _ in events), allocate=[allocate for _, allocate, _ in events]
    )
    assert (indptr.dtype, slots.dtype, values.dtype) == (np.int64, np.uint32, np.float64)
    assert len(indptr) == len(events) + 1
    for i, (event, allocate, _) in enumerate(events):
        alone.encode(event, allocate=allocate)
        here = slice(indptr[i], indptr[i + 1])
        assert slots[here].tolist() == alone.slots[: alone.size].tolist()
        assert values[here].tolist() == alone.values[: alone.size].tolist()
    assert together.index.entries() == alone.index.entries()


def test_the_same_event_in_another_order_is_encoded_anew() -> None:
    """Its sum has other last bits, and a restored encoder could not know of the first order."""
    encoder = RowEncoder(GrowingIndex())
    encoder.encode({"a": 1.0, "b": 2.0}, allocate=True)
    encoder.encode({"b": 2.0, "a": 1.0}, allocate=True)
    assert encoder.slots[:2].tolist() == [3, 2]
    assert encoder.values[:2].tolist() == [2.0, 1.0]

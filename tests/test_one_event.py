"""One event in one call: dicts read by compiled code, arrays by one address; it never shows."""

import copy
import json
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlasso import FTRLProximal, HashingIndex, Learner, SparseClassifier, SparseRegressor
from streamlasso.objects import NOT_SIMPLE, OTHER_NAMES, SUPPORTED, Layout, encode_numbers

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="another Python")


class Text(str):
    """A string that is not quite one."""


class Number(float):
    """A number that is not quite one."""


def reading(names: tuple[Any, ...], dtype: str = "float64") -> tuple[Layout, Any, Any]:
    slots, values = np.zeros(8, np.uint32), np.zeros(8, dtype)
    return (
        Layout(names, np.arange(2, 2 + len(names), dtype=np.uint32), (slots, values)),
        slots,
        values,
    )


NAMES = ("a", "bé", 3, ("t", 1))
SIMPLE = st.one_of(
    st.floats(allow_nan=False), st.integers(-(2**70), 2**70), st.booleans(),
    st.sampled_from([-1, -1.0, 2**53 + 1, 5e-324]),
)  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(values=st.lists(SIMPLE, min_size=4, max_size=4), dtype=st.sampled_from(["d", "f"]))
def test_numbers_are_what_python_makes_of_them(values: list[Any], dtype: str) -> None:
    layout, slots, row = reading(NAMES, dtype)
    event = dict(zip(NAMES, values, strict=True))
    assert encode_numbers(id(event), layout.table) == 4
    with np.errstate(over="ignore"):
        assert row[:4].tobytes() == np.array([float(v) for v in values]).astype(dtype).tobytes()
    assert slots[:4].tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"a": 1.0, "bé": 2.0}, 2),
        (json.loads('{"a": 1, "bé": true}'), 2),
        ({"a": 1.0}, OTHER_NAMES),
        ({}, OTHER_NAMES),
        ({"bé": 1.0, "a": 2.0}, OTHER_NAMES),
        ({"a": 1.0, "bé": 2.0, "c": 3.0}, OTHER_NAMES),
        ({"a": 1.0, "be": 2.0}, OTHER_NAMES),
        ({"a": 1.0, Text("bé"): 2.0}, OTHER_NAMES),
        ({"a": 1.0, 7: 2.0}, OTHER_NAMES),
        ({"a": 1.0, "bé": float("nan")}, NOT_SIMPLE),
        ({"a": 1.0, "bé": None}, NOT_SIMPLE),
        ({"a": 1.0, "bé": "x"}, NOT_SIMPLE),
        ({"a": 1.0, "bé": 10**400}, NOT_SIMPLE),
        ({"a": 1.0, "bé": Number(2.0)}, NOT_SIMPLE),
        ({"a": 1.0, "bé": np.float64(2.0)}, NOT_SIMPLE),
    ],
)
def test_what_is_not_simple_is_left_to_python(event: dict[Any, Any], found: int) -> None:
    layout, _, _ = reading(("a", "bé"))
    for _ in range(2):
        assert encode_numbers(id(event), layout.table) == found


VALUES = st.one_of(
    st.floats(-1e3, 1e3), st.just(float("nan")), st.integers(-3, 3), st.booleans(), st.none(),
    st.sampled_from(["x", "y", 10**400, np.float32(0.5), float("inf")]),
)  # fmt: skip
EVENTS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["a", "b", "c", 1]), VALUES, max_size=4),
        st.booleans(),
        st.sampled_from(["predict", "learn", "both", "again"]),
    ),
    max_size=12,
)


def outcome(model: Any, event: dict[Any, Any]) -> Any:
    try:
        return model.predict_proba_one(event)
    except ValueError as error:  # of infinite values
        return str(error)


def quick_and_plain(**options: Any) -> tuple[Any, Any]:
    quick, plain = (SparseClassifier(FTRLProximal(l1=0.01), **options) for _ in range(2))
    plain._encoder._quick, plain._encoder._texts = False, None
    return quick, plain


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(events=EVENTS, dtype=st.sampled_from(["float64", "float32"]))
def test_the_quick_way_is_the_plain_way(events: list[Any], dtype: str) -> None:
    quick, plain = quick_and_plain(dtype=dtype)
    for event, label, what in events:
        for model in (quick, plain):
            model.seen = []
            if what != "learn":
                model.seen.append(outcome(model, event))
            if what != "predict":
                model.learn_one(event, label)
            if what == "again":
                model.learn_one(dict(event), not label, 0.5)
        assert quick.seen == plain.seen
        assert quick.learner.state.tobytes() == plain.learner.state.tobytes()
        assert quick.learner.index.entries() == plain.learner.index.entries()
    assert plain._encoder.table == 0
    assert quick.learner.rejected == plain.learner.rejected


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(events=EVENTS, dtype=st.sampled_from(["float64", "float32"]))
def test_a_stack_learns_the_same_with_late_labels_too(events: list[Any], dtype: str) -> None:
    quick, plain = (SparseClassifier(dtype=dtype) for _ in range(2))
    plain._encoder._quick, plain._encoder._texts = False, None
    late = []
    for i, (event, label, what) in enumerate(events):
        for model in (quick, plain):
            model.seen = [outcome(model, event)]
            if what == "both":
                model.seen.append(model.predict_one({"a": i, "b": 1}, token=i))
            elif what != "predict":
                model.learn_one(event, label)
            if what == "again" and late:
                model.learn_one({"a": late[-1], "b": 1}, label, token=late[-1])
        late += [i] if what == "both" else []
        assert quick.seen == plain.seen
        for name in ("state", "lanes_array", "book"):
            one, other = (getattr(model.learner, name) for model in (quick, plain))
            assert one.tobytes() == other.tobytes()
    assert quick.learner.rejected == plain.learner.rejected


def test_a_dict_that_its_owner_reuses_and_other_mappings() -> None:
    quick, plain = quick_and_plain()
    event: dict[str, Any] = {"a": 1.0, "b": 2.0}
    for i in range(20):
        event["b"] = i / 3
        for x in (event, OrderedDict(b=1.0, a=i / 7), copy.copy(event)):
            assert quick.predict_proba_one(x) == plain.predict_proba_one(x)
            quick.learn_one(x, i % 2 == 0)
            plain.learn_one(x, i % 2 == 0)
    assert quick.learner.state.tobytes() == plain.learner.state.tobytes()


def test_arrays_that_are_replaced_are_seen_by_the_next_call() -> None:
    model = SparseRegressor(FTRLProximal(l1=0.0))
    event = {"a": 1.0, "b": 2.0}
    for _ in range(5):
        model.learn_one(event, 3.0)
    learner, before = model.learner, model.predict_one(event)
    other = pickle.loads(pickle.dumps(model))
    assert other.predict_one(event) == before
    learner.state = np.zeros_like(learner.state)
    assert model.predict_one(event) == 0.0
    learner.state = other.learner.state.copy()
    assert model.predict_one(event) == before
    for i in range(300):  # the records move when there are more of them
        model.learn_one({f"n{i}": 1.0}, 0.0, 1e-9)
        assert model.predict_one(event) == pytest.approx(before, abs=1e-3)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_in_buffers_of_any_owner(dtype: str) -> None:
    """Each call with arrays of its own, compiled and as plain Python."""
    made = [
        Learner(FTRLProximal(l1=0.01), "squared", HashingIndex(bits=6), dtype=dtype, compiled=each)
        for each in (True, False)
    ]
    random = np.random.default_rng(0)
    for _ in range(30):
        size = int(random.integers(0, 5))
        slots = random.choice(np.arange(2, 64), size, replace=False).astype(np.uint32)
        values, target = random.normal(size=size).astype(dtype), float(random.normal())
        assert made[0].score_row(slots, values, size) == pytest.approx(
            made[1].score_row(slots, values, size), rel=1e-5
        )
        for learner in made:
            learner.learn_row(slots.copy(), values.copy(), size, target)
    np.testing.assert_allclose(made[0].state, made[1].state, rtol=1e-5, atol=1e-6)

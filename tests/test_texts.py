"""Events with strings, read by compiled code: rows, slots and names are those of Python."""

from enum import StrEnum
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlasso import (
    AdmitByCount,
    FTRLProximal,
    GrowingIndex,
    HashingIndex,
    SparseClassifier,
)
from streamlasso.encoding import RowEncoder
from streamlasso.index import FeatureIndex
from streamlasso.objects import SUPPORTED
from streamlasso.texts import ROOM

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="another Python")


class Text(str):
    """A string that is not quite one."""


class Colour(StrEnum):
    """Strings with labels."""

    RED = "red"


INDEXES = {
    "growing": GrowingIndex,
    "hashing": lambda: HashingIndex(bits=4),
    "hashing with names": lambda: HashingIndex(bits=4, names=True),
    "limited": lambda: GrowingIndex(max_features=5),
    "evicting": lambda: GrowingIndex(max_features=5, at_limit="evict"),
    "admitting": lambda: GrowingIndex(admit=AdmitByCount(2)),
}
NAMES = ["a", "a=b", "é", "\ud800", 1, ("t", 1), Text("s")]
TEXTS = st.one_of(
    st.sampled_from(["", "b", "b=c", "c", "\0", "\udfff", "x" * ROOM, "x" * ROOM + "y"]),
    st.text(max_size=12),
    st.sampled_from([Text("b"), Colour.RED, np.str_("b")]),
)
NUMBERS = st.one_of(
    st.integers(-3, 3), st.floats(-9, 9), st.booleans(),
    st.sampled_from([None, float("nan"), 10**400, np.float32(0.5)]),
)  # fmt: skip
EVENTS = st.lists(
    st.tuples(
        st.one_of(
            st.lists(TEXTS, min_size=7, max_size=7),
            st.lists(st.one_of(TEXTS, NUMBERS), min_size=7, max_size=7),
        ),
        st.sampled_from([NAMES[:2], NAMES[:3], NAMES[2::-1], NAMES[:5], NAMES]),
        st.sampled_from(["find", "add", "both"]),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


def encoders(index: Any, dtype: str = "float64") -> tuple[RowEncoder, RowEncoder]:
    quick, plain = RowEncoder(index(), dtype), RowEncoder(index(), dtype)
    plain._quick, plain._texts = False, None
    return quick, plain


def row(encoder: RowEncoder) -> tuple[bytes, bytes]:
    return encoder.slots[: encoder.size].tobytes(), encoder.values[: encoder.size].tobytes()


def state_of(index: FeatureIndex) -> Any:
    memory = {name: array.tolist() for name, array in index.memory().items()}
    return index.entries(), index.size, memory


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(events=EVENTS, dtype=st.sampled_from(["float64", "float32"]))
def test_rows_are_those_of_python(index: Any, events: list[Any], dtype: str) -> None:
    quick, plain = encoders(index, dtype)
    for values, names, what in events:
        event = dict(zip(names, values, strict=False))
        for allocate in {"find": [False], "add": [True], "both": [False, True]}[what]:
            for encoder in (quick, plain):
                encoder.encode(event, allocate)
            assert row(quick) == row(plain)
            assert state_of(quick.index) == state_of(plain.index)


@pytest.mark.parametrize("index", ["growing", "hashing"])
def test_many_names_in_many_events(index: str) -> None:
    """The arrays of the index grow, and names come again; names are twice in an event."""
    quick, plain = encoders(INDEXES[index])
    random = np.random.default_rng(0)
    for i, numbers in enumerate(random.integers(0, 400, (3000, 4)).tolist()):
        event = {
            "a": "b=" + "x" * (numbers[0] % 200),
            "a=b": "x" * (numbers[0] % 200),
            "c": f"v{numbers[1]}",
        }
        event |= {"n": numbers[2], "é": None if numbers[3] < 99 else f"ü{numbers[3]}"}
        for encoder in (quick, plain):
            encoder.encode(event, i % 3 > 0)
        assert row(quick) == row(plain)
    assert quick._texts is not None
    assert quick._texts.last is not None
    assert state_of(quick.index) == state_of(plain.index)


def test_the_compiled_way_is_taken() -> None:
    encoder, _ = encoders(GrowingIndex)
    encoder.encode({"a": "x", "b": 1.0}, True)
    encoder.index.known = None  # type: ignore[assignment]  # Python would ask here
    encoder.encode({"a": "x", "b": 2.0}, False)
    encoder.encode({"a": "y", "b": 2.0}, False)
    assert encoder.slots[:2].tolist() == [1, 3]
    encoder.encode({"a": "y", "b": None}, True)
    assert encoder.slots[: encoder.size].tolist() == [4]
    assert encoder.index.entries() == [(2, "a=x"), (3, "b"), (4, "a=y")]


def test_an_event_that_changed_is_another() -> None:
    quick, plain = encoders(GrowingIndex)
    event: dict[str, Any] = {"a": "x", "b": "y"}
    for text in ("x", "xx", "y", "xx", "y" * 20, "y" * 19 + "z", "x"):
        event["b"] = text
        for encoder in (quick, plain):
            encoder.encode(event, False)
            encoder.encode(event, True)
        assert row(quick) == row(plain)


def test_models_learn_the_same() -> None:
    models = [SparseClassifier(FTRLProximal(l1=0.01), index=GrowingIndex()) for _ in range(2)]
    models[1]._encoder._quick, models[1]._encoder._texts = False, None
    random = np.random.default_rng(1)
    for site, hour in random.integers(0, 50, (500, 2)).tolist():
        event = {"site": f"s{site}", "hour": hour, "bié": "ü" * (site % 7)}
        shares = [model.predict_proba_one(event) for model in models]
        assert shares[0] == shares[1]
        for model in models:
            model.learn_one(event, site > hour)
    quick, plain = (model.learner for model in models)
    assert quick.state[: quick.index.size].tobytes() == plain.state[: quick.index.size].tobytes()
    assert quick.index.entries() == plain.index.entries()


@pytest.mark.parametrize("rule", [FTRLProximal(), None], ids=["ftrl", "stack"])
def test_the_memory_of_a_model_does_not_lead_into_the_compiler(rule: Any) -> None:
    model = SparseClassifier(rule)
    for i in range(20):
        model.learn_one({"site": f"s{i}", "hour": i}, i % 2 == 0)
        model.learn_one({"hour": i}, i % 2 == 0)
    assert model.learner.state.nbytes < model._raw_memory_usage < 150_000

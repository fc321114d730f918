"""Frames by column are the rows one by one: state, names and scores to the bit."""

import copy
import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlasso import FTRLProximal, GrowingIndex, HashingIndex, SparseClassifier, SparseRegressor
from streamlasso.encoding import RowEncoder, frame_rows
from streamlasso.frames import frame_entries

ROWS = 6
NUMBERS = st.floats(-1e6, 1e6) | st.just(float("nan"))
TEXTS = st.sampled_from(["", "x", "y", "ü", "\ud800"])
ANYTHING = st.one_of(
    NUMBERS, TEXTS, st.integers(-3, 3), st.booleans(), st.none(), st.just(pd.NA),
    st.just(10**400), st.just(decimal.Decimal("0.5")), st.just(np.float32(0.1)),
)  # fmt: skip


def cells(strategy: Any, make: Any) -> Any:
    return st.lists(strategy, min_size=ROWS, max_size=ROWS).map(make)


COLUMNS = st.one_of(
    cells(NUMBERS, lambda c: pd.Series(c, dtype="float64")),
    cells(NUMBERS, lambda c: pd.Series(c, dtype="float32")),
    cells(st.integers(-(2**62), 2**62), lambda c: pd.Series(c, dtype="int64")),
    cells(st.integers(0, 200), lambda c: pd.Series(c, dtype="uint8")),
    cells(st.booleans(), lambda c: pd.Series(c, dtype="bool")),
    cells(st.integers(0, 3) | st.none(), lambda c: pd.Series(c, dtype="Int64")),
    cells(st.booleans() | st.none(), lambda c: pd.Series(c, dtype="boolean")),
    cells(st.sampled_from(["a", "b", None]), lambda c: pd.Series(c, dtype="string")),
    cells(st.sampled_from(["a", "b", None]), lambda c: pd.Series(c, dtype="category")),
    cells(st.integers(0, 2), lambda c: pd.Series(c, dtype="category")),
    cells(TEXTS | st.none(), lambda c: pd.Series(c, dtype="object")),
    cells(ANYTHING, lambda c: pd.Series(c, dtype="object")),
)
NAMES = st.lists(
    st.sampled_from(["f", "g", "f=a", 3, ("t", 1)]), min_size=0, max_size=4, unique=True
)


@st.composite
def frames(draw: Any) -> pd.DataFrame:
    names = draw(NAMES)
    frame = pd.concat([draw(COLUMNS) for _ in names], axis=1) if names else pd.DataFrame()
    frame.columns = pd.Index(names, dtype=object, tupleize_cols=False)
    return frame if names else pd.DataFrame(index=range(ROWS))


INDEXES = (GrowingIndex(), HashingIndex(bits=4), HashingIndex(bits=4, names=True))


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    parts=st.lists(frames(), min_size=1, max_size=2),
    index=st.sampled_from(INDEXES),
    weights=st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=ROWS, max_size=ROWS),
    dtype=st.sampled_from(["float64", "float32"]),
)
def test_a_frame_is_its_rows(
    parts: list[pd.DataFrame], index: Any, weights: list[float], dtype: str
) -> None:
    """What is encoded, of frames that are predicted first and then learned."""
    whole, alone = RowEncoder(index.fresh(), dtype), RowEncoder(index.fresh(), dtype)
    for frame in parts:
        for allocate in (None, np.array(weights) != 0):
            found = frame_entries(whole, frame, allocate)
            each = False if allocate is None else allocate.tolist()
            if found is None:  # text that is none, which pandas refuses to compare
                found = whole.encode_rows(frame_rows(frame), allocate=each)
            rows = alone.encode_rows(frame_rows(frame), allocate=each)
            for ours, theirs in zip(found, rows, strict=True):
                assert ours.dtype == theirs.dtype
                np.testing.assert_array_equal(ours, theirs)
            assert whole.index.entries() == alone.index.entries()


def mixed(seed: int, rows: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    numbers = random.normal(size=rows)
    numbers[::7] = np.nan
    return pd.DataFrame({
        "number": numbers,
        "count": random.integers(0, 5, rows),
        "site": random.choice(["a", "b", f"new{seed}"], rows),
        "kind": pd.Categorical(random.choice(["x", "y"], rows)),
        "any": random.choice(np.array([1, "t", None, 2.5, True], object), rows),
    })  # fmt: skip


@pytest.mark.parametrize("index", [GrowingIndex(), HashingIndex(bits=8)])
def test_learning_many_is_learning_each(index: Any) -> None:
    many, single = (SparseClassifier(FTRLProximal(l1=0.01), index=index) for _ in range(2))
    for seed in range(3):
        frame = mixed(seed)
        labels = pd.Series(np.random.default_rng(seed).random(len(frame)) < 0.5)
        many.learn_many(frame, labels)
        for event, label in zip(frame_rows(frame), labels.tolist(), strict=True):
            single.learn_one(event, label)
        assert many.learner.state.tobytes() == single.learner.state.tobytes()
        assert many.learner.index.entries() == single.learner.index.entries()
        ahead = mixed(seed + 1)
        shares = many.predict_proba_many(ahead)[True].tolist()
        assert shares == [single.predict_proba_one(x)[True] for x in frame_rows(ahead)]


BAD = [
    {"a": [1.0, 2.0], "b": [1.0, [2.0]]},
    {"a": ["new", "newer"], "b": [datetime.datetime(2020, 1, 1)] * 2},
    {"a": [1.0, 2.0], 1.5: [1.0, 2.0]},
    {"a": ["x", "y"], "b": [1.0, 1 + 2j]},
]


@pytest.mark.parametrize("content", BAD)
def test_a_bad_frame_is_refused_as_its_rows_are_and_leaves_nothing_behind(content: Any) -> None:
    model = SparseRegressor(FTRLProximal())
    model.learn_many(pd.DataFrame({"a": [1.0]}), pd.Series([1.0]))
    before, names = model.learner.state.tobytes(), model.learner.index.entries()
    frame = pd.DataFrame(content)
    bad = [*frame_rows(frame)][1 if "b" in content and content["a"][0] == 1.0 else 0]
    with pytest.raises(TypeError) as of_rows:
        copy.deepcopy(model).learn_one(bad, 1.0)
    with pytest.raises(TypeError) as of_frame:
        model.learn_many(frame, pd.Series([1.0, 2.0]))
    assert str(of_frame.value) == str(of_rows.value)
    assert model.learner.state.tobytes() == before
    assert model.learner.index.entries() == names


def test_columns_of_one_name_are_as_in_a_dict() -> None:
    frame = pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])
    many, single = SparseRegressor(FTRLProximal()), SparseRegressor(FTRLProximal())
    many.learn_many(frame, pd.Series([1.0]))
    single.learn_one({"a": 2.0}, 1.0)
    assert many.learner.state.tobytes() == single.learner.state.tobytes()

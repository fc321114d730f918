"""Streams that hypothesis makes up, for stacks of rules.

As `test_any_stream`: features are absent, late and repeated within a row, numbers go from 1e-12 to
1e150, targets too; rows are cut anywhere and the learner is pickled in between. The bits do not
depend on how rows came, and nothing that is not finite is predicted or remembered.
"""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from stack_cases import each_loss, state_of

from streamlasso.stack import StackLearner

NAMES = 7
number = st.one_of(
    st.floats(-2, 2),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-12, -1e-12, 1e6, -1e12, 5e-324, 1e50, -1e140, 1e150]),
)
row = st.lists(st.tuples(st.integers(0, NAMES - 1), number), max_size=6)
importance = st.sampled_from([0.0, 0.25, 1.0, 1.0, 1.0, 3.0, 1e6, 1e14])
events = st.lists(st.tuples(row, st.booleans(), number, importance), max_size=80)

Made = list[tuple[list[tuple[int, float]], bool, float, float]]


def target_for(loss: str, sign: bool, value: float) -> float:
    if loss == "logistic":
        return float(sign)
    return abs(value) if loss == "poisson" else value


def fresh(loss: str, dtype: str) -> StackLearner:
    learner = StackLearner(loss, dtype=dtype)
    for name in range(NAMES):
        learner.index.add(name)
    return learner


@each_loss
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@settings(
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
)
@given(made=events, cuts=st.sets(st.integers(1, 79), max_size=6))
@example(made=[([(0, 1.0)], True, 1e150, 1.0)] * 30 + [([(0, 1.0)], True, 1.0, 1.0)] * 30, cuts={9})
@example(made=[([], True, 1.0, 1e14)] * 3, cuts=set())
@example(made=[([(0, v)], True, 1e60, 1.0) for v in (1e-12, 1e140) * 20], cuts={3})
def test_nothing_that_is_not_finite_and_no_bit_depends_on_cuts(
    loss: str, dtype: str, made: Made, cuts: set[int]
) -> None:
    whole, cut = fresh(loss, dtype), fresh(loss, dtype)
    indptr = np.cumsum([0] + [len(row) for row, *_ in made])
    slots = np.array([2 + name for row, *_ in made for name, _ in row], np.uint32)
    most = 1e150 if dtype == "float64" else 1e9  # float32 ends at 3e38
    numbers = [v for row, *_ in made for _, v in row]
    values = np.clip(np.array(numbers, np.float64), -most, most)
    targets = np.array([target_for(loss, sign, value) for _, sign, value, _ in made])
    targets = np.clip(targets, -most, most)
    importances = np.array([weight for *_, weight in made], np.float64)
    importances = np.minimum(importances, 1e14 if dtype == "float64" else 1e6)
    scores = whole.learn_rows(indptr, slots, values, targets, importances)
    parts = [scores[:0]]
    for start, stop in pairwise([0, *sorted(c for c in cuts if c < len(made)), len(made)]):
        part = slice(indptr[start], indptr[stop])
        rows = indptr[start : stop + 1] - indptr[start], slots[part], values[part]
        parts.append(cut.learn_rows(*rows, targets[start:stop], importances[start:stop]))
        cut = pickle.loads(pickle.dumps(cut))
    assert np.concatenate(parts).tobytes() == scores.tobytes()
    assert state_of(cut) == state_of(whole)
    assert np.isfinite(scores).all()
    assert np.isfinite(whole.state).all()
    assert np.isfinite(whole.book).all()
    assert np.isfinite(whole.lanes_array).all()
    # What a smaller value is multiplied with, to be 1, is no float.
    if not any(0 < abs(value) < 1e-300 for value in numbers):
        assert np.isfinite(whole.effective_weights()).all()
        assert np.isfinite(whole.served_weights()).all()
    assert whole.clock + whole.rejected == np.count_nonzero(importances)

"""Records of a stack: where they lie in memory, and that padding leaves no trace."""

import pickle

import numpy as np
import pytest
from stack_cases import both_scores, mixed

from streamlasso.growth import aligned
from streamlasso.stack import StackLearner

LINE = 64


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_records_begin_at_a_cache_line_fresh_grown_and_unpickled(dtype: str) -> None:
    learner = StackLearner("logistic", dtype=dtype)
    sizes = [len(learner.state)]
    for name in range(3000):
        learner.index.add(name)
    both_scores(learner, mixed("logistic", 20))
    sizes.append(len(learner.state))
    again = pickle.loads(pickle.dumps(learner))
    assert sizes[0] < sizes[1]
    for each in (StackLearner("logistic", dtype=dtype), learner, again):
        assert each.state.ctypes.data % LINE == 0
        assert each.state.strides[0] % LINE == 0
        duals, roots = (each.state[0, each._at[name] :].ctypes.data for name in ("DUALS", "ROOTS"))
        assert duals % (LINE // 2) == roots % (LINE // 2) == 0


def test_an_array_that_begins_elsewhere_is_copied_to_a_line() -> None:
    room = np.arange(40.0)
    for first in range(8):
        there = aligned(room[first:].reshape(1, -1))
        assert there.ctypes.data % LINE == 0
        assert there.tolist() == [room[first:].tolist()]


def test_padding_is_not_saved_and_never_written() -> None:
    learner = StackLearner("logistic")
    both_scores(learner, mixed("logistic", 60))
    packed = learner.packed(learner.state)
    assert packed.shape == (len(learner.state), 13 + 2 * 8)
    assert learner.state.shape[1] == 32
    assert learner.unpacked(packed).tobytes() == learner.state.tobytes()

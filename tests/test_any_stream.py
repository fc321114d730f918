"""Streams that hypothesis makes up, for every rule, penalty and mode with every loss.

Features are absent, late, repeated within a row, vanish, and have values from 1e-12 to 1e12; chunks
are cut anywhere and the learner is pickled in between. Whatever comes, the bits do not depend on
how it came, and nothing that is not finite gets into a weight.
"""

import pickle
from itertools import pairwise

import numpy as np
from cases import DIMENSION, Event, Variant, each_loss, each_variant, learn, learner_for, state_of
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlasso import LOSSES

number = st.one_of(
    st.floats(-2, 2),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-12, -1e-12, 1e6, -1e12, 5e-324, 1e150]),
)
row = st.lists(st.tuples(st.integers(0, DIMENSION - 1), number), max_size=6)
importance = st.sampled_from([0.0, 0.25, 1.0, 1.0, 3.0, 1e6])


Made = tuple[list[tuple[list[tuple[int, float]], bool, float, float]], set[int]]


@st.composite
def streams(draw: st.DrawFn) -> Made:
    """Events, and the places where they are cut."""
    events = draw(st.lists(st.tuples(row, st.booleans(), number, importance), max_size=90))
    cuts = draw(st.sets(st.integers(1, max(len(events) - 1, 1)), max_size=6))
    return events, cuts


def target_for(loss: str, sign: bool, value: float) -> float:
    domain = LOSSES[loss].domain
    if domain == "binary":
        return float(sign)
    return abs(value) if domain == "count" else value


@each_loss
@each_variant
@settings(max_examples=6, deadline=None, derandomize=True, database=None)
@given(made=streams())
def test_the_bits_do_not_depend_on_how_a_stream_is_cut(
    variant: Variant,
    loss: str,
    made: Made,
) -> None:
    raw, cuts = made
    events = [
        Event([n for n, _ in row], [v for _, v in row], target_for(loss, sign, value), weight)
        for row, sign, value, weight in raw
    ]
    whole, cut = (learner_for(variant.rule, loss) for _ in range(2))
    with np.errstate(all="ignore"):
        scores = learn(whole, events)
        places = [0, *sorted(c for c in cuts if c < len(events)), len(events)]
        parts = []
        for start, stop in pairwise(places):
            parts.append(learn(cut, events[start:stop]))
            cut = pickle.loads(pickle.dumps(cut))
        assert np.concatenate(parts).tobytes() == scores.tobytes()
        assert state_of(cut) == state_of(whole)
        weights = whole.effective_weights()
    assert np.isfinite(weights).all()
    assert not weights[1].any()
    assert whole.clock + whole.rejected == sum(event.importance > 0 for event in events)

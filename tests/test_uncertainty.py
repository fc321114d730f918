"""u(x): no event like x with |slope| ≤ 1 moves its score by more."""

import copy
from typing import Any

import numpy as np
import pytest
from cases import VARIANTS, Event, Variant, learn, learner_for, rows, stream
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlasso import (
    DualAveraging,
    FTRLProximal,
    Learner,
    SoftThreshold,
    SparseClassifier,
    SparseRegressor,
)
from streamlasso.grid import expand

BOUNDED = [variant for variant in VARIANTS if variant.rule.bounded]
each_bounded = pytest.mark.parametrize("variant", BOUNDED, ids=lambda variant: variant.label)


def uncertainty(learner: Learner, event: Event) -> float:
    _, slots, values, *_ = rows([event])
    return learner.uncertainty(slots, values)


def is_stated(learner: Learner, event: Event) -> bool:
    """Not where the bound is said not to hold: a renewed penalty, a new member of a group."""
    recipe, now = learner.recipe, learner.clock + 1
    if recipe.renews and now >= 64 and now & (now - 1) == 0:
        return False
    slots = rows([event])[1]
    members = recipe.offsets.get("members")
    return members is None or bool(learner.state[slots, members].all())


def assert_bounded(learner: Learner, event: Event) -> float:
    """Of both labels; the larger part of the bound that was used."""
    bound = uncertainty(learner, event)
    used = 0.0
    for target in (0.0, 1.0):
        after = copy.deepcopy(learner)
        score = learn(after, [event._replace(target=target, importance=1.0)])[0]
        moved = abs(after.score_rows(*rows([event])[:3])[0] - score)
        assert moved <= bound * (1 + 1e-9) + 1e-12
        used = max(used, moved / bound if bound else 0.0)
    return used


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
@each_bounded
def test_no_event_moves_its_score_by_more(variant: Variant, loss: str) -> None:
    """Hinge: slopes of 1, which use the whole bound, and of 0, where the penalty is alone."""
    learner = learner_for(variant.rule, loss)
    used = 0.0
    for event in stream(loss, 140):
        if is_stated(learner, event):
            used = max(used, assert_bounded(learner, event))
        learn(learner, [event])
    assert used > 0.2  # a bound that says something


values = st.floats(-8, 8).map(lambda value: round(value, 3)) | st.sampled_from([0.0, 0.01, 1.0])


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    events = []
    for _ in range(draw(st.integers(1, 12))):
        names = draw(st.lists(st.integers(0, 4), unique=True, max_size=4))
        given = [draw(values) for _ in names]
        target, importance = draw(st.sampled_from([0.0, 1.0])), draw(st.sampled_from([0.1, 1.0, 3]))
        events.append(Event(sorted(names), given, target, importance))
    return events


@settings(max_examples=400, deadline=None)
@given(
    variant=st.sampled_from(BOUNDED),
    loss=st.sampled_from(["logistic", "hinge"]),
    events=histories(),
)
def test_no_event_moves_its_score_by_more_on_any_stream(
    variant: Variant, loss: str, events: list[Event]
) -> None:
    learner = learner_for(variant.rule, loss)
    learn(learner, events[:-1])
    if is_stated(learner, events[-1]):
        assert_bounded(learner, events[-1])


def test_of_ftrl_it_is_the_sum_of_steps_times_squares() -> None:
    rule = FTRLProximal(alpha=0.3, beta=1.0, l1=0.5, l2=0.2)
    learner = learner_for(rule, "logistic")
    learn(learner, stream("logistic", 100))
    event = Event([0, 1, 3], [2.0, -0.5, 1.0], 1.0, 1.0)
    roots = learner.state[[2, 3, 5], 1]
    steps = 1 / ((1 + roots) / 0.3 + 0.2)
    own = 0.3 / (1 + learner.state[0, 1])
    expected = own + steps @ np.square(event.values)
    assert uncertainty(learner, event) == pytest.approx(expected, rel=1e-12)


def test_what_was_learned_often_is_less_uncertain_and_what_was_never_seen_counts() -> None:
    model = SparseClassifier(FTRLProximal())
    empty = model.uncertainty_one({})
    new = model.uncertainty_one({"a": 1.0})
    assert new > empty > 0
    for i in range(100):
        model.learn_one({"a": 1.0, "b": "x"}, i % 3 == 0)
    before = model.learner.state.tobytes(), model.learner.index.size
    seen = model.uncertainty_one({"a": 1.0, "b": "x"})
    unknown = model.uncertainty_one({"a": 1.0, "b": "y", "c": 2.0})
    assert 0 < seen < new < unknown
    # α/β = 0.1 for each feature without a past: 1 for "b=y", 4 for c.
    assert unknown - model.uncertainty_one({"a": 1.0}) == pytest.approx(0.5)
    assert (model.learner.state.tobytes(), model.learner.index.size) == before


def test_without_an_intercept_an_empty_event_is_certain() -> None:
    assert SparseRegressor(FTRLProximal(), fit_intercept=False).uncertainty_one({}) == 0.0


@pytest.mark.parametrize("compiled", [False, True])
def test_of_lanes_it_is_that_of_the_one_served_or_asked_for(compiled: bool) -> None:
    rules = expand(FTRLProximal(), {"alpha": [0.1, 0.4]})
    learner = learner_for(rules, "logistic", select="mix", compiled=compiled)
    learn(learner, stream("logistic", 50))
    _, slots, given, *_ = rows([Event([0, 1], [1.0, 2.0], 0.0, 1.0)])
    lanes = [learner.uncertainty(slots, given, lane) for lane in range(2)]
    served = learner.uncertainty(slots, given)
    assert served == pytest.approx(float(learner.shares @ lanes))
    assert lanes[0] < served < lanes[1]


@pytest.mark.parametrize("rule", [SoftThreshold(0.2), FTRLProximal(penalty="per_event")], ids=str)
def test_compiled_and_interpreted_agree(rule: Any) -> None:
    learners = [learner_for(rule, "logistic", compiled=compiled) for compiled in (False, True)]
    event = stream("logistic", 41)[-1]
    for learner in learners:
        learn(learner, stream("logistic", 40))
    assert uncertainty(learners[0], event) == pytest.approx(uncertainty(learners[1], event))


def test_dual_averaging_moves_with_the_clock_and_says_so() -> None:
    with pytest.raises(TypeError, match=r"'dual_averaging' moves all weights.*use FTRLProximal"):
        SparseClassifier(DualAveraging()).uncertainty_one({"a": 1.0})

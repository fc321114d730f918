"""Scales: equal to the naive reference, blind to units, not blinded by one wild value."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from cases import (
    DIMENSION,
    VARIANTS,
    Event,
    Variant,
    dense,
    learn,
    learner_for,
    presence,
    reference_for,
    rows,
    state_of,
    stream,
    weights_of,
)

from streamlasso import RULES, FTRLProximal, Learner, SoftThreshold
from streamlasso.penalties import Group
from streamlasso.scales import SCALES

CLOSE = {"rtol": 1e-11, "atol": 1e-12}
SCALABLE = [v for v in VARIANTS if not isinstance(v.rule.l1_penalty, Group)]
FIRST_OF_RULE = [next(v for v in SCALABLE if v.rule.name == name) for name in RULES]

each_scale = pytest.mark.parametrize("scale", SCALES)
each_scalable = pytest.mark.parametrize("variant", SCALABLE, ids=lambda v: v.label)
one_of_each_rule = pytest.mark.parametrize("variant", FIRST_OF_RULE, ids=lambda v: v.label)

SLOTS = np.arange(2, 2 + DIMENSION, dtype=np.uint32)
SIZES = np.array([1.0, 30.0, 0.02, 1.0, 5.0, 1e3, 1.0, 1e-3, 4.0])


def heavy(loss: str, events: int = 130, *, seed: int = 11) -> list[Event]:
    """The usual stream in units of each feature's own, with a tail that the scales must follow."""
    random = np.random.default_rng(seed)
    made = []
    for t, event in enumerate(stream(loss, events, seed=seed)):
        tail = np.exp(random.normal(0, 0.7, len(event.names)))
        values = np.array(event.values) * SIZES[event.names] * tail
        if t >= events // 2:
            values[np.array(event.names) == 1] *= 0.02  # its scale falls by far
        made.append(event._replace(values=values.tolist()))
    return made


def compare(variant: Variant, loss: str, scale: str, events: Sequence[Event], **how: Any) -> None:
    """Every score, and after every event every weight, in the units of the values."""
    learner = learner_for(variant.rule, loss, scale=scale, **how)
    naive = reference_for(variant.rule, loss, scale=scale)
    active = 0
    for event in events:
        score = learn(learner, [event])[0]
        expected = naive.learn(dense(event), event.target, event.importance, presence(event))
        np.testing.assert_allclose(score, expected, **CLOSE)
        weights, size = learner.weights_of(SLOTS), SIZES
        np.testing.assert_allclose(weights * size, naive.weights * size, **CLOSE)
        np.testing.assert_allclose(learner.intercept(), naive.intercept, **CLOSE)
        active += np.count_nonzero(weights)
    assert naive.gap > 1e-7
    assert active


# The reference


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@each_scale
@each_scalable
def test_weights_and_scores_equal_the_naive_reference(
    variant: Variant, scale: str, loss: str
) -> None:
    compare(variant, loss, scale, heavy(loss))


@pytest.mark.parametrize(
    ("variant", "scale"),
    [(v, list(SCALES)[i % len(SCALES)]) for i, v in enumerate(FIRST_OF_RULE)],
    ids=lambda given: getattr(given, "label", given),
)
def test_compiled_weights_equal_the_naive_reference(variant: Variant, scale: str) -> None:
    compare(variant, "logistic", scale, heavy("logistic", 600), compiled=True)


# Units


def in_units(events: Sequence[Event], units: Any) -> list[Event]:
    return [
        event._replace(values=(np.array(event.values) * units[event.names]).tolist())
        for event in events
    ]


@each_scale
@each_scalable
def test_scores_do_not_depend_on_units_from_the_first_event_on(
    variant: Variant, scale: str
) -> None:
    units = 10.0 ** np.random.default_rng(2).uniform(-6, 6, DIMENSION)
    events = stream("squared", 100, seed=5)
    plain, other = (learner_for(variant.rule, "squared", scale=scale) for _ in range(2))
    scores = learn(plain, events)
    np.testing.assert_allclose(learn(other, in_units(events, units)), scores, rtol=1e-9, atol=1e-10)
    weights = weights_of(other) * units
    np.testing.assert_allclose(weights, weights_of(plain), rtol=1e-9, atol=1e-10)
    assert scores.any()


@one_of_each_rule
def test_units_that_are_powers_of_two_change_no_bit(variant: Variant) -> None:
    units = 2.0 ** np.random.default_rng(2).integers(-20, 20, DIMENSION)
    events = stream("squared", 100, seed=5)
    plain, other = (learner_for(variant.rule, "squared", scale="max") for _ in range(2))
    assert learn(plain, events).tolist() == learn(other, in_units(events, units)).tolist()


# Wild values


def wild_run(rule: Any, scale: str, wild: Sequence[int], value: float = 1e9) -> list[float]:
    """The weight of a feature with the effect 2, at the end: clean and with wild values."""
    random = np.random.default_rng(9)
    values = random.normal(size=1600)
    targets = 2.0 * values + 0.1 * random.normal(size=1600)
    weights = []
    for spoiled in (False, True):
        seen = values.copy()
        seen[list(wild) if spoiled else []] = value
        learner = learner_for(rule, "squared", scale=scale)
        learner.learn_rows(np.arange(1601), np.full(1600, 2, np.uint32), seen, targets)
        weights.append(float(weights_of(learner)[0]))
    return weights


@pytest.mark.parametrize("wild", [[0], [200], [200, 201, 202], [0, 1]], ids=str)
@each_scale
@pytest.mark.parametrize("name", RULES)
def test_a_wild_value_does_not_blind_a_feature(name: str, scale: str, wild: list[int]) -> None:
    rule = FTRLProximal(alpha=1.0, l1=0.1) if name == "ftrl" else RULES[name]()
    if name in ("truncated_gradient", "soft_threshold", "dual_averaging"):
        rule = RULES[name](learning_rate=0.5)
    clean, spoiled = wild_run(rule, scale, wild)
    assert clean == pytest.approx(2.0, abs=0.5)
    # Three in a row may each be twice the one before: least squares itself would be at 1.4.
    assert spoiled == pytest.approx(clean, abs=0.7 if len(wild) == 3 else 0.15)


def test_a_wild_value_is_cut_at_prediction_too() -> None:
    learner = learner_for(SoftThreshold(0.2), "squared", scale="max")
    learn(learner, stream("squared", 60))
    slots, peaks = np.array([2], np.uint32), learner.state[2, [3, 5]].max()
    at = [learner.score_rows([0, 1], slots, [value])[0] for value in (2 * peaks, 1e9, 1e150)]
    assert at[0] == at[1] == at[2] != learner.intercept()
    seen = learner.seen_values(slots, np.array([1e9]), 1)[1]
    assert learner.intercept() + seen[0] * weights_of(learner)[0] == pytest.approx(at[0])


# What a prediction is


@each_scale
@one_of_each_rule
def test_predicting_is_pure_and_is_what_learning_returns(variant: Variant, scale: str) -> None:
    learner = learner_for(variant.rule, "logistic", scale=scale)
    for event in heavy("logistic", 80):
        before = state_of(learner)
        predicted = learner.score_rows(*rows([event])[:3])
        assert state_of(learner) == before
        assert learn(learner, [event]).tolist() == predicted.tolist()


@pytest.mark.parametrize("compiled", [False, True])
@each_scale
def test_chunks_do_not_matter_to_the_bit(scale: str, compiled: bool) -> None:
    events = heavy("squared", 120)
    states = []
    for cuts in ([0, 120], [0, 1, 3, 60, 61, 120], list(range(121))):
        learner = learner_for(FTRLProximal(0.3, l1=0.5), "squared", scale=scale, compiled=compiled)
        scores = [learn(learner, events[a:b]) for a, b in pairwise(cuts)]
        states.append((state_of(learner), np.concatenate(scores).tolist()))
    assert states[0] == states[1] == states[2]


def test_a_value_of_zero_is_no_news_of_a_feature_s_size() -> None:
    learner = learner_for(FTRLProximal(l1=0.0), "squared", scale="rms")
    learner.learn_rows([0, 1, 2], np.array([2, 2], np.uint32), [0.0, 3.0], [1.0, 1.0])
    before = learner.state[2].tobytes()
    learner.learn_rows([0, 1], np.array([2], np.uint32), [0.0], [1.0])
    assert learner.state[2].tobytes() == before
    assert learner.state[2, 6] == 3.0


def test_an_event_of_importance_0_and_a_rejected_one_do_not_move_a_scale() -> None:
    learner = learner_for(FTRLProximal(l1=0.0), "squared", scale="rms-max")
    learn(learner, heavy("squared", 30))
    before = learner.state.tobytes()
    for value, target, importance in [(7.0, 1.0, 0.0), (np.inf, 1.0, 1.0), (7.0, np.inf, 1.0)]:
        learner.learn_row(np.array([2], np.uint32), np.array([value]), 1, target, importance)
        assert learner.state.tobytes() == before
    assert learner.rejected == 2


@each_scale
def test_values_too_large_to_be_added_up_squared_leave_a_finite_scale(scale: str) -> None:
    learner = learner_for(FTRLProximal(), "squared", scale=scale, fit_intercept=False)
    for _ in range(6):
        learner.learn_row(np.array([2], np.uint32), np.array([1.2e154]), 1, 0.0, 1.0)
    assert learner.clock == 6
    assert np.isfinite(learner.state).all()


@each_scale
def test_tiny_values_have_a_scale(scale: str) -> None:
    learner = learner_for(FTRLProximal(1.0, l1=0.1), "squared", scale=scale, fit_intercept=False)
    for _ in range(50):
        learner.learn_row(np.array([2], np.uint32), np.array([1e-200]), 1, 1.0, 1.0)
    assert learner.score_row(np.array([2], np.uint32), np.array([1e-200]), 1) > 0.5


@each_scale
@pytest.mark.parametrize("rule", [FTRLProximal(0.3, l1=0.5), RULES["newton"]()], ids=str)
def test_float32_stays_close(rule: Any, scale: str) -> None:
    events = heavy("logistic", 150)
    wide, narrow = (
        learner_for(rule, "logistic", scale=scale, dtype=dtype, compiled=True)
        for dtype in ("float64", "float32")
    )
    np.testing.assert_allclose(learn(narrow, events), learn(wide, events), rtol=1e-3, atol=1e-3)
    weights = weights_of(narrow) * SIZES
    np.testing.assert_allclose(weights, weights_of(wide) * SIZES, rtol=1e-3, atol=1e-3)


def test_an_unknown_scale_and_a_group_are_errors_that_name_both() -> None:
    with pytest.raises(ValueError, match="scale = 'std' is unknown; choose None or one of max"):
        Learner(FTRLProximal(), scale="std")
    with pytest.raises(ValueError, match=r"scale = 'max' with Group.*one step size"):
        Learner(FTRLProximal(l1=Group(1.0)), scale="max")

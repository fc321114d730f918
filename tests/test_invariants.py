"""What must always be true, of every rule with every loss (interpreted).

A variant has three losses here, so that a rule has all; in tests/test_rules.py each has all.
"""

import copy
import math
import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import reference
from cases import (
    DIMENSION,
    MODES,
    SCALAR,
    VARIANTS,
    Array,
    Event,
    Variant,
    each_loss,
    each_mode,
    each_pair,
    each_variant,
    learn,
    learner_for,
    pairs_of,
    rows,
    state_of,
    stream,
    target_of,
    weights_of,
)

from streamlasso import LOSSES, HashingIndex, Learner, SoftThreshold
from streamlasso.grid import expand
from streamlasso.kernels import CLOCK, FIRST, INTERCEPT, UNSEEN
from streamlasso.losses import Squared
from streamlasso.recipe import Recipe
from streamlasso.rules import Rule

SPARSE = [variant for variant in VARIANTS if variant.rule.value(variant.rule.penalties[0]) > 0]
"""The variants whose sparsity penalty is not zero."""


def moved_by_others(variant: Variant) -> bool:
    """Whether the model or other slots move a weight beside its own gradients.

    A group shares its threshold and step, Newton's steps know the event's other features and its
    evidence the noise of all events, an adaptive penalty is renewed at certain events.
    """
    penalty = variant.rule.l1_penalty
    return variant.rule.spreads or penalty.renews or "link" in penalty.shared


def own_columns(learner: Learner) -> Array:
    """The records without what belongs to the names."""
    return learner.state[:, learner.recipe.own :]


each_sparse_variant = pytest.mark.parametrize("variant", SPARSE, ids=lambda v: v.label)


def learn_one_by_one(learner: Learner, events: Sequence[Event]) -> Array:
    """The events through `learn_row`."""
    scores = []
    for event in events:
        slots = np.array([FIRST + name for name in event.names], np.uint32)
        values = np.array(event.values, np.float64)
        args = (slots, values, len(slots), event.target, event.importance)
        scores.append(learner.learn_row(*args))
    return np.array(scores)


def learn_in_chunks(learner: Learner, events: Sequence[Event], sizes: Sequence[int]) -> Array:
    """The events through `learn_rows`, in chunks of the given sizes, over and over."""
    scores, start = [np.empty(0)], 0
    while start < len(events):
        size = sizes[len(scores) % len(sizes)]
        scores.append(learn(learner, events[start : start + size]))
        start += size
    return np.concatenate(scores)


# Chunking


def assert_chunking_changes_no_bit(rule: Rule, loss: str, *, compiled: bool) -> None:
    events = stream(loss, 150)
    whole = learner_for(rule, loss, compiled=compiled)
    scores = learn(whole, events)
    one_by_one = learner_for(rule, loss, compiled=compiled)
    assert learn_one_by_one(one_by_one, events).tobytes() == scores.tobytes()
    assert state_of(one_by_one) == state_of(whole)
    for sizes in ([1], [2, 1, 13], [64]):
        chunked = learner_for(rule, loss, compiled=compiled)
        assert learn_in_chunks(chunked, events, sizes).tobytes() == scores.tobytes()
        assert state_of(chunked) == state_of(whole)


@each_pair(VARIANTS)
def test_rows_learned_in_any_chunks_give_the_same_bits(variant: Variant, loss: str) -> None:
    assert_chunking_changes_no_bit(variant.rule, loss, compiled=False)


def test_chunks_that_end_at_a_rebase_give_the_same_bits() -> None:
    rule = SoftThreshold(learning_rate=1.0, l1=0.003, l2=1.0, adaptive=False)
    events = stream("logistic", 700, scale=0.4)
    whole, chunked = learner_for(rule, "logistic"), learner_for(rule, "logistic")
    scores = learn(whole, events)
    assert learn_in_chunks(chunked, events, [1]).tobytes() == scores.tobytes()
    assert state_of(chunked) == state_of(whole)


@each_mode
def test_growing_in_mid_stream_changes_no_bit(variant: Variant) -> None:
    events = stream("squared", 60)
    small, large = learner_for(variant.rule, "squared"), learner_for(variant.rule, "squared")
    learn(small, events[:30])
    learn(large, events[:30])
    for name in range(1000):
        large.index.add(("later", name))
    assert learn(large, events[30:]).tobytes() == learn(small, events[30:]).tobytes()
    assert len(large.state) > len(small.state)
    assert weights_of(large).tobytes() == weights_of(small).tobytes()
    assert not large.effective_weights()[FIRST + DIMENSION :].any()


# Exact zeros


def far_targets(loss: str) -> tuple[float, float]:
    """Targets that push the score up and down from 0."""
    return {"binary": (1.0, 0.0), "real": (1.0, -1.0), "count": (3.0, 0.0)}[LOSSES[loss].domain]


@each_pair(SPARSE)
def test_a_weight_returns_to_exactly_zero(variant: Variant, loss: str) -> None:
    learner = learner_for(variant.rule, loss, fit_intercept=False)
    upwards, against = far_targets(loss)
    for _ in range(50):
        learn(learner, [Event([0], [1.0], upwards, 1.0)])
        if weights_of(learner)[0]:
            break
    assert weights_of(learner)[0] > 0
    # Small steps down, each shorter than the pull: none can carry the weight past zero for good.
    small = 0.2 * variant.rule.value(variant.rule.penalties[0])
    down = [Event([0], [1.0], against, small), Event([1], [1.0], against, small)]
    for _ in range(5000):
        learn(learner, down)
        if weights_of(learner)[0] == 0:
            break
    assert weights_of(learner)[0] == 0.0
    assert 0 not in learner.weights()
    assert learner.survey()[1][0, 0] == len(learner.weights())


@each_pair(SPARSE)
def test_a_weight_that_nothing_touches_reaches_exactly_zero_if_the_rule_says_it_fades(
    variant: Variant, loss: str
) -> None:
    rule = variant.rule
    if getattr(rule, "threshold", math.inf) < math.inf:
        rule = replace(rule, threshold=10.0)  # type: ignore[call-arg]
    learner = learner_for(rule, loss, fit_intercept=False, compiled=loss == "logistic")
    for _ in range(50):
        learn(learner, [Event([0], [1.0], far_targets(loss)[0], 1.0)])
        if weights_of(learner)[0]:
            break
    first = weights_of(learner)[0]
    assert first > 0
    before = first
    for _ in range(60 if rule.fades else 3):
        learn(learner, [Event([1], [0.0], 1.0, 1.0)] * 40)
        after = weights_of(learner)[0]
        assert 0 <= after <= before
        before = after
    penalty = rule.l1_penalty
    if moved_by_others(variant) or not penalty.counts_events:
        return  # shrinks by what others do, or by an l2 or the past that fades: no say of zero
    assert after == (0.0 if rule.fades else first)


def fading_importance(loss: str, events: int, features: int = 20) -> tuple[Array, Array]:
    """Rows of features each of which matters three quarters as much as the one before."""
    random = np.random.default_rng(3)
    truth = 2.0 * 0.75 ** np.arange(features) * random.choice([-1, 1], features)
    here = random.random((events, features)) < 0.4
    X = np.where(here, random.normal(size=(events, features)), 0.0)
    scores = X @ truth + 0.3 * random.normal(size=events)
    return X, np.array([target_of(loss, score, random) for score in scores.tolist()])


@each_loss
@each_mode
def test_twice_the_penalty_never_leaves_more_active_features(variant: Variant, loss: str) -> None:
    """Counted at ten moments of the second half: at any one of them a weight may be on its way."""
    if moved_by_others(variant) or getattr(variant.rule, "nonnegative", False):
        return  # a stronger penalty that frees one feature may let another in
    sparse = pytest.importorskip("scipy.sparse")
    name = variant.rule.penalties[0]
    value = variant.rule.value(name)
    rules = expand(variant.rule, {name: [value * 2.0**k for k in range(6)]})
    learner = Learner(rules, loss, compiled=False)
    X, y = fading_importance(loss, 300)
    active = np.zeros(learner.lanes)
    for moment, part in enumerate(np.split(np.arange(300), 20)):
        learner.learn_csr(sparse.csr_array(X[part]), y[part])
        if moment >= 10:
            active += learner.survey()[1][0]
    active = active[: len(rules)]
    assert all(more >= less for more, less in pairwise(active)), active
    assert active[0] > active[-1]


# Birth


@each_sparse_variant
def test_a_late_feature_pays_nothing_for_the_time_before_its_birth(variant: Variant) -> None:
    if moved_by_others(variant):
        return
    before = 210  # events; a multiple of every period
    life = [Event([1], [1.0], 2.0, 1.0)] * 15
    fresh, late = (learner_for(variant.rule, "squared", fit_intercept=False) for _ in range(2))
    learn(late, [Event([0], [1.0], 2.0, 1.0)] * before)
    if getattr(variant.rule, "power", 0):
        fresh.counts[CLOCK, 0] = before  # the step size depends on the clock; the penalty must not
    for event in life:
        learn(fresh, [event])
        learn(late, [event])
        if not variant.late_pays:
            np.testing.assert_allclose(weights_of(late)[1], weights_of(fresh)[1], rtol=1e-10)
    assert weights_of(fresh)[1] > 0
    if variant.late_pays:
        assert abs(weights_of(late)[1]) < abs(weights_of(fresh)[1])


def test_every_rule_whose_late_features_pay_offers_since_birth() -> None:
    for variant in VARIANTS:
        if variant.late_pays and "link" not in variant.rule.l1_penalty.shared:
            replace(variant.rule, since_birth=True)  # type: ignore[call-arg]


# Reading


def reads(learner: Learner, events: Sequence[Event]) -> dict[str, Callable[[], Any]]:
    """Everything that only looks."""
    indptr, slots, values = rows(events)[:3]
    return {
        "score_rows": lambda: learner.score_rows(indptr, slots, values),
        "score_row": lambda: learner.score_row(slots, values, 3),
        "weights": learner.weights,
        "effective_weights": learner.effective_weights,
        "intercept": learner.intercept,
        "survey": learner.survey,
        "active_count": learner.active_count,
        "pickle": lambda: pickle.dumps(learner),
        "deepcopy": lambda: copy.deepcopy(learner),
        "unknown": lambda: learner.score_rows([0, 2], [UNSEEN, UNSEEN], [1.0, 5.0]),
    }


def assert_reading_is_pure(rule: Rule, loss: str, *, compiled: bool) -> None:
    events = stream(loss, 80)
    watched = learner_for(rule, loss, compiled=compiled)
    alone = learner_for(rule, loss, compiled=compiled)
    for start in (0, 40):
        part = events[start : start + 40]
        assert learn(watched, part).tobytes() == learn(alone, part).tobytes()
        before = state_of(watched)
        for name, read in reads(watched, events).items():
            read()
            assert state_of(watched) == before, name
    assert state_of(watched) == state_of(alone)


@each_pair(VARIANTS)
def test_reading_changes_nothing(variant: Variant, loss: str) -> None:
    assert_reading_is_pure(variant.rule, loss, compiled=False)


@each_pair(VARIANTS)
def test_the_weights_that_are_read_are_those_that_score(variant: Variant, loss: str) -> None:
    learner = learner_for(variant.rule, loss)
    learn(learner, stream(loss, 100))
    scores = learner.score_rows(range(DIMENSION + 1), range(2, 2 + DIMENSION), np.ones(DIMENSION))
    expected = learner.intercept() + weights_of(learner)
    np.testing.assert_allclose(scores, expected, rtol=1e-14, atol=1e-15)


@each_variant
def test_a_pickled_learner_goes_on_to_the_same_bits(variant: Variant) -> None:
    events = stream("hinge", 80)
    learner = learner_for(variant.rule, "hinge")
    learn(learner, events[:40])
    again = pickle.loads(pickle.dumps(learner))
    assert learn(again, events[40:]).tobytes() == learn(learner, events[40:]).tobytes()
    assert state_of(again) == state_of(learner)


def test_slots_0_and_1_are_neither_features_nor_counted() -> None:
    learner = learner_for(SoftThreshold(), "squared")
    learn(learner, stream("squared", 30))
    assert learner.state[INTERCEPT].any()
    assert not learner.state[UNSEEN].any()
    weights = learner.effective_weights()[:, 0]
    assert learner.survey()[1][0, 0] == np.count_nonzero(weights[FIRST:])
    assert set(learner.weights()) == set(np.flatnonzero(weights[FIRST:]).tolist())


@each_pair(VARIANTS)
def test_counts_and_norms_agree_with_the_weights(variant: Variant, loss: str) -> None:
    learner = learner_for(variant.rule, loss)
    events = stream(loss, 200)
    for part in np.array_split(np.arange(200), 9):
        learn(learner, [events[t] for t in part])
        if not variant.rule.fades:
            assert learner.active_count()[0] == np.count_nonzero(weights_of(learner))
        tracked, sums = learner.survey()
        weights = np.abs(weights_of(learner))
        assert sums[0, 0] == np.count_nonzero(weights) == len(learner.weights())
        assert sums[1, 0] == pytest.approx(weights.sum(), rel=1e-14)
        assert sums[2, 0] == weights.max()
        assert learner.active_count()[0] == sums[0, 0]
    assert tracked == DIMENSION


DUALS = [v for v in VARIANTS if "dual" in v.rule.columns and not moved_by_others(v)]


@each_pair(DUALS)
def test_with_a_dual_the_count_is_exact_where_every_event_has_every_feature(
    variant: Variant, loss: str
) -> None:
    """Nothing can die untouched there, and the threshold that grew in the event is counted in."""
    learner = learner_for(variant.rule, loss)
    for event in stream(loss, 150):
        x = dict(zip(event.names, event.values, strict=True))
        values = [x.get(name, 0.0) for name in range(DIMENSION)]
        learn(learner, [event._replace(names=list(range(DIMENSION)), values=values)])
        assert learner.active_count()[0] == np.count_nonzero(weights_of(learner))


# Importance


@each_pair(VARIANTS)
def test_importance_0_scores_and_changes_nothing(variant: Variant, loss: str) -> None:
    events = stream(loss, 60, importances=[1.0])
    learner = learner_for(variant.rule, loss)
    learn(learner, events[:40])
    before = state_of(learner)
    idle = [event._replace(importance=0.0) for event in events]
    scores = learn(learner, idle)
    assert scores.tobytes() == learner.score_rows(*rows(events)[:3]).tobytes()
    assert learn_one_by_one(learner, idle).tobytes() == scores.tobytes()
    assert state_of(learner) == before


@each_variant
def test_leaving_events_of_importance_0_out_changes_no_bit(variant: Variant) -> None:
    events = stream("logistic", 120)
    with_them, without = (learner_for(variant.rule, "logistic") for _ in range(2))
    learn(with_them, events)
    learn(without, [event for event in events if event.importance > 0])
    assert state_of(with_them) == state_of(without)


def test_a_negative_importance_is_an_error_that_says_what_to_do() -> None:
    learner = learner_for(SoftThreshold(), "squared")
    event = Event([0], [1.0], 1.0, -0.5)
    with pytest.raises(ValueError, match=r"importance -0.5 must be ≥ 0; drop"):
        learn(learner, [event])
    with pytest.raises(ValueError, match=r"importance = -0.5 must be ≥ 0; drop"):
        learn_one_by_one(learner, [event])
    assert learner.clock == 0
    assert not learner.state.any()


@each_mode
def test_importance_scales_the_slope(variant: Variant) -> None:
    if variant.rule.spreads:
        return  # it scales the curvature too
    """From a zero model the squared loss's slope is −y: importance 2 is the target doubled."""
    heavy, doubled = (learner_for(variant.rule, "squared") for _ in range(2))
    learn(heavy, [Event([0, 1], [1.0, -0.3], 1.5, 2.0)])
    learn(doubled, [Event([0, 1], [1.0, -0.3], 3.0, 1.0)])
    assert state_of(heavy) == state_of(doubled)


@each_mode
def test_importance_2_is_not_two_repetitions(variant: Variant) -> None:
    rule = replace(variant.rule, **dict.fromkeys(variant.rule.penalties, 0.0))
    heavy, twice = learner_for(rule, "squared"), learner_for(rule, "squared")
    learn(heavy, [Event([0], [1.0], 1.0, 2.0)])
    learn(twice, [Event([0], [1.0], 1.0, 1.0)] * 2)
    assert (heavy.clock, twice.clock) == (1, 2)
    assert weights_of(heavy)[0] != weights_of(twice)[0]


# Order, zeros, repetition


@each_pair(VARIANTS)
def test_the_order_of_features_does_not_matter(variant: Variant, loss: str) -> None:
    """Adding in another order rounds differently: tolerance as against the reference."""
    events = stream(loss, 200)
    turned = [
        event._replace(names=event.names[::-1], values=event.values[::-1]) for event in events
    ]
    forward, backward = (learner_for(variant.rule, loss) for _ in range(2))
    np.testing.assert_allclose(learn(forward, events), learn(backward, turned), 1e-12, 2e-13)
    np.testing.assert_allclose(weights_of(forward), weights_of(backward), 1e-12, 2e-13)


@each_pair(VARIANTS)
def test_a_zero_value_is_the_same_as_an_absent_feature(variant: Variant, loss: str) -> None:
    if moved_by_others(variant) or (variant.rule.forgets and "touch" in variant.rule.columns):
        return  # being there, be it with 0, is a touch: it says when squares fade, and who is known
    events = stream(loss, 200)
    padded = []
    for event in events:
        absent = [name for name in range(DIMENSION) if name not in event.names]
        names, values = event.names + absent, event.values + [0.0] * len(absent)
        padded.append(event._replace(names=names, values=values))
    sparse, full = (learner_for(variant.rule, loss) for _ in range(2))
    np.testing.assert_allclose(learn(sparse, events), learn(full, padded), 1e-12, 2e-13)
    np.testing.assert_allclose(weights_of(sparse), weights_of(full), 1e-12, 2e-13)


@each_mode
def test_a_slot_given_twice_counts_twice_in_the_score_and_is_learned_twice(
    variant: Variant,
) -> None:
    if moved_by_others(variant):
        return
    learner = learner_for(variant.rule, "squared", fit_intercept=False)
    learn(learner, [Event([0], [1.0], 9.0, 1.0)] * 3)
    weight = weights_of(learner)[0]
    assert learner.score_rows([0, 2], [2, 2], [1.0, 0.5])[0] == pytest.approx(1.5 * weight)
    # Two writes with the slope of the event: as the first alone, then the second alone.
    slope = 1.5 * weight - 20.0
    twice, halves = copy.deepcopy(learner), copy.deepcopy(learner)
    learn(twice, [Event([0, 0], [1.0, 0.5], 20.0, 1.0)])
    write = halves._kernels.learn_row.__globals__["LEARN_ONE"].__globals__["WRITE"]
    for value in (1.0, 0.5):
        write(halves.state, FIRST, 0, np.array([[slope]]), value, halves.hyper[1], halves.clock)
    assert twice.state.tobytes() == halves.state.tobytes()
    assert twice.clock == learner.clock + 1


# What is not finite


BAD_NUMBERS = [math.nan, math.inf, -math.inf]


def bad_events(loss: str) -> list[Event]:
    """Events that must leave no trace but a count."""
    good = Event([0, 1], [1.0, -2.0], 1.0, 1.0)
    bad = [good._replace(values=[1.0, number]) for number in [*BAD_NUMBERS, 1e200, -1e308]]
    bad += [good._replace(values=[number, number]) for number in BAD_NUMBERS]
    bad += [good._replace(target=number) for number in BAD_NUMBERS]
    bad += [good._replace(importance=number) for number in (math.nan, math.inf)]
    if LOSSES[loss].domain != "binary" and abs(reference.slope(loss, 0.0, 1e200)) > 1e145:
        bad += [good._replace(target=1e200)]
    return bad


def assert_bad_events_leave_no_trace(rule: Rule, loss: str, *, compiled: bool) -> None:
    events = stream(loss, 40, importances=[1.0])
    bad = bad_events(loss)
    clean, mixed = (learner_for(rule, loss, compiled=compiled) for _ in range(2))
    learn(clean, events)
    # numpy scalars warn where compiled code is silent; the warnings are about these very inputs.
    with np.errstate(all="ignore"):
        learn(mixed, bad)
        assert mixed.rejected == len(bad)
        assert not own_columns(mixed).any()
        learn(mixed, events[:20])
        before = state_of(mixed) | {"rejected": 0}
        learn_one_by_one(mixed, bad)
        assert state_of(mixed) | {"rejected": 0} == before
        for event in bad:
            learn(mixed, [events[20]._replace(importance=0.0), event])
        assert state_of(mixed) | {"rejected": 0} == before
    learn(mixed, events[20:])
    assert mixed.rejected == 3 * len(bad)
    assert state_of(mixed) | {"rejected": 0} == state_of(clean)


@each_pair(VARIANTS)
def test_what_is_not_finite_leaves_the_state_untouched_and_is_counted(
    variant: Variant, loss: str
) -> None:
    assert_bad_events_leave_no_trace(variant.rule, loss, compiled=False)


def test_a_bad_number_in_an_event_of_importance_0_is_not_counted() -> None:
    learner = learner_for(SoftThreshold(), "squared")
    learn(learner, [Event([0], [math.nan], math.nan, 0.0)])
    assert (learner.clock, learner.rejected) == (0, 0)


@each_loss
@each_mode
def test_a_step_too_large_to_be_squared_is_rejected(variant: Variant, loss: str) -> None:
    learner = learner_for(variant.rule, loss)
    with np.errstate(all="ignore"):
        target = far_targets(loss)[0]
        learn(learner, [Event([0], [1.0], target, 1e200), Event([0], [1e80], target, 1e80)])
    assert learner.rejected == 2
    assert not own_columns(learner).any()


def test_a_score_out_of_bounds_is_rejected_also_where_the_slope_is_zero() -> None:
    learner = learner_for(SoftThreshold(1e160, l1=0.0, adaptive=False), "hinge")
    learn(learner, [Event([0], [1.0], 1.0, 1.0)])
    before = state_of(learner)
    assert learn(learner, [Event([0], [1e140], 1.0, 1.0)])[0] > 1e290
    assert state_of(learner) == before | {"rejected": 1}


def test_one_bad_lane_keeps_the_event_from_itself_alone() -> None:
    rules = [SoftThreshold(rate, adaptive=False) for rate in (0.1, 1e160)]
    learner = learner_for(rules, "squared", compiled=True)
    learn(learner, [Event([0], [1.0], 1.0, 1.0)])
    bad = weights_of(learner, 1).copy()
    learn(learner, [Event([0], [1.0], 1.0, 1.0)])
    alone = learner_for(rules[0], "squared", compiled=True)
    learn(alone, [Event([0], [1.0], 1.0, 1.0)] * 2)
    assert weights_of(learner, 0).tobytes() == weights_of(alone).tobytes()
    np.testing.assert_allclose(weights_of(learner, 1), bad, rtol=1e-3)  # the penalty goes on
    assert (learner.clock, learner.rejected) == (2, 0)


# Names are never allocated by looking


@pytest.mark.parametrize("index", [None, HashingIndex(bits=5)], ids=["growing", "hashing"])
def test_scoring_unknown_names_allocates_nothing(index: HashingIndex | None) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    learner = Learner(SoftThreshold(), "squared", index, compiled=False)
    learner.learn_csr(sparse.csr_array([[1.0, 2.0]]), [1.0])
    before, shape = state_of(learner), learner.state.shape
    wide = sparse.csr_array(np.ones((3, 100)))
    scores = learner.score_csr(wide)
    assert state_of(learner) == before
    assert learner.state.shape == shape
    if index is None:
        known = learner.intercept() + sum(learner.weights().values())
        np.testing.assert_allclose(scores, known, rtol=1e-14)


def test_every_rule_is_held_with_every_loss() -> None:
    pairs = {(type(variant.rule), loss) for variant, loss in pairs_of(VARIANTS)}
    assert pairs == {(type(v.rule), loss) for v in VARIANTS for loss in SCALAR}


def test_modes_cover_every_compiled_form_of_the_variants() -> None:
    assert len(MODES) == len({Recipe.of(v.rule, Squared()) for v in VARIANTS}) >= 30

"""Every rule equals its naive reference and keeps the contract of `streamlasso.rules.base`.

The reference rounds differently: it adds up pulls one by one where the kernels take the difference
of two sums. With weights and scores of order 1 and hundreds of events the largest difference seen
is 3e-14, so 1e-12 relative and 2e-13 absolute leave room for other machines and nothing else.
"""

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from cases import (
    DIMENSION,
    VARIANTS,
    Array,
    Event,
    Variant,
    dense,
    each_loss,
    each_mode,
    each_variant,
    learn,
    learner_for,
    presence,
    reference_for,
    rows,
    stream,
    weights_of,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference import REFERENCES, FTRLProximal, Newton, Reference

from streamlasso import LOSSES, RULES, Learner, SoftThreshold
from streamlasso.kernels import FIRST
from streamlasso.losses import Squared
from streamlasso.recipe import Recipe
from streamlasso.rules import Rule, get_rule
from streamlasso.specialise import _bind

CLOSE = {"rtol": 1e-12, "atol": 2e-13}
JUMP = 1e-6
"""Nearer than this to a jump of the rule or the loss, rounding may decide on which side one is."""


def compare(learner: Learner, reference: Reference, chunks: Sequence[Sequence[Event]]) -> None:
    """Learn chunk by chunk; after each, all weights, absent features' too, and all scores agree."""
    equals(learner, chunks, [expected(reference, chunk) for chunk in chunks])
    assert learner.clock == reference.events


def expected(reference: Reference, chunk: Sequence[Event]) -> tuple[list[float], Array, float]:
    """The reference's scores of a chunk, its weights and its intercept after it."""
    scores = [reference.learn(dense(e), e.target, e.importance, presence(e)) for e in chunk]
    return scores, np.array(reference.weights), reference.intercept


def equals(
    learner: Learner, chunks: Sequence[Sequence[Event]], expectations: Sequence[Any]
) -> None:
    """Learn chunk by chunk; each time what was expected."""
    for chunk, (scores, weights, intercept) in zip(chunks, expectations, strict=True):
        np.testing.assert_allclose(learn(learner, chunk), scores, **CLOSE)
        np.testing.assert_allclose(weights_of(learner), weights, **CLOSE)
        np.testing.assert_allclose(learner.intercept(), intercept, **CLOSE)


def uneven(events: Sequence[Event]) -> list[Sequence[Event]]:
    """Chunks of 1, 2, 3, … events."""
    ends = np.cumsum(np.arange(1, 2 + math.isqrt(2 * len(events))))
    return [
        events[end - size : end] for size, end in enumerate(ends, start=1) if events[end - size :]
    ]


# The registries


def test_every_registered_rule_has_variants_and_a_reference() -> None:
    assert {variant.rule.name for variant in VARIANTS} == set(RULES) == set(REFERENCES)


@pytest.mark.parametrize("name", RULES)
def test_every_parameter_and_mode_of_a_rule_varies_among_its_variants(name: str) -> None:
    rules = [variant.rule for variant in VARIANTS if variant.rule.name == name]
    for field in fields(RULES[name]):
        if (name, field.name) == ("truncated_gradient", "l2"):
            continue  # there to be refused
        assert len({getattr(rule, field.name) for rule in rules}) > 1, field.name


# Equality with the reference


@each_loss
@each_variant
def test_weights_and_scores_equal_the_naive_reference(variant: Variant, loss: str) -> None:
    learner, reference = learner_for(variant.rule, loss), reference_for(variant.rule, loss)
    compare(learner, reference, uneven(stream(loss)))
    assert reference.gap > JUMP


@each_loss
@each_mode
def test_without_intercept_equal_the_naive_reference(variant: Variant, loss: str) -> None:
    learner = learner_for(variant.rule, loss, fit_intercept=False)
    reference = reference_for(variant.rule, loss, fit_intercept=False)
    compare(learner, reference, uneven(stream(loss, 150, seed=8)))
    assert learner.intercept() == reference.intercept == 0.0


@st.composite
def streams(draw: st.DrawFn) -> list[list[Event]]:
    """Chunks of events over few features, with repeats, gaps and round numbers."""
    number = st.floats(-1, 1).map(lambda value: round(value, 2))
    features = st.dictionaries(st.integers(0, 3), number, max_size=4)
    importance = st.sampled_from([0.0, 0.5, 1.0, 2.0])
    event = st.tuples(features, st.booleans(), number, importance)
    chunks = draw(st.lists(st.lists(event, min_size=1, max_size=12), min_size=1, max_size=6))
    return [
        [
            Event(list(x), list(x.values()), (sign, noise), weight)
            for x, sign, noise, weight in chunk
        ]
        for chunk in chunks
    ]


@each_loss
@each_variant
@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(chunks=streams())
def test_any_stream_equals_the_naive_reference(
    variant: Variant, loss: str, chunks: list[list[Event]]
) -> None:
    domain = LOSSES[loss].domain
    learner, reference = learner_for(variant.rule, loss), reference_for(variant.rule, loss)

    def target(sign: bool, noise: float) -> float:
        real = 2.0 * sign - 1 + noise
        return {"binary": float(sign), "real": real, "count": abs(real)}[domain]

    chunks = [[e._replace(target=target(*e.target)) for e in chunk] for chunk in chunks]
    expectations = [expected(reference, chunk) for chunk in chunks]
    assume(reference.gap > JUMP)
    equals(learner, chunks, expectations)
    assert learner.clock == reference.events


# A common rate with l2: P = Π 1/(1 + ηλ2) must be reset before it underflows


REBASED = [
    SoftThreshold(learning_rate=0.5, l1=0.005, l2=0.5, adaptive=False),
    SoftThreshold(learning_rate=1.0, l1=0.003, l2=1.0, adaptive=False),
    SoftThreshold(learning_rate=0.9, l1=0.004, l2=2.0, adaptive=False, power=0.1),
]


def resets(learner: Learner, events: Sequence[Event]) -> list[int]:
    """The events at which P was reset to 1, learning one by one."""
    scale = REBASED[0].rows.index("scale")
    found, before = [], 1.0
    for t, event in enumerate(events):
        learn(learner, [event])
        after = learner.hyper[1, scale, 0]
        if after > before:
            found.append(t)
        before = after
    return found


@each_loss
@pytest.mark.parametrize("rule", REBASED, ids=["660 events", "213 events", "growing distance"])
def test_equal_the_naive_reference_across_several_rebases(rule: Rule, loss: str) -> None:
    events = stream(loss, 2500, scale=0.4, importances=[0.5, 1.0])
    learner, reference = learner_for(rule, loss), reference_for(rule, loss)
    compare(learner, reference, [events[i : i + 50] for i in range(0, 2500, 50)])
    found = resets(learner_for(rule, loss), events)
    assert len(found) >= 3
    # Around the resets, at every single event.
    learner, reference = learner_for(rule, loss), reference_for(rule, loss)
    near = [t for end in found[:2] for t in range(end - 2, end + 3)]
    cuts = [0, *near, found[1] + 40]
    compare(learner, reference, [events[a:b] for a, b in pairwise(cuts)])
    assert np.count_nonzero(weights_of(learner)) > 2


def test_an_untouched_weight_survives_several_rebases_as_the_reference_has_it() -> None:
    rule = SoftThreshold(learning_rate=0.5, l1=0.0, l2=0.05, adaptive=False)
    events = [Event([0], [1.0], 3.0, 1.0)] * 20 + [Event([1], [0.5], 1.0, 1.0)] * 25_000
    learner = learner_for(rule, "squared", compiled=True)
    learn(learner, events[:20])
    first = weights_of(learner)[0]
    learn(learner, events[20:])
    assert weights_of(learner)[0] == pytest.approx(first * 1.025**-25_000, rel=1e-9)
    assert 0 < weights_of(learner)[0] < 1e-200


# Golden numbers


def test_ftrl_follows_algorithm_1_by_hand() -> None:
    """α = 0.1, β = 1, λ1 = 0.1, λ2 = 0, logistic; worked out with a pocket calculator's steps."""
    learner = learner_for(get_rule("ftrl", l1=0.1), "logistic", fit_intercept=False)
    assert learn(learner, [Event([0], [1.0], 1.0, 1.0)])[0] == 0.0
    # g = −0.5, σ = 5, z = −0.5, n = 0.25, w = (0.5 − 0.1)/((1 + 0.5)/0.1)
    assert weights_of(learner)[0] == pytest.approx(0.4 / 15, rel=1e-15)
    learn(learner, [Event([0], [2.0], 0.0, 1.0)])
    g = 2 / (1 + math.exp(-2 * 0.4 / 15))
    sigma = (math.sqrt(0.25 + g * g) - 0.5) / 0.1
    z, n = -0.5 + g - sigma * 0.4 / 15, 0.25 + g * g
    expected = -(z - math.copysign(0.1, z)) / ((1 + math.sqrt(n)) / 0.1)
    assert weights_of(learner)[0] == pytest.approx(expected, rel=1e-15)


def test_truncation_leaves_weights_beyond_the_threshold_alone() -> None:
    rule = get_rule(
        "truncated_gradient",
        learning_rate=0.5,
        gravity=0.1,
        period=2,
        threshold=0.4,
        adaptive=False,
    )
    learner = learner_for(rule, "squared", fit_intercept=False)
    learn(learner, [Event([0, 1], [1.0, 0.5], 1.0, 1.0)])
    np.testing.assert_array_equal(weights_of(learner)[:2], [0.5, 0.25])
    learn(learner, [Event([2], [1.0], 0.0, 1.0)])
    # a = ηKG = 0.1; 0.5 > θ stays, 0.25 ≤ θ shrinks, by K gravities at the K-th event only
    np.testing.assert_allclose(weights_of(learner)[:2], [0.5, 0.15], rtol=1e-15)


def test_forward_backward_step_by_hand() -> None:
    rule = SoftThreshold(learning_rate=0.5, l1=0.3, l2=0.2, adaptive=False)
    learner = learner_for(rule, "squared", fit_intercept=False)
    learn(learner, [Event([0], [1.0], -2.2, 1.0)])
    # S(0 − 0.5·2.2, 0.15)/(1 + 0.1), then once more without a gradient
    first = -(1.1 - 0.15) / 1.1
    assert weights_of(learner)[0] == pytest.approx(first, rel=1e-15)
    learn(learner, [Event([1], [1.0], 0.0, 1.0)])
    assert weights_of(learner)[0] == pytest.approx((first + 0.15) / 1.1, rel=1e-15)


def test_per_event_ftrl_outgrows_an_untouched_dual_and_a_total_does_not() -> None:
    events = [Event([0], [1.0], 3.0, 1.0)] * 5
    pause = [Event([1], [1.0], 0.0, 1.0)] * 200
    kept, faded = (
        learner_for(get_rule("ftrl", l1=0.1, penalty=penalty), "squared", fit_intercept=False)
        for penalty in ("total", "per_event")
    )
    for learner in (kept, faded):
        learn(learner, events)
        assert weights_of(learner)[0] > 0
        before = weights_of(learner)[0]
        learn(learner, pause)
        assert weights_of(learner)[0] == (before if learner is kept else 0.0)


@pytest.mark.parametrize("loss", ["squared", "hinge"])
def test_since_birth_counts_from_the_first_gradient_that_is_not_zero(loss: str) -> None:
    rule = FTRLProximal(DIMENSION, loss, 0.5, 1.0, 0.1, 0.0, penalty="per_event", since_birth=True)
    learner = learner_for(
        get_rule("ftrl", alpha=0.5, l1=0.1, penalty="per_event", since_birth=True), loss
    )
    # Feature 1 first comes with events whose slope, then whose value, is zero.
    warm = [Event([0], [4.0], 1.0, 1.0)] * 30
    unborn = [Event([0, 1], [40.0, 1.0], 1.0, 1.0)] * 3 + [Event([1], [0.0], 1.0, 1.0)] * 3
    events = warm + (unborn if loss == "hinge" else unborn[3:])
    compare(learner, rule, [events, [Event([1], [1.0], 0.0, 1.0)] * 3])
    assert rule.born[2] == rule.events - 3


# Lanes


def scaled_penalty(rule: Rule, name: str, factor: float) -> Any:
    """The penalty so many times as strong."""
    if name == "l1":
        return rule.l1_penalty.scaled(rule.value(name) * factor)
    return getattr(rule, name) * factor


def grid(rule: Rule, lanes: int) -> list[Rule]:
    """The rule with other penalties and rates of its own: one of each lane."""
    rate = rule.positive[0]
    return [
        replace(
            rule,
            **{name: scaled_penalty(rule, name, 2.0**k) for name in rule.penalties},
            **{rate: getattr(rule, rate) * (1 + 0.1 * k)},
        )
        for k in range(lanes)
    ]


def assert_lanes_are_singles(rules: Sequence[Rule], loss: str, *, compiled: bool) -> None:
    """Learned side by side or alone: the same bits."""
    events = stream(loss, 200, scale=0.7)
    together = learner_for(rules, loss, compiled=compiled)
    scores = np.vstack([learn(together, events[:90]), learn(together, events[90:])])
    assert scores.shape == (200, len(rules))
    again = together.score_rows(*rows(events)[:3])
    counts, (_, sums) = together.active_count(), together.survey()
    for lane, rule in enumerate(rules):
        alone = learner_for(rule, loss, compiled=compiled)
        assert learn(alone, events).tobytes() == scores[:, lane].tobytes()
        assert weights_of(alone).tobytes() == weights_of(together, lane).tobytes()
        assert alone.weights() == together.weights(lane)
        assert alone.intercept() == together.intercept(lane)
        assert alone.score_rows(*rows(events)[:3]).tobytes() == again[:, lane].tobytes()
        np.testing.assert_array_equal(alone.active_count()[0], counts[lane])
        np.testing.assert_array_equal(alone.survey()[1][:, 0], sums[:, lane])


@each_loss
@each_mode
def test_four_lanes_equal_four_single_learners_bit_for_bit(variant: Variant, loss: str) -> None:
    assert_lanes_are_singles(grid(variant.rule, 4), loss, compiled=False)


@each_mode
def test_three_lanes_are_padded_and_the_padding_is_never_read_out(variant: Variant) -> None:
    assert learner_for(grid(variant.rule, 3), "squared").lanes == 4
    assert_lanes_are_singles(grid(variant.rule, 3), "squared", compiled=False)


def test_lanes_are_rebased_each_at_its_own_time() -> None:
    rules = [replace(REBASED[0], l2=l2) for l2 in (0.5, 0.8, 0.0, 0.3)]
    events = stream("logistic", 1500, scale=0.5)
    together = learner_for(rules, "logistic", compiled=True)
    learn(together, events)
    for lane, rule in enumerate(rules):
        alone = learner_for(rule, "logistic", compiled=True)
        learn(alone, events)
        assert weights_of(alone).tobytes() == weights_of(together, lane).tobytes()


# The functions that the loops do not call on every path, in the default mode of each rule


def learned_slots(rule: Rule) -> tuple[Learner, Reference, list[int]]:
    learner, reference = learner_for(rule, "logistic"), reference_for(rule, "logistic")
    for event in stream("logistic", 120):
        reference.learn(dense(event), event.target, event.importance)
        learn(learner, [event])
    return learner, reference, list(range(FIRST, FIRST + DIMENSION))


@pytest.mark.parametrize("name", RULES)
def test_step_is_the_papers_step_size(name: str) -> None:
    rule: Any = get_rule(name)
    learner, reference, slots = learned_slots(rule)
    n = reference.n[1:]  # type: ignore[attr-defined]
    if isinstance(reference, FTRLProximal):
        expected = 1 / ((rule.beta + np.sqrt(n)) / rule.alpha + rule.l2)
    elif isinstance(reference, Newton):
        expected = 1 / (1 / rule.prior_variance + n)
    else:
        expected = rule.learning_rate / (1e-8 + np.sqrt(n))
    step = bound_functions(rule)["step"]
    steps = [step(learner.state, slot, 0, learner.hyper[1], learner.clock) for slot in slots]
    np.testing.assert_allclose(steps, expected, rtol=1e-12)


def bound_functions(rule: Any) -> dict[str, Any]:
    """The rule's functions as the interpreted kernels call them."""
    return _bind(Recipe.of(rule, Squared()), compiled=False)


@pytest.mark.parametrize("name", RULES)
def test_settling_pays_what_is_pending_and_changes_no_weight(name: str) -> None:
    learner, _, slots = learned_slots(get_rule(name))
    learn(learner, [Event([0], [1.0], 1.0, 1.0)] * 30)
    before = weights_of(learner).copy()
    settle = bound_functions(learner.rule)["settle"]
    for slot in slots:
        settle(learner.state, slot, 0, learner.hyper[1], learner.clock)
    np.testing.assert_array_equal(weights_of(learner), before)
    if "weight" in learner.rule.columns:
        np.testing.assert_array_equal(learner.state[slots, 0], before)


# Hyper-parameters


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("value", [-0.1, math.nan, "1", True, None])
def test_a_bad_parameter_is_named_with_its_value_constraint_and_default(
    name: str, value: object
) -> None:
    kind = RULES[name]
    for parameter in kind.parameters:
        default = next(f.default for f in fields(kind) if f.name == parameter)
        with pytest.raises(ValueError, match="must be") as caught:
            get_rule(name, **{parameter: value})
        for part in (kind.__name__, parameter, repr(value), f"the default is {default}"):
            assert part in str(caught.value)


@pytest.mark.parametrize("name", RULES)
def test_zero_is_refused_where_it_means_nothing_and_infinity_where_it_is_no_limit(
    name: str,
) -> None:
    kind = RULES[name]
    for parameter in kind.parameters:
        default = next(f.default for f in fields(kind) if f.name == parameter)
        if parameter in kind.positive:
            with pytest.raises(ValueError, match=rf"{parameter} = 0 must be > 0"):
                get_rule(name, **{parameter: 0})
        if default != math.inf:
            with pytest.raises(ValueError, match=rf"{parameter} = inf must be finite"):
                get_rule(name, **{parameter: math.inf})


@pytest.mark.parametrize("name", RULES)
def test_several_bad_parameters_are_reported_together(name: str) -> None:
    first, second = RULES[name].parameters[:2]
    with pytest.raises(ValueError, match="must be") as caught:
        get_rule(name, **{first: -1, second: -2})
    assert f"{first} = -1" in str(caught.value)
    assert f"{second} = -2" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "settings", "parts"),
    [
        ("ftrl", {"penalty": "sum"}, ["penalty = 'sum'", "'total' or 'per_event'"]),
        ("ftrl", {"since_birth": True}, ["since_birth = True", "penalty = 'per_event'"]),
        ("truncated_gradient", {"power": 0.5}, ["power = 0.5", "adaptive = False"]),
        ("soft_threshold", {"power": 0.5}, ["power = 0.5", "adaptive = False"]),
        ("truncated_gradient", {"period": 2.5}, ["period = 2.5", "whole number"]),
    ],
)
def test_combinations_that_would_be_ignored_are_errors_that_name_both(
    name: str, settings: dict[str, object], parts: list[str]
) -> None:
    with pytest.raises(ValueError, match=RULES[name].__name__) as caught:
        get_rule(name, **settings)
    assert all(part in str(caught.value) for part in parts)


def test_a_penalty_that_a_rule_does_not_have_is_an_error_that_names_both() -> None:
    with pytest.raises(ValueError, match=r"l2 = 0.1: truncated gradient .* l2 penalty") as caught:
        get_rule("truncated_gradient", l2=0.1)
    assert "use SoftThreshold" in str(caught.value)


def test_an_unknown_rule_is_answered_with_the_choices() -> None:
    with pytest.raises(ValueError, match="'lasso' is unknown") as caught:
        get_rule("lasso")
    assert all(name in str(caught.value) for name in RULES)


@each_variant
def test_no_parameter_is_accepted_and_then_ignored(variant: Variant) -> None:
    rule, events = variant.rule, stream("squared", 120)

    def outcome(changed: Rule) -> Array:
        learner = learner_for(changed, "squared")
        learn(learner, events)
        return weights_of(learner)

    before = outcome(rule)
    for parameter in rule.parameters:
        value = rule.value(parameter)
        other: Any = 0.2 if math.isinf(value) else 1 + 2 * value
        if parameter == "l1":
            other = rule.l1_penalty.scaled(other)
        try:
            changed = replace(rule, **{parameter: other})
        except ValueError:
            continue
        assert not np.array_equal(outcome(changed), before), parameter

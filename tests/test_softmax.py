"""Softmax: vector slopes and values against numpy and finite differences, compiled too."""

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from streamlasso.events import CURVATURE, SLOPE, TARGET, VARIANCE
from streamlasso.losses import Logistic, Softmax

Array = np.ndarray[Any, Any]

interpreted_and_compiled = pytest.mark.parametrize("compiled", [False, True])


def function(name: str, compiled: bool) -> Callable[..., Any]:
    plain: Callable[..., Any] = getattr(Softmax, name)
    return numba.njit(error_model="numpy", _nrt=False)(plain) if compiled else plain


def scores_of(rows: int, classes: int, lanes: int) -> Array:
    """Scores, with numbers that must not be read in the padded lanes."""
    scores = np.random.default_rng(4).normal(0, 3, (rows, lanes))
    scores[:, classes:] = np.nan
    return scores


def slopes_of(
    scores: Array, row: int, target: float, classes: int, importance: float = 1.0, **how: bool
) -> Array:
    events = np.full((5, scores.shape[1]), 7.0)
    events[TARGET, 0] = target
    run = function("slopes", how.get("compiled", False))
    run(scores, row, importance, events, Softmax(classes).hyper())
    assert events[TARGET, 0] == target or math.isnan(target)
    return events


@interpreted_and_compiled
@pytest.mark.parametrize(("classes", "lanes"), [(2, 2), (3, 4), (5, 8), (8, 8)])
def test_slopes_and_values_are_those_of_the_definition(
    classes: int, lanes: int, compiled: bool
) -> None:
    scores = scores_of(6, classes, lanes)
    value = function("value_of_row", compiled)
    hyper = Softmax(classes).hyper()
    for row in range(6):
        odds = np.exp(scores[row, :classes])
        shares = odds / odds.sum()
        for target in range(classes):
            events = slopes_of(scores, row, target, classes, 2.5, compiled=compiled)
            slopes = 2.5 * (shares - (np.arange(classes) == target))
            np.testing.assert_allclose(events[SLOPE, :classes], slopes, rtol=1e-12, atol=1e-14)
            for which in (CURVATURE, VARIANCE):
                expected = 2.5 * shares * (1 - shares)
                np.testing.assert_allclose(events[which, :classes], expected, rtol=1e-12)
            assert not events[[SLOPE, CURVATURE, VARIANCE], classes:].any()
            expected_value = -math.log(shares[target])
            assert value(scores, row, float(target), hyper) == pytest.approx(expected_value)


def test_slopes_and_curvatures_are_derivatives() -> None:
    scores, hyper, step = scores_of(4, 3, 4), Softmax(3).hyper(), 1e-5
    for row in range(4):
        for target in range(3):
            events = slopes_of(scores, row, target, 3)
            for lane in range(3):
                moved = [scores.copy() for _ in range(2)]
                for side, each in zip((-1, 1), moved, strict=True):
                    each[row, lane] += side * step
                values = [Softmax.value_of_row(each, row, target, hyper) for each in moved]
                secant = (values[1] - values[0]) / (2 * step)
                assert events[SLOPE, lane] == pytest.approx(secant, rel=1e-7, abs=1e-9)
                slopes = [slopes_of(each, row, target, 3)[SLOPE, lane] for each in moved]
                secant = (slopes[1] - slopes[0]) / (2 * step)
                assert events[CURVATURE, lane] == pytest.approx(secant, rel=1e-7, abs=1e-9)


def test_the_variance_is_the_expected_square_of_the_slope_under_the_model() -> None:
    scores = scores_of(1, 4, 4)
    shares = Softmax.probabilities(scores[0])
    squares = [slopes_of(scores, 0, y, 4)[SLOPE] ** 2 for y in range(4)]
    expected = shares @ np.array(squares)
    np.testing.assert_allclose(slopes_of(scores, 0, 0, 4)[VARIANCE], expected, rtol=1e-12)


def test_two_classes_are_the_logistic_loss_of_the_difference() -> None:
    scores, hyper = scores_of(5, 2, 2), Softmax().hyper()
    for row in range(5):
        difference = scores[row, 1] - scores[row, 0]
        for target in (0.0, 1.0):
            slope = slopes_of(scores, row, target, 2)[SLOPE]
            expected = Logistic.slope(difference, target, hyper)
            np.testing.assert_allclose(slope, [-expected, expected], rtol=1e-12, atol=1e-15)
            value = Softmax.value_of_row(scores, row, target, hyper)
            assert value == pytest.approx(Logistic.value(difference, target, hyper), rel=1e-12)


@interpreted_and_compiled
def test_far_scores_overflow_nothing(compiled: bool) -> None:
    scores = np.array([[1e6, -1e6, 0.0, 1e6], [-1e6, -1e6, -2e6, 0.0]])
    for row in range(2):
        for target in range(3):
            events = slopes_of(scores, row, target, 3, compiled=compiled)
            assert np.isfinite(events[[SLOPE, CURVATURE, VARIANCE]]).all()
            value = function("value_of_row", compiled)(scores, row, target, Softmax(3).hyper())
            assert 0 <= value <= 2e6
    np.testing.assert_allclose(Softmax.probabilities(scores[1, :3]), [0.5, 0.5, 0.0])


@interpreted_and_compiled
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_target_or_score_that_is_not_finite_gives_no_finite_slope(
    bad: float, compiled: bool
) -> None:
    with np.errstate(invalid="ignore"):
        events = slopes_of(np.zeros((1, 4)), 0, bad, 3, compiled=compiled)
    assert np.isnan(events[SLOPE, :3]).all()
    value = function("value_of_row", compiled)
    assert math.isnan(value(np.zeros((1, 4)), 0, bad, Softmax(3).hyper()))
    if bad != -math.inf:  # a probability of 0; the kernels test the scores themselves
        scores = np.array([[0.0, bad, 1.0, 0.0]])
        with np.errstate(invalid="ignore"):
            assert np.isnan(slopes_of(scores, 0, 1.0, 3, compiled=compiled)[SLOPE, :3]).any()


@pytest.mark.parametrize("target", [-1.0, 3.0, 7.0])
def test_a_target_that_is_no_class_has_no_value(target: float) -> None:
    assert math.isnan(Softmax.value_of_row(np.zeros((1, 8)), 0, target, Softmax(3).hyper()))


def test_probabilities_keep_the_shape_and_sum_to_one() -> None:
    scores = np.random.default_rng(1).normal(0, 5, (3, 2, 4))
    shares = Softmax.probabilities(scores)
    assert shares.shape == scores.shape
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0, rtol=1e-14)
    expected = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(shares, expected, rtol=1e-13)


def test_float32_scratch_compiles_and_agrees() -> None:
    scores = scores_of(1, 3, 4)
    events = np.zeros((5, 4), np.float32)
    events[TARGET, 0] = 2
    hyper = Softmax(3).hyper().astype(np.float32)
    function("slopes", True)(scores.astype(np.float32), 0, np.float32(1), events, hyper)
    expected = slopes_of(scores, 0, 2, 3)
    np.testing.assert_allclose(events[SLOPE], expected[SLOPE], rtol=1e-5, atol=1e-7)

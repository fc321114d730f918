"""Losses: values and slopes by table and finite differences, links, constants, golden numbers."""

import math
from typing import Any

import numpy as np
import pytest
import reference

from streamlasso import LOSSES
from streamlasso.losses import Loss, Squared, get_loss
from streamlasso.numerics import log1pexp, sigmoid, soft_threshold

each_loss = pytest.mark.parametrize("name", LOSSES)

E = math.e
AT_KINK = 1.0
BELOW, ABOVE = math.nextafter(AT_KINK, 0), math.nextafter(AT_KINK, 2)

# loss, score, target, value, slope
TABLE = [
    ("squared", 0.0, 0.0, 0.0, 0.0),
    ("squared", 2.5, 3.0, 0.125, -0.5),
    ("squared", 3.0, 2.5, 0.125, 0.5),
    ("squared", -4.0, 4.0, 32.0, -8.0),
    ("logistic", 0.0, 1.0, math.log(2), -0.5),
    ("logistic", 0.0, 0.0, math.log(2), 0.5),
    ("logistic", 1.0, 1.0, math.log(1 + 1 / E), -1 / (1 + E)),
    ("logistic", 1.0, 0.0, math.log(1 + E), E / (1 + E)),
    ("logistic", -1.0, 1.0, math.log(1 + E), -E / (1 + E)),
    ("logistic", 40.0, 1.0, math.exp(-40), -math.exp(-40)),
    ("logistic", -40.0, 0.0, math.exp(-40), math.exp(-40)),
    ("logistic", 800.0, 0.0, 800.0, 1.0),
    ("logistic", -800.0, 1.0, 800.0, -1.0),
    ("logistic", -800.0, 0.0, 0.0, 0.0),
    ("hinge", 0.0, 1.0, 1.0, -1.0),
    ("hinge", 0.0, 0.0, 1.0, 1.0),
    ("hinge", -2.0, 1.0, 3.0, -1.0),
    ("hinge", 2.0, 0.0, 3.0, 1.0),
    ("hinge", 2.0, 1.0, 0.0, 0.0),
    ("hinge", -2.0, 0.0, 0.0, 0.0),
    # Both sides of the kink and the kink, for both classes.
    ("hinge", BELOW, 1.0, 1 - BELOW, -1.0),
    ("hinge", AT_KINK, 1.0, 0.0, 0.0),
    ("hinge", ABOVE, 1.0, 0.0, 0.0),
    ("hinge", -BELOW, 0.0, 1 - BELOW, 1.0),
    ("hinge", -AT_KINK, 0.0, 0.0, 0.0),
    ("hinge", -ABOVE, 0.0, 0.0, 0.0),
]


def parts(name: str) -> tuple[Any, np.ndarray[Any, Any]]:
    loss = LOSSES[name]()
    return loss, loss.hyper()


@pytest.mark.parametrize(("name", "score", "target", "value", "slope"), TABLE)
def test_value_and_slope(
    name: str, score: float, target: float, value: float, slope: float
) -> None:
    loss, hyper = parts(name)
    assert loss.value(score, target, hyper) == pytest.approx(value, rel=1e-14, abs=1e-16)
    assert loss.slope(score, target, hyper) == pytest.approx(slope, rel=1e-14, abs=1e-16)


def test_every_loss_is_in_the_table() -> None:
    assert {row[0] for row in TABLE} == set(LOSSES)


def targets_of(loss: Loss) -> list[float]:
    return [0.0, 1.0] if loss.domain == "binary" else [-1.7, 0.0, 1.0, 3.25]


@each_loss
def test_the_slope_is_the_derivative_of_the_value(name: str) -> None:
    loss, hyper = parts(name)
    step = 1e-5
    for target in targets_of(loss):
        for score in np.linspace(-6.03, 6.03, 41).tolist():
            around = [loss.value(score + side * step, target, hyper) for side in (-1, 1)]
            secant = (around[1] - around[0]) / (2 * step)
            assert loss.slope(score, target, hyper) == pytest.approx(secant, rel=1e-8, abs=1e-9)


@each_loss
def test_the_slope_is_that_of_the_reference(name: str) -> None:
    loss, hyper = parts(name)
    for target in targets_of(loss):
        for score in np.linspace(-20.1, 20.1, 41).tolist():
            expected = reference.slope(name, score, target)
            assert loss.slope(score, target, hyper) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@each_loss
def test_the_value_is_convex_and_never_negative(name: str) -> None:
    loss, hyper = parts(name)
    for target in targets_of(loss):
        scores = np.linspace(-5, 5, 101)
        values = np.array([loss.value(score, target, hyper) for score in scores])
        assert (values >= 0).all()
        assert (values[:-2] + values[2:] - 2 * values[1:-1] >= -1e-12).all()


@each_loss
@pytest.mark.parametrize("score", [-1e6, -745.2, -36.8, 36.8, 709.8, 1e6])
def test_far_scores_overflow_nothing(name: str, score: float) -> None:
    loss, hyper = parts(name)
    for target in targets_of(loss):
        value, slope = loss.value(score, target, hyper), loss.slope(score, target, hyper)
        assert math.isfinite(value)
        assert value >= 0
        assert math.isfinite(slope)
    assert math.isfinite(loss.mean(score))


@each_loss
def test_a_score_or_target_that_is_no_number_gives_no_finite_slope(name: str) -> None:
    """But for the hinge of a NaN score: that is why the kernels test the score as well."""
    loss, hyper = parts(name)
    assert math.isnan(loss.slope(0.5, math.nan, hyper))
    if name != "hinge":
        assert math.isnan(loss.slope(math.nan, 1.0, hyper))


@each_loss
def test_the_link_rises_and_lands_in_the_domain(name: str) -> None:
    loss, _ = parts(name)
    means = [loss.mean(score) for score in np.linspace(-30, 30, 61).tolist()]
    assert means == sorted(means)
    if loss.domain == "binary":
        assert loss.mean(0.0) == 0.5
        assert all(0 < mean < 1 for mean in means)
        assert loss.mean(2.0) == pytest.approx(1 / (1 + math.exp(-2)), rel=1e-15)
        assert loss.mean(-2.0) + loss.mean(2.0) == pytest.approx(1, rel=1e-15)
    else:
        assert means == np.linspace(-30, 30, 61).tolist()


@each_loss
@pytest.mark.parametrize("share", [0.1, 0.35, 0.5, 0.55, 0.8])
def test_the_constant_is_the_best_constant_score(name: str, share: float) -> None:
    """Of all scores; for the hinge, whose mean loss is flat for share ½, of −1 and +1."""
    loss, hyper = parts(name)
    targets = np.array([1.0] * round(20 * share) + [0.0] * round(20 * (1 - share)))
    if loss.domain == "real":
        targets = 3 * targets - 1.2

    def mean_loss(score: float) -> float:
        return float(np.mean([loss.value(score, target, hyper) for target in targets.tolist()]))

    best = loss.constant(float(targets.mean()))
    rivals = [-1.0, 1.0] if name == "hinge" else np.linspace(-4, 4, 161).tolist()
    assert all(mean_loss(best) <= mean_loss(rival) + 1e-12 for rival in rivals)
    if name == "hinge":
        assert best in rivals


# Golden numbers


def test_objective_of_the_worked_example() -> None:
    """y = [3, 5], ŷ = [2.5, 4.5], w = [1.2, −0.8], λ = 0.5: 0.25 + 1.0 with the factor ½."""
    loss, hyper = parts("squared")
    pairs = [(2.5, 3.0), (4.5, 5.0)]
    error = sum(loss.value(score, target, hyper) for score, target in pairs)
    assert error == 0.25
    assert error + 0.5 * (abs(1.2) + abs(-0.8)) == 1.25


def test_soft_threshold_of_the_worked_example() -> None:
    assert soft_threshold(-1.1, 0.3) == pytest.approx(-0.8, rel=1e-15)


@pytest.mark.parametrize(
    ("value", "amount", "expected"),
    [
        (1.5, 0.5, 1.0),
        (-1.5, 0.5, -1.0),
        (0.5, 0.5, 0.0),
        (-0.5, 0.5, 0.0),
        (0.3, 0.5, 0.0),
        (0.0, 0.0, 0.0),
        (0.3, 0.0, 0.3),
        (1.0, math.inf, 0.0),
        (math.nextafter(0.5, 1), 0.5, math.nextafter(0.5, 1) - 0.5),
    ],
)
def test_soft_threshold(value: float, amount: float, expected: float) -> None:
    assert soft_threshold(value, amount) == expected
    assert soft_threshold.py_func(value, amount) == expected
    assert reference.shrink(value, amount) == expected


def test_numerics_are_accurate_where_the_plain_formulas_fail() -> None:
    assert log1pexp(-50.0) == pytest.approx(math.exp(-50), rel=1e-14)
    assert log1pexp(1000.0) == 1000.0
    assert log1pexp(-1000.0) == 0.0
    assert sigmoid(-1000.0) == 0.0
    assert sigmoid(1000.0) == 1.0
    assert sigmoid(-40.0) == pytest.approx(math.exp(-40), rel=1e-14)


# Looking a loss up


def test_the_registry_names_each_loss_by_its_own_name() -> None:
    assert {"squared", "logistic", "hinge"} <= set(LOSSES)
    for name, kind in LOSSES.items():
        assert kind.name == name
        assert get_loss(name) == kind()
    assert get_loss(Squared()) == Squared()


def test_an_unknown_loss_is_answered_with_the_choices() -> None:
    with pytest.raises(ValueError, match="loss = 'l2' is unknown; choose one of") as caught:
        get_loss("l2")
    assert all(name in str(caught.value) for name in LOSSES)


def test_a_loss_of_the_wrong_domain_is_answered_with_the_fitting_ones() -> None:
    with pytest.raises(ValueError, match="'squared' is for real targets") as caught:
        get_loss("squared", "binary")
    assert "choose one of logistic, hinge" in str(caught.value)
    with pytest.raises(ValueError, match="'hinge' is for binary targets") as caught:
        get_loss("hinge", "real")
    assert str(caught.value).endswith("choose one of squared")


# The same functions compiled


@each_loss
def test_compiled_and_interpreted_losses_agree(name: str) -> None:
    numba = pytest.importorskip("numba")
    loss, hyper = parts(name)
    for function in (loss.value, loss.slope):
        compiled = numba.njit(error_model="numpy")(function)
        for target in targets_of(loss):
            for score in (-50.0, -1.0, BELOW, 0.0, 0.3, AT_KINK, ABOVE, 50.0):
                expected = function(score, target, hyper)
                assert compiled(score, target, hyper) == pytest.approx(expected, rel=1e-15, abs=0)

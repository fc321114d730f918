"""Losses: values and slopes by table and finite differences, links, constants, golden numbers."""

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import reference
from cases import SCALAR
from test_structure import SMOOTH

from streamlasso import LOSSES
from streamlasso.losses import EpsilonInsensitive, Huber, Loss, Quantile, Squared, get_loss
from streamlasso.numerics import (
    BEND,
    bounded_exp,
    bounded_exp_integral,
    bounded_log,
    log1pexp,
    sigmoid,
    soft_threshold,
)

each_loss = pytest.mark.parametrize("name", SCALAR)

E = math.e
E20 = math.exp(20)
AT_KINK = 1.0
BELOW, ABOVE = math.nextafter(AT_KINK, 0), math.nextafter(AT_KINK, 2)

# loss, score, target, value, slope, curvature
TABLE = [
    ("squared", 0.0, 0.0, 0.0, 0.0, 1.0),
    ("squared", 2.5, 3.0, 0.125, -0.5, 1.0),
    ("squared", 3.0, 2.5, 0.125, 0.5, 1.0),
    ("squared", -4.0, 4.0, 32.0, -8.0, 1.0),
    ("logistic", 0.0, 1.0, math.log(2), -0.5, 0.25),
    ("logistic", 0.0, 0.0, math.log(2), 0.5, 0.25),
    ("logistic", 1.0, 1.0, math.log(1 + 1 / E), -1 / (1 + E), E / (1 + E) ** 2),
    ("logistic", 1.0, 0.0, math.log(1 + E), E / (1 + E), E / (1 + E) ** 2),
    ("logistic", -1.0, 1.0, math.log(1 + E), -E / (1 + E), E / (1 + E) ** 2),
    ("logistic", 40.0, 1.0, math.exp(-40), -math.exp(-40), math.exp(-40)),
    ("logistic", -40.0, 0.0, math.exp(-40), math.exp(-40), math.exp(-40)),
    ("logistic", 800.0, 0.0, 800.0, 1.0, 0.0),
    ("logistic", -800.0, 1.0, 800.0, -1.0, 0.0),
    ("logistic", -800.0, 0.0, 0.0, 0.0, 0.0),
    ("hinge", 0.0, 1.0, 1.0, -1.0, 1.0),
    ("hinge", 0.0, 0.0, 1.0, 1.0, 1.0),
    ("hinge", -2.0, 1.0, 3.0, -1.0, 1.0),
    ("hinge", 2.0, 0.0, 3.0, 1.0, 1.0),
    ("hinge", 2.0, 1.0, 0.0, 0.0, 0.0),
    ("hinge", -2.0, 0.0, 0.0, 0.0, 0.0),
    # Both sides of the kink and the kink, for both classes.
    ("hinge", BELOW, 1.0, 1 - BELOW, -1.0, 1.0),
    ("hinge", AT_KINK, 1.0, 0.0, 0.0, 0.0),
    ("hinge", ABOVE, 1.0, 0.0, 0.0, 0.0),
    ("hinge", -BELOW, 0.0, 1 - BELOW, 1.0, 1.0),
    ("hinge", -AT_KINK, 0.0, 0.0, 0.0, 0.0),
    ("hinge", -ABOVE, 0.0, 0.0, 0.0, 0.0),
    ("squared_hinge", 0.0, 1.0, 0.5, -1.0, 1.0),
    ("squared_hinge", -1.0, 1.0, 2.0, -2.0, 1.0),
    ("squared_hinge", 2.0, 0.0, 4.5, 3.0, 1.0),
    ("squared_hinge", 1.5, 1.0, 0.0, 0.0, 0.0),
    ("squared_hinge", BELOW, 1.0, 0.5 * (1 - BELOW) ** 2, BELOW - 1, 1.0),
    ("squared_hinge", AT_KINK, 1.0, 0.0, 0.0, 0.0),
    ("squared_hinge", ABOVE, 1.0, 0.0, 0.0, 0.0),
    ("squared_hinge", -BELOW, 0.0, 0.5 * (1 - BELOW) ** 2, 1 - BELOW, 1.0),
    ("squared_hinge", -AT_KINK, 0.0, 0.0, 0.0, 0.0),
    ("squared_hinge", -ABOVE, 0.0, 0.0, 0.0, 0.0),
    # δ = 1: the slope is continuous, the curvature too, by the touching parabola.
    ("huber", 2.0, 2.0, 0.0, 0.0, 1.0),
    ("huber", 2.5, 2.0, 0.125, 0.5, 1.0),
    ("huber", 4.0, 2.0, 1.5, 1.0, 0.5),
    ("huber", 0.0, 5.0, 4.5, -1.0, 0.2),
    ("huber", BELOW, 0.0, 0.5, BELOW, 1.0),
    ("huber", AT_KINK, 0.0, 0.5, 1.0, 1.0),
    ("huber", ABOVE, 0.0, 0.5, 1.0, 1.0),
    ("huber", -BELOW, 0.0, 0.5, -BELOW, 1.0),
    ("huber", -AT_KINK, 0.0, 0.5, -1.0, 1.0),
    ("huber", -ABOVE, 0.0, 0.5, -1.0, 1.0),
    # τ = ½.
    ("quantile", 3.0, 1.0, 1.0, 0.5, 0.25),
    ("quantile", 1.0, 3.0, 1.0, -0.5, 0.25),
    ("quantile", BELOW, 1.0, 0.5 * (1 - BELOW), -0.5, 0.25),
    ("quantile", AT_KINK, 1.0, 0.0, 0.0, 0.0),
    ("quantile", ABOVE, 1.0, 0.5 * (ABOVE - 1), 0.5, 0.25),
    # ε = 0.1.
    ("epsilon_insensitive", 3.0, 1.0, 1.9, 1.0, 1.0),
    ("epsilon_insensitive", 1.0, 3.0, 1.9, -1.0, 1.0),
    ("epsilon_insensitive", 1.05, 1.0, 0.0, 0.0, 0.0),
    ("epsilon_insensitive", 1.0, 1.0, 0.0, 0.0, 0.0),
    ("epsilon_insensitive", math.nextafter(0.1, 0), 0.0, 0.0, 0.0, 0.0),
    ("epsilon_insensitive", 0.1, 0.0, 0.0, 0.0, 0.0),
    ("epsilon_insensitive", math.nextafter(0.1, 1), 0.0, 0.0, 1.0, 1.0),
    ("epsilon_insensitive", -0.1, 0.0, 0.0, 0.0, 0.0),
    ("epsilon_insensitive", -math.nextafter(0.1, 1), 0.0, 0.0, -1.0, 1.0),
    ("poisson", 0.0, 0.0, 1.0, 1.0, 1.0),
    ("poisson", 0.0, 1.0, 0.0, 0.0, 1.0),
    ("poisson", 1.0, 7.0, E - 7 + 7 * math.log(7) - 7, E - 7, E),
    ("poisson", -2.0, 0.25, E**-2 + 0.5 - 0.25 * math.log(4) - 0.25, E**-2 - 0.25, E**-2),
    ("poisson", -800.0, 2.0, 1600.0 + 2 * math.log(2) - 2, -2.0, 0.0),
    # Both sides of the bend and the bend.
    ("poisson", math.nextafter(20, 0), 0.0, E20, E20, E20),
    ("poisson", 20.0, 0.0, E20, E20, E20),
    ("poisson", math.nextafter(20, 21), 0.0, E20, E20, E20),
    ("poisson", 22.0, 0.0, 5 * E20, 3 * E20, E20),
    ("poisson", 22.0, 3 * E20, 0.0, 0.0, E20),
    ("poisson", 24.0, 3 * E20, 2 * E20, 2 * E20, E20),
]


MEAN_IS_NO_BEST = ["huber", "quantile", "epsilon_insensitive"]
"""Losses whose best constant is not a function of the mean target."""


def parts(name: str) -> tuple[Any, np.ndarray[Any, Any]]:
    loss = LOSSES[name]()
    return loss, loss.hyper()


@pytest.mark.parametrize(("name", "score", "target", "value", "slope", "curvature"), TABLE)
def test_value_slope_and_curvature(
    name: str, score: float, target: float, value: float, slope: float, curvature: float
) -> None:
    loss, hyper = parts(name)
    assert loss.value(score, target, hyper) == pytest.approx(value, rel=1e-14, abs=1e-16)
    assert loss.slope(score, target, hyper) == pytest.approx(slope, rel=1e-14, abs=1e-16)
    assert loss.curvature(score, target, hyper) == pytest.approx(curvature, rel=1e-14, abs=1e-16)


@pytest.mark.parametrize(
    ("loss", "score", "target", "value", "slope", "curvature"),
    [
        (Huber(delta=0.5), 1.5, 1.0, 0.125, 0.5, 1.0),
        (Huber(delta=0.5), 3.0, 1.0, 0.875, 0.5, 0.25),
        (Quantile(tau=0.9), 3.0, 1.0, 0.2, 0.1, 0.01),
        (Quantile(tau=0.9), 1.0, 3.0, 1.8, -0.9, 0.81),
        (Quantile(tau=0.9), 1.0, 1.0, 0.0, 0.0, 0.0),
        (EpsilonInsensitive(epsilon=0.0), 1.5, 1.0, 0.5, 1.0, 1.0),
        (EpsilonInsensitive(epsilon=0.0), 1.0, 1.0, 0.0, 0.0, 0.0),
        (EpsilonInsensitive(epsilon=2.0), 1.0, 3.0, 0.0, 0.0, 0.0),
        (EpsilonInsensitive(epsilon=2.0), 0.0, 3.0, 1.0, -1.0, 1.0),
    ],
    ids=str,
)
def test_parameters_are_read(
    loss: Any, score: float, target: float, value: float, slope: float, curvature: float
) -> None:
    hyper = loss.hyper()
    assert loss.value(score, target, hyper) == pytest.approx(value, rel=1e-14)
    assert loss.slope(score, target, hyper) == pytest.approx(slope, rel=1e-14)
    assert loss.curvature(score, target, hyper) == pytest.approx(curvature, rel=1e-14)


def test_every_loss_is_in_the_table() -> None:
    assert {row[0] for row in TABLE} == set(SCALAR)


def targets_of(loss: Loss) -> list[float]:
    return {
        "binary": [0.0, 1.0],
        "real": [-1.7, 0.0, 1.0, 3.25],
        "count": [0.0, 0.3, 1.0, 7.0],
    }[loss.domain]


@each_loss
def test_the_slope_is_the_derivative_of_the_value(name: str) -> None:
    loss, hyper = parts(name)
    step = 1e-5
    for target in targets_of(loss):
        for score in np.linspace(-6.0371, 6.0371, 40).tolist():
            around = [loss.value(score + side * step, target, hyper) for side in (-1, 1)]
            secant = (around[1] - around[0]) / (2 * step)
            assert loss.slope(score, target, hyper) == pytest.approx(secant, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("name", ["squared", "logistic", "poisson", "squared_hinge"])
def test_the_curvature_is_the_second_derivative(name: str) -> None:
    loss, hyper = parts(name)
    step = 1e-5
    for target in targets_of(loss):
        for score in [*np.linspace(-6.0371, 6.0371, 40).tolist(), 19.9, 20.1, 23.0]:
            around = [loss.slope(score + side * step, target, hyper) for side in (-1, 1)]
            secant = (around[1] - around[0]) / (2 * step)
            curvature = loss.curvature(score, target, hyper)
            assert curvature == pytest.approx(secant, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", ["hinge", "quantile", "epsilon_insensitive"])
def test_a_curvature_that_has_no_second_derivative_is_the_slope_squared(name: str) -> None:
    loss, hyper = parts(name)
    for _, score, target, *_ in [row for row in TABLE if row[0] == name]:
        slope = loss.slope(score, target, hyper)
        assert loss.curvature(score, target, hyper) == pytest.approx(slope**2, rel=1e-15)


@pytest.mark.parametrize("delta", [0.3, 1.0, 4.0])
def test_the_curvature_of_huber_is_that_of_a_parabola_that_touches_it_from_above(
    delta: float,
) -> None:
    loss, hyper = Huber(delta), Huber(delta).hyper()
    for here in np.linspace(-6, 6, 25).tolist():
        value, slope, curvature = (
            getattr(loss, part)(here, 0.7, hyper) for part in ("value", "slope", "curvature")
        )
        for there in np.linspace(-9, 9, 61).tolist():
            step = there - here
            above = value + slope * step + 0.5 * curvature * step**2
            assert above >= loss.value(there, 0.7, hyper) - 1e-12


@each_loss
def test_the_variance_is_the_expected_square_of_the_slope(name: str) -> None:
    """Under the model where the loss is a likelihood, otherwise of the slope that was seen."""
    loss, hyper = parts(name)
    for score in [-3.0, -0.4, 0.0, 0.9, 2.0]:
        for target in targets_of(loss):
            square = loss.slope(score, target, hyper) ** 2
            if name == "logistic":
                p = 1 / (1 + math.exp(-score))
                square = p * (1 - p) ** 2 + (1 - p) * p**2
            if name == "poisson":
                mean = math.exp(score)
                counts = np.arange(80.0)
                logs = counts * score - mean - np.array([math.lgamma(k + 1) for k in counts])
                square = float(np.exp(logs) @ (mean - counts) ** 2)
            assert loss.variance(score, target, hyper) == pytest.approx(square, rel=1e-12)
            if name in ("logistic", "poisson"):
                assert loss.variance(score, target, hyper) == loss.curvature(score, target, hyper)


@each_loss
def test_the_slope_is_that_of_the_reference(name: str) -> None:
    loss, hyper = parts(name)
    for target in targets_of(loss):
        # From a score of 20 the Poisson loss goes on as its tangent, which the reference does not.
        for score in np.linspace(-22.3, 19.9 if name == "poisson" else 22.3, 41).tolist():
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
        for part in (loss.curvature, loss.variance):
            assert math.isfinite(part(score, target, hyper))
            assert part(score, target, hyper) >= 0
    assert math.isfinite(loss.mean(score))


@each_loss
def test_a_score_or_target_that_is_no_number_gives_no_finite_slope(name: str) -> None:
    """But for the hinge of a NaN score: that is why the kernels test the score as well."""
    loss, hyper = parts(name)
    for target in (math.nan, math.inf, -math.inf):
        for score in (-3.0, 0.5, 3.0):
            assert not math.isfinite(loss.slope(score, target, hyper))
    if name != "hinge":
        assert math.isnan(loss.slope(math.nan, 1.0, hyper))


@each_loss
def test_the_link_rises_and_lands_in_the_domain(name: str) -> None:
    loss, _ = parts(name)
    means = [loss.mean(score) for score in np.linspace(-30, 30, 61).tolist()]
    assert means == sorted(means)
    if name == "poisson":
        assert loss.mean(0.0) == 1.0
        assert loss.mean(2.0) == pytest.approx(math.exp(2), rel=1e-15)
        assert all(mean > 0 for mean in means)
    elif loss.domain == "binary":
        assert loss.mean(0.0) == 0.5
        assert all(0 <= mean <= 1 for mean in means)
        linear = name == "squared_hinge"
        expected = 0.75 if linear else 1 / (1 + math.exp(-0.5))
        assert loss.mean(0.5) == pytest.approx(expected, rel=1e-15)
        assert loss.mean(-2.0) + loss.mean(2.0) == pytest.approx(1, rel=1e-15)
    else:
        assert means == np.linspace(-30, 30, 61).tolist()


@pytest.mark.parametrize("name", [name for name in SCALAR if name not in MEAN_IS_NO_BEST])
@pytest.mark.parametrize("share", [0.1, 0.35, 0.5, 0.55, 0.8])
def test_the_constant_is_the_best_constant_score(name: str, share: float) -> None:
    """Of all scores; for the hinge, whose mean loss is flat for share ½, of −1 and +1."""
    loss, hyper = parts(name)
    targets = np.array([1.0] * round(20 * share) + [0.0] * round(20 * (1 - share)))
    if loss.domain == "real":
        targets = 3 * targets - 1.2
    if loss.domain == "count":
        targets *= 7

    def mean_loss(score: float) -> float:
        return float(np.mean([loss.value(score, target, hyper) for target in targets.tolist()]))

    best = loss.constant(float(targets.mean()))
    rivals = [-1.0, 1.0] if name == "hinge" else np.linspace(-4, 4, 161).tolist()
    assert all(mean_loss(best) <= mean_loss(rival) + 1e-12 for rival in rivals)
    if name == "hinge":
        assert best in rivals


@pytest.mark.parametrize("name", MEAN_IS_NO_BEST)
def test_the_constant_is_the_mean_where_it_does_not_determine_the_best(name: str) -> None:
    assert LOSSES[name]().constant(1.75) == 1.75


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


def test_the_bounded_exponential_goes_on_along_its_tangent() -> None:
    for score in (-30.0, 0.0, 3.7, BEND):
        assert bounded_exp(score) == bounded_exp_integral(score) == math.exp(score)
    for score in (BEND + 1e-9, 21.5, 700.0, 1e9):
        mean, step = bounded_exp(score), score - BEND
        assert mean == pytest.approx(E20 * (1 + step), rel=1e-14)
        assert bounded_exp_integral(score) == pytest.approx(E20 * (1 + step + step**2 / 2))
    for score in (-30.0, 0.0, 3.7, BEND, 21.5, 1e4):
        assert bounded_log(bounded_exp(score)) == pytest.approx(score, rel=1e-14, abs=1e-15)


# Parameters


@pytest.mark.parametrize("name", LOSSES)
def test_every_parameter_has_a_default_and_bounds(name: str) -> None:
    kind = LOSSES[name]
    names = {field.name for field in fields(kind)}
    assert names == set(kind.bounds)
    assert kind().hyper().tolist() == [*(getattr(kind(), n) for n in names), 0.0]


@pytest.mark.parametrize(
    ("name", "parameter", "value", "message"),
    [
        ("huber", "delta", 0.0, "Huber: delta = 0.0 must be finite and > 0; the default is 1.0"),
        ("huber", "delta", -1, "Huber: delta = -1 must be finite and > 0"),
        ("huber", "delta", math.inf, "delta = inf must be finite and > 0"),
        ("huber", "delta", math.nan, "delta = nan must be finite and > 0"),
        ("huber", "delta", "1", "delta = '1' must be a number finite and > 0"),
        ("huber", "delta", True, "delta = True must be a number"),
        ("quantile", "tau", 0.0, "Quantile: tau = 0.0 must be > 0 and < 1; the default is 0.5"),
        ("quantile", "tau", 1.0, "tau = 1.0 must be > 0 and < 1"),
        ("quantile", "tau", None, "tau = None must be a number > 0 and < 1"),
        ("epsilon_insensitive", "epsilon", -0.1, "epsilon = -0.1 must be finite and ≥ 0"),
        ("softmax", "classes", 1, "Softmax: classes = 1 must be a whole number ≥ 2; the default"),
        ("softmax", "classes", 2.5, "classes = 2.5 must be a whole number ≥ 2"),
    ],
)
def test_a_parameter_out_of_bounds_is_an_error(
    name: str, parameter: str, value: Any, message: str
) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        get_loss(name, **{parameter: value})
    assert message in str(caught.value)


def test_numbers_of_numpy_become_plain_ones() -> None:
    assert repr(get_loss("huber", delta=np.float32(2))) == "Huber(delta=2.0)"
    assert repr(get_loss("softmax", classes=np.int64(3))) == "Softmax(classes=3)"
    assert repr(get_loss("softmax", classes=3.0)) == "Softmax(classes=3)"


# Looking a loss up


def test_the_registry_names_each_loss_by_its_own_name() -> None:
    assert {"squared", "logistic", "hinge"} <= set(LOSSES)
    assert set(LOSSES) - set(SCALAR) == {"softmax"}
    assert set(SMOOTH) <= set(LOSSES)
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
    assert str(caught.value).endswith("squared, huber, quantile, epsilon_insensitive")
    with pytest.raises(ValueError, match="this estimator has real or count ones") as caught:
        get_loss("hinge", ("real", "count"))
    assert str(caught.value).endswith("epsilon_insensitive, poisson")
    assert get_loss("poisson", ("real", "count")).domain == "count"


def test_what_is_no_loss_and_parameters_of_no_use_are_errors() -> None:
    with pytest.raises(TypeError, match="must be a name or an instance of a loss"):
        get_loss(Huber)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="give delta there"):
        get_loss(Huber(), delta=2.0)
    with pytest.raises(TypeError, match="tau"):
        get_loss("huber", tau=0.5)


# The same functions compiled


@each_loss
def test_compiled_and_interpreted_losses_agree(name: str) -> None:
    numba = pytest.importorskip("numba")
    loss, hyper = parts(name)
    for function in (loss.value, loss.slope, loss.curvature, loss.variance):
        compiled = numba.njit(error_model="numpy")(function)
        for target in targets_of(loss):
            for score in (-50.0, -1.0, BELOW, 0.0, 0.3, AT_KINK, ABOVE, 50.0):
                expected = function(score, target, hyper)
                assert compiled(score, target, hyper) == pytest.approx(expected, rel=1e-15, abs=0)

"""Corrections of probabilities: what they learn, and their cost where nothing is to be learned."""

import itertools
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from scipy import optimize

from streamlasso.calibration import Isotonic, PowerLaw
from streamlasso.calibration.power import LIKELIHOODS
from streamlasso.calibration.reliability import ReliabilityCounter

each_likelihood = pytest.mark.parametrize("likelihood", LIKELIHOODS)
CORRECTIONS: dict[str, Callable[[], Any]] = {
    "poisson": lambda: PowerLaw("poisson"),
    "logistic": lambda: PowerLaw("logistic"),
    "isotonic": lambda: Isotonic(window=4000, refit_every=500),
}
each_correction = pytest.mark.parametrize("make", CORRECTIONS.values(), ids=CORRECTIONS)


def log_loss(p: float, target: float) -> float:
    return -math.log(max(p if target else 1.0 - p, 1e-15))


def pairs(
    number: int, true: Callable[[float], float], seed: int = 1, scale: float = 1.0
) -> Iterator[tuple[float, float]]:
    """Predictions around odds e^−2.5, and outcomes that follow ``true`` of them."""
    source = random.Random(seed)
    for _ in range(number):
        p = 1.0 / (1.0 + math.exp(2.5 - scale * source.gauss(0.0, 1.0)))
        yield p, float(source.random() < true(p))


# Corrections


@each_correction
def test_it_begins_with_the_identity_to_the_bit(make: Callable[[], Any]) -> None:
    assert [make().transform(p) for p in (0.0, 1e-300, 0.3, 0.9, 1.0)] == [0.0, 1e-300, 0.3, 0.9, 1]


@pytest.mark.parametrize(
    ("likelihood", "gamma", "kappa", "true"),
    [
        ("poisson", 2.0, 1.3, lambda p: min(2.0 * p**1.3, 1.0)),
        ("poisson", 0.5, 0.8, lambda p: 0.5 * p**0.8),
        ("logistic", 0.1, 1.0, lambda p: 0.1 * p / (0.1 * p + 1.0 - p)),
        ("logistic", 3.0, 1.5, lambda p: 3 * p**1.5 / (3 * p**1.5 + (1 - p) ** 1.5)),
    ],
)
def test_it_finds_gamma_and_kappa(
    likelihood: str, gamma: float, kappa: float, true: Callable[[float], float]
) -> None:
    law = PowerLaw(likelihood, math.inf)
    for p, y in pairs(40_000, true, scale=0.7):
        law.learn(p, y)
    assert math.log(law.gamma) == pytest.approx(math.log(gamma), abs=0.35)
    assert law.kappa == pytest.approx(kappa, abs=0.15)
    for p in (0.02, 0.08, 0.2):
        assert law.transform(p) == pytest.approx(true(p), rel=0.15)


@each_likelihood
def test_one_pass_comes_near_to_the_optimum_of_all_events(likelihood: str) -> None:
    events = list(pairs(5000, lambda p: 0.4 * p**0.7, scale=0.7))
    p, y = np.array(events).T
    u = np.log(p) if likelihood == "poisson" else np.log(p / (1 - p))

    def objective(theta: Any) -> float:
        eta = theta[0] + theta[1] * u
        losses = (
            np.exp(eta) - y * eta if likelihood == "poisson" else np.logaddexp(0, eta) - y * eta
        )
        return float(losses.sum() + theta[0] ** 2 / 2 + (theta[1] - 1) ** 2 / 2 / 0.5**2)

    best = optimize.minimize(objective, [0.0, 1.0]).x
    law = PowerLaw(likelihood, math.inf)
    for event in events:
        law.learn(*event)
    assert [math.log(law.gamma), law.kappa] == pytest.approx(best, abs=0.05)
    # The excess is far below the half that one standard deviation of the estimate costs.
    assert objective([math.log(law.gamma), law.kappa]) - objective(best) < 0.2


@each_likelihood
def test_importance_multiplies_the_loss_and_zero_is_nothing(likelihood: str) -> None:
    once, twice, never = (PowerLaw(likelihood, math.inf) for _ in range(3))
    for p, y in pairs(2000, lambda p: p / 3):
        once.learn(p, y)
        once.learn(p, y)
        twice.learn(p, y, 2.0)
        never.learn(p, y, 0.0)
    assert twice.gamma == pytest.approx(once.gamma, rel=0.02)
    assert twice.kappa == pytest.approx(once.kappa, rel=0.02)
    assert (never.gamma, never.kappa, never.transform(0.2)) == (1.0, 1.0, 0.2)


@each_correction
@pytest.mark.parametrize("p", [0.0, 5e-324, 1e-12, 1.0 - 1e-16, 1.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_sure_predictions_do_no_harm(make: Callable[[], Any], p: float, y: float) -> None:
    """One such event moves other predictions by a moderate factor, many leave all finite."""
    correction = make()
    correction.learn(p, y)
    assert 0.2 < correction.transform(0.3) / 0.3 < 3.0
    for _ in range(3000):
        correction.learn(p, y)
        correction.learn(p, y, 1e6)
    results = [correction.transform(each) for each in (0.0, 1e-9, 0.01, 0.5, 0.99, 1.0)]
    assert all(0.0 <= each <= 1.0 for each in results)
    assert results == sorted(results)


@each_correction
def test_it_increases_even_when_outcomes_decrease(make: Callable[[], Any]) -> None:
    correction = make()
    for p, y in pairs(6000, lambda p: 0.6 - p / 2, scale=2.0):
        correction.learn(p, y)
    grid = np.linspace(0.001, 0.999, 400).tolist()
    results = [correction.transform(p) for p in grid]
    assert all(low < high for low, high in itertools.pairwise(results))


@each_correction
def test_a_calibrated_model_is_not_made_worse_than_by_noise(make: Callable[[], Any]) -> None:
    """The total excess over many streams, against its own spread and the theory's few nats."""
    excesses = []
    for seed in range(8):
        correction, excess = make(), 0.0
        for p, y in pairs(4000, lambda p: p, seed):
            excess += log_loss(correction.transform(p), y) - log_loss(p, y)
            correction.learn(p, y)
        excesses.append(excess)
    # ½·log(n) for each of two parameters; log 2 for the mixture.
    assert float(np.mean(excesses)) < math.log(4000)


@each_likelihood
def test_a_short_half_life_follows_a_drift(likelihood: str) -> None:
    short, long = PowerLaw(likelihood, 500.0), PowerLaw(likelihood, math.inf)
    events = [*pairs(20_000, lambda p: p, 1), *pairs(4000, lambda p: p / 4, 2)]
    for p, y in events:
        short.learn(p, y)
        long.learn(p, y)
    assert short.transform(0.08) == pytest.approx(0.02, rel=0.3)
    assert long.transform(0.08) > 0.05


@each_likelihood
def test_what_the_stream_is_silent_on_returns_to_the_identity(likelihood: str) -> None:
    """With one prediction only, γ and κ cannot be told apart: nothing winds up."""
    law = PowerLaw(likelihood, 100.0)
    source = random.Random(4)
    for _ in range(50_000):
        law.learn(0.1, float(source.random() < 0.1))
    assert 0.3 < law.gamma < 3.0
    assert 0.5 < law.kappa < 1.5
    assert law.transform(0.1) == pytest.approx(0.1, rel=0.4)


def test_the_poisson_law_is_the_formula_and_is_cut_off_below_one() -> None:
    law = PowerLaw("poisson")
    for p, y in pairs(5000, lambda p: min(2.5 * p, 1.0)):
        law.learn(p, y)
    assert law.transform(0.1) == pytest.approx(law.gamma * 0.1**law.kappa, rel=1e-12)
    assert law.gamma > 1.5
    assert law.transform(0.9) == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"likelihood": "gauss"}, "likelihood = 'gauss' must be one of poisson, logistic"),
        ({"half_life": 0.0}, "half_life = 0.0 must be > 0"),
        ({"half_life": float("nan")}, "half_life = nan"),
    ],
)
def test_a_wrong_parameter_of_the_power_law_is_named(arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PowerLaw(**arguments)


# Isotonic


def test_isotonic_finds_a_shape_that_no_power_law_has() -> None:
    def true(p: float) -> float:
        return 0.02 if p < 0.07 else 0.6

    isotonic, power = Isotonic(), PowerLaw("logistic")
    total = {id(isotonic): 0.0, id(power): 0.0}
    for p, y in pairs(20_000, true):
        for each in (isotonic, power):
            total[id(each)] += log_loss(each.transform(p), y)
            each.learn(p, y)
    assert isotonic.transform(0.05) == pytest.approx(0.02, abs=0.02)
    assert isotonic.transform(0.12) == pytest.approx(0.6, abs=0.05)
    assert total[id(isotonic)] < total[id(power)] - 100


def test_between_fits_the_shape_stays_and_the_window_forgets() -> None:
    isotonic = Isotonic(window=400, refit_every=100)
    events = list(pairs(99, lambda p: 0.5))
    for event in events:
        isotonic.learn(*event)
    assert isotonic.transform(0.1) == 0.1
    isotonic.learn(0.1, 1.0)
    assert isotonic.transform(0.1) > 0.2
    for p, y in pairs(3000, lambda p: 0.05, 3):
        isotonic.learn(p, y)
    assert isotonic.transform(0.1) < 0.12


def test_one_class_alone_is_not_fitted() -> None:
    isotonic = Isotonic(window=50, refit_every=10)
    for _ in range(100):
        isotonic.learn(0.1, 0.0)
    assert isotonic.transform(0.1) == 0.1


@pytest.mark.parametrize("name", ["window", "refit_every"])
@pytest.mark.parametrize("value", [0, -3, 2.5])
def test_a_wrong_window_is_named(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} = {value!r} must be"):
        Isotonic(**{name: value})


# Reliability


def test_bins_hold_all_events_in_order_and_about_as_many_each() -> None:
    counter = ReliabilityCounter()
    events = list(pairs(5000, lambda p: p, scale=2.0))
    for p, y in events:
        counter.add(p, y)
    bins = counter.bins(10)
    assert len(bins) == 10
    assert sum(each.events for each in bins) == 5000
    assert sum(each.events * each.prediction for each in bins) == pytest.approx(
        sum(p for p, _ in events)
    )
    assert sum(each.events * each.outcome for each in bins) == pytest.approx(
        sum(y for _, y in events)
    )
    assert [each.prediction for each in bins] == sorted(each.prediction for each in bins)
    assert all(400 < each.events < 600 for each in bins)
    assert all(abs(each.prediction - each.outcome) < 0.06 for each in bins)


def test_bins_of_extremes_repeats_and_nothing() -> None:
    counter = ReliabilityCounter()
    assert counter.bins() == ()
    for p in (0.0, 1.0, 0.5, 0.5):
        counter.add(p, 1.0, 2.0)
    assert counter.bins(10) == ((0.0, 1.0, 2.0), (0.5, 1.0, 4.0), (1.0, 1.0, 2.0))
    assert counter.bins(1) == ((0.5, 1.0, 8.0),)
    with pytest.raises(ValueError, match="bins = 0"):
        counter.bins(0)

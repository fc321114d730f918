"""The naive references themselves: their first steps done by hand."""

import math
from itertools import product

import numpy as np
import pytest
import reference
from reference import REFERENCES, scaled, shrink
from reference_cases import FTRL, learn, one
from reference_losses import LOSSES
from reference_scales import Values, block_start

# Golden numbers


def test_golden_numbers() -> None:
    residual, w = np.array([2.5, 4.5]) - np.array([3.0, 5.0]), np.array([1.2, -0.8])
    loss = sum(reference.value("squared", r, 0.0) for r in residual)
    assert loss == pytest.approx(0.25)
    assert loss + 0.5 * np.abs(w).sum() == pytest.approx(1.25)
    assert shrink(-1.1, 0.3) == pytest.approx(-0.8)
    assert shrink(0.3, 0.3) == shrink(-0.2, 0.3) == 0.0


@pytest.mark.parametrize("loss", LOSSES)
def test_slope_and_curvature_are_the_derivatives_of_the_value(loss: str) -> None:
    step = 1e-4
    for target, score in product((0.0, 1.0), np.linspace(-2.93, 2.93, 20).tolist()):
        around = [reference.value(loss, score + k * step, target) for k in (-1, 0, 1)]
        slope = (around[2] - around[0]) / (2 * step)
        assert reference.slope(loss, score, target) == pytest.approx(slope, abs=1e-6)
        if loss in ("squared", "logistic", "squared_hinge", "poisson"):
            bend = (around[2] - 2 * around[1] + around[0]) / step**2
            assert reference.curvature(loss, score, target) == pytest.approx(bend, abs=1e-5)


# By hand


def test_ftrl_by_hand() -> None:
    """g = −4: σ = 4, z = −4, n = 16, w = 3/5. g = 0.6 − 1 = −0.4: √n = √16.16."""
    model = one("ftrl", l1=1.0)
    assert learn(model, ([1], 4)) == [0.0]
    assert model.weights == pytest.approx([0.6])
    learn(model, ([1], 1))
    root = math.sqrt(16.16)
    z = -4 - 0.4 - (root - 4) * 0.6
    assert model.weights == pytest.approx([(-z - 1) / (1 + root)])


def test_ftrl_with_a_half_life_of_one_event_by_hand() -> None:
    """Faded: z = −2, √n = 2, w = 1/3 without a gradient; the score is from before the fading."""
    model = one("ftrl", dimension=2, l1=1.0, half_life=1.0)
    learn(model, ([1, 0], 4), ([0, 1], 0))
    assert model.weights == pytest.approx([1 / 3, 0])
    assert learn(model, ([3, 0], 0)) == pytest.approx([1.0])
    # g = 3: z = −1 + 3 − (√10 − 1)/3, n = 1 + 9.
    z = 2 - (math.sqrt(10) - 1) / 3
    assert model.weights == pytest.approx([-(z - 1) / (1 + math.sqrt(10)), 0])


def test_ftrl_evidence_by_hand() -> None:
    """z = −4, √n = 4, threshold 2: w = 2/5."""
    model = one("ftrl", l1={"kind": "evidence", "theta": 0.5})
    learn(model, ([1], 4))
    assert model.weights == pytest.approx([0.4])


def test_a_group_by_hand() -> None:
    """z = (−3, −4), n = 25, κ = 1 − √2/5, q = 6: both, or with λ√2 > 5 none."""
    for l1, kept in ((1.0, 1 - math.sqrt(2) / 5), (3.6, 0.0)):
        groups = {"kind": "group", "l1": l1, "groups": {0: "a", 1: "a", 2: "a"}}
        model = one("ftrl", dimension=3, l1=groups)
        learn(model, ([3, 4, 0], 1))
        assert model.weights == pytest.approx([3 * kept / 6, 4 * kept / 6, 0])
    # The third member comes with the value 0: it counts from then on, and nobody's z moves.
    model.learn(np.zeros(3), 0.0, present=np.array([False, False, True]))
    assert not model.weights.any()


def test_dual_averaging_by_hand() -> None:
    """G = −4, then −4 − 1; λ1·T = 1, 2; √n = 4, √17."""
    model = one("dual_averaging", l1=1.0, l2=0.5)
    learn(model, ([1], 4))
    w = 3 / (0.5 + 4 + 1e-8)
    assert model.weights == pytest.approx([w])
    learn(model, ([1], w + 1))
    assert model.weights == pytest.approx([3 / (1.0 + math.sqrt(17) + 1e-8)])


def test_plain_dual_averaging_by_hand() -> None:
    """w = −S(G, λ1·T)·η/√T; born at the second event, T = 1 then with `since_birth`."""
    for since_birth, expected in ((False, 2 * 0.5 / math.sqrt(2)), (True, 3 * 0.5)):
        model = one(
            "dual_averaging", 2, l1=1.0, l2=0.0, learning_rate=0.5, adaptive=False,
            since_birth=since_birth,
        )  # fmt: skip
        learn(model, ([0, 0], 4), ([0, 1], 4))
        assert model.weights == pytest.approx([0, expected])


def test_dual_averaging_with_a_half_life_of_one_event_by_hand() -> None:
    """G = −2, √n = 2, T = 1.5 after an event without it."""
    model = one("dual_averaging", 2, l1=1.0, l2=0.0, half_life=1.0)
    learn(model, ([1, 0], 4), ([0, 0], 0))
    assert model.weights == pytest.approx([0.5 / (2 + 1e-8), 0])


def test_newton_by_hand() -> None:
    """Two features, σ² = 1: V = 1 + 4, h = 1; D = 5 and 2; n = 1/5 and 2; z = −1/5·y, −y."""
    model = one("newton", dimension=2, l1=0.0)
    learn(model, ([1, 2], 3))
    assert model.weights == pytest.approx([0.6 / 1.2, 3 / 3])
    # V = 1/1.2, D = 1 for the only feature; g = 0.5 − 1; z = −0.6 − 0.5 − 0.5; n = 0.2 + 1.
    assert learn(model, ([1, 0], 1)) == pytest.approx([0.5])
    assert model.weights == pytest.approx([1.6 / 2.2, 1])


def test_newton_evidence_by_hand() -> None:
    """One feature: z = −3, n = 1, variance 9, curvature 1: threshold ½√9, w = 1.5/2."""
    model = one("newton", l1="evidence")
    learn(model, ([1], 3))
    assert model.weights == pytest.approx([0.75])


def test_soft_threshold_and_truncation_by_hand() -> None:
    """η = 0.2/4 and g = −4: w = 0.2, then the shrinkage."""
    soft = one("soft_threshold")
    learn(soft, ([1], 4))
    assert soft.weights == pytest.approx([(0.2 - 0.05 * 0.05) / (1 + 0.05 * 0.02)])
    truncated = one("truncated_gradient")
    learn(truncated, ([1], 4), ([0], 0))
    assert truncated.weights == pytest.approx([0.2])
    learn(truncated, ([0], 0))
    assert truncated.weights == pytest.approx([0.2 - 0.05 * 3 * 0.1])


def test_the_rate_of_weights_fades_only_at_a_touch() -> None:
    """n = 16; three events later, touched by a 0: n = 16/4³ = 1/4, so η = 0.4."""
    model = one("soft_threshold", l1=0.1, l2=0.0, half_life=1.0)
    x, touched = np.zeros(1), np.array([True])
    learn(model, ([1], 4), ([0], 0), ([0], 0))
    assert model.weights == pytest.approx([0.2 - 3 * 0.05 * 0.1])
    model.learn(x, 0.0, present=touched)
    assert model.weights == pytest.approx([0.185 - 0.4 * 0.1])


def test_adaptive_factors_come_after_64_events() -> None:
    """w is 1/2 without a penalty: from then on λ1 counts double."""
    model = one("soft_threshold", l1={"kind": "adaptive", "l1": 0.001}, l2=0.0, dimension=2)
    model.w[1], model.n[1] = 0.5 + 64 * 0.2 / (2 + 1e-8) * 0.001, 4.0  # type: ignore[attr-defined]
    model.known[1] = True
    learn(model, *[([0, 0], 0)] * 64)
    assert model.weights == pytest.approx([0.5, 0])
    learn(model, ([0, 0], 0))
    assert model.weights == pytest.approx([0.5 - 2 * 0.1 * 0.001, 0])


def test_a_pilot_gives_the_factors() -> None:
    pilot = {"kind": "adaptive", "l1": 0.5, "gamma": 2.0, "cap": 3.0, "pilot": {0: 2.0}}
    model = one("ftrl", dimension=2, l1=pilot)
    learn(model, ([2, 2], 1))
    # z = −2, q = 3; thresholds 0.5/4 and 0.5·3.
    assert model.weights == pytest.approx([(2 - 0.125) / 3, (2 - 1.5) / 3])


# Scales


def test_blocks_begin_after_the_powers_of_two() -> None:
    starts = [block_start(count) for count in range(1, 11)]
    assert starts == [1, 2, 3, 3, 5, 5, 5, 5, 9, 9]


def test_scales_by_hand() -> None:
    sizes = {"max": 3.0, "rms": math.sqrt(5), "rms-max": math.sqrt(math.sqrt(5) * 3)}
    for kind, expected in sizes.items():
        values = Values(kind)
        for value in (100.0, 1.0, 3.0):
            values.add(value)
        # The blocks are (1) and (3); the first value is forgotten.
        assert values.scale == pytest.approx(expected)
        assert values.clip(-50.0) == -6.0
        assert values.clip(5.0) == 5.0


def test_a_scaled_step_by_hand() -> None:
    """First value: x = 1. The second, 4, is its own half: r = ½, z = −2, √n = 2, w = 2/3 then."""
    model = scaled(REFERENCES["ftrl"], "max")(1, "squared", fit_intercept=False, **FTRL)
    learn(model, ([2], 4))
    assert model.weights == pytest.approx([0.8 / 2])
    # Scored with the old scale: 0.8·(4/2) = 1.6. Then g = 0.6·1.
    assert learn(model, ([4], 1)) == pytest.approx([1.6])
    root = math.sqrt(4 + 0.36)
    z = -2 + 0.6 - (root - 2) * (2 / 3)
    assert model.weights == pytest.approx([-z / (1 + root) / 4])

"""Stacks of rules: what must hold however a stream comes, and what they refuse."""

import math

import pytest

from streamlasso.stack.compiling import deviance


@pytest.mark.parametrize("count", [0.0, 1.0, 2.0, 40.0, 1e6, 1e12])
def test_no_score_of_a_count_has_less_loss_than_the_best(count: float) -> None:
    best = math.log(count) if count > 0 else -40.0
    around = [deviance(best + step, count) for step in (-1.0, -0.1, 0.1, 1.0)]
    assert min(around) >= 0
    if 0 < count < 1e8:
        assert deviance(best, count) == pytest.approx(0.0, abs=1e-9 * count)
        assert deviance(best + 1, count) == pytest.approx(count * (math.e - 2), rel=1e-6)

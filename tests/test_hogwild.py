"""Learning without locks: close to one thread, the counts right, and refused where order counts."""

from typing import Any

import numpy as np
import pytest

from streamlasso import FTRLProximal, HashingIndex, Learner, SoftThreshold
from streamlasso.hogwild import learn_rows_hogwild

ROWS, WIDTH, BITS = 4000, 5, 12


def click_rows(seed: int = 1) -> tuple[Any, ...]:
    random = np.random.default_rng(seed)
    slots = random.integers(2, 1 << BITS, (ROWS, WIDTH)).astype(np.uint32)
    slots[:, 0] = random.integers(2, 12, ROWS)
    targets = (random.random(ROWS) < np.where(slots[:, 0] < 5, 0.9, 0.1)).astype(float)
    return np.arange(ROWS + 1) * WIDTH, slots.ravel(), np.ones(ROWS * WIDTH), targets


def learner(**options: Any) -> Learner:
    return Learner(FTRLProximal(alpha=0.5, l1=2.0), "logistic", HashingIndex(BITS), **options)


def test_one_thread_is_learn_rows_to_the_bit() -> None:
    rows, one, other = click_rows(), learner(), learner()
    assert np.array_equal(one.learn_rows(*rows), learn_rows_hogwild(other, *rows, threads=1))
    assert np.array_equal(one.state, other.state)
    assert np.array_equal(one.active_count(), other.active_count())
    assert one.clock == other.clock


def test_several_threads_learn_nearly_the_same_and_count_what_they_did() -> None:
    rows, one, other = click_rows(), learner(), learner()
    one.learn_rows(*rows)
    scores = learn_rows_hogwild(other, *rows, threads=3)
    assert scores.shape == (ROWS,)
    assert other.clock == one.clock == ROWS
    assert other.active_count()[0] == (other.effective_weights()[2:, 0] != 0).sum()
    strong = slice(2, 12)
    assert np.abs(one.effective_weights() - other.effective_weights())[strong].max() < 0.5
    assert np.corrcoef(one.score_rows(*rows[:3]), other.score_rows(*rows[:3]))[0, 1] > 0.95


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (lambda: Learner(SoftThreshold(), "logistic"), "SoftThreshold"),
        (lambda: Learner(FTRLProximal(penalty="per_event"), "logistic"), "per_event"),
        (lambda: Learner(FTRLProximal(half_life=100.0), "logistic"), "half_life"),
        (lambda: learner(scale="max"), "scale = 'max'"),
        (lambda: Learner([FTRLProximal(), FTRLProximal(l1=2.0)], "logistic"), "2 lanes"),
    ],
)
def test_what_needs_order_is_refused_by_name(made: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        learn_rows_hogwild(made(), *click_rows())


def test_number_of_threads_is_checked() -> None:
    with pytest.raises(ValueError, match="threads = 0 must be an integer ≥ 1"):
        learn_rows_hogwild(learner(), *click_rows(), threads=0)

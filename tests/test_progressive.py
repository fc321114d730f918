"""Progressive validation: running sums that equal the sums written out."""

import math
from typing import Any

import numpy as np
import pytest
from cases import each_loss

from streamlasso import LOSSES, FTRLProximal, Progress, SoftThreshold
from streamlasso.losses import get_loss

Array = np.ndarray[Any, Any]


def rows_of(loss: str, number: int = 60) -> tuple[Array, Array, Array]:
    """Scores, targets, importances."""
    random = np.random.default_rng(2)
    scores = random.normal(size=number)
    targets = {
        "real": random.normal(2, 1, number),
        "binary": (random.random(number) < 0.3).astype(float),
        "count": random.poisson(2, number).astype(float),
    }[LOSSES[loss].domain]
    return scores, targets, random.choice([0.0, 0.5, 1.0, 2.0], number)


def expected(loss: str, rows: tuple[Array, Array, Array]) -> dict[str, float]:
    """The same from the definitions: each event against the mean of those before it."""
    kind = get_loss(loss)
    seen, positive = (1.0, 0.5) if kind.domain in ("binary", "count") else (1e-12, 0.0)
    sums = dict.fromkeys(("examples", "loss", "baseline", "prediction", "target"), 0.0)
    for score, target, weight in zip(*(column.tolist() for column in rows), strict=True):
        constant = kind.constant(positive / seen)
        sums["examples"] += weight
        sums["loss"] += weight * kind.value(score, target, kind.hyper())
        sums["baseline"] += weight * kind.value(constant, target, kind.hyper())
        sums["prediction"] += weight * kind.mean(score)
        sums["target"] += weight * target
        positive, seen = positive + weight * target, seen + weight
    return sums


@pytest.mark.parametrize("compiled", [False, True])
@each_loss
def test_means_are_those_of_the_definitions_in_any_chunks(loss: str, compiled: bool) -> None:
    rows = rows_of(loss)
    progress = Progress(get_loss(loss))
    for part in np.array_split(np.arange(60), 7):
        progress.add(FTRLProximal(), *(column[part] for column in rows), compiled=compiled)
    sums = expected(loss, rows)
    assert progress.examples == pytest.approx(sums["examples"], rel=1e-14)
    for name in ("loss", "baseline", "prediction", "target"):
        value = getattr(progress, "baseline" if name == "baseline" else f"mean_{name}")
        assert value == pytest.approx(sums[name] / sums["examples"], rel=1e-9)


@each_loss
def test_before_the_first_example_every_mean_is_nan(loss: str) -> None:
    progress = Progress(get_loss(loss))
    assert progress.examples == 0
    for name in ("mean_loss", "baseline", "mean_prediction", "mean_target"):
        assert math.isnan(getattr(progress, name))


@each_loss
def test_importance_0_and_what_is_not_finite_are_left_out(loss: str) -> None:
    progress = Progress(get_loss(loss))
    before = progress.sums.copy()
    bad = np.array([math.nan, math.inf, -math.inf, 1e200])
    ones = np.ones(4)
    for columns in (
        (bad, ones, ones),
        (ones, bad, ones),
        (ones, ones, -ones),
        (ones, ones, 0 * ones),
    ):
        progress.add(FTRLProximal(), *columns, compiled=False)
    progress.add(FTRLProximal(), ones, ones, bad, compiled=False)
    assert progress.sums.tolist() == before.tolist()


def test_saved_sums_go_on_where_they_stopped() -> None:
    rows = rows_of("logistic")
    whole, first = Progress(get_loss("logistic")), Progress(get_loss("logistic"))
    whole.add(FTRLProximal(), *rows, compiled=False)
    first.add(FTRLProximal(), *(column[:25] for column in rows), compiled=False)
    rest = Progress(get_loss("logistic"), first.sums.copy())
    rest.add(FTRLProximal(), *(column[25:] for column in rows), compiled=False)
    assert rest.sums.tolist() == whole.sums.tolist()


def test_adding_never_compiles_in_mid_stream_whatever_the_arrays() -> None:
    rule, loss = SoftThreshold(), get_loss("logistic")
    from streamlasso.recipe import Recipe
    from streamlasso.specialise import kernels_for

    progress = Progress(loss)
    rows = rows_of("logistic")
    progress.add(rule, *rows)
    kernel = kernels_for(Recipe.of(rule, loss)).measure
    before = len(kernel.signatures)
    frozen = [column.copy() for column in rows]
    for column in frozen:
        column.flags.writeable = False
    progress.add(rule, *frozen)
    progress.add(rule, *(column[::2] for column in rows))
    progress.add(rule, *(column.astype(np.float32) for column in rows))
    progress.add(rule, *(column.astype(int) for column in rows))
    assert len(kernel.signatures) == before

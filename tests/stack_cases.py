"""Streams for stacks of rules, and learners that take them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from streamlasso import SparseClassifier, SparseRegressor
from streamlasso.index import GrowingIndex
from streamlasso.stack import StackLearner

Array = npt.NDArray[Any]
LOSSES = ("logistic", "squared", "poisson")
each_loss = pytest.mark.parametrize("loss", LOSSES)


class Event(NamedTuple):
    x: dict[Any, float]
    y: float
    w: float = 1.0


def target_of(loss: str, score: float, random: np.random.Generator) -> float:
    if loss == "logistic":
        return float(random.random() < 1 / (1 + np.exp(-2 * score)))
    if loss == "squared":
        return float(score + 0.5 * random.normal())
    return float(random.poisson(np.exp(min(0.5 * score, 3.0))))


def dense(
    loss: str, rows: int = 200, *, seed: int = 1, features: int = 6, shift: float = 0.0
) -> list[Event]:
    """All features in each row; half of them matter."""
    random = np.random.default_rng(seed)
    truth = np.where(np.arange(features) % 2 == 0, random.normal(size=features), 0.0)
    made = []
    for _ in range(rows):
        z = random.normal(size=features)
        y = target_of(loss, float(z @ truth), random)
        made.append(Event({j: float(z[j] + shift) for j in range(features)}, y))
    return made


def sparse(loss: str, rows: int = 200, *, seed: int = 2, names: int = 40) -> list[Event]:
    """A few names of many, some common, most rare; values 1, some others, some 0."""
    random = np.random.default_rng(seed)
    truth = random.normal(size=names)
    made = []
    for _ in range(rows):
        here = np.unique(np.minimum(random.geometric(0.08, 6) - 1, names - 1))
        values = random.choice([1.0, 1.0, 1.0, 0.5, -2.0, 0.0], len(here))
        y = target_of(loss, float(values @ truth[here]) / 2, random)
        x = dict(zip(here.tolist(), values.tolist(), strict=True))
        made.append(Event(x, y))
    return made


def mixed(loss: str, rows: int = 200, *, seed: int = 3) -> list[Event]:
    """Sparse names beside dense numbers in units of their own, one of them uncentred."""
    units = {"d0": 1.0, "d1": 1e4, "d2": 1e-3, "d3": 7.0}
    made = []
    for one, other in zip(sparse(loss, rows, seed=seed), dense(loss, rows, seed=seed), strict=True):
        numbers = {name: unit * other.x[j] for j, (name, unit) in enumerate(units.items())}
        numbers["d3"] += 60.0
        made.append(Event({**one.x, **numbers}, other.y))
    return made


def weighted(events: Sequence[Event], seed: int = 5) -> list[Event]:
    random = np.random.default_rng(seed)
    return [event._replace(w=float(random.choice([0.0, 0.3, 1.0, 2.5]))) for event in events]


def wild(events: Sequence[Event], places: dict[int, float], name: Any = 0) -> list[Event]:
    """One feature's value replaced in some rows."""
    made = list(events)
    for place, value in places.items():
        made[place] = made[place]._replace(x={**made[place].x, name: value})
    return made


def with_targets(events: Sequence[Event], change: Callable[[int, float], float]) -> list[Event]:
    return [event._replace(y=change(t, event.y)) for t, event in enumerate(events)]


def arrays(index: Any, events: Sequence[Event], dtype: str = "float64") -> tuple[Array, ...]:
    """``(indptr, slots, values, targets, importances)``; names get slots."""
    indptr = np.cumsum([0] + [len(event.x) for event in events])
    names = [name for event in events for name in event.x]
    slots = np.array([index.add(name) for name in names], np.uint32)
    values = np.array([v for event in events for v in event.x.values()], dtype)
    targets = np.array([event.y for event in events], np.float64)
    return indptr, slots, values, targets, np.array([event.w for event in events])


def both_scores(learner: StackLearner, events: Sequence[Event]) -> Array:
    """Learn in one call; served and full scores from before."""
    rows = arrays(learner.index, events, learner.dtype)
    with np.errstate(all="ignore"):
        return learner._learn_both(*rows)


def learned(loss: str, events: Sequence[Event], **how: Any) -> tuple[StackLearner, Array]:
    learner = StackLearner(loss, GrowingIndex(), **how)
    return learner, both_scores(learner, events)


def estimator(loss: str, **how: Any) -> Any:
    return SparseClassifier(**how) if loss == "logistic" else SparseRegressor(loss=loss, **how)


def loss_of(loss: str, score: float, y: float) -> float:
    if loss == "logistic":
        return float(np.logaddexp(0.0, score) - y * score)
    if loss == "squared":
        return 0.5 * (score - y) ** 2
    return float(np.exp(score) - y * score + (y * np.log(y) - y if y else 0.0))


def mean_loss(loss: str, scores: Array, events: Sequence[Event]) -> float:
    """Weighted by importance."""
    losses = [loss_of(loss, score, e.y) for score, e in zip(scores.tolist(), events, strict=True)]
    return float(np.average(losses, weights=[event.w for event in events]))


def state_of(learner: StackLearner) -> tuple[bytes, ...]:
    """All that learning may change."""
    return (
        learner.state.tobytes(),
        learner.lanes_array.tobytes(),
        learner.book.tobytes(),
        repr(learner.index.entries()).encode(),
    )

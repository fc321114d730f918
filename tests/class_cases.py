"""Streams of more than two classes, and stacks that take them."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from stack_cases import Event, dense, sparse

from streamlasso.stack.classes.learner import ClassStackLearner


def classes_of(events: list[Event], classes: int) -> list[Event]:
    """Real targets cut into classes of like sizes."""
    targets = [event.y for event in events]
    edges = np.quantile(targets, np.arange(1, classes) / classes)
    return [e._replace(y=float(np.searchsorted(edges, e.y))) for e in events]


def mixed(rows: int, seed: int = 3) -> list[Event]:
    """Names beside numbers in units of their own, one of them uncentred."""
    pairs = zip(sparse("squared", rows, seed=seed), dense("squared", rows, seed=seed), strict=True)
    made = []
    for one, other in pairs:
        numbers = {"d0": other.x[0], "d1": 1e4 * other.x[1], "d2": 60.0 + 7 * other.x[2]}
        made.append(Event({**one.x, **numbers}, other.y + one.y))
    return made


def fresh(classes: int, names: Iterable[Any] = (), **how: Any) -> ClassStackLearner:
    """A stack whose index has these names."""
    learner = ClassStackLearner(classes, **how)
    for name in names:
        learner.index.add(name)
    return learner


def scores_of(learner: ClassStackLearner, event: Event) -> npt.NDArray[Any]:
    slots = np.array([learner.index.find(name) for name in event.x], np.uint32)
    return learner.score_lanes(slots, np.array([*event.x.values()], learner.dtype), len(slots))


def state_of(learner: ClassStackLearner) -> tuple[bytes, ...]:
    """All that learning may change."""
    arrays = learner.state, learner.lanes_array, learner.book, learner.each
    names = repr(learner.index.entries()).encode()
    return (*(array.tobytes() for array in arrays), names)

"""Stacks for many classes: equal to the naive reference, however rows and classes come."""

import numpy as np
import pytest
from reference_stack_classes import ClassStack
from stack_cases import Event, arrays, dense, sparse, weighted

from streamlasso.stack.classes.learner import ClassStackLearner
from streamlasso.stack.classes.places import ClassBook

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


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


STREAMS = {
    "dense": (classes_of(dense("squared", 150), 3), 3),
    "sparse": (classes_of(sparse("squared", 150), 5), 5),
    "mixed, weighted": (weighted(classes_of(mixed(120), 3)), 3),
    "uncentred": (classes_of(dense("squared", 90, shift=30.0), 5), 5),
    "sure": ([Event({f"c{t % 3}": 1.0, "one": 1.0}, float(t % 3)) for t in range(120)], 3),
}


def compare(events: list[Event], classes: int, compiled: bool = True, **how: float) -> set[int]:
    """After every row the scores, now and then weights and intercepts too."""
    learner, naive = ClassStackLearner(classes, compiled=compiled), ClassStack(classes)
    chosen = set()
    for t, event in enumerate(events):
        scores = learner.learn_encoded(*arrays(learner.index, [event]))
        np.testing.assert_allclose(scores[0], naive.learn(*event).served, **CLOSE)
        assert learner.book[0, ClassBook.CHOSEN] == naive.chosen
        chosen.add(naive.chosen)
        if t % 10 and t < len(events) - 1:
            continue
        np.testing.assert_allclose(learner.shares, naive.shares, **CLOSE)
        intercepts = [learner.intercept(k) for k in range(classes)]
        np.testing.assert_allclose(intercepts, naive.intercepts(), **CLOSE)
        for k in range(classes):
            ours, theirs = learner.weights(k), naive.served_weights(k)
            assert set(ours) <= set(theirs)
            for name, each in naive.features.items():
                if each[0].sizes.sizes:
                    size = each[0].sizes.scale
                    given = [w.get(name, 0.0) * size for w in (ours, theirs)]
                    np.testing.assert_allclose(*given, **CLOSE)
        centres = learner.centres()
        for name, each in naive.features.items():
            assert centres.get(name, 0.0) == pytest.approx(each[0].centre, rel=1e-9, abs=1e-12)
    assert learner.clock == naive.rows == sum(event.w > 0 for event in events)
    assert sum(map(len, map(learner.weights, range(classes)))) > 0
    return chosen


@pytest.mark.parametrize("kind", STREAMS)
def test_compiled_kernels_equal_the_reference(kind: str) -> None:
    assert len(compare(*STREAMS[kind])) > 1


def test_kernels_as_plain_python_equal_the_reference() -> None:
    compare(weighted(classes_of(mixed(40), 3)), 3, compiled=False)

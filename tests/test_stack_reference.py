"""Stacks equal the naive reference: every score, weight, intercept and the level that is served."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from reference_stack_losses import STACKS
from stack_cases import (
    LOSSES,
    Event,
    arrays,
    both_scores,
    dense,
    each_loss,
    mixed,
    sparse,
    weighted,
    wild,
    with_targets,
)

from streamlasso.stack import StackLearner
from streamlasso.stack.places import Book

CLOSE = 1e-9


def streams(loss: str) -> dict[str, list[Event]]:
    short = 90
    steep = 3.0 if loss == "poisson" else 1.0
    made = {
        "dense": dense(loss, 250),
        "sparse": sparse(loss, 250),
        "mixed": mixed(loss, 150),
        "uncentred": dense(loss, 150, shift=30.0),
        "weighted": weighted(mixed(loss, 150, seed=8)),
        "constant": [e._replace(x={**e.x, "one": 1.0, "nil": 0.0}) for e in dense(loss, short)],
        "wild values": wild(dense(loss, 150, seed=4), {30: 1e9, 31: -1e9, 90: 1e7}),
        "wild first value": wild(dense(loss, short), {0: 1e9}),
        "one target": with_targets(dense(loss, short), lambda t, y: 1.0),
        "runs of targets": with_targets(sparse(loss), lambda t, y: float(t % 80 < 40) * steep),
    }
    if loss == "squared":
        made["units"] = with_targets(dense(loss), lambda t, y: 1e6 * (y + 1e3))
        made["wild targets"] = with_targets(
            dense(loss, 150), lambda t, y: {40: 1e9, 41: -1e9, 42: 1e9}.get(t, y)
        )
        made["wild first target"] = with_targets(dense(loss, 60), lambda t, y: 1e5 if t == 0 else y)
        made["shift"] = with_targets(dense(loss, 150), lambda t, y: y + 1e4 * (t >= 50))
    if loss == "poisson":
        made["wild counts"] = with_targets(dense(loss), lambda t, y: 1e4 if t == 90 else y)
    return made


def compare(loss: str, events: Sequence[Event], compiled: bool) -> None:
    learner = StackLearner(loss, compiled=compiled)
    naive = STACKS[loss]()
    unit = 1.0
    if loss == "squared":
        unit = float(np.std([event.y for event in events])) or 1.0
    close = {"rtol": CLOSE, "atol": CLOSE * unit}
    chosen = set()
    for t, event in enumerate(events):
        [[served, full]] = both_scores(learner, [event])
        look = naive.learn(*event)
        np.testing.assert_allclose([served, full], [look.served, look.full], **close)
        assert learner.book[Book.CHOSEN] == naive.chosen
        chosen.add(naive.chosen)
        if t % 10 and t < len(events) - 1:
            continue
        biases = [learner.intercept(lane) for lane in range(len(naive.lanes))]
        origin = getattr(naive, "origin", 0.0)
        expected = [naive.bias(k) + origin for k in range(len(naive.lanes))]
        np.testing.assert_allclose(biases, expected, **close)
        np.testing.assert_allclose(learner.intercept(), naive.intercept(), **close)
        np.testing.assert_allclose(learner.shares, naive.shares, atol=1e-8)
        sizes = {n: f.sizes.scale for n, f in naive.features.items() if f.sizes.sizes}
        ours = [*map(learner.weights, range(len(naive.lanes))), learner.weights()]
        theirs = [*map(naive.lane_weights, range(len(naive.lanes))), naive.served_weights()]
        for weights, given in zip(ours, theirs, strict=True):
            assert set(weights) <= set(sizes)
            np.testing.assert_allclose(
                [weights.get(n, 0.0) * size for n, size in sizes.items()],
                [given.get(n, 0.0) * size for n, size in sizes.items()],
                **close,
            )
        centres = learner.centres()
        for name, feature in naive.features.items():
            assert centres.get(name, 0.0) == pytest.approx(feature.centre, rel=1e-9, abs=1e-12)
    given_up = getattr(naive, "given_up", 0)
    assert learner.clock == naive.rows + given_up == sum(event.w > 0 for event in events)


@pytest.mark.parametrize(
    ("loss", "kind"),
    [(loss, kind) for loss in LOSSES for kind in streams(loss)],
)
def test_compiled_kernels_equal_the_reference(loss: str, kind: str) -> None:
    compare(loss, streams(loss)[kind], compiled=True)


@each_loss
def test_kernels_as_plain_python_equal_the_reference(loss: str) -> None:
    compare(loss, weighted(mixed(loss, 60)), compiled=False)


@each_loss
@pytest.mark.parametrize("delay", [1, 7, 40])
def test_late_labels_equal_the_reference(loss: str, delay: int) -> None:
    """The second layer learns from what it saw at prediction; its step is smaller."""
    events = weighted(mixed(loss, 120))
    learner, naive = StackLearner(loss), STACKS[loss]()
    waiting: list[tuple[Any, Any]] = []
    unit = float(np.std([event.y for event in events]))
    close = {"rtol": CLOSE, "atol": CLOSE * unit}
    for t in range(len(events) + delay):
        if t < len(events):
            _, slots, values, *_ = arrays(learner.index, events[t : t + 1])
            inputs = learner.inputs_of(slots, values, len(slots))
            look = naive.look(events[t].x)
            np.testing.assert_allclose(learner.score_row(slots, values, len(slots)), look.served)
            np.testing.assert_allclose(inputs[: len(look.X)], look.X, rtol=1e-9, atol=1e-9)
            waiting.append((inputs, look))
        if t >= delay:
            event = events[t - delay]
            inputs, look = waiting.pop(0)
            _, slots, values, *_ = arrays(learner.index, [event])
            row = slots, values, len(slots)
            learner.learn_row(*row, event.y, event.w, inputs, len(waiting))
            naive.learn(*event, look, len(waiting))
    np.testing.assert_allclose(learner.intercept(), naive.intercept(), **close)
    given = naive.served_weights()
    weights = learner.weights()
    assert set(weights) == set(given)
    np.testing.assert_allclose([weights[n] for n in given], [*given.values()], rtol=1e-9)

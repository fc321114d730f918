"""Stacks for many classes: equal to the naive reference, however rows and classes come."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from class_cases import classes_of, fresh, mixed, scores_of, state_of
from reference_stack_classes import ClassStack
from scipy.sparse import csr_matrix
from stack_cases import Event, arrays, dense, sparse, weighted

from streamlasso import GrowingIndex, HashingIndex
from streamlasso.stack.classes.learner import ClassStackLearner
from streamlasso.stack.classes.places import ClassBook, Row

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


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


def test_a_class_that_comes_in_mid_stream_equals_the_reference() -> None:
    events = classes_of(mixed(90), 4)
    learner, naive = ClassStackLearner(3), ClassStack(3)
    for t, event in enumerate(events):
        if t == 40:
            learner.add_class()
            naive.add_class()
        row = event._replace(y=min(event.y, 2.0 + (t >= 40)))
        scores = learner.learn_encoded(*arrays(learner.index, [row]))
        np.testing.assert_allclose(scores[0], naive.learn(*row).served, **CLOSE)
    np.testing.assert_allclose(
        [learner.intercept(k) for k in range(4)], naive.intercepts(), **CLOSE
    )  # fmt: skip


@pytest.mark.parametrize("delay", [1, 9])
def test_late_labels_equal_the_reference(delay: int) -> None:
    events = weighted(classes_of(mixed(70), 3))
    learner, naive = ClassStackLearner(3), ClassStack(3)
    waiting: list[tuple[Any, Any]] = []
    for t in range(len(events) + delay):
        if t < len(events):
            _, slots, values, *_ = arrays(learner.index, events[t : t + 1])
            inputs, look = learner.inputs_of(slots, values, len(slots)), naive.look(events[t].x)
            np.testing.assert_allclose(inputs[:, : len(look.X[0])], look.X, **CLOSE)
            waiting.append((inputs, look))
        if t >= delay:
            event = events[t - delay]
            inputs, look = waiting.pop(0)
            _, slots, values, *_ = arrays(learner.index, [event])
            row = slots, values, len(slots)
            scores = learner.learn_row(*row, event.y, event.w, inputs, len(waiting))
            naive.learn(*event, look, len(waiting))
            np.testing.assert_allclose(scores, look.served, **CLOSE)
    np.testing.assert_allclose(scores_of(learner, events[0]), naive.look(events[0].x).served)
    for k in range(3):
        ours, theirs = learner.weights(k), naive.served_weights(k)
        assert ours == pytest.approx(theirs, rel=1e-9)


# However rows come


def test_one_by_one_in_chunks_and_as_a_matrix_to_the_bit() -> None:
    events = weighted(classes_of(sparse("squared", 120), 4))
    names = sorted({name for event in events for name in event.x})
    one, many, chunks, matrix = (fresh(4, names) for _ in range(4))
    scores = []
    for event in events:
        _, slots, values, *_ = arrays(one.index, [event])
        scores.append(one.learn_row(slots, values, len(slots), event.y, event.w).tolist())
    rows = arrays(many.index, events)
    assert many.learn_rows(*rows).tolist() == scores
    for start, stop in pairwise((0, 1, 50, 51, 120)):
        part = chunks.learn_rows(*arrays(chunks.index, events[start:stop]))
        assert part.tolist() == scores[start:stop]
    indptr, slots, values, targets, importances = rows
    columns = [name for event in events for name in event.x]
    X = csr_matrix((values, columns, indptr), (len(events), max(names) + 1))
    assert matrix.learn_csr(X, targets, importances).tolist() == scores
    assert state_of(one) == state_of(many) == state_of(chunks) == state_of(matrix)
    np.testing.assert_array_equal(many.score_rows(indptr, slots, values), one.score_csr(X))
    each = [one.score_lanes(*arrays(one.index, [e])[1:3], len(e.x)) for e in events]
    np.testing.assert_array_equal(one.score_csr(X), each)


def test_rows_of_more_features_than_there_was_room_for() -> None:
    events = [Event({n: 1.0 for n in range(300)}, float(t % 3)) for t in range(4)]
    one, many = fresh(3), fresh(3)
    for event in events:
        _, slots, values, *_ = arrays(one.index, [event])
        one.learn_row(slots, values, len(slots), event.y)
    many.learn_encoded(*arrays(many.index, events))
    assert state_of(one) == state_of(many)


# What is served


def test_mean_losses_are_those_of_the_scores() -> None:
    events = weighted(classes_of(mixed(150), 3))
    learner = fresh(3)
    scores = learner.learn_encoded(*arrays(learner.index, events))
    losses = [np.logaddexp.reduce(s) - s[int(e.y)] for s, e in zip(scores, events, strict=True)]
    expected = np.average(losses, weights=[e.w for e in events])
    assert learner.served_loss == pytest.approx(expected, rel=1e-9)
    assert learner.full_loss == pytest.approx(expected, rel=0.1)
    assert learner.counts[0, 0] == learner.clock


def test_all_serves_every_feature_with_a_weight_and_a_number_those_worth_it() -> None:
    events = classes_of(mixed(200), 3)
    every, some = fresh(3, serve="all"), fresh(3, serve=1.0)
    for learner in (every, some):
        learner.learn_encoded(*arrays(learner.index, events))
    assert (every.worth, some.worth) == (0.0, 1.0)
    assert [len(table) for table in (every.level_table(), some.level_table())] == [1, 1]
    # Lanes and second layer do not see what is served.
    assert some.full_loss == every.full_loss
    at, state = every._at, every.state
    slope = 1 + every.book[0, at["LEVEL"] + 8]
    full = every.effective_weights() * state[:, [at["UNIT"]]] / slope
    places = [at["BLOCKS"] + k * at["BLOCK"] + 2 * every.lanes for k in range(3)]
    worth = 0.5 * full**2 * state[:, places]
    np.testing.assert_array_equal(some.effective_weights() != 0, worth >= 1.0)
    assert 0 < some.active_features() == np.count_nonzero((worth >= 1.0).any(axis=1))
    assert some.active_features() < every.active_features()
    assert some.active_count().tolist() == np.count_nonzero(worth >= 1.0, axis=0).tolist()


@pytest.mark.parametrize("most", [1, 7])
def test_max_active_serves_so_many_features_at_most(most: int) -> None:
    events = classes_of(mixed(256), 3)
    learner = fresh(3, max_active=most)
    learner.learn_encoded(*arrays(learner.index, events))
    assert 0 < learner.active_features() <= most


def test_tables_add_up() -> None:
    events = classes_of(mixed(150), 3)
    learner = fresh(3)
    for row in (*learner.level_table(), *learner.lane_table()):
        assert math.isnan(row["recent_loss"])
    learner.learn_encoded(*arrays(learner.index, events))
    table = learner.lane_table()
    assert sum(row["share"] for row in table) == pytest.approx(1)
    assert [row["memory"] for row in table] == [math.inf] * 3 + [10.0]
    [served] = [row for row in learner.level_table() if row["served"]]
    assert served["worth"] == learner.worth
    best = min(row["recent_loss"] for row in learner.level_table())
    assert served["recent_loss"] <= best * 1.005 * (1 + 1e-12)
    tracked, sums = learner.survey()
    assert tracked == learner.index.size - 2
    sizes = np.abs(learner.effective_weights())
    np.testing.assert_array_equal(sums, [(sizes > 0).sum(0), sizes.sum(0), sizes.max(0)])


def test_contributions_and_intercepts_add_up_to_scores_before_they_are_cut() -> None:
    """An intercept is not cut: a score that is within its bounds is the sum."""
    events = [Event({"a": 1.0} if t % 60 == 0 else {"b": 0.0}, float(t % 60 == 0)) for t in
              range(240)]  # fmt: skip
    events[-1] = events[-1]._replace(y=2.0)
    learner = fresh(3)
    learner.learn_encoded(*arrays(learner.index, events))
    inputs = learner.inputs_of(np.zeros(0, np.uint32), np.zeros(0), 0)
    level = int(learner.book[0, ClassBook.CHOSEN])
    slope = 1 + learner.book[0, learner._at["LEVEL"] + 8 + level]
    uncut = slope * inputs[:, learner._at["SUMS"] + level]
    np.testing.assert_allclose([learner.intercept(k) for k in range(3)], uncut)
    # Surer than so many rows allow, by hand: only what is served is cut.
    learner.lanes_array[Row.Z, :4] += 20 * learner.lanes_array[Row.Q, :4]
    inputs = learner.inputs_of(np.zeros(0, np.uint32), np.zeros(0), 0)
    served = learner.score_lanes(np.zeros(0, np.uint32), np.zeros(0), 0)
    assert learner.intercept(0) == pytest.approx(slope * inputs[0, learner._at["SUMS"] + level])
    assert learner.intercept(0) < served[0] == pytest.approx(-slope * math.log(2 * 240 + 1))


@pytest.mark.parametrize("classes", [2, 3, 9])
def test_a_record_has_the_size_it_is_said_to_have(classes: int) -> None:
    assert fresh(classes).state[0].nbytes == 8 * (13 + 9 * classes)
    assert f"8·({13} + 9·classes)" in str(ClassStackLearner.__doc__)


# What changes nothing


def test_what_is_not_finite_changes_nothing_and_is_counted() -> None:
    events = classes_of(mixed(60), 3)
    learner = fresh(3)
    learner.learn_encoded(*arrays(learner.index, events))
    before, book = state_of(learner), learner.book.copy()
    rows = [{**events[0].x, "d0": v} for v in (math.nan, math.inf, -math.inf, 1e160)]
    for x in rows:
        with np.errstate(all="ignore"):
            learner.learn_encoded(*arrays(learner.index, [events[0]._replace(x=x)]))
    _, slots, values, *_ = arrays(learner.index, events[:1])
    for y in (math.nan, math.inf, -1.0, 3.0):
        learner.learn_row(slots, values, len(slots), y)
    learner.learn_row(slots, values, len(slots), 1.0, 1e150)
    assert learner.rejected == learner.counts[1, 0] == 9
    learner.book[0, ClassBook.REJECTED] = book[0, ClassBook.REJECTED]
    assert state_of(learner) == before
    assert learner.clock == 60


def test_importance_0_and_scoring_change_nothing() -> None:
    events = classes_of(mixed(60), 3)
    learner = fresh(3)
    learner.learn_encoded(*arrays(learner.index, events[:30]))
    before = state_of(learner)
    known = [e for e in events[30:] if set(e.x) <= {name for _, name in learner.index.entries()}]
    scores = learner.learn_encoded(*arrays(learner.index, [e._replace(w=0.0) for e in known]))
    assert state_of(learner) == before
    assert scores.tolist() == [scores_of(learner, e).tolist() for e in known]


@pytest.mark.parametrize("value", [1e140, 1e-160])
def test_huge_and_tiny_values_leave_everything_finite(value: float) -> None:
    events = classes_of(mixed(60), 3)
    odd = [e._replace(x={**e.x, "odd": value * (-1) ** t}) for t, e in enumerate(events)]
    learner = fresh(3)
    learner.learn_encoded(*arrays(learner.index, [*odd, *events, *odd]))
    for array in (learner.state, learner.book[:, ClassBook.ROWS : ClassBook.MOST], learner.each):
        assert np.isfinite(array).all()
    assert np.isfinite(scores_of(learner, odd[0])).all()


@pytest.mark.parametrize("heavy", [1e12, 1e20, 1e144])
@pytest.mark.parametrize("every", [7, 60])
def test_huge_importances_leave_everything_finite(heavy: float, every: int) -> None:
    events = classes_of(mixed(120), 3)
    rows = [e._replace(w=heavy if t % every == 3 else 1.0) for t, e in enumerate(events)]
    learner = fresh(3)
    assert np.isfinite(learner.learn_encoded(*arrays(learner.index, rows))).all()
    at = learner._at["LOSSES"]
    for array in (learner.state, learner.lanes_array, learner.book[:, at:], learner.each):
        assert np.isfinite(array).all()
    assert learner.clock == 120


def test_float32_records_lose_little_and_take_what_their_squares_can_hold() -> None:
    events = classes_of(mixed(60), 3)
    single = ClassStackLearner(3, dtype="float32", compiled=False)
    single.learn_encoded(*arrays(single.index, events, "float32"))
    double = fresh(3)
    double.learn_encoded(*arrays(double.index, events))
    assert single.full_loss == pytest.approx(double.full_loss, rel=1e-3)
    for value in (1e10, 1e30):
        odd = [events[0]._replace(x={**events[0].x, "odd": value})] * 3
        with np.errstate(over="ignore"):
            single.learn_encoded(*arrays(single.index, odd, "float32"))
    assert np.isfinite(single.state).all()
    assert single.rejected == 3


# Indexes


def test_hashed_names_that_do_not_collide_change_nothing() -> None:
    events = classes_of(mixed(80), 3)
    plain, hashed = fresh(3), ClassStackLearner(3, HashingIndex(bits=18))
    one, other = (each.learn_encoded(*arrays(each.index, events)) for each in (plain, hashed))
    np.testing.assert_array_equal(one, other)
    assert hashed.active_features() == plain.active_features()


def test_freed_slots_change_no_served_score() -> None:
    events = classes_of(mixed(200), 3)
    learner = ClassStackLearner(3, GrowingIndex(300, "evict"), serve=3.0, compiled=False)
    learner.learn_encoded(*arrays(learner.index, events[:60]))
    before = [scores_of(learner, event).tolist() for event in events[:60]]
    freed = learner.evict(10)
    assert 0 < len(freed) <= 10
    assert not learner.state[freed].any()
    assert [scores_of(learner, event).tolist() for event in events[:60]] == before
    learner.learn_encoded(*arrays(learner.index, events[60:90]))
    assert learner.clock == 90


# What is refused


def test_a_wrong_argument_is_named() -> None:
    for classes in (1, 2.5):
        with pytest.raises(ValueError, match=r"classes = .* must be a whole number ≥ 2"):
            ClassStackLearner(classes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="serve = 'most' is unknown"):
        ClassStackLearner(3, serve="most")
    with pytest.raises(ValueError, match="dtype = 'float16' must be 'float64' or 'float32'"):
        ClassStackLearner(3, dtype="float16")
    learner = fresh(3, ["a"])
    slots, values = np.array([2], np.uint32), np.ones(1)
    with pytest.raises(ValueError, match=r"importance = -1.0 must be ≥ 0; drop the event"):
        learner.learn_row(slots, values, 1, 1.0, -1.0)
    for y in (3.0, 0.5, -1.0):
        with pytest.raises(ValueError, match="target"):
            learner.learn_rows([0, 1], slots, values, [y])
    with pytest.raises(TypeError, match=r"uncertainty of many classes needs one rule: give rule="):
        learner.uncertainty(slots, values)

"""Stacks of rules: what must hold however a stream comes, and what they refuse."""

import math
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from stack_cases import (
    Event,
    arrays,
    both_scores,
    each_loss,
    estimator,
    learned,
    mean_loss,
    mixed,
    sparse,
    state_of,
    weighted,
)

from streamlasso import (
    Evidence,
    FTRLProximal,
    GrowingIndex,
    HashingIndex,
    Newton,
    SoftThreshold,
    SparseClassifier,
    SparseRegressor,
    load,
    vectors,
)
from streamlasso.snapshot import capture
from streamlasso.stack import Lane, StackLearner, lanes_for, links
from streamlasso.stack.places import Book


@pytest.mark.parametrize("count", [0.0, 1.0, 2.0, 40.0, 1e6, 1e12])
def test_no_score_of_a_count_has_less_loss_than_the_best(
    count: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("exponential", "lower", "upper"):
        monkeypatch.setattr(links, name, vectors.AS_ARRAYS[name])

    def deviance(score: float, target: float) -> float:
        return float(links.deviances(np.array([score]), None, target)[0])

    best = math.log(count) if count > 0 else -40.0
    around = [deviance(best + step, count) for step in (-1.0, -0.1, 0.1, 1.0)]
    assert min(around) >= 0
    if 0 < count < 1e8:
        assert deviance(best, count) == pytest.approx(0.0, abs=1e-9 * count)
        assert deviance(best + 1, count) == pytest.approx(count * (math.e - 2), rel=1e-6)


# However rows come


@each_loss
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_one_by_one_in_chunks_and_as_a_matrix_to_the_bit(loss: str, dtype: str) -> None:
    events = [
        event._replace(y=float(np.float32(event.y)), w=float(np.float32(event.w)))
        for event in weighted(sparse(loss, 160))
    ]
    names = sorted({name for event in events for name in event.x})

    def fresh() -> StackLearner:
        learner = StackLearner(loss, dtype=dtype)
        for name in names:
            learner.index.add(name)
        return learner

    one, many, chunks, matrix = (fresh() for _ in range(4))
    scores = []
    for event in events:
        _, slots, values, *_ = arrays(one.index, [event], dtype)
        scores.append(one.learn_row(slots, values, len(slots), event.y, event.w))
    rows = arrays(many.index, events, dtype)
    assert many.learn_rows(*rows).tolist() == scores
    for start, stop in pairwise((0, 1, 50, 51, 160)):
        assert both_scores(chunks, events[start:stop])[:, 0].tolist() == scores[start:stop]
    indptr, slots, values, targets, importances = rows
    columns = [name for event in events for name in event.x]
    X = csr_matrix((values, columns, indptr), (len(events), max(names) + 1))
    assert matrix.learn_csr(X, targets, importances).tolist() == scores
    assert state_of(one) == state_of(many) == state_of(chunks) == state_of(matrix)
    np.testing.assert_array_equal(many.score_rows(indptr, slots, values), one.score_csr(X))


@each_loss
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_pickled_anywhere_it_goes_on_to_the_same_bits(loss: str, dtype: str) -> None:
    events = weighted(mixed(loss, 100))
    whole, scores = learned(loss, events, dtype=dtype)
    cut = StackLearner(loss, dtype=dtype)
    parts = []
    for start, stop in pairwise((0, 1, 2, 30, 31, 77, 100)):
        parts.append(both_scores(cut, events[start:stop]))
        cut = pickle.loads(pickle.dumps(cut))
    assert np.concatenate(parts).tobytes() == scores.tobytes()
    assert state_of(cut) == state_of(whole)


@each_loss
def test_a_snapshot_anywhere_goes_on_to_the_same_bits(loss: str, tmp_path: Path) -> None:
    events = weighted(mixed(loss, 100))
    whole, cut = estimator(loss), estimator(loss)
    for t, event in enumerate(events):
        whole.learn_one(*event)
        cut.learn_one(*event)
        if t in (0, 1, 40, 90):
            again = load(cut.save(tmp_path / f"{t}.safetensors"))
            assert capture(again).serialise()[1] == capture(cut).serialise()[1]
            cut = again
    assert state_of(cut.learner) == state_of(whole.learner)
    assert cut.weights == whole.weights


@each_loss
def test_float32_records_lose_little(loss: str) -> None:
    events = mixed(loss, 400)
    losses = [learned(loss, events, dtype=dtype)[0].full_loss for dtype in ("float64", "float32")]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


# Indexes


@each_loss
def test_hashed_names_that_do_not_collide_change_nothing(loss: str) -> None:
    events = mixed(loss, 150)
    plain, expected = learned(loss, events)
    hashed = StackLearner(loss, HashingIndex(bits=18))
    assert len({hashed.index.add(n) for e in events for n in e.x}) == plain.index.size - 2
    np.testing.assert_array_equal(both_scores(hashed, events), expected)
    assert hashed.active_features() == plain.active_features()


@each_loss
def test_freed_slots_change_no_served_score(loss: str) -> None:
    learner = StackLearner(loss, GrowingIndex(300, "evict"))
    events = mixed(loss, 400)
    both_scores(learner, events[:200])
    before = [score_of(learner, event) for event in events]
    freed = learner.evict(20)
    assert 0 < len(freed) <= 20
    assert not learner.state[freed].any()
    assert [score_of(learner, event) for event in events] == before
    again = pickle.loads(pickle.dumps(learner))
    np.testing.assert_array_equal(
        both_scores(again, events[200:]), both_scores(learner, events[200:])
    )
    assert state_of(again) == state_of(learner)


def score_of(learner: StackLearner, event: Event) -> float:
    slots = np.array([learner.index.find(name) for name in event.x], np.uint32)
    return learner.score_row(slots, np.array([*event.x.values()]), len(slots))


@each_loss
def test_a_bounded_index_evicts_names_that_are_not_served(loss: str) -> None:
    events = [e._replace(x={**e.x, f"once {t}": 1.0}) for t, e in enumerate(mixed(loss, 300))]
    bounded = estimator(loss, index=GrowingIndex(80, "evict"))
    for event in events:
        bounded.learn_one(*event)
    assert bounded.tracked_features <= 80
    assert bounded.learner.clock == 300
    assert bounded.weights
    assert np.isfinite(list(bounded.weights.values())).all()
    whole = estimator(loss)
    for event in events:
        whole.learn_one(*event)
    assert bounded.learner.full_loss < 1.1 * whole.learner.full_loss


# Lanes


@each_loss
def test_lanes_can_be_given_as_lanes_as_rules_and_as_a_grid(loss: str) -> None:
    events = mixed(loss, 80)
    plain = estimator(loss)
    given = estimator(loss, rule=lanes_for(loss), select="stack")
    alphas = [0.02, 0.05, 0.1, 0.3, 1.5]
    rules = [FTRLProximal(alpha=alpha, l1="evidence") for alpha in alphas]
    listed = estimator(loss, rule=rules, select="stack")
    grid = estimator(loss, rule=rules[0], grid={"alpha": alphas}, select="stack")
    direct = StackLearner(loss, lanes=[Lane(rule) for rule in rules])
    for event in events:
        for model in (plain, given, listed, grid):
            model.learn_one(*event)
    both_scores(direct, events)
    assert state_of(plain.learner) == state_of(given.learner)
    assert state_of(listed.learner) == state_of(grid.learner) == state_of(direct)
    assert direct.lanes == 8
    assert not direct.shares[5:].any()
    assert direct.shares.sum() == pytest.approx(1)
    table = listed.lane_table()
    assert [row["rule"] for row in table] == [repr(rule) for rule in rules]
    assert sum(row["share"] for row in table) == pytest.approx(1)
    assert plain.lane_table()[-1]["memory"] == 10


@each_loss
def test_given_lanes_survive_a_snapshot(loss: str, tmp_path: Path) -> None:
    lanes = [*lanes_for(loss)[:4], Lane(Newton(2.0, l1=Evidence(0.7)), memory=20.0)]
    model = estimator(loss, rule=lanes, select="stack", serve=0.1)
    events = mixed(loss, 60)
    for event in events[:30]:
        model.learn_one(*event)
    again = load(model.save(tmp_path / "model.safetensors"))
    for event in events[30:]:
        model.learn_one(*event)
        again.learn_one(*event)
    assert again.learner.models == model.learner.models
    assert again.serve == 0.1
    assert state_of(again.learner) == state_of(model.learner)


# What changes nothing


@each_loss
def test_what_is_not_finite_changes_nothing_and_is_counted(loss: str) -> None:
    events = mixed(loss, 60)
    learner, _ = learned(loss, events)
    before = state_of(learner)
    book = learner.book.copy()
    nan, inf = math.nan, math.inf
    rows = [{**events[0].x, "d0": value} for value in (nan, inf, -inf, 1e160)]
    for x in rows:
        both_scores(learner, [events[0]._replace(x=x)])
    assert learner.rejected == 4
    if loss == "squared":
        for y in (nan, inf, -1e200):
            with np.errstate(all="ignore"):
                _, slots, values, *_ = arrays(learner.index, events[:1])
                learner.learn_row(slots, values, len(slots), y)
        assert learner.rejected == 7
    learner.book[Book.REJECTED] = book[Book.REJECTED]
    assert state_of(learner) == before
    assert learner.clock == 60


@each_loss
def test_importance_0_changes_nothing(loss: str) -> None:
    events = mixed(loss, 60)
    learner, _ = learned(loss, events[:30])
    before = state_of(learner)
    known = [e for e in events[30:] if set(e.x) <= {name for _, name in learner.index.entries()}]
    scores = both_scores(learner, [e._replace(w=0.0) for e in known])
    assert state_of(learner) == before
    assert scores[:, 0].tolist() == [score_of(learner, e) for e in known]
    model = estimator(loss)
    for event in events:
        model.learn_one(event.x, event.y, 0.0)
    assert model.learner.clock == model.tracked_features == model.active_features == 0
    assert math.isnan(model.learner.served_loss)


def test_an_importance_of_2_weighs_as_much_as_two_in_the_mean_loss() -> None:
    events = [e._replace(w=2.0) for e in mixed("logistic", 100)]
    learner, scores = learned("logistic", events)
    assert learner.clock == 100
    assert learner.served_loss == pytest.approx(mean_loss("logistic", scores[:, 0], events))


# What is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"serve": "most"}, "serve = 'most' is unknown; choose 'sparsest', 'all', or a worth"),
        ({"serve": -1.0}, r"serve = -1.0 must be 'sparsest', 'all', or nats ≥ 0"),
        ({"serve": math.nan}, "serve = nan must be"),
        ({"serve": True}, "serve = True must be"),
        ({"serve": [1]}, r"serve = \[1\] must be a number"),
        ({"tolerance": -0.1}, "tolerance = -0.1 must be ≥ 0 and finite: the share of loss"),
        ({"tolerance": math.inf}, "tolerance = inf must be"),
        ({"tolerance": "low"}, "tolerance = 'low' must be a number"),
        ({"max_active": 0}, "max_active = 0 must be a whole number ≥ 1, or None"),
        ({"max_active": 2.5}, "max_active = 2.5 must be a whole number"),
        ({"max_active": 3, "serve": "all"}, "max_active = 3 with serve = 'all': .*leave serve out"),
        ({"max_pending": 0}, "max_pending = 0 must be a whole number ≥ 1"),
        ({"max_pending": True}, "max_pending = True must be"),
        ({"fit_intercept": False}, "fit_intercept = False without a rule: .*rule=FTRLProximal"),
        ({"rule": FTRLProximal(), "serve": "all"}, "serve = 'all' is for a stack of rules; leave"),
        ({"scale": "rms", "tolerance": 0.1}, "tolerance = 0.1 is for a stack of rules"),
        ({"rule": FTRLProximal(), "select": "stack"}, "is no lane of a stack: take FTRLProximal"),
        ({"rule": SoftThreshold(), "select": "stack"}, "is no lane of a stack"),
        (
            {"rule": [FTRLProximal(l1="evidence", l2=1.0)], "select": "stack"},
            "the lanes of a stack have no l2, .*leave them out",
        ),
        ({"rule": [Newton(half_life=9.0)], "select": "stack"}, "have no l2, half_life"),
        ({"rule": [], "select": "stack"}, "a stack has 1 to 16 lanes, got 0"),
        ({"rule": [Newton()] * 17, "select": "stack"}, "a stack has 1 to 16 lanes, got 17"),
        ({"select": "stack", "scale": "max"}, "scale = 'max' with select='stack': .*leave scale"),
        ({"select": "stack", "refit": True}, "refit = True with select='stack'"),
        ({"select": "stack", "grid": {"alpha": [1.0]}}, "a grid varies the numbers of one rule"),
        ({"rule": [Newton()]}, r"rule = \[Newton\(.* is a list: give select='stack'"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [SparseClassifier, SparseRegressor])
def test_a_wrong_argument_is_named_with_its_remedy(
    kind: Any, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        kind(**arguments)


def test_a_learner_says_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match=r"loss = 'huber' has no stack; choose one of .*rule="):
        StackLearner("huber")
    with pytest.raises(ValueError, match="dtype = 'float16' must be 'float64' or 'float32'"):
        StackLearner(dtype="float16")
    with pytest.raises(ValueError, match=r"memory = 1 must be > 1 rows"):
        Lane(Newton(), memory=1)
    learner = StackLearner()
    slots = np.array([learner.index.add("a")], np.uint32)
    with pytest.raises(ValueError, match=r"importance = -1.0 must be ≥ 0; drop the event"):
        learner.learn_row(slots, np.ones(1), 1, 1.0, -1.0)
    with pytest.raises(TypeError, match=r"cannot start from given weights: .*rule=FTRLProximal"):
        SparseClassifier().warm_start({"a": 1.0})

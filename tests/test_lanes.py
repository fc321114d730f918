"""Lanes: a grid is so many models side by side, of which one, or a mixture, is served."""

import math
from typing import Any

import numpy as np
import pytest
from cases import Variant, each_mode, learn, learner_for, state_of, stream

from streamlasso import (
    FTRLProximal,
    Learner,
    Newton,
    SoftThreshold,
    SparseRegressor,
)
from streamlasso.grid import expand
from streamlasso.rules import Rule
from streamlasso.selection import SELECTIONS

each_selection = pytest.mark.parametrize("select", SELECTIONS)
GRID = {"alpha": [0.05, 0.5], "l1": [0.0, 0.5, 2.0]}


def rules_of(rule: Rule) -> tuple[Rule, ...]:
    """Three lanes: the rule with its step size, and that halved and doubled."""
    name = next(name for name in rule.parameters if name in ("alpha", "learning_rate",
                                                             "prior_variance"))  # fmt: skip
    value = rule.value(name)
    return expand(rule, {name: [value, value / 2, 2 * value]})


def columns_of(learner: Learner, lane: int) -> np.ndarray[Any, Any]:
    """The lane's own columns of the record."""
    recipe = learner.recipe
    own = [recipe.offsets[name] for name in (*recipe.penalty.columns, *recipe.columns)]
    return learner.state[:, [at + lane for at in own]]


# Lane by lane


@pytest.mark.parametrize("select", [None, "mix"])
@each_mode
def test_lanes_are_models_apart_to_the_bit(variant: Variant, select: str | None) -> None:
    rules, events = rules_of(variant.rule), stream("logistic", 150)
    together = learner_for(rules, "logistic", select=select)
    scores = learn(together, events)
    for lane, rule in enumerate(rules):
        alone = learner_for(rule, "logistic")
        own = learn(alone, events)
        if select is None:
            assert scores[:, lane].tolist() == own.tolist()
        assert columns_of(together, lane).tolist() == columns_of(alone, 0).tolist()
        assert together.active_count()[lane] == alone.active_count()[0]
        assert together.weights(lane) == alone.weights()
        assert together.intercept(lane) == alone.intercept()


def test_compiled_lanes_are_models_apart_to_the_bit() -> None:
    rules, events = rules_of(FTRLProximal(0.3, l1=0.7)), stream("squared", 500)
    together = learner_for(rules, "squared", select="leader", compiled=True)
    learn(together, events)
    for lane, rule in enumerate(rules):
        alone = learner_for(rule, "squared", compiled=True)
        learn(alone, events)
        assert columns_of(together, lane).tolist() == columns_of(alone, 0).tolist()


@pytest.mark.parametrize(
    "rule",
    [FTRLProximal(0.5, l1=0.03, penalty="per_event"), Newton(), SoftThreshold(0.2),
     FTRLProximal(0.5, l1=0.03, l2=0.01, penalty="per_event", since_birth=True)],
    ids=str,
)  # fmt: skip
def test_an_infinite_half_life_in_a_grid_forgets_nothing(rule: Rule) -> None:
    events = stream("squared", 300)
    grid = {"half_life": [math.inf, 50.0]}
    together = learner_for(expand(rule, grid), "squared")
    scores = learn(together, events)
    alone = learner_for(rule, "squared")
    assert scores[:, 0].tolist() == learn(alone, events).tolist()
    assert together.weights(0) == alone.weights() != together.weights(1)
    model = SparseRegressor(rule, grid=grid)
    assert [row["half_life"] for row in model.lane_table()] == [math.inf, 50.0]


@each_selection
def test_a_lane_that_runs_away_stops_no_other(select: str) -> None:
    rule = SoftThreshold(0.01, l1=1e-4, adaptive=False)
    events = [event._replace(importance=1.0) for event in stream("squared", 400)]
    for order in ([50.0, 0.01], [0.01, 50.0]):
        together = learner_for(expand(rule, {"learning_rate": order}), "squared", select=select)
        scores = learn(together, events)
        alone = learner_for(rule, "squared")
        own = learn(alone, events)
        assert (together.clock, together.rejected) == (400, 0)
        good = order.index(0.01)
        assert columns_of(together, good).tolist() == columns_of(alone, 0).tolist()
        assert together.shares[good] == 1.0
        assert scores[100:].tolist() == own[100:].tolist()
        assert np.isfinite(together.state).all()
        assert np.isfinite(together.ledger).all()


def test_an_event_that_no_lane_can_learn_is_rejected() -> None:
    rules = rules_of(FTRLProximal(0.3, l1=0.7))
    together = learner_for(rules, "squared", select="leader", compiled=True)
    learn(together, stream("squared", 20))
    before = state_of(together)
    slots = np.array([2], np.uint32)
    for value, target in [(math.inf, 0.0), (math.nan, 0.0), (1.0, math.inf), (1.0, math.nan)]:
        together.learn_row(slots, np.array([value]), 1, target)
    assert together.rejected == 4
    assert {**state_of(together), "rejected": 0} == {**before, "rejected": 0}


# The ledger and the shares


def shares_by_hand(
    select: str, losses: Any, importances: Any, active: Any, memory: float, relative: bool
) -> np.ndarray[Any, Any]:
    """From all losses so far, (events, lanes), and the active features at the last count."""
    ages = np.arange(len(losses))[::-1]
    weights = importances * 0.5 ** (ages / memory)
    total, weight = weights @ losses, weights.sum()
    best = int(total.argmin())
    if select == "mix":
        unit = 2 * total[best] / weight if relative else 1.0
        odds = np.exp(-(total - total[best]) / unit)
        return np.asarray(odds / odds.sum())
    mean = total / weight
    if select == "1se":
        variance = weights @ losses[:, best] ** 2 / weight - mean[best] ** 2
        near = mean <= mean[best] + math.sqrt(max(variance, 0.0) / weight)
        sparse = [k for k in np.argsort(active, kind="stable").tolist() if near[k]]
        best = sparse[0] if active[sparse[0]] < active[best] else best
    return np.eye(losses.shape[1])[best]


@pytest.mark.parametrize(
    ("loss", "compiled"),
    [("squared", False), ("logistic", False), ("poisson", False), ("squared", True)],
)
@each_selection
def test_shares_and_served_scores_follow_from_the_losses(
    select: str, loss: str, compiled: bool
) -> None:
    memory, rules = 40.0, expand(FTRLProximal(), GRID)
    events = stream(loss, 200, importances=[0.5, 1.0, 2.0])
    served = learner_for(rules, loss, select=select, memory=memory, compiled=compiled)
    plain = learner_for(rules, loss, compiled=compiled)
    shares = served.shares[: len(rules)]
    losses, active = [], np.zeros(len(rules))
    for t, event in enumerate(events, start=1):
        lanes = learn(plain, [event])[0]
        [score] = learn(served, [event])
        np.testing.assert_allclose(score, lanes @ shares, rtol=1e-12, atol=1e-14)
        losses.append([plain.loss.value(lane, event.target, plain._loss_hyper) for lane in lanes])
        if t / (t & -t) < 8:
            active = plain.survey()[1][0][: len(rules)]
        weights = np.array([event.importance for event in events[:t]])
        real = plain.loss.domain == "real"
        by_hand = shares_by_hand(select, np.array(losses), weights, active, memory, real)
        shares = served.shares[: len(rules)]
        np.testing.assert_allclose(shares, by_hand, rtol=1e-9, atol=1e-12)
        assert not served.shares[len(rules) :].any()
    assert len({tuple(row) for row in np.round(losses, 12).T.tolist()}) == len(rules)

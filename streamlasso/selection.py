"""Choosing among lanes: which of several models, learned in one pass, predicts.

Each lane's progressive loss is kept in a ledger, lifetime sums and discounted ones. After every
event the lanes' shares of the served prediction are set from it; a prediction is Σ share·score, so
what is served is one linear model, whose weights are Σ share·weight.

* ``"leader"``: the lane with the least discounted loss.
* ``"mix"``: share ∝ exp(−discounted Σ loss): the lanes' posterior for a loss that is a negative
  log likelihood. For real targets a lane's loss is first divided by twice the leader's mean loss,
  which is ½e²/r with r the leader's mean squared error.
* ``"1se"``: the sparsest lane whose mean loss is within one standard error of the leader's
  (Breiman, Friedman, Olshen, Stone, "Classification and Regression Trees", 1984, §3.4.3); lanes are
  counted four times an octave of the clock.

An estimator's ``"stack"`` is `streamlasso.stack`: a second layer over the lanes.
"""

import math
from collections.abc import Callable
from typing import Any

__all__ = ["LEDGER_ROWS", "SELECTIONS", "LaneRow", "checked_select"]


class LaneRow:
    """Rows of ``ledger[row, lane]``."""

    (
        USED,
        RELATIVE,
        MEMORY,
        LOSS,
        WEIGHT,
        SQUARE,
        ALL_LOSS,
        ALL_WEIGHT,
        ALL_SQUARE,
        ACTIVE,
        SHARE,
    ) = range(11)


LEDGER_ROWS = 11

USED = LaneRow.USED  # 1; 0 for a lane that only pads the record
RELATIVE = LaneRow.RELATIVE  # 1 where the loss has a scale of its own (real targets)
MEMORY = LaneRow.MEMORY  # factor by which an event fades the discounted sums
LOSS, WEIGHT, SQUARE = LaneRow.LOSS, LaneRow.WEIGHT, LaneRow.SQUARE  # discounted
ALL_LOSS, ALL_WEIGHT, ALL_SQUARE = LaneRow.ALL_LOSS, LaneRow.ALL_WEIGHT, LaneRow.ALL_SQUARE
ACTIVE = LaneRow.ACTIVE
SHARE = LaneRow.SHARE
LANES = 1


def best(ledger):
    """The lane with the least discounted loss, the first of equals."""
    leader = 0
    for lane in range(1, LANES):
        if ledger[USED, lane] != 0 and ledger[LOSS, lane] < ledger[LOSS, leader]:
            leader = lane
    return leader


def leader(ledger):
    """All to the leader."""
    chosen = best(ledger)
    for lane in range(LANES):
        ledger[SHARE, lane] = 1.0 if lane == chosen else 0.0


def mix(ledger):
    """Shares by the discounted loss."""
    chosen = best(ledger)
    least = ledger[LOSS, chosen]
    unit = 1.0
    if ledger[RELATIVE, 0] != 0:
        unit = 2.0 * least / max(ledger[WEIGHT, chosen], 1e-300)
    total = 0.0
    for lane in range(LANES):
        share = 0.0
        if ledger[USED, lane] != 0:
            excess = ledger[LOSS, lane] - least
            share = 1.0 if excess == 0 else 0.0  # numba makes no number of a bool
            if unit > 0:
                share = math.exp(-excess / unit)
        ledger[SHARE, lane] = share
        total += share
    for lane in range(LANES):
        ledger[SHARE, lane] /= total


def one_standard_error(ledger):
    """All to the sparsest lane within one standard error of the leader."""
    chosen = best(ledger)
    weight = max(ledger[WEIGHT, chosen], 1e-300)
    mean = ledger[LOSS, chosen] / weight
    variance = max(ledger[SQUARE, chosen] / weight - mean * mean, 0.0)
    limit = mean + math.sqrt(variance / weight)
    for lane in range(LANES):
        near = ledger[LOSS, lane] <= limit * weight
        if ledger[USED, lane] != 0 and near and ledger[ACTIVE, lane] < ledger[ACTIVE, chosen]:
            chosen = lane
    for lane in range(LANES):
        ledger[SHARE, lane] = 1.0 if lane == chosen else 0.0


SELECTIONS: dict[str, Callable[..., Any]] = {
    "leader": leader,
    "mix": mix,
    "1se": one_standard_error,
}
"""Name → what sets the shares."""


def checked_select(select: Any, grid: Any) -> str:
    """What an estimator is given: one of them, and with a grid unless it is the default."""
    if select == "stack":
        return "stack"
    if select not in SELECTIONS:
        choices = ", ".join([*SELECTIONS, "stack"])
        raise ValueError(f"select = {select!r} is unknown; choose one of {choices}")
    if grid is None and select != "leader":
        raise ValueError(
            f"select = {select!r} chooses among the models of a grid; "
            "give one, grid={'l1': [0.1, 1, 10]}, or leave select out"
        )
    return str(select)

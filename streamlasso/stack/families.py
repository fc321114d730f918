"""The lanes of a stack, each a rule that can be used alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.layout import padded
from streamlasso.penalties import Evidence
from streamlasso.rules import FTRLProximal, Newton, Rule
from streamlasso.stack.places import Row

__all__ = ["Lane", "lane_rows", "lanes_for"]

MOST_LANES = 16
MEMORY = 10.0


@dataclass(frozen=True)
class Lane:
    """A rule of a stack.

    Parameters
    ----------
    rule
        `FTRLProximal` or `Newton` with an `Evidence` penalty.
    memory
        Rows after which the intercept forgets; finite for a *fast* intercept that follows recent
        targets, so that the weights explain what these do not.
    """

    rule: Rule
    memory: float = math.inf

    def __post_init__(self) -> None:
        rule = self.rule
        if not isinstance(rule, FTRLProximal | Newton) or not isinstance(rule.l1_penalty, Evidence):
            raise ValueError(
                f"rule = {rule!r} is no lane of a stack: take FTRLProximal(l1='evidence') or "
                "Newton(), or use rule=, grid= and select= of the estimators"
            )
        plain = rule.half_life == math.inf and not rule.nonnegative
        if not plain or vars(rule).get("l2") or vars(rule).get("since_birth"):
            raise ValueError(
                f"rule = {rule!r}: the lanes of a stack have no l2, half_life, nonnegative or "
                "since_birth; leave them out"
            )
        if not self.memory > 1:
            raise ValueError(f"memory = {self.memory!r} must be > 1 rows; leave it out for no end")


def lanes_for(loss: str) -> tuple[Lane, ...]:
    """The lanes without arguments: eight, of both families, two with a fast intercept."""

    def adagrad(alpha: float, memory: float = math.inf) -> Lane:
        return Lane(FTRLProximal(alpha=alpha, beta=0.3, l1="evidence"), memory)

    fast = (0.2, 1.0 if loss == "poisson" else 2.0)  # a larger one amplifies rounding of counts
    return (
        *map(adagrad, (0.02, 0.1, 0.3, 1.5)),
        *(Lane(Newton(prior_variance=variance)) for variance in (0.3, 3.0)),
        *(adagrad(alpha, MEMORY) for alpha in fast),
    )


def checked_lanes(given: Any) -> tuple[Lane, ...]:
    """Rules or lanes as lanes."""
    listed = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    if not 1 <= len(listed) <= MOST_LANES:
        raise ValueError(f"a stack has 1 to {MOST_LANES} lanes, got {len(listed)}")
    return tuple(each if isinstance(each, Lane) else Lane(each) for each in listed)


def lane_rows(lanes: Sequence[Lane], loss: str) -> npt.NDArray[np.float64]:
    """The array ``lanes`` before the first row."""
    rows = np.zeros((len(Row), padded(len(lanes))))
    rows[[Row.BASE, Row.FIRST_Q]] = 1.0
    for number, lane in enumerate(lanes):
        rule, fast = lane.rule, lane.memory != math.inf
        newton = isinstance(rule, Newton)
        step = rule.prior_variance if isinstance(rule, Newton) else rule.alpha  # type: ignore[attr-defined]
        rows[Row.BASE, number] = 1 / step if newton else rule.beta / step  # type: ignore[attr-defined]
        rows[Row.FULL_RATE, number] = 0.0 if newton else 1 / step
        rows[Row.OWN, number] = float(newton)
        rows[Row.ADAGRAD, number] = float(not newton)
        rows[Row.FULL_THETA, number] = rule.l1_penalty.theta  # type: ignore[attr-defined]
        rows[Row.FADE, number] = 1 / lane.memory
        rows[Row.FIRST_Q, number] = 0.1 if fast else 1.0
        rows[Row.USED, number] = 1.0
        if loss == "squared":  # large steps have to earn their share
            rows[Row.PRIOR, number] = 0.3 if newton else step * (2 if fast else 1)
    return rows

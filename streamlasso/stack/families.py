"""The lanes of a stack, each a rule that can be used alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.layout import padded
from streamlasso.penalties import Constant, Evidence
from streamlasso.rules import FTRLProximal, Newton, Rule, SoftThreshold
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
        `FTRLProximal` or `Newton` with an `Evidence` penalty; or `SoftThreshold` with
        ``adaptive=False`` and ``l1=0``: a *steady* lane, whose rate never falls, for weights that
        walk. Its step is divided by 1 + h·(V − x²/q) as Newton's, so that no rate is too large.
    memory
        Rows after which the intercept forgets; finite for a *fast* intercept that follows recent
        targets, so that the weights explain what these do not.
    """

    rule: Rule
    memory: float = math.inf

    def __post_init__(self) -> None:
        rule = self.rule
        if not self.steady and not (
            isinstance(rule, FTRLProximal | Newton) and isinstance(rule.l1_penalty, Evidence)
        ):
            raise ValueError(
                f"rule = {rule!r} is no lane of a stack: take FTRLProximal(l1='evidence'), "
                "Newton() or SoftThreshold(l1=0, adaptive=False), or use rule=, grid= and select= "
                "of the estimators"
            )
        given = vars(rule)
        forgets = given["half_life"] != math.inf
        if forgets or any(given.get(name) for name in ("l2", "nonnegative", "since_birth")):
            raise ValueError(
                f"rule = {rule!r}: the lanes of a stack have no l2, half_life, nonnegative or "
                "since_birth; leave them out"
            )
        if not self.memory > 1:
            raise ValueError(f"memory = {self.memory!r} must be > 1 rows; leave it out for no end")

    @property
    def steady(self) -> bool:
        """Whether the rate stays."""
        rule = self.rule
        steady = isinstance(rule, SoftThreshold) and not rule.adaptive and rule.power == 0
        return steady and rule.l1_penalty == Constant(0.0)


def lanes_for(loss: str) -> tuple[Lane, ...]:
    """The lanes without arguments: eight, of both families, two with a fast intercept.

    A steady lane takes a tenth of a Newton step; of counts, whose curvature has no bound, there is
    none.
    """

    def adagrad(alpha: float, memory: float = math.inf) -> Lane:
        return Lane(FTRLProximal(alpha=alpha, beta=0.3, l1="evidence"), memory)

    slow = adagrad(0.02)
    if loss != "poisson":
        rate = 0.1 * (4 if loss == "logistic" else 1)
        slow = Lane(SoftThreshold(learning_rate=rate, l1=0.0, adaptive=False))
    fast = (0.2, 1.0 if loss == "poisson" else 2.0)  # a larger one amplifies rounding of counts
    return (
        slow,
        *map(adagrad, (0.1, 0.3, 1.5)),
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
        step = rule.value(rule.parameters[0])
        rows[Row.PRIOR, number] = 0.3
        if isinstance(rule, FTRLProximal):
            rows[Row.BASE, number], rows[Row.FULL_RATE, number] = rule.beta / step, 1 / step
            rows[Row.ADAGRAD, number] = 1.0
            rows[Row.PRIOR, number] = step * (2 if fast else 1)
        else:
            rows[Row.BASE, number] = 1 / step
            rows[Row.OWN, number] = float(isinstance(rule, Newton))
            rows[Row.DAMPED, number] = 1.0
        if isinstance(rule.l1_penalty, Evidence):
            rows[Row.FULL_THETA, number] = rule.l1_penalty.theta
        rows[Row.FADE, number] = 1 / lane.memory
        rows[Row.FIRST_Q, number] = 0.1 if fast else 1.0
        rows[Row.USED, number] = 1.0
    if loss != "squared":  # there large steps have to earn their share
        rows[Row.PRIOR] = 0.0
    return rows

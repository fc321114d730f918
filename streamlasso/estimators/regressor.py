"""Regression on one target."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from river import base

from streamlasso.arrays import checked_target
from streamlasso.checks import reals
from streamlasso.estimators.base import Event, SparseLinear
from streamlasso.index import FeatureIndex
from streamlasso.interactions import Interactions
from streamlasso.losses import Loss
from streamlasso.rules import Rule

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SparseRegressor"]


class SparseRegressor(SparseLinear, base.MiniBatchRegressor):  # type: ignore[misc]
    """Sparse linear regression, one event at a time.

    prediction = intercept + Σ weight·value, with most weights exactly zero.

    Parameters
    ----------
    rule
        The learning rule with its penalties; `FTRLProximal()` by default.
    loss
        ``"squared"`` (½(prediction − y)²), ``"huber"``, ``"quantile"``, ``"epsilon_insensitive"``,
        ``"poisson"`` (y ≥ 0, prediction e^score); or an instance: ``losses.Quantile(tau=0.9)``.
    index
        Where names live: all of them by default; ``HashingIndex(bits=22)`` bounds the memory.
    fit_intercept
        Whether to learn an intercept; it is never penalised.
    scale
        None, or ``"max"``, ``"rms"``, ``"rms-max"``: divide each feature's values by their own
        size, so that its unit does not matter (`streamlasso.scales`). Weights stay in your units.
    grid
        Values of the rule's numbers: ``{"alpha": [0.1, 1], "l1": [0.1, 1, 10]}``. Every combination
        is a model of its own, learned in the same pass.
    select
        With a grid, what predicts: ``"leader"``, ``"mix"``, ``"1se"`` (`streamlasso.selection`).
    refit
        Learn beside each active weight what it would be without shrinkage (`streamlasso.refit`).
    interactions
        Fields whose products are features too, ``[("site", "hour")]``: `streamlasso.interactions`.

    Examples
    --------
    >>> from streamlasso import SparseRegressor, SoftThreshold
    >>> model = SparseRegressor(rule=SoftThreshold(learning_rate=1.0, l1=0.01))
    >>> for i in range(500):
    ...     x = {"signal": i % 7, "noise": i * 7919 % 5 - 2}
    ...     model.learn_one(x, 3.0 * x["signal"])
    >>> model.predict_one({"signal": 2.0}).__round__(1)
    6.0
    """

    _domains = ("real", "count")

    def __init__(
        self,
        rule: Rule | None = None,
        loss: str | Loss = "squared",
        index: FeatureIndex | None = None,
        fit_intercept: bool = True,
        scale: str | None = None,
        grid: Mapping[str, Iterable[Any]] | None = None,
        select: str = "leader",
        refit: bool = False,
        interactions: Interactions = (),
    ) -> None:
        super().__init__(rule, loss, index, fit_intercept, scale, grid, select, refit, interactions)

    def learn_one(self, x: Event, y: float, w: float = 1.0) -> None:
        """Learn one event with importance ``w``; 0 does nothing, below 0 is an error.

        So is a target below 0 with the Poisson loss.
        """
        self._learn(x, checked_target(y, self._learner.loss), w)

    def predict_one(self, x: Event) -> float:
        """The prediction; unknown names count as zero and are not remembered."""
        return float(self._learner.loss.mean(self._score(x)))

    def learn_many(self, X: "pd.DataFrame", y: "pd.Series[Any]", w: Any = 1.0) -> None:
        """The same as `learn_one` row by row, to the bit; ``w`` is a number or one per row."""
        self._learn_frame(X, reals("target", y), w)

    def predict_many(self, X: "pd.DataFrame") -> "pd.Series[Any]":
        """The predictions of a frame's rows, under its index."""
        import pandas as pd

        mean = self._learner.loss.mean
        return pd.Series([mean(score) for score in self._score_frame(X).tolist()], X.index, float)

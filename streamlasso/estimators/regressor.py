"""Regression on one target."""

from collections.abc import Iterable, Mapping, Sequence
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
        The learning rule with its penalties, or a list of rules with ``select="stack"``. None, the
        default, needs no tuning (`streamlasso.stack`); with other losses than squared and Poisson,
        or with scale, grid or refit, it stands for `FTRLProximal()`.
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
        With a grid, what predicts: ``"leader"``, ``"mix"``, ``"1se"`` (`streamlasso.selection`);
        or ``"stack"``, a second layer over the rules of the grid or of a list.
    refit
        Learn beside each active weight what it would be without shrinkage (`streamlasso.refit`).
    interactions
        Fields whose products are features too, ``[("site", "hour")]``: `streamlasso.interactions`.
    serve
        Of a stack of rules (``rule=None``, or ``select="stack"``), which features are served:
        ``"sparsest"``, the sparsest model within the tolerance; ``"all"``; or a number, those worth
        so many nats (`streamlasso.stack.serving`).
    tolerance
        The share of loss that sparsity may cost.
    max_active
        Serve about so many features: a target sparsity.
    max_pending
        How many events with a ``token`` may wait for their labels.
    dtype
        ``"float64"``, or ``"float32"`` for half the memory; not for rules that keep a clock.

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
        rule: Rule | Sequence[Rule] | None = None,
        loss: str | Loss = "squared",
        index: FeatureIndex | None = None,
        fit_intercept: bool = True,
        scale: str | None = None,
        grid: Mapping[str, Iterable[Any]] | None = None,
        select: str = "leader",
        refit: bool = False,
        interactions: Interactions = (),
        serve: str | float = "sparsest",
        tolerance: float = 0.005,
        max_active: int | None = None,
        max_pending: int = 100_000,
        dtype: str = "float64",
    ) -> None:
        super().__init__(
            rule, loss, index, fit_intercept, scale, grid, select, refit, interactions,
            serve, tolerance, max_active, max_pending, dtype,
        )  # fmt: skip

    def learn_one(self, x: Event, y: float, w: float = 1.0, token: Any = None) -> None:
        """Learn one event with importance ``w``; 0 does nothing, below 0 is an error.

        So is a target below 0 with the Poisson loss. ``token`` is that of the prediction, where the
        target came later than other events' targets.
        """
        self._learn(x, checked_target(y, self._learner.loss), w, token)

    def predict_one(self, x: Event, token: Any = None) -> float:
        """The prediction; unknown names count as zero and are not remembered.

        With a ``token`` (a string, an integer or a tuple of such) the event is kept in mind until
        `learn_one` gets its target with the same token: learned as if it had come at once, it would
        mislead.
        """
        return float(self._learner.loss.mean(self._score(x, token)))

    def learn_many(self, X: "pd.DataFrame", y: "pd.Series[Any]", w: Any = 1.0) -> None:
        """The same as `learn_one` row by row, to the bit; ``w`` is a number or one per row."""
        self._learn_frame(X, reals("target", y), w)

    def predict_many(self, X: "pd.DataFrame") -> "pd.Series[Any]":
        """The predictions of a frame's rows, under its index."""
        import pandas as pd

        mean = self._learner.loss.mean
        return pd.Series([mean(score) for score in self._score_frame(X).tolist()], X.index, float)

"""Regression: numbers in, numbers out."""

from typing import Any, ClassVar, Self

import numpy.typing as npt
from sklearn.base import RegressorMixin

from streamlasso.losses import LOSSES, Loss
from streamlasso.rules import Rule
from streamlasso.sklearn.base import SparseSGD
from streamlasso.sklearn.outputs import Outputs

__all__ = ["SparseSGDRegressor"]

Array = npt.NDArray[Any]


class SparseSGDRegressor(RegressorMixin, SparseSGD):  # type: ignore[misc]
    """Sparse linear regression with scikit-learn's interface.

    prediction = link(intercept + Σ coef·x), with most coefficients exactly zero.

    Parameters
    ----------
    rule, fit_intercept, max_iter, shuffle, random_state, dtype, scale
        As in `SparseSGDClassifier`.
    loss
        A loss for real targets or counts, or its name: ``"squared"``, ½(prediction − y)²,
        ``"huber"``, ``"epsilon_insensitive"``, ``"poisson"`` for targets ≥ 0; ``Quantile(tau=0.9)``
        for a quantile.

    Attributes
    ----------
    n_features_in_, feature_names_in_, n_iter_, t_, learners_
        As in `SparseSGDClassifier`.
    coef_
        Effective weights, shape (features,).
    intercept_
        Shape (1,).

    Examples
    --------
    >>> import numpy as np
    >>> from streamlasso import FTRLProximal
    >>> from streamlasso.sklearn import SparseSGDRegressor
    >>> X = np.random.default_rng(0).normal(size=(1000, 20))
    >>> rule = FTRLProximal(alpha=1.0, l1=0.02, penalty="per_event")
    >>> model = SparseSGDRegressor(rule).fit(X, 3.0 * X[:, 5] + 1.0)
    >>> np.flatnonzero(model.coef_).tolist()
    [5]
    """

    _domains = ("real", "count")
    _target_checks: ClassVar[dict[str, Any]] = {"y_numeric": True}

    def __init__(
        self,
        rule: Rule | None = None,
        loss: str | Loss = "squared",
        *,
        fit_intercept: bool = True,
        max_iter: int = 1,
        shuffle: bool = False,
        random_state: Any = None,
        dtype: str = "float64",
        scale: str | None = None,
    ) -> None:
        super().__init__(rule, loss, fit_intercept, max_iter, shuffle, random_state, dtype, scale)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        kind = LOSSES.get(self.loss) if isinstance(self.loss, str) else self.loss
        tags.target_tags.positive_only = getattr(kind, "domain", None) == "count"
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn rows from nothing, ``max_iter`` times; returns self.

        Parameters
        ----------
        X
            Dense or sparse, shape (rows, features), finite.
        y
            Targets in the domain of the loss, shape (rows,).
        sample_weight
            Weights ≥ 0, shape (rows,). They multiply the slope of the loss, so 2 is not the same
            as learning twice; 0 is the same as leaving the row out.
        """
        checked = self._checked_fit(X, y, sample_weight)
        self._learn_passes(
            Outputs(self._learner, self._loss()), checked, self.max_iter, self.shuffle
        )
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn rows once, in their order, on top of those before; the arguments are `fit`'s."""
        first = not self.__sklearn_is_fitted__()
        checked = self._checked(X, y, sample_weight, first=first)
        outputs = Outputs(self._learner, self._loss()) if first else self._outputs
        self._learn_passes(outputs, checked, 1, shuffle=False)
        return self

    def predict(self, X: Any) -> Array:
        """Predictions, shape (rows,)."""
        scores = self._scores(X)
        predictions: Array = self._outputs.means(scores)[:, 0]
        return predictions

    @property
    def coef_(self) -> Array:
        """Effective weights; what is zero is exactly zero."""
        weights: Array = self._fitted.weights[0]
        return weights

    @property
    def intercept_(self) -> Array:
        """The intercept, shape (1,); never penalised."""
        return self._fitted.intercepts

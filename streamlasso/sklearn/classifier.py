"""Classification: labels in, labels or probabilities out."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from streamlasso.losses import Logistic, Loss
from streamlasso.rules import Rule
from streamlasso.sklearn.base import SparseSGD
from streamlasso.sklearn.outputs import Outputs

__all__ = ["SparseSGDClassifier"]

Array = npt.NDArray[Any]


class SparseSGDClassifier(ClassifierMixin, SparseSGD):  # type: ignore[misc]
    """Sparse linear classification with scikit-learn's interface.

    score = intercept + Σ coef·x, with most coefficients exactly zero. Two classes have one score,
    that of the second. More than two have a score each: the logistic loss becomes the softmax of
    them, other losses are learned one versus rest.

    Parameters
    ----------
    rule
        The learning rule with its penalties; `FTRLProximal()` by default. Its parameters can be set
        and searched as ``rule__l1``.
    loss
        A loss for targets 0 and 1, or its name: ``"logistic"``, or ``"hinge"`` and
        ``"squared_hinge"``, which have no `predict_proba`.
    fit_intercept
        Whether to learn an intercept, which is never penalised.
    max_iter
        Passes over the rows in `fit`, ≥ 1. The rule's clock goes on from pass to pass: an ``l1``
        that is a total over the run weighs less with each.
    shuffle
        Whether each pass of `fit` is in a random order of its own. False keeps the order of the
        rows, which should then not be sorted by class.
    random_state
        Seed of the orders; only used with ``shuffle=True``.
    dtype
        ``"float64"`` or ``"float32"`` for the state and the rows.
    scale
        None, or ``"max"``, ``"rms"``, ``"rms-max"``: divide each column by its own size so far, so
        that its unit does not matter (`streamlasso.scales`). ``coef_`` stays in your units.

    Attributes
    ----------
    classes_, n_features_in_, feature_names_in_
        As in every classifier of scikit-learn.
    coef_
        Effective weights, shape (1, features), or (classes, features) with more than two classes.
    intercept_
        Shape (1,) or (classes,).
    n_iter_
        Passes of the last `fit`; 1 after `partial_fit`.
    t_, learners_
        1 + events learned so far, and the `Learner` objects underneath: one, or one for each class
        with one versus rest.

    Examples
    --------
    >>> import numpy as np
    >>> from streamlasso import FTRLProximal
    >>> from streamlasso.sklearn import SparseSGDClassifier
    >>> X = np.random.default_rng(0).normal(size=(1000, 20))
    >>> model = SparseSGDClassifier(FTRLProximal(l1=30.0)).fit(X, X[:, 3] > 0)
    >>> np.flatnonzero(model.coef_).tolist()
    [3]
    """

    _domains = ("binary",)
    classes_: Array

    def __init__(
        self,
        rule: Rule | None = None,
        loss: str | Loss = "logistic",
        *,
        fit_intercept: bool = True,
        max_iter: int = 1,
        shuffle: bool = False,
        random_state: Any = None,
        dtype: str = "float64",
        scale: str | None = None,
    ) -> None:
        super().__init__(rule, loss, fit_intercept, max_iter, shuffle, random_state, dtype, scale)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn rows from nothing, ``max_iter`` times; returns self.

        Parameters
        ----------
        X
            Dense or sparse, shape (rows, features), finite.
        y
            Labels of at least two classes, shape (rows,).
        sample_weight
            Weights ≥ 0, shape (rows,). They multiply the slope of the loss, so 2 is not the same
            as learning twice; 0 is the same as leaving the row out.
        """
        rows, labels, importances = self._checked_fit(X, y, sample_weight)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        self._learn_passes(self._made(), (rows, codes, importances), self.max_iter, self.shuffle)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Learn rows once, in their order, on top of those before; returns self.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes
            All labels that may ever come; needed in the first call, and later the same.
        """
        first = not self.__sklearn_is_fitted__()
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if not (first or classes is None or np.array_equal(self.classes_, np.unique(classes))):
            raise ValueError(
                f"classes = {classes!r} are not those of the first call, {self.classes_!r}"
            )
        rows, labels, importances = self._checked(X, y, sample_weight, first=first)
        check_classification_targets(labels)
        if first:
            self.classes_ = np.unique(classes)
        outputs = self._made() if first else self._outputs
        self._learn_passes(outputs, (rows, self._codes(labels), importances), 1, shuffle=False)
        return self

    def _made(self) -> Outputs:
        if len(self.classes_) < 2:
            raise ValueError(
                "The number of classes has to be greater than one; got "
                f"{len(self.classes_)} class, {self.classes_!r}"
            )
        return Outputs(self._learner, self._loss(), len(self.classes_))

    def _codes(self, labels: Array) -> Array:
        """Each label's place in ``classes_``."""
        codes = np.searchsorted(self.classes_, labels)
        codes = np.minimum(codes, len(self.classes_) - 1)
        unknown = self.classes_[codes] != labels
        if unknown.any():
            raise ValueError(
                f"label {labels[unknown][0]!r} of row {int(unknown.argmax())} is not among the "
                f"classes {self.classes_!r}; name all of them in the first call of partial_fit"
            )
        return codes

    def decision_function(self, X: Any) -> Array:
        """Scores, shape (rows,), or (rows, classes) with more than two classes."""
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> Array:
        """The label of the largest score, shape (rows,); the first one in a tie."""
        scores = self._scores(X)
        codes = (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)
        labels: Array = self.classes_[codes]
        return labels

    def _has_probabilities(self) -> bool:
        return isinstance(self.loss, Logistic) or self.loss == Logistic.name

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Probabilities, shape (rows, classes); with the logistic loss only.

        With more than two classes they are the softmax of the scores.
        """
        scores = self._scores(X)
        means = self._outputs.means(scores)
        return np.hstack([1.0 - means, means]) if means.shape[1] == 1 else means

    @property
    def coef_(self) -> Array:
        """Effective weights; what is zero is exactly zero."""
        return self._fitted.weights

    @property
    def intercept_(self) -> Array:
        """Intercepts; never penalised."""
        return self._fitted.intercepts

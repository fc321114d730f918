"""A classifier of river whose probabilities are corrected as their outcomes come."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from river import base

from streamlasso.calibration.isotonic import Isotonic
from streamlasso.calibration.power import PowerLaw
from streamlasso.calibration.reliability import Bin, Reliability, ReliabilityCounter
from streamlasso.checks import check_importance, shown
from streamlasso.encoding import frame_rows
from streamlasso.labels import Labels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Calibrated"]

METHODS: dict[str, tuple[type[PowerLaw] | type[Isotonic], tuple[str, ...]]] = {
    "power": (PowerLaw, ("likelihood", "half_life")),
    "isotonic": (Isotonic, ("window", "refit_every")),
}


class Calibrated(base.Wrapper, base.MiniBatchClassifier):  # type: ignore[misc]
    """A binary classifier with an online correction τ of its probabilities.

    P(positive) = τ(p), p the classifier's own. An event is predicted, then teaches τ that
    prediction and its outcome, then the classifier: so τ learns from honest predictions, as they
    are made in use. τ increases, so it changes no ranking.

    Wrap what sees the stream as it is. To train on a part of the negatives, let the classifier
    inside leave them out (river's ``RandomUnderSampler``), so that τ sees all events.

    Parameters
    ----------
    classifier
        Any binary classifier of river with ``predict_proba_one``, or a pipeline that ends in one.
        Labels are as for `SparseClassifier`.
    method
        ``"power"``: `PowerLaw`, two parameters γ and κ, good from the first hundred events on.
        ``"isotonic"``: `Isotonic`, any increasing shape, for long streams; needs scikit-learn.
    likelihood
        Of the power law: ``"poisson"`` (default), γ·p^κ on the probability, or ``"logistic"``, on
        the odds: take that where positives are no rarity.
    half_life
        Of the power law: events after which an event counts half; 10 000 by default, ``math.inf``
        to forget nothing.
    window, refit_every
        Of the isotonic fit: events kept (10 000) and events between two fits (1 000).

    Raises
    ------
    ValueError
        An unknown method, a parameter of the other method, a third label.
    ImportError
        ``method="isotonic"`` without scikit-learn.

    Examples
    --------
    >>> from streamlasso import SparseClassifier
    >>> from streamlasso.calibration import Calibrated
    >>> model = Calibrated(SparseClassifier(loss="hinge"))
    >>> for i in range(2000):
    ...     model.learn_one({"site": "ab"[i % 2]}, i % 2 == 0 and i % 20 != 0)
    >>> model.classifier.predict_proba_one({"site": "a"})[True].__round__(1)
    0.7
    >>> model.predict_proba_one({"site": "a"})[True].__round__(1)
    0.9

    References
    ----------
    H. B. McMahan et al., "Ad click prediction: a view from the trenches", KDD 2013, section 7.1.
    """

    def __init__(
        self,
        classifier: Any,
        method: str = "power",
        likelihood: str | None = None,
        half_life: float | None = None,
        window: int | None = None,
        refit_every: int | None = None,
    ) -> None:
        if isinstance(classifier, type) or not hasattr(classifier, "predict_proba_one"):
            raise TypeError(
                f"classifier = {shown(classifier)} must be a classifier of river with "
                "predict_proba_one: SparseClassifier()"
            )
        if method not in METHODS:
            raise ValueError(f"method = {method!r} must be one of {', '.join(METHODS)}")
        self.classifier = classifier
        self.method = method
        self.likelihood = likelihood
        self.half_life = half_life
        self.window = window
        self.refit_every = refit_every
        kind, own = METHODS[method]
        given = {
            name: getattr(self, name)
            for _, names in METHODS.values()
            for name in names
            if getattr(self, name) is not None
        }
        for name, value in given.items():
            if name not in own:
                raise ValueError(
                    f"{name} = {value!r} has no effect with method = {method!r}; it takes "
                    f"{' and '.join(own)}"
                )
        self._correction = kind(**given)
        self._labels = Labels()
        self._before, self._after = ReliabilityCounter(), ReliabilityCounter()

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        """Both methods, for river's checks."""
        from river import linear_model

        yield {"classifier": linear_model.LogisticRegression()}
        yield {"classifier": linear_model.LogisticRegression(), "likelihood": "logistic"}
        isotonic = {"method": "isotonic", "window": 64, "refit_every": 16}
        yield {"classifier": linear_model.LogisticRegression(), **isotonic}

    @property
    def _wrapped_model(self) -> Any:
        return self.classifier

    @property
    def _multiclass(self) -> bool:
        return False

    # Learning and predicting

    def learn_one(self, x: dict[Any, Any], y: Any, w: float | None = None, **kwargs: Any) -> None:
        """Learn one event, with importance ``w`` if the classifier takes one; 0 does nothing."""
        importance = 1.0
        if w is not None:
            check_importance(w)
            importance = kwargs["w"] = w
        # Before the label is looked at: it may be the one that names the positive class.
        p = self._positive(self.classifier.predict_proba_one(x))
        labels = self._labels
        if labels.number(y) is None:
            labels = labels.copy()  # the classifier may refuse the event
        target = labels.target(y, importance)
        self.classifier.learn_one(x, y, **kwargs)
        self._labels = labels
        if p is not None and importance > 0:
            self._before.add(p, target, importance)
            self._after.add(self._correction.transform(p), target, importance)
            self._correction.learn(p, target, importance)

    def predict_proba_one(self, x: dict[Any, Any], **kwargs: Any) -> dict[Any, float]:
        """Label → corrected probability; what the classifier says while it knows no classes."""
        probabilities: dict[Any, float] = self.classifier.predict_proba_one(x, **kwargs)
        p = self._positive(probabilities)
        if p is None:
            return probabilities
        corrected = self._correction.transform(p)
        return dict(zip(self._labels.classes, (1.0 - corrected, corrected), strict=True))

    def predict_one(self, x: dict[Any, Any], **kwargs: Any) -> Any:
        """The label that is more likely after the correction; the negative one in a tie."""
        return super().predict_one(x, **kwargs)

    def learn_many(
        self, X: "pd.DataFrame", y: "pd.Series[Any]", w: Any = None, **kwargs: Any
    ) -> None:
        """The same as `learn_one` row by row; ``w`` is a number or one per row.

        Rows are learned one by one: a correction that learned from predictions which a whole
        batch was made with would learn from other predictions than those in use.
        """
        labels = np.asarray(y).tolist()
        weights = [None] * len(labels) if w is None else np.broadcast_to(w, len(labels)).tolist()
        for x, label, weight in zip(frame_rows(X), labels, weights, strict=True):
            self.learn_one(x, label, weight, **kwargs)

    def predict_proba_many(self, X: "pd.DataFrame", **kwargs: Any) -> "pd.DataFrame":
        """The corrected probabilities of a frame's rows, a column per label, under its index."""
        import pandas as pd

        rows = [self.predict_proba_one(x, **kwargs) for x in frame_rows(X)]
        return pd.DataFrame(rows, X.index, None if rows else list(self._labels.classes))

    def predict_many(self, X: "pd.DataFrame", **kwargs: Any) -> "pd.Series[Any]":
        """The more likely labels of a frame's rows, under its index."""
        import pandas as pd

        return pd.Series([self.predict_one(x, **kwargs) for x in frame_rows(X)], X.index)

    def _positive(self, probabilities: dict[Any, float]) -> float | None:
        """The classifier's P(positive), or None while it does not know that class."""
        p = probabilities.get(self._labels.classes[1])
        return None if p is None or math.isnan(p) else float(p)

    # What was learned

    @property
    def gamma(self) -> float:
        """The power law's factor γ, 1 for the identity."""
        return self._power_law("gamma").gamma

    @property
    def kappa(self) -> float:
        """The power law's exponent κ, 1 for the identity."""
        return self._power_law("kappa").kappa

    def _power_law(self, name: str) -> PowerLaw:
        if not isinstance(self._correction, PowerLaw):
            raise AttributeError(f"{name} belongs to method = 'power', this is {self.method!r}")
        return self._correction

    def reliability(self, bins: int = 10) -> Reliability:
        """Mean prediction, share of positives and count per bin, before and after the correction.

        Over all events learned, each as it was predicted before. Bins hold about as many events
        each, so that rare positives are seen too; they are counted as the events come.
        """
        return Reliability(self._before.bins(bins), self._after.bins(bins))

    def calibration_error(self, bins: int = 10) -> tuple[float, float]:
        """Σ events·|prediction − outcome| / Σ events over the bins, before and after.

        NaN while nothing was learned.
        """
        before, after = self.reliability(bins)
        return _error(before), _error(after)


def _error(bins: tuple[Bin, ...]) -> float:
    total = sum(each.events for each in bins)
    gaps = sum(each.events * abs(each.prediction - each.outcome) for each in bins)
    return gaps / total if total else math.nan

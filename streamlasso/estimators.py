"""River estimators: thin, no arithmetic; they translate dicts and labels for a `Learner`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from river import base

from streamlasso.arrays import checked_importances, checked_target, checked_targets
from streamlasso.encoding import RowEncoder, frame_rows
from streamlasso.export import export_weights
from streamlasso.feeding import learn_events
from streamlasso.index import FeatureIndex, GrowingIndex, Name
from streamlasso.labels import BinaryLabels
from streamlasso.learner import Learner
from streamlasso.losses import LOSSES, Loss, get_loss
from streamlasso.rules import RULES, FTRLProximal, Rule

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SparseClassifier", "SparseRegressor"]

Event = Mapping[Name, Any]
Array = npt.NDArray[Any]


class _SparseLinear:
    """What both estimators share."""

    _domains: tuple[str, ...]

    def __init__(
        self, rule: Rule | None, loss: str | Loss, index: FeatureIndex | None, fit_intercept: bool
    ) -> None:
        self.rule = rule
        self.loss = loss
        self.index = index
        self.fit_intercept = fit_intercept
        self._learner = Learner(
            FTRLProximal() if rule is None else rule,
            get_loss(loss, self._domains),
            # A parameter is a template: clones of one estimator must not share names.
            GrowingIndex() if index is None else index.fresh(),
            fit_intercept=fit_intercept,
        )
        self._encoder = RowEncoder(self._learner.index)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_encoder"}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)
        self._encoder = RowEncoder(self._learner.index)

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        """Every rule with every loss of the domains, for river's checks."""
        yield {}
        for rule in RULES.values():
            for name, loss in LOSSES.items():
                if loss.domain in cls._domains:
                    yield {"rule": rule(), "loss": name}

    # Learning and scoring

    def _learn(self, x: Event, target: float, w: float) -> None:
        encoder = self._encoder
        encoder.encode(x, allocate=w != 0)
        self._learner.learn_row(encoder.slots, encoder.values, encoder.size, target, w)

    def _score(self, x: Event) -> float:
        encoder = self._encoder
        encoder.encode(x, allocate=False)
        return self._learner.score_row(encoder.slots, encoder.values, encoder.size)

    def _learn_frame(self, X: "pd.DataFrame", targets: Array, w: Any) -> None:
        targets = checked_targets(targets, len(X), self._learner.loss, self._learner.dtype)
        importances = np.broadcast_to(np.asarray(w, np.float64), targets.shape)
        importances = checked_importances(importances, len(targets), self._learner.dtype)
        learn_events(self._learner, self._encoder, frame_rows(X), targets, importances)

    def _score_frame(self, X: "pd.DataFrame") -> Array:
        return self._learner.score_rows(*self._encoder.encode_rows(frame_rows(X), allocate=False))

    # What was learned

    @property
    def learner(self) -> Learner:
        """The `Learner` underneath, for arrays and for its counters."""
        return self._learner

    @property
    def weights(self) -> dict[Name, float]:
        """Name → effective weight, active features only."""
        return self._learner.weights()

    @property
    def intercept(self) -> float:
        """The intercept; never penalised."""
        return self._learner.intercept()

    @property
    def active_features(self) -> int:
        """Number of features whose effective weight is not zero, exact as of the last event."""
        return self._learner.active_features()

    @property
    def tracked_features(self) -> int:
        """Number of features that have been learned from."""
        return self._learner.survey()[0]

    @property
    def sparsity(self) -> float:
        """1 − active/tracked: the share of features that do not matter; 1.0 before the first."""
        tracked, sums = self._learner.survey()
        return 1.0 - float(sums[0, 0]) / tracked if tracked else 1.0

    def explain_one(self, x: Event) -> dict[Name, float]:
        """Name → contribution weight·value to the score, largest first; zeros left out.

        The contributions and the intercept add up to the score.
        """
        encoder = self._encoder
        encoder.encode(x, allocate=False)
        learner, alone = self._learner, np.ones(1, encoder.values.dtype)
        intercept = self.intercept
        contributions: dict[Name, float] = {}
        for i in range(encoder.size):
            weight = learner.score_row(encoder.slots[i : i + 1], alone, 1) - intercept
            if weight:
                name = learner.index.name(int(encoder.slots[i]))
                part = weight * float(encoder.values[i])
                contributions[name] = contributions.get(name, 0.0) + part
        ordered = sorted(contributions.items(), key=lambda item: -abs(item[1]))
        return dict(ordered)

    # Files

    def save(self, path: str | Path) -> Path:
        """Write everything to one file, from which `streamlasso.load` goes on to the same bits."""
        from streamlasso.snapshot import save

        return save(path, self)  # type: ignore[arg-type]

    def export(self, path: str | Path) -> Path:
        """Write the intercept and the active weights alone, as ``.json`` or ``.csv``.

        JSON: ``{"loss", "intercept", "weights": [{"name", "weight"}, …]}``; CSV: columns ``name``
        and ``weight``, the intercept first under an empty name. Largest weights first. A name
        that is no string is written as JSON.
        """
        return export_weights(Path(path), self._learner.loss.name, self.intercept, self.weights)


class SparseRegressor(_SparseLinear, base.MiniBatchRegressor):  # type: ignore[misc]
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
        Where feature names live: a `GrowingIndex`, or ``HashingIndex(bits=22)`` for bounded memory.
    fit_intercept
        Whether to learn an intercept; it is never penalised.

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
    ) -> None:
        super().__init__(rule, loss, index, fit_intercept)

    def learn_one(self, x: Event, y: float, w: float = 1.0) -> None:
        """Learn one event with importance ``w``; 0 does nothing, below 0 is an error."""
        self._learn(x, checked_target(y, self._learner.loss), w)

    def predict_one(self, x: Event) -> float:
        """The prediction; unknown names count as zero and are not remembered."""
        return float(self._learner.loss.mean(self._score(x)))

    def learn_many(self, X: "pd.DataFrame", y: "pd.Series[Any]", w: Any = 1.0) -> None:
        """The same as `learn_one` row by row, to the bit; ``w`` is a number or one per row."""
        self._learn_frame(X, np.asarray(y, np.float64), w)

    def predict_many(self, X: "pd.DataFrame") -> "pd.Series[Any]":
        """The predictions of a frame's rows, under its index."""
        import pandas as pd

        mean = self._learner.loss.mean
        return pd.Series([mean(score) for score in self._score_frame(X).tolist()], X.index, float)


class SparseClassifier(_SparseLinear, base.MiniBatchClassifier):  # type: ignore[misc]
    """Sparse binary classification, one event at a time.

    score = intercept + Σ weight·value, with most weights exactly zero;
    P(positive) = 1/(1 + e^(−score)) with the logistic loss.

    Labels are ``False``/``True``, 0/1, −1/1, or any two values: of these the first to come is the
    negative class. For more than two classes use ``river.multiclass.OneVsRestClassifier``.

    Parameters
    ----------
    rule
        The learning rule with its penalties; `FTRLProximal()` by default.
    loss
        ``"logistic"``, ``"squared_hinge"``, or ``"hinge"`` (its probabilities are not calibrated).
    index
        Where feature names live: a growing index of exact names by default, or
        ``HashingIndex(bits=22)`` for bounded memory.
    fit_intercept
        Whether to learn an intercept; it is never penalised.

    Examples
    --------
    >>> from streamlasso import SparseClassifier
    >>> model = SparseClassifier()
    >>> for i in range(500):
    ...     x = {"site": ["news", "shop"][i % 2], "hour": i % 24}
    ...     model.learn_one(x, x["site"] == "shop")
    >>> model.predict_one({"site": "shop", "hour": 3})
    True
    """

    _domains = ("binary",)

    def __init__(
        self,
        rule: Rule | None = None,
        loss: str | Loss = "logistic",
        index: FeatureIndex | None = None,
        fit_intercept: bool = True,
    ) -> None:
        super().__init__(rule, loss, index, fit_intercept)
        self._labels = BinaryLabels()

    @property
    def classes(self) -> tuple[Any, Any]:
        """The negative and the positive label."""
        return self._labels.classes

    def learn_one(self, x: Event, y: Any, w: float = 1.0) -> None:
        """Learn one event with importance ``w``; 0 does nothing, below 0 is an error."""
        self._learn(x, self._labels.target(y, w), w)

    def predict_proba_one(self, x: Event) -> dict[Any, float]:
        """Label → probability; unknown names count as zero and are not remembered."""
        positive = float(self._learner.loss.mean(self._score(x)))
        return dict(zip(self.classes, (1.0 - positive, positive), strict=True))

    def predict_one(self, x: Event) -> Any:
        """The more likely label; the negative one in a tie."""
        return self.classes[self._score(x) > 0]

    def learn_many(self, X: "pd.DataFrame", y: "pd.Series[Any]", w: Any = 1.0) -> None:
        """The same as `learn_one` row by row, to the bit; ``w`` is a number or one per row."""
        labels = np.asarray(y).tolist()
        weights = np.broadcast_to(np.asarray(w, np.float64), (len(labels),)).tolist()
        targets = [self._labels.target(*each) for each in zip(labels, weights, strict=True)]
        self._learn_frame(X, np.array(targets, np.float64), w)

    def predict_proba_many(self, X: "pd.DataFrame") -> "pd.DataFrame":
        """The probabilities of a frame's rows, a column per label, under its index."""
        import pandas as pd

        mean = self._learner.loss.mean
        positive = np.array([mean(score) for score in self._score_frame(X).tolist()])
        columns = dict(zip(self.classes, (1.0 - positive, positive), strict=True))
        return pd.DataFrame(columns, X.index)

    def predict_many(self, X: "pd.DataFrame") -> "pd.Series[Any]":
        """The more likely labels of a frame's rows, under its index."""
        import pandas as pd

        scores = self._score_frame(X).tolist()
        return pd.Series([self.classes[score > 0] for score in scores], X.index)

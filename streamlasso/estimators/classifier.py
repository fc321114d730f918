"""Classification, into two classes or more."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from river import base

from streamlasso.checks import check_importance
from streamlasso.estimators.base import Event
from streamlasso.estimators.by_label import ByLabel
from streamlasso.estimators.pending import Pending, checked_token
from streamlasso.feeding import score_lanes
from streamlasso.frames import check_frame
from streamlasso.index import FeatureIndex
from streamlasso.interactions import Interactions
from streamlasso.labels import Labels
from streamlasso.learner import Learner
from streamlasso.losses import Loss, Softmax
from streamlasso.rules import Rule
from streamlasso.stack.classes.learner import ClassStackLearner

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SparseClassifier"]

Array = npt.NDArray[Any]


class SparseClassifier(ByLabel, base.MiniBatchClassifier):  # type: ignore[misc]
    """Sparse linear classification, one event at a time.

    score = intercept + Σ weight·value, with most weights exactly zero;
    P(positive) = 1/(1 + e^(−score)) with the logistic loss.

    Labels are ``False``/``True``, 0/1, −1/1, or any values: of two the first to come is the
    negative class. When a third comes, the logistic loss becomes the softmax of a score for each
    class, which goes on from what was learned; with one rule the ratio of the first two
    probabilities stays. ``weights`` and ``intercept`` are then by label. ``grid``, ``refit`` and
    ``select="stack"`` are for two classes.

    Parameters
    ----------
    rule
        The learning rule with its penalties, or a list of rules with ``select="stack"``. None, the
        default, needs no tuning (`streamlasso.stack`); with another loss than the logistic, or
        with scale, grid or refit, it stands for `FTRLProximal()`.
    loss
        ``"logistic"``, ``"squared_hinge"``, or ``"hinge"`` (its probabilities are not calibrated).
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
        ``"sparsest"`` within the tolerance, ``"all"``, or those worth so many nats.
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
        rule: Rule | Sequence[Rule] | None = None,
        loss: str | Loss = "logistic",
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
        self._labels = Labels(limit=None if self._multiclass else 2)

    @property
    def _multiclass(self) -> bool:
        """Whether a third class may come."""
        alone = self.grid is None and not self.refit and self.select != "stack"
        return alone and self._learner.loss.name in ("logistic", "softmax")

    def _target(self, y: Any, w: float) -> float:
        """The number of a label, also of a new one; a third class makes room for itself."""
        target = self._labels.target(y, w)
        if target > 1 and target >= self._learner.loss.hyper()[0] * self._many:
            self._make_room()
        return target

    def _make_room(self) -> None:
        """One more class, beyond two."""
        learner = self._learner
        if isinstance(learner, Learner):
            old: list[int | None] = [*range(len(learner.rules))]
            sources = [*old, None] if self._many else [None, 0, None]
            learner.rearrange(Softmax(len(sources)), sources)
            return
        # What waits for a label was seen with other classes.
        self._pending = Pending(self.max_pending)
        if isinstance(learner, ClassStackLearner):
            learner.add_class()
        else:
            self._learner = ClassStackLearner.from_two(learner, self._serving)

    def learn_one(self, x: Event, y: Any, w: float = 1.0, token: Any = None) -> None:
        """Learn one event with importance ``w``; 0 does nothing, below 0 is an error.

        ``token`` is that of the prediction, where the label came later than other events' labels.
        """
        number = self._labels.number(y)
        if number is None:  # a refused event brings no class
            check_importance(w)
            if token is not None:
                checked_token(token)
            self._encoder.check(x)
        self._learn(x, self._target(y, w) if number is None else number, w, token)

    def _probabilities(self, scores: Array) -> Array:
        """Of lanes' scores, one row an event: a column for each class."""
        if self._many:
            return Softmax.probabilities(scores)
        mean = self._learner.loss.mean
        positive = np.array([mean(score) for score in scores[:, 0].tolist()])
        return np.column_stack([1.0 - positive, positive])

    def _scores(self, x: Event, token: Any = None) -> Array:
        scores = score_lanes(self._learner, self._encoder, x)
        self._remember(token)
        return scores

    def predict_proba_one(self, x: Event, token: Any = None) -> dict[Any, float]:
        """Label → probability; unknown names count as zero and are not remembered.

        With a ``token`` (a string, an integer or a tuple of such) the event is kept in mind until
        `learn_one` gets its label with it: learned as if it had come at once, it would mislead.
        """
        loss = self._learner.loss
        if loss.together:
            shares = self._probabilities(self._scores(x, token)[None, :])[0].tolist()
            return dict(zip(self.classes, shares, strict=True))
        positive = loss.mean(self._score(x, token))
        negative_label, positive_label = self._labels.classes
        return {negative_label: 1.0 - positive, positive_label: positive}

    def predict_one(self, x: Event, token: Any = None) -> Any:
        """The most likely label; of equals the first, with two the negative one.

        ``token`` as for `predict_proba_one`.
        """
        if self._many:
            return self.classes[int(self._scores(x, token).argmax())]
        return self.classes[self._score(x, token) > 0]

    def learn_many(self, X: "pd.DataFrame", y: "pd.Series[Any]", w: Any = 1.0) -> None:
        """The same as `learn_one` row by row, to the bit; ``w`` is a number or one per row."""
        labels = np.asarray(y).tolist()
        weights = self._importances(w, len(labels))
        numbers = self._numbers_of(labels)
        if numbers is not None:
            self._learn_frame(X, numbers, weights)
            return
        self._check_new(X, labels, weights.tolist())
        start = 0
        targets: list[float] = []
        for row, (label, weight) in enumerate(zip(labels, weights.tolist(), strict=True)):
            crowded = len(self._labels.seen) >= 2 and self._labels.number(label) is None
            if crowded and weight > 0 and self._multiclass:
                # The rows before a new class are learned without it.
                self._learn_frame(X.iloc[start:row], np.array(targets), weights[start:row])
                start, targets = row, []
            targets.append(self._target(label, weight))
        self._learn_frame(X.iloc[start:], np.array(targets, np.float64), weights[start:])

    def _numbers_of(self, labels: list[Any]) -> Array | None:
        """The numbers of labels that were all met before, otherwise None."""
        try:
            distinct = set(labels)
        except TypeError:
            return None  # not hashable: refused when it is learned
        numbers = {label: self._labels.number(label) for label in distinct}
        if None in numbers.values():
            return None
        return np.array([*map(numbers.__getitem__, labels)], np.float64)

    def _check_new(self, X: "pd.DataFrame", labels: list[Any], weights: list[float]) -> None:
        """Where there are new labels, an error before the first of them is a class."""
        trial = self._labels.copy()
        for label, weight in zip(labels, weights, strict=True):
            trial.target(label, weight)
        if len(labels) != len(X):
            raise ValueError(f"targets has shape ({len(labels)},); it must be ({len(X)},)")
        check_frame(self._encoder, X)

    def _frame_scores(self, X: "pd.DataFrame") -> Array:
        scores = self._score_frame(X)
        return scores if scores.ndim == 2 else scores[:, None]

    def predict_proba_many(self, X: "pd.DataFrame") -> "pd.DataFrame":
        """The probabilities of a frame's rows, a column per label, under its index."""
        import pandas as pd

        shares = self._probabilities(self._frame_scores(X))
        return pd.DataFrame(dict(zip(self.classes, shares.T, strict=True)), X.index)

    def predict_many(self, X: "pd.DataFrame") -> "pd.Series[Any]":
        """The most likely labels of a frame's rows, under its index."""
        import pandas as pd

        scores = self._frame_scores(X)
        best = scores.argmax(axis=1) if self._many else scores[:, 0] > 0
        return pd.Series([self.classes[number] for number in best.tolist()], X.index)

    def _take_classes(self, classes: tuple[Any, Any] | None) -> None:
        if self._many:
            raise ValueError(
                f"a warm start is for two classes, this model has {len(self.classes)}; "
                "start before the third comes"
            )
        if classes is None:
            return
        if not self._labels.seen:
            self._labels.classes, self._labels.seen = tuple(classes), set(classes)
        elif tuple(classes) != self.classes:
            raise ValueError(
                f"the source's negative and positive label are {tuple(classes)!r}, this model has "
                f"met {self.classes!r}; start before its first event, or pass {{name: weight}}"
            )

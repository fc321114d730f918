"""Regression on several targets at once."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from river import base

from streamlasso.arrays import checked_target
from streamlasso.checks import check_importance, shown
from streamlasso.encoding import RowEncoder
from streamlasso.feeding import score_lanes
from streamlasso.index import FeatureIndex, GrowingIndex, Name, checked_index
from streamlasso.interactions import Interactions, checked_interactions
from streamlasso.learner import Learner
from streamlasso.losses import Loss, get_loss
from streamlasso.rules import FTRLProximal, Rule

__all__ = ["SparseMultiRegressor"]

Event = Mapping[Name, Any]


class SparseMultiRegressor(base.MultiTargetRegressor):  # type: ignore[misc]
    """Sparse linear regression on several targets, one event at a time.

    Each target is a lane of its own over the same features: one look-up and one pass for all. A
    target that is missing from an event, or None or NaN, is not learned from it; one that was never
    seen before is added.

    Parameters
    ----------
    rule, loss, index, fit_intercept, scale, interactions, dtype
        As for `SparseRegressor`, the same for all targets.

    Examples
    --------
    >>> from streamlasso import SoftThreshold, SparseMultiRegressor
    >>> model = SparseMultiRegressor(SoftThreshold(learning_rate=1.0, l1=0.01))
    >>> for i in range(500):
    ...     model.learn_one({"a": i % 7}, {"double": 2.0 * (i % 7), "half": 0.5 * (i % 7)})
    >>> {name: round(value, 1) for name, value in model.predict_one({"a": 3}).items()}
    {'double': 6.0, 'half': 1.5}
    """

    def __init__(
        self,
        rule: Rule | None = None,
        loss: str | Loss = "squared",
        index: FeatureIndex | None = None,
        fit_intercept: bool = True,
        scale: str | None = None,
        interactions: Interactions = (),
        dtype: str = "float64",
    ) -> None:
        self.rule = rule
        self.loss = loss
        self.index = index
        self.fit_intercept = fit_intercept
        self.scale, self.dtype = scale, dtype
        self.interactions = list(checked_interactions(interactions))
        self._targets: list[Any] = []
        self._learner = Learner(
            FTRLProximal() if rule is None else rule,
            get_loss(loss, ("real", "count")),
            GrowingIndex() if index is None else checked_index(index).fresh(),
            fit_intercept=fit_intercept,
            dtype=dtype,
            scale=scale,
        )
        self._encoder = self._new_encoder()

    def _new_encoder(self) -> RowEncoder:
        learner = self._learner
        return RowEncoder(learner.index, learner.dtype, interactions=self.interactions)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_encoder"}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)
        self._encoder = self._new_encoder()

    def _row(self, x: Event) -> tuple[npt.NDArray[Any], ...]:
        encoder = self._encoder
        encoder.encode(x, allocate=True)
        size = encoder.size
        return np.array([0, size]), encoder.slots[:size], encoder.values[:size].copy()

    def learn_one(self, x: Event, y: Mapping[Any, float | None], w: float = 1.0) -> None:
        """Learn one event with importance ``w``; 0 does nothing, below 0 is an error."""
        check_importance(w)
        numbers = self._numbers(y)
        if w == 0 or all(map(math.isnan, numbers.values())):
            return
        indptr, slots, values = self._row(x)  # before its targets are added: it may be refused
        new = [name for name in y if name not in self._targets and not math.isnan(numbers[name])]
        if new:
            known: list[int | None] = [*range(len(self._targets))]
            self._targets += new
            if len(self._targets) > 1:
                # The first target takes over the lane that the learner was made with.
                sources = [*(known or [0]), *[None] * len(new)][: len(self._targets)]
                self._learner.rearrange(self._learner.loss, sources)
        targets = np.array([numbers.get(name, math.nan) for name in self._targets], np.float64)
        if len(targets) > 1:
            targets = targets[None, :]
        self._learner.learn_rows(indptr, slots, values, targets, [w])

    def _numbers(self, y: Mapping[Any, Any]) -> dict[Any, float]:
        """The targets as numbers, NaN for one that is missing."""
        if not isinstance(y, Mapping):
            raise TypeError(f"y = {shown(y)} must be a dict target → number: {{'price': 3.0}}")
        loss, numbers = self._learner.loss, {}
        for name, value in y.items():
            missing = value is None or type(value).__name__ == "NAType"
            numbers[name] = math.nan if missing else checked_target(value, loss, f"target {name!r}")
        return numbers

    def predict_one(self, x: Event) -> dict[Any, float]:
        """Target → prediction, of the targets that were learned."""
        scores, mean = score_lanes(self._learner, self._encoder, x), self._learner.loss.mean
        return {
            name: float(mean(score))
            for name, score in zip(self._targets, scores.tolist(), strict=False)
        }

    def save(self, path: str | Path) -> Path:
        """Write everything to one file, from which `streamlasso.load` goes on to the same bits."""
        from streamlasso.snapshot import save

        return save(path, self)

    def _take_targets(self, names: list[Any]) -> None:
        """Lanes for so many targets, in place of those there are."""
        self._targets = names
        if len(names) > 1:
            self._learner.rearrange(self._learner.loss, [None] * len(names))

    @property
    def learner(self) -> Learner:
        """The `Learner` underneath."""
        return self._learner

    @property
    def rejected(self) -> int:
        """Events left out because a number was not finite, or too large to be squared."""
        return self._learner.rejected

    @property
    def targets(self) -> tuple[Any, ...]:
        """The names of the targets, in the order in which they came."""
        return tuple(self._targets)

    @property
    def weights(self) -> dict[Any, dict[Name, float]]:
        """Target → name → effective weight, active features only."""
        return {name: self._learner.weights(k) for k, name in enumerate(self._targets)}

    @property
    def intercept(self) -> dict[Any, float]:
        """Target → intercept; never penalised."""
        return {name: self._learner.intercept(k) for k, name in enumerate(self._targets)}

"""What an estimator says of its model."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from streamlasso.encoding import RowEncoder
from streamlasso.export import export_weights
from streamlasso.index import Name
from streamlasso.learner import Learner
from streamlasso.learners import AnyLearner
from streamlasso.refit import Companion, Effect
from streamlasso.rules.base import NEVER
from streamlasso.selection import LaneRow
from streamlasso.stack import StackLearner

__all__ = ["Reports"]


class Reports:
    """Weights, explanations, lanes, of what predictions are made with."""

    grid: Any
    _learner: AnyLearner
    _encoder: RowEncoder
    _companion: Companion | None

    @property
    def learner(self) -> AnyLearner:
        """The `Learner` or `StackLearner` underneath, for arrays and for its counters."""
        return self._learner

    @property
    def weights(self) -> dict[Name, Any]:
        """Name → effective weight, active features only.

        With ``refit=True`` name → `Effect(weight, refitted)`, the second without shrinkage.
        """
        weights = self._learner.weights()
        if self._companion is None:
            return weights
        names = list(weights)
        slots = np.array([self._learner.index.find(name) for name in names], np.uint32)
        refitted = self._companion.learner.weights_of(slots).tolist()
        return {
            name: Effect(weights[name], other) for name, other in zip(names, refitted, strict=True)
        }

    @property
    def intercept(self) -> float:
        """The intercept; never penalised."""
        return self._learner.intercept()

    @property
    def rejected(self) -> int:
        """Events left out because a number was not finite, or too large to be squared."""
        return self._learner.rejected

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
        tracked = self.tracked_features
        return 1.0 - self.active_features / tracked if tracked else 1.0

    def explain_one(self, x: Mapping[Name, Any]) -> dict[Name, Any]:
        """Name → contribution weight·value to the score, largest first; zeros left out.

        The contributions and the intercept add up to the score. Of a stack of rules it is
        weight·(value − centre). With ``refit=True`` name →
        `Effect(contribution, refitted contribution)`.
        """
        parts = self._contributions(x, self._learner, None)
        if self._companion is None:
            return parts
        other = self._contributions(x, self._companion.learner, None)
        return {name: Effect(part, other.get(name, 0.0)) for name, part in parts.items()}

    def _contributions(
        self, x: Mapping[Name, Any], learner: AnyLearner, lane: int | None
    ) -> dict[Name, float]:
        self._encoder.encode(x, allocate=False)
        slots, values = learner.seen_values(self._encoder.slots, self._encoder.values,
                                            self._encoder.size)  # fmt: skip
        parts: dict[Name, float] = {}
        weights = learner.weights_of(slots, lane).tolist()
        for slot, weight, value in zip(slots.tolist(), weights, values.tolist(), strict=True):
            if weight:
                name = learner.index.name(slot)
                parts[name] = parts.get(name, 0.0) + weight * value
        return dict(sorted(parts.items(), key=lambda item: -abs(item[1])))

    def uncertainty_one(self, x: Mapping[Name, Any]) -> float:
        """u(x): how far one more event like this one can move its score (`Learner.uncertainty`)."""
        encoder = self._encoder
        encoder.encode(x, allocate=False)
        return self._learner.uncertainty(encoder.slots[: encoder.size],
                                         encoder.values[: encoder.size])  # fmt: skip

    # Lanes of a grid

    def lane_table(self) -> list[dict[str, Any]]:
        """One row for each combination of the grid, in its order; of a stack one for each rule.

        Its hyper-parameters; ``loss``, the mean progressive loss, and its ``standard_error``;
        ``recent_loss``, the discounted mean by which lanes are selected; ``share`` of the served
        prediction; ``active_features``. Over ``l1`` it is the regularisation path of the stream.
        """
        learner = self._learner
        if not isinstance(learner, Learner):
            return learner.lane_table()
        ledger = self._ledger()
        active = learner.survey()[1][0]
        table = []
        for lane, varied in enumerate(self._varied()):
            weight = float(ledger[LaneRow.ALL_WEIGHT, lane])
            mean = float(ledger[LaneRow.ALL_LOSS, lane]) / weight if weight else float("nan")
            square = float(ledger[LaneRow.ALL_SQUARE, lane]) / weight if weight else float("nan")
            recent = float(ledger[LaneRow.WEIGHT, lane])
            table.append({
                **varied,
                "loss": mean,
                "standard_error": max(square - mean * mean, 0.0) ** 0.5 / max(weight, 1.0) ** 0.5,
                "recent_loss": float(ledger[LaneRow.LOSS, lane]) / recent if recent else mean,
                "share": float(ledger[LaneRow.SHARE, lane]),
                "active_features": int(active[lane]),
            })  # fmt: skip
        return table

    def path(self) -> list[tuple[dict[str, float], float, dict[Name, float]]]:
        """For each combination of the grid: its hyper-parameters, intercept and weights."""
        self._ledger()
        learner = self._learner
        return [
            (varied, learner.intercept(lane), learner.weights(lane))
            for lane, varied in enumerate(self._varied())
        ]

    def _ledger(self) -> Any:
        learner = self._learner
        if not isinstance(learner, Learner) or learner.select is None:
            raise TypeError(
                "there are no lanes of a grid: give the estimator one, {'l1': [0.1, 1, 10]}"
            )
        return learner.ledger

    def _varied(self) -> list[dict[str, float]]:
        """The hyper-parameters of the grid, lane by lane, as numbers."""
        varied = [{name: rule.value(name) for name in self.grid} for rule in self._learner.rules]
        return [{k: math.inf if v == NEVER else v for k, v in row.items()} for row in varied]

    def export(self, path: str | Path) -> Path:
        """Write the intercept and the active weights alone, as ``.json`` or ``.csv``.

        JSON: ``{"loss", "intercept", "weights": [{"name", "weight"}, …]}``; CSV: columns ``name``
        and ``weight``, the intercept first under an empty name. Largest weights first. A name
        that is no string is written as JSON. Of a stack of rules each has a ``centre`` too: score =
        intercept + Σ weight·(value − centre) over the features of an event.
        """
        learner = self._learner
        centres = learner.centres() if isinstance(learner, StackLearner) else None
        return export_weights(
            Path(path), learner.loss.name, self.intercept, learner.weights(), centres
        )

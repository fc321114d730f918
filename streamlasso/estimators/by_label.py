"""What a classifier says of itself: of more than two classes label by label."""

from pathlib import Path
from typing import Any

from streamlasso.estimators.base import Event, SparseLinear
from streamlasso.export import export_classes
from streamlasso.index import Name
from streamlasso.labels import Labels
from streamlasso.learner import Learner

__all__ = ["ByLabel"]


class ByLabel(SparseLinear):
    """Reports of two classes as of one score, of more by label."""

    _labels: Labels

    def predict_one(self, x: Event, token: Any = None) -> Any:
        """The most likely label."""
        raise NotImplementedError

    @property
    def classes(self) -> tuple[Any, ...]:
        """The labels; with two, the negative and the positive one."""
        return self._labels.classes

    @property
    def _many(self) -> bool:
        return self._learner.loss.together

    @property
    def weights(self) -> dict[Any, Any]:
        """Name → effective weight, active features only; of many classes label → such a dict."""
        if not self._many:
            return super().weights
        weights = enumerate(self.classes)
        return {label: self._learner.weights(lane) for lane, label in weights}

    @property
    def intercept(self) -> Any:
        """The intercept, never penalised; of many classes label → intercept."""
        if not self._many:
            return super().intercept
        return {label: self._learner.intercept(k) for k, label in enumerate(self.classes)}

    @property
    def active_features(self) -> int:
        """Number of features whose effective weight is not zero, in any class."""
        if not self._many:
            return super().active_features
        return len({name for weights in self.weights.values() for name in weights})

    def explain_one(self, x: Event, label: Any = None) -> dict[Name, Any]:
        """Name → contribution weight·value to the score, largest first; zeros left out.

        The contributions and the intercept add up to the score: with two classes that of the
        positive one, with more that of ``label``, by default the one predicted.
        """
        if not self._many:
            return super().explain_one(x)
        if label is None:
            label = self.predict_one(x)
        if label not in self.classes:
            raise ValueError(f"label = {label!r} is none of the classes {list(self.classes)}")
        return self._contributions(x, self._learner, self.classes.index(label))

    def uncertainty_one(self, x: Event) -> float:
        """u(x): how far one more event like this one can move its score, of many the widest."""
        if not self._many:
            return super().uncertainty_one(x)
        encoder, learner = self._encoder, self._learner
        encoder.encode(x, allocate=False)
        row = encoder.slots[: encoder.size], encoder.values[: encoder.size]
        return max(learner.uncertainty(*row, lane) for lane in range(len(self.classes)))

    def export(self, path: str | Path) -> Path:
        """Write the intercepts and the active weights alone, as ``.json`` or ``.csv``.

        Of two classes as `SparseRegressor.export`; of more label by label: JSON ``{"loss",
        "classes": [{"label", "intercept", "weights"}, …]}``, CSV columns ``label``, ``name`` and
        ``weight``.
        """
        if not self._many:
            return super().export(path)
        learner = self._learner
        centres = None if isinstance(learner, Learner) else learner.centres()
        return export_classes(Path(path), learner.loss.name, self.intercept, self.weights, centres)

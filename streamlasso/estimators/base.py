"""What the river estimators share: parameters, encoding, learning, files."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from streamlasso.arrays import checked_importances, checked_targets
from streamlasso.checks import check_importance, flag, reals, refuse_infinite
from streamlasso.encoding import RowEncoder, frame_rows
from streamlasso.estimators.making import make_learner
from streamlasso.estimators.pending import Pending, checked_token
from streamlasso.estimators.reports import Reports
from streamlasso.feeding import learn_events
from streamlasso.frames import check_frame, frame_entries
from streamlasso.grid import listed
from streamlasso.index import FeatureIndex, GrowingIndex, Name, checked_index
from streamlasso.interactions import Interactions, checked_interactions
from streamlasso.learner import Learner
from streamlasso.losses import LOSSES, Loss, get_loss
from streamlasso.refit import Companion
from streamlasso.rules import RULES, FTRLProximal, Newton
from streamlasso.selection import checked_select

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Event", "SparseLinear"]

Event = Mapping[Name, Any]
Array = npt.NDArray[Any]


class SparseLinear(Reports):
    """Base of the estimators for one target or label."""

    _domains: tuple[str, ...]

    def __init__(
        self,
        rule: Any,
        loss: str | Loss,
        index: FeatureIndex | None,
        fit_intercept: bool,
        scale: str | None,
        grid: Mapping[str, Iterable[Any]] | None,
        select: str,
        refit: bool,
        interactions: Interactions,
        serve: str | float,
        tolerance: float,
        max_active: int | None,
        max_pending: int,
        dtype: str,
    ) -> None:
        self.rule = rule
        self.loss = loss
        self.index = index
        self.fit_intercept = fit_intercept
        self.scale = scale
        # Lists: a generator would be empty in a clone, and the file holds plain numbers.
        self.grid = None if grid is None else listed(grid)
        self.select = checked_select(select, grid)
        self.refit = flag("refit", refit)
        # A list: river's clone asks for the first item of a tuple.
        self.interactions = list(checked_interactions(interactions))
        self.serve, self.tolerance, self.max_active = serve, tolerance, max_active
        self.max_pending, self.dtype = max_pending, dtype
        self._learner = make_learner(
            rule,
            get_loss(loss, self._domains),
            # A parameter is a template: clones of one estimator must not share names.
            GrowingIndex() if index is None else checked_index(index).fresh(),
            fit_intercept,
            scale,
            self.grid,
            select,
            refit,
            self._serving,
            dtype,
        )
        self._pending = Pending(max_pending)
        if refit and self._learner.index.evicts:
            raise ValueError(
                f"refit = True with {index!r}: a slot that is freed would keep the refitted weight "
                "of another name; use at_limit = 'refuse'"
            )
        one = self._learner if isinstance(self._learner, Learner) else None
        self._companion = Companion(one) if refit and one is not None else None
        self._encoder = self._new_encoder()

    @property
    def _serving(self) -> dict[str, Any]:
        return {"serve": self.serve, "tolerance": self.tolerance, "max_active": self.max_active}

    def _new_encoder(self) -> RowEncoder:
        learner = self._learner
        return RowEncoder(learner.index, learner.dtype, interactions=self.interactions)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_encoder"}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)
        self._encoder = self._new_encoder()

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        """Every rule, every loss of the domains, and each other option, for river's checks."""
        yield {}
        yield from ({"rule": rule()} for rule in RULES.values())
        yield from ({"loss": name} for name, loss in LOSSES.items() if loss.domain in cls._domains)
        yield {"scale": "rms-max"}
        yield {"grid": {"alpha": [0.1, 1.0], "l1": [0.1, 1.0]}, "select": "mix"}
        yield {"refit": True}
        yield {"rule": [FTRLProximal(l1="evidence"), Newton()], "select": "stack"}
        yield {"max_active": 3}
        yield {"dtype": "float32"}

    # Learning and scoring

    def _learn(self, x: Event, target: float, w: float, token: Any = None) -> None:
        encoder, learner = self._encoder, self._learner
        if token is not None:
            token = checked_token(token)
        try:
            allocate = w > 0
        except TypeError:
            allocate = False
        if not allocate:
            check_importance(w)
        if encoder.table and type(x) is dict and token is None and self._companion is None:
            score = learner.learn_event(x, encoder, target, w)
            if score is not None:
                return
        encoder.encode(x, allocate)
        if token is None or isinstance(learner, Learner):
            learner.learn_row(encoder.slots, encoder.values, encoder.size, target, w)
        else:
            row = encoder.slots, encoder.values, encoder.size
            inputs = self._pending.take(token)
            learner.learn_row(*row, target, w, inputs, len(self._pending))
        if self._companion is not None and isinstance(learner, Learner):
            slots, values = encoder.slots[: encoder.size], encoder.values[: encoder.size]
            self._companion.learn(learner, (slots, values), target, w)

    def _score(self, x: Event, token: Any = None) -> float:
        encoder = self._encoder
        if token is not None:
            token = checked_token(token)
        score = None
        if encoder.table and type(x) is dict:
            score = self._learner.score_event(x, encoder)
        if score is None:
            encoder.encode(x, False)
            score = self._learner.score_row(encoder.slots, encoder.values, encoder.size)
        if token is not None:
            self._remember(token)
        if score - score:  # NaN, of what is not finite
            refuse_infinite(x)
        return score

    def _remember(self, token: Any) -> None:
        """Keep the event that was just scored until its label comes, if there is a token."""
        learner = self._learner
        if token is not None and not isinstance(learner, Learner):
            self._pending.keep(token, learner.last_inputs())

    def _importances(self, w: Any, rows: int) -> Array:
        given = reals("importance w", w)
        if np.isnan(given).any():
            raise ValueError("importance w = nan must be ≥ 0; drop the row instead")
        importances = np.broadcast_to(given, (rows,))
        return checked_importances(importances, rows, self._learner.dtype)

    def _learn_frame(self, X: "pd.DataFrame", targets: Array, w: Any) -> None:
        learner = self._learner
        targets = checked_targets(targets, len(X), learner.loss, learner.dtype)
        importances = self._importances(w, len(X))
        entries = None
        if self._companion is None:
            entries = frame_entries(self._encoder, X, importances != 0)
        if entries is not None:
            learner.learn_encoded(*entries, targets, importances)
            return
        check_frame(self._encoder, X)
        events = frame_rows(X)
        if self._companion is not None:  # it must see the weights as they were at each row
            for event, target, one in zip(events, targets, importances, strict=True):
                self._learn(event, float(target), float(one))
        else:
            learn_events(learner, self._encoder, events, targets, importances)

    def _score_frame(self, X: "pd.DataFrame") -> Array:
        rows = frame_entries(self._encoder, X, None)
        if rows is None:
            rows = self._encoder.encode_rows(frame_rows(X), allocate=False)
        scores = self._learner.score_rows(*rows)
        if not np.isfinite(scores).all():
            for event in frame_rows(X):
                refuse_infinite(event)
        return scores

    @property
    def companion(self) -> Learner | None:
        """With ``refit``, the learner without penalties."""
        return None if self._companion is None else self._companion.learner

    # Start and files

    def warm_start(self, source: Any, *, trust: float = 1.0, **options: Any) -> None:
        """Start from the weights of another model; learning goes on from there.

        An event without a slope changes nothing but what a penalty per event takes.

        Parameters
        ----------
        source, options
            A mapping name → weight, a fitted scikit-learn model, a VowpalWabbit readable model
            (``--invert_hash``), an exported file, another estimator:
            `streamlasso.coefficients.coefficients_from`.
        trust
            The root of a weight's sum of squared gradients that the source stands for, ≥ 0: the
            larger, the slower the weights move away from it.
        """
        from streamlasso.coefficients import checked_options, coefficients_from

        learner = self._learner
        if not isinstance(learner, Learner):
            raise TypeError(
                "a stack of rules cannot start from given weights: each lane would need its own; "
                "give a rule, rule=FTRLProximal()"
            )
        given = coefficients_from(source, **checked_options(options))
        self._take_classes(given.classes)
        learner.plant(given.weights, given.intercept, trust)
        if self._companion is not None:
            self._companion.learner.plant(given.weights, given.intercept, trust)

    def _take_classes(self, classes: tuple[Any, Any] | None) -> None:
        """Take the labels of a source."""

    def save(self, path: str | Path) -> Path:
        """Write everything to one file, from which `streamlasso.load` goes on to the same bits."""
        from streamlasso.snapshot import save

        return save(path, self)  # type: ignore[arg-type]

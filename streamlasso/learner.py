"""`Learner`: arrays in, scores out. It owns the state; all arithmetic is in the kernels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso import eviction
from streamlasso.addresses import VOID, Described
from streamlasso.checks import flag
from streamlasso.events import ROWS
from streamlasso.index import FeatureIndex, GrowingIndex, checked_index
from streamlasso.kernels import FIRST
from streamlasso.layout import check, new_ledger, rearranged, stack_hyper
from streamlasso.losses import Loss, get_loss
from streamlasso.naming import Naming
from streamlasso.readings import Readings
from streamlasso.recipe import TOUCHED, Recipe
from streamlasso.rules import Rule
from streamlasso.specialise import Kernels, kernels_for
from streamlasso.taking_one import TakesOne

__all__ = ["Learner"]

Array = npt.NDArray[Any]


class Learner(Readings, TakesOne):
    """One linear model, or several side by side, over the slots of one index.

    score = intercept + Σ weight[slot]·value. Learning returns the scores from *before* the update,
    so that Σ loss(score, target) is the progressive loss without a second pass.

    Parameters
    ----------
    rule
        What to do to a weight. A sequence of rules of one kind and mode gives as many *lanes*:
        models with different hyper-parameters that learn in the same pass.
    loss
        A loss or its name. Targets are in its own domain: 0 and 1 for ``logistic`` and ``hinge``.
        With ``Softmax(classes=K)`` the rule learns K lanes, one for each class.
    index
        Where names live; an empty `GrowingIndex` by default.
    fit_intercept
        Whether to learn an intercept, which is never penalised.
    dtype
        ``"float64"`` or ``"float32"`` for the state. Rules that keep a clock need float64.
    compiled
        False runs the same kernels as plain Python: slow, for a debugger.
    scale
        Divide each feature's values by their own size: ``"max"``, ``"rms"``, ``"rms-max"``
        (`streamlasso.scales`); None leaves them as they are.
    select
        With several rules: which lane is served, ``"leader"``, ``"mix"`` or ``"1se"``
        (`streamlasso.selection`). None returns the scores of all.
    outputs
        How many targets each event has; each is a lane of its own with the same rule.
    memory
        With ``select``: the half-life, in events, of the lanes' discounted losses.

    Examples
    --------
    >>> import numpy as np
    >>> from streamlasso import FTRLProximal, HashingIndex, Learner
    >>> learner = Learner(FTRLProximal(l1=0.1), "logistic", HashingIndex(bits=8))
    >>> indptr, slots = np.array([0, 2, 3]), np.array([10, 11, 10])
    >>> learner.learn_rows(indptr, slots, np.ones(3), np.array([1.0, 0.0])).round(3)
    array([0.  , 0.06])
    """

    state, hyper, counts, ledger = Described(), Described(), Described(), Described()

    def __init__(
        self,
        rule: Rule | Sequence[Rule],
        loss: str | Loss = "squared",
        index: FeatureIndex | None = None,
        *,
        fit_intercept: bool = True,
        dtype: str = "float64",
        compiled: bool = True,
        scale: str | None = None,
        select: str | None = None,
        outputs: int = 1,
        memory: float = 3000.0,
    ) -> None:
        self.loss = get_loss(loss)
        self.outputs = outputs
        one: Any = rule
        listed = isinstance(one, Sequence) and not isinstance(one, str)
        given: tuple[Rule, ...] = tuple(one) if listed else (one,)
        several = int(self.loss.hyper()[0]) if self.loss.together else outputs
        self.rules = given * several if len(given) == 1 else given
        self.index: FeatureIndex = GrowingIndex() if index is None else checked_index(index)
        self.fit_intercept = flag("fit_intercept", fit_intercept)
        self.dtype = dtype
        self.compiled = compiled
        self.scale = scale
        self.select = select
        check(self, given)
        self.counts = np.zeros((4, self.lanes), np.int64)
        self.hyper = stack_hyper(self.rules, self.lanes, dtype)
        self.ledger = new_ledger(len(self.rules), self.lanes, self.loss, select, memory)
        width = self.recipe.width
        capacity = min(max(self.index.size, 64), self.index.limit)
        self.state = np.zeros((capacity, width), dtype)
        self._prepare()

    @property
    def recipe(self) -> Recipe:
        """What its kernels are compiled for."""
        return Recipe.of(
            self.rule, self.loss, self.lanes, scale=self.scale, select=self.select,
            several_targets=self.outputs > 1, evicts=self.index.evicts,
            dtype=self.dtype,
        )  # fmt: skip

    def _prepare(self) -> None:
        """What is derived and stays out of pickles: kernels and scratch."""
        self._kernels: Kernels = kernels_for(self.recipe, compiled=self.compiled)
        self._events: Array = np.zeros((ROWS, self.lanes), self.dtype)
        self._scores: Array = np.zeros((1, self._width), self.dtype)
        self._loss_hyper = self.loss.hyper().astype(self.dtype)
        eviction.attach(self)
        self._naming = Naming(self.rules, self.recipe)
        self._ready = FIRST if self._naming.needed else len(self.state)
        self._clear_desk()

    def _arrays(self) -> tuple[Array, ...]:
        return (
            self.state, self.hyper, self.counts, self._events, self.ledger, self._loss_hyper,
            self._scores,
        )  # fmt: skip

    def refresh(self) -> None:
        """Forget what was derived from the names: after arrays were put in place."""
        self._prepare()

    @property
    def _width(self) -> int:
        """Columns of an array of scores: the lanes, and what is served of them."""
        return self.lanes + (self.select is not None)

    def __getstate__(self) -> dict[str, Any]:
        derived = ("_kernels", "_events", "_scores", "_loss_hyper", "_naming", "_ready",
                   "_desk", "_flags")  # fmt: skip
        return {name: value for name, value in self.__dict__.items() if name not in derived}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)
        self._prepare()

    def rearrange(self, loss: Loss, sources: Sequence[int | None]) -> None:
        """Other lanes for a loss with other classes, or for other outputs.

        ``sources`` names for each new lane the old one that it goes on from; None is a new model.
        """
        old = self.recipe
        if not loss.together:
            self.outputs = len(sources)
        self.loss, self.rules = loss, (self.rule,) * len(sources)
        fresh = stack_hyper(self.rules, self.lanes, self.dtype)
        self.state, self.hyper, self.counts = rearranged(
            self.state, self.hyper, self.counts, old, self.recipe, fresh, sources
        )
        self._prepare()

    # Learning and scoring

    def score_lanes(self, slots: Array, values: Array, size: int) -> Array:
        """The scores of one row by all lanes, shape (models,); given as for `learn_row`."""
        self.score_row(slots, values, size)
        return self._scores[0, : len(self.rules)].copy()

    def learn_encoded(
        self, indptr: Array, slots: Array, values: Array, targets: Array, importances: Array
    ) -> Array:
        """`learn_rows` for arrays that were made by this package: nothing is checked."""
        self._grow()
        scores = np.empty((len(targets), self._width), self.dtype)
        if targets.ndim == 1:
            targets = targets[:, None]
        self._kernels.learn_rows(
            self.state, self.hyper, self.counts, self._events, self.ledger, self._loss_hyper,
            indptr, slots, values, targets, importances, self.fit_intercept, scores,
        )  # fmt: skip
        return self._lanes_out(scores)

    def _score_encoded(self, indptr: Array, slots: Array, values: Array) -> Array:
        scores = np.empty((len(indptr) - 1, self._width), self.dtype)
        self._kernels.score_rows(
            self.state, self.hyper, self.clock, self.ledger,
            indptr, slots, values, self.fit_intercept, scores,
        )  # fmt: skip
        return self._lanes_out(scores)

    @property
    def touched_column(self) -> int:
        """The column of the clock of a slot's last event, where the index evicts."""
        return self.recipe.offsets[TOUCHED]

    def _grow(self) -> None:
        if self._naming.needed:
            self._naming.allocate(self.index)
        super()._grow()
        if self._naming.needed:
            self._naming.prepare(self.index, self.state)
            self._ready = self._naming.known
        self._desk = VOID

    def _lanes_out(self, scores: Array) -> Array:
        if self.select is not None:
            return scores[:, -1]
        return scores[:, 0] if len(self.rules) == 1 else scores[:, : len(self.rules)]

"""`Learner`: arrays in, scores out. It owns the state; all arithmetic is in the kernels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso import eviction
from streamlasso.arrays import checked_importances, checked_rows, checked_targets, csr_slots
from streamlasso.index import FeatureIndex, GrowingIndex, Name
from streamlasso.kernels import ACTIVATED, CLOCK, DEACTIVATED, FIRST, INTERCEPT, REJECTED, UNSEEN
from streamlasso.losses import Loss, get_loss
from streamlasso.rules import Rule
from streamlasso.specialise import Kernels, kernels_for

__all__ = ["Learner"]

Array = npt.NDArray[Any]


class Learner:
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
    index
        Where names live; an empty `GrowingIndex` by default.
    fit_intercept
        Whether to learn an intercept, which is never penalised.
    dtype
        ``"float64"`` or ``"float32"`` for the state. Rules that keep a clock need float64.
    compiled
        False runs the same kernels as plain Python: slow, for a debugger.

    Examples
    --------
    >>> import numpy as np
    >>> from streamlasso import FTRLProximal, HashingIndex, Learner
    >>> learner = Learner(FTRLProximal(l1=0.1), "logistic", HashingIndex(bits=8))
    >>> indptr, slots = np.array([0, 2, 3]), np.array([10, 11, 10])
    >>> learner.learn_rows(indptr, slots, np.ones(3), np.array([1.0, 0.0])).round(3)
    array([0.  , 0.06])
    """

    def __init__(
        self,
        rule: Rule | Sequence[Rule],
        loss: str | Loss = "squared",
        index: FeatureIndex | None = None,
        *,
        fit_intercept: bool = True,
        dtype: str = "float64",
        compiled: bool = True,
    ) -> None:
        self.rules = tuple(rule) if isinstance(rule, Sequence) else (rule,)
        self.loss = get_loss(loss)
        self.index: FeatureIndex = GrowingIndex() if index is None else index
        self.fit_intercept = bool(fit_intercept)
        self.dtype = dtype
        self.compiled = compiled
        self._check()
        width = len(self.rule.shared) + len(self.rule.columns) * self.lanes
        capacity = min(max(self.index.size, 64), self.index.limit)
        self.state: Array = np.zeros((capacity, width), dtype)
        self.touched: Array = np.zeros(capacity if self.index.evicts else 0, np.int64)
        self.counts: Array = np.zeros((4, self.lanes), np.int64)
        self.hyper = self._hyper()
        self._prepare()

    def _check(self) -> None:
        if self.dtype not in ("float64", "float32"):
            raise ValueError(f"dtype = {self.dtype!r} must be 'float64' or 'float32'")
        for rule in self.rules:
            if not isinstance(rule, Rule):
                raise TypeError(f"rule = {rule!r} must be an instance of a rule: FTRLProximal()")
        kinds = {(type(rule), tuple(rule.mode.items())) for rule in self.rules}
        if len(kinds) != 1:
            raise ValueError(
                f"lanes must be rules of one kind and mode, got {list(self.rules)!r}; "
                "use one Learner for each kind"
            )
        clocks = {"stamp", "birth"} & set(self.rule.columns)
        if self.dtype == "float32" and clocks:
            raise ValueError(
                f"dtype = 'float32' with {self.rule!r}: its column {clocks.pop()!r} counts events "
                "and float32 cannot beyond 2^24; use dtype = 'float64'"
            )

    @property
    def rule(self) -> Rule:
        """The rule of the first lane."""
        return self.rules[0]

    @property
    def lanes(self) -> int:
        """Models side by side, padded to a power of two."""
        return 1 << (len(self.rules) - 1).bit_length()

    def _hyper(self) -> Array:
        padded = self.rules + (self.rules[-1],) * (self.lanes - len(self.rules))
        both = [[rule.hyper(intercept=intercept) for rule in padded] for intercept in (True, False)]
        return np.ascontiguousarray(np.array(both, self.dtype).transpose(0, 2, 1))

    def _prepare(self) -> None:
        """What is derived and stays out of pickles: kernels and scratch."""
        self._kernels: Kernels = kernels_for(
            self.rule, self.loss, self.lanes, compiled=self.compiled
        )
        self._events: Array = np.zeros((1, self.lanes), self.dtype)
        self._scores: Array = np.zeros((1, self.lanes), self.dtype)
        self._loss_hyper = self.loss.hyper().astype(self.dtype)
        eviction.attach(self)

    def __getstate__(self) -> dict[str, Any]:
        derived = ("_kernels", "_events", "_scores", "_loss_hyper")
        return {name: value for name, value in self.__dict__.items() if name not in derived}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)
        self._prepare()

    # Learning and scoring

    def learn_row(
        self, slots: Array, values: Array, size: int, target: float, importance: float = 1.0
    ) -> float:
        """Learn one row, given as the first ``size`` entries of ``slots`` and ``values``.

        For callers that own buffers of the right types (uint32, and the state's) and take slots
        from the index: nothing is checked but the importance. Returns the first lane's score.
        """
        if importance < 0:
            raise ValueError(f"importance = {importance!r} must be ≥ 0; drop the event instead")
        if self.index.size > len(self.state):
            eviction.resize(self)
        before = self.clock if len(self.touched) else None
        score: float = self._kernels.learn_row(
            self.state, self.hyper, self.counts, self._events, self._loss_hyper,
            slots, values, size, float(target), float(importance),
            self.fit_intercept, self._scores,
        )  # fmt: skip
        if before is not None:
            eviction.touch(self, before, slots[:size])
        return score

    def score_row(self, slots: Array, values: Array, size: int) -> float:
        """The first lane's score of one row, given as for `learn_row`; changes nothing."""
        score: float = self._kernels.score_row(
            self.state, self.hyper, self.counts, slots, values, size,
            self.fit_intercept, self._scores,
        )  # fmt: skip
        return score

    def learn_rows(
        self,
        indptr: npt.ArrayLike,
        slots: npt.ArrayLike,
        values: npt.ArrayLike,
        targets: npt.ArrayLike,
        importances: npt.ArrayLike | None = None,
    ) -> Array:
        """Learn rows in order; return each one's score from before it was learned.

        Parameters
        ----------
        indptr
            Row i has the entries ``indptr[i]:indptr[i + 1]``; shape (rows + 1,).
        slots, values
            Slots ≥ 2 of the index, and values. A slot that occurs twice in a row is learned as two
            separate features with one weight. A NaN or infinity anywhere leaves the state
            untouched by that row, which `rejected` counts.
        targets
            In the domain of the loss; shape (rows,).
        importances
            Weights ≥ 0 of the rows. They multiply the slope, so 2 is not the same as learning
            twice; 0 scores without learning.

        Returns
        -------
        Scores, shape (rows,), or (rows, lanes) with more than one lane.
        """
        indptr, slots, values = self._rows(indptr, slots, values, lowest=FIRST)
        eviction.refuse_freed(self, slots)
        rows = len(indptr) - 1
        targets = checked_targets(targets, rows, self.loss, self.dtype)
        importances = checked_importances(importances, rows, self.dtype)
        return self.learn_encoded(indptr, slots, values, targets, importances)

    def learn_encoded(
        self, indptr: Array, slots: Array, values: Array, targets: Array, importances: Array
    ) -> Array:
        """`learn_rows` for arrays that were made by this package: nothing is checked."""
        eviction.resize(self)
        if len(self.touched) and len(targets) > 1:  # row by row, to know which were rejected
            return eviction.learn_each(self, indptr, slots, values, targets, importances)
        before = self.clock if len(self.touched) else None
        scores = np.empty((len(targets), self.lanes), self.dtype)
        self._kernels.learn_rows(
            self.state, self.hyper, self.counts, self._events, self._loss_hyper,
            indptr, slots, values, targets, importances, self.fit_intercept, scores,
        )  # fmt: skip
        eviction.touch(self, before, slots)
        return self._lanes_out(scores)

    def score_rows(
        self, indptr: npt.ArrayLike, slots: npt.ArrayLike, values: npt.ArrayLike
    ) -> Array:
        """Scores of rows given as for `learn_rows`; slot 1 stands for an unknown name."""
        indptr, slots, values = self._rows(indptr, slots, values, lowest=UNSEEN)
        scores = np.empty((len(indptr) - 1, self.lanes), self.dtype)
        self._kernels.score_rows(
            self.state, self.hyper, self.clock, indptr, slots, values, self.fit_intercept, scores
        )
        return self._lanes_out(scores)

    def learn_csr(
        self, X: Any, y: npt.ArrayLike, importances: npt.ArrayLike | None = None
    ) -> Array:
        """`learn_rows` for a scipy CSR matrix: column ``j`` is the feature named ``j``."""
        if self.index.selective:
            return eviction.learn_csr_each(self, X, y, importances)
        slots = csr_slots(X, self.index.add)
        return self.learn_rows(X.indptr, slots, X.data, y, importances)

    def score_csr(self, X: Any) -> Array:
        """`score_rows` for a scipy CSR matrix."""
        slots = csr_slots(X, self.index.find)
        return self.score_rows(X.indptr, slots, X.data)

    def _rows(self, *arrays: npt.ArrayLike, lowest: int) -> tuple[Array, Array, Array]:
        eviction.resize(self)
        return checked_rows(*arrays, dtype=self.dtype, lowest=lowest, capacity=len(self.state))

    evict = eviction.evict

    def _lanes_out(self, scores: Array) -> Array:
        return scores[:, 0] if len(self.rules) == 1 else scores[:, : len(self.rules)]

    # What was learned

    @property
    def clock(self) -> int:
        """Events learned so far."""
        return int(self.counts[CLOCK, 0])

    @property
    def rejected(self) -> int:
        """Rows left out because a number was not finite or too large to be squared."""
        return int(self.counts[REJECTED, 0])

    def effective_weights(self) -> Array:
        """Every slot's weight with pending shrinkage applied, shape (capacity, lanes)."""
        weights = np.zeros((len(self.state), self.lanes), self.dtype)
        self._kernels.read_all(self.state, self.hyper, self.clock, weights)
        return weights

    def weights(self, lane: int = 0) -> dict[Name, float]:
        """Name → effective weight of the active features of one lane."""
        weights = self.effective_weights()[:, lane]
        active = np.flatnonzero(weights)
        return {
            self.index.name(slot): weight
            for slot, weight in zip(active.tolist(), weights[active].tolist(), strict=True)
            if slot >= FIRST
        }

    def intercept(self, lane: int = 0) -> float:
        """The intercept of one lane."""
        only = np.zeros((1, self.lanes), self.dtype)
        self._kernels.read_all(self.state[:1], self.hyper, self.clock, only)
        return float(only[INTERCEPT, lane]) if self.fit_intercept else 0.0

    def survey(self) -> tuple[int, Array]:
        """Sweep the state: tracked features, and per lane active ones, Σ|w|, max |w| (3, lanes).

        It also corrects the running counts of `active_count`: weights that died untouched.
        """
        sums = np.zeros((3, self.lanes))
        tracked = int(self._kernels.survey(self.state, self.hyper, self.clock, sums))
        self.counts[DEACTIVATED] += self.active_count() - sums[0].astype(np.int64)
        return tracked, sums

    def active_count(self) -> Array:
        """Active features per lane as counted at the touch: O(1).

        Exact for rules whose weights change only when touched. For the others (``rule.fades``) it
        is exact right after a `survey` and too large later: a weight that died untouched and came
        back counts twice.
        """
        count: Array = self.counts[ACTIVATED] - self.counts[DEACTIVATED]
        return count

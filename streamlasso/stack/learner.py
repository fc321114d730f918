"""`StackLearner`: several rules side by side, a second layer over them, one sparse model served."""

from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso import eviction
from streamlasso.addresses import Described
from streamlasso.checks import flag
from streamlasso.growth import zeros
from streamlasso.index import FeatureIndex, GrowingIndex, checked_index
from streamlasso.kernels.names import LATE, PENDING
from streamlasso.losses import Loss, get_loss
from streamlasso.stack import compiling
from streamlasso.stack.families import checked_lanes, lane_rows, lanes_for
from streamlasso.stack.places import Book, Scratch
from streamlasso.stack.readings import StackReadings
from streamlasso.stack.serving import checked_serving, put_levels

__all__ = ["StackLearner"]

Array = npt.NDArray[Any]
BINS = 4096


class StackLearner(StackReadings):
    """One sparse linear model without anything to tune: `docs/untuned.md`.

    score = intercept + Σ weight[slot]·(value − centre[slot]). Learning returns the scores from
    *before* the update, as `Learner` does.

    Parameters
    ----------
    loss
        ``"logistic"``, ``"squared"`` or ``"poisson"``.
    index
        Where names live; an empty `GrowingIndex` by default.
    lanes
        The rules, or `Lane`s; up to 16, in a record padded to a power of two. By default eight,
        ``streamlasso.stack.families.lanes_for(loss)``.
    serve
        ``"sparsest"``: the sparsest model within the tolerance of the best; ``"all"``: every
        feature with a weight; a number: features worth so many nats.
    tolerance
        The share of loss (of its root for the squared loss) that sparsity may cost.
    max_active
        Serve about so many features, those worth most, counted four times an octave of rows.
    fit_intercept
        Must be True: the second layer has one.
    dtype
        ``"float64"`` or ``"float32"`` for the records; arithmetic is in float64.
    compiled
        False runs the same kernels as plain Python: slow, for a debugger.

    A record is 8·(16 + 2·lanes) bytes a feature, 256 with eight lanes, half of it in float32.

    Examples
    --------
    >>> import numpy as np
    >>> from streamlasso import HashingIndex
    >>> from streamlasso.stack import StackLearner
    >>> learner = StackLearner("logistic", HashingIndex(bits=8))
    >>> indptr, slots = np.array([0, 2, 3]), np.array([10, 11, 10])
    >>> learner.learn_rows(indptr, slots, np.ones(3), np.array([1.0, 0.0])).shape
    (2,)
    """

    state, lanes_array, book, _kept = Described(), Described(), Described(), Described()

    def __init__(
        self,
        loss: str | Loss = "logistic",
        index: FeatureIndex | None = None,
        *,
        lanes: Any = None,
        serve: str | float = "sparsest",
        tolerance: float = 0.005,
        max_active: int | None = None,
        fit_intercept: bool = True,
        dtype: str = "float64",
        compiled: bool = True,
    ) -> None:
        self.loss = get_loss(loss)
        name = self.loss.name
        if name not in compiling.FAMILIES:
            choices = ", ".join(compiling.FAMILIES)
            raise ValueError(
                f"loss = {name!r} has no stack; choose one of {choices}, or give a rule: "
                "rule=FTRLProximal()"
            )
        if not flag("fit_intercept", fit_intercept):
            raise ValueError(
                "fit_intercept = False without a rule: the second layer has an intercept; give a "
                "rule, rule=FTRLProximal(), or leave fit_intercept out"
            )
        checked_serving(serve, tolerance, max_active)
        self.fit_intercept = True
        self.index: FeatureIndex = GrowingIndex() if index is None else checked_index(index)
        if faults := eviction.dtype_faults(dtype, self.index):
            raise ValueError(faults[0])
        self.models = lanes_for(name) if lanes is None else checked_lanes(lanes)
        self.dtype, self.compiled = dtype, compiled
        self.lanes_array = lane_rows(self.models, name)
        self._prepare()
        capacity = min(max(self.index.size, 64), self.index.limit)
        self.state = zeros((capacity, self._at["WIDTH"]), dtype)
        self.book = np.zeros(self._at["BOOK"])
        put_levels(self.book, self._at["LEVEL"], Book, serve, tolerance, max_active)
        self._kernels.start(self.lanes_array, self.book)

    def _prepare(self) -> None:
        """What is derived and stays out of pickles: kernels and scratch."""
        name, lanes, evicts = self.loss.name, self.lanes_array.shape[1], self.index.evicts
        self._at = compiling.sizes(name, lanes, evicts)
        self._kernels = compiling.kernels_for(
            self.loss, lanes, evicts, self.dtype, compiled=self.compiled
        )
        self._scratch = zeros((len(Scratch), lanes), np.float64)
        self._inputs = np.zeros(self._at["INPUTS_SIZE"])
        self._gains = np.zeros(self._at["INPUTS_SIZE"])
        self._kept = zeros((64, self._at["KEPT"]), np.float64)
        self._bins = np.zeros(BINS)
        self._score = np.zeros((1, 2))
        self._late = np.zeros(self._at["INPUTS_SIZE"])
        self._ready = 0
        eviction.attach(self)
        self._clear_desk()

    def _arrays(self) -> tuple[Array, ...]:
        return (
            self.state, self.lanes_array, self.book, self._scratch, self._inputs, self._gains,
            self._kept, self._bins, self._score, self._late,
        )  # fmt: skip

    # Learning and scoring

    def learn_row(
        self,
        slots: Array,
        values: Array,
        size: int,
        target: float,
        importance: float = 1.0,
        inputs: Array | None = None,
        pending: int = 0,
    ) -> float:
        """Learn one row, given as for `Learner.learn_row`; return its served score from before.

        ``inputs`` are those that `inputs_of` gave when the row was predicted, for a label that
        comes late; ``pending`` is how many other rows wait for theirs.
        """
        if inputs is None and not pending:
            return super().learn_row(slots, values, size, target, importance)
        if inputs is not None:
            self._late[:] = inputs
        flags = self._flags
        flags[LATE], flags[PENDING] = inputs is not None, pending
        try:
            return super().learn_row(slots, values, size, target, importance)
        finally:
            flags[LATE] = flags[PENDING] = 0

    def inputs_of(self, slots: Array, values: Array, size: int) -> Array:
        """What the second layer sees of a row now: to be kept until its label comes."""
        self.score_row(slots, values, size)
        return self.last_inputs()

    def score_lanes(self, slots: Array, values: Array, size: int) -> Array:
        """The served score of one row, shape (1,)."""
        return np.array([self.score_row(slots, values, size)])

    def learn_encoded(
        self, indptr: Array, slots: Array, values: Array, targets: Array, importances: Array
    ) -> Array:
        """`learn_rows` for arrays that were made by this package: nothing is checked."""
        return self._learn_both(indptr, slots, values, targets, importances)[:, 0]

    def _learn_both(
        self, indptr: Array, slots: Array, values: Array, targets: Array, importances: Array
    ) -> Array:
        """Served and full scores, shape (rows, 2)."""
        self._grow()
        self._hold(int(np.diff(indptr).max(initial=0)))
        scores = np.empty((len(targets), 2))
        self._kernels.learn_rows(
            self.state, self.lanes_array, self.book, self._scratch, self._inputs, self._gains,
            self._kept, self._bins, indptr, slots, values, targets, importances, scores,
        )  # fmt: skip
        return scores

    def _score_encoded(self, indptr: Array, slots: Array, values: Array) -> Array:
        self._hold(int(np.diff(indptr).max(initial=0)))
        scores = np.empty((len(indptr) - 1, 2))
        self._kernels.score_rows(
            self.state, self.lanes_array, self.book, self._scratch, self._inputs, self._kept,
            indptr, slots, values, scores,
        )  # fmt: skip
        return scores[:, 0]

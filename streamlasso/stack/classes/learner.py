"""`ClassStackLearner`: a stack for as many classes as come."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso import eviction
from streamlasso.index import FeatureIndex, GrowingIndex, checked_index
from streamlasso.losses import Softmax
from streamlasso.penalties import Evidence
from streamlasso.rules import FTRLProximal, Newton
from streamlasso.stack import compiling
from streamlasso.stack.classes import places
from streamlasso.stack.classes.places import ClassBook, ClassScratch, Each
from streamlasso.stack.classes.readings import ClassReadings
from streamlasso.stack.families import MEMORY, Lane, lane_rows
from streamlasso.stack.learner import StackLearner
from streamlasso.stack.places import Book, Row
from streamlasso.stack.serving import checked_serving, put_levels

__all__ = ["CLASS_LANES", "ClassStackLearner"]

Array = npt.NDArray[Any]
BINS = 4096

CLASS_LANES = (
    Lane(FTRLProximal(alpha=0.15, beta=0.3, l1=Evidence(0.5))),
    Lane(FTRLProximal(alpha=0.5, beta=0.3, l1=Evidence(0.5))),
    Lane(Newton(prior_variance=0.3)),
    Lane(FTRLProximal(alpha=0.5, beta=0.3, l1=Evidence(0.5)), MEMORY),
)
"""Of each class against the rest."""


class ClassStackLearner(ClassReadings):
    """A stack for ``classes`` ≥ 2 classes, numbered from 0; `add_class` makes room for one more.

    Lanes learn one class against the rest; scale, centre and second layer are shared
    (`streamlasso.stack.classes.layer`). Scores have a column for each class.

    ``serve``, ``tolerance``, ``max_active``, ``index``, ``dtype`` and ``compiled`` are those of
    `streamlasso.stack.StackLearner`. A record is 8·(13 + 9·classes) bytes a feature.
    """

    fit_intercept = True
    models = CLASS_LANES

    def __init__(
        self,
        classes: int = 3,
        index: FeatureIndex | None = None,
        *,
        serve: str | float = "sparsest",
        tolerance: float = 0.005,
        max_active: int | None = None,
        dtype: str = "float64",
        compiled: bool = True,
    ) -> None:
        checked_serving(serve, tolerance, max_active)
        self.loss = Softmax(classes)
        self.index: FeatureIndex = GrowingIndex() if index is None else checked_index(index)
        if faults := eviction.dtype_faults(dtype, self.index):
            raise ValueError(faults[0])
        self.dtype, self.compiled = dtype, compiled
        self.lanes_array = np.tile(lane_rows(self.models, "softmax"), classes)
        self.lanes_array[Row.Q] = self.lanes_array[Row.FIRST_Q]
        self.lanes_array[Row.RATE] = self.lanes_array[Row.FULL_RATE]
        self.lanes_array[Row.THETA] = self.lanes_array[Row.FULL_THETA]
        self.each = np.zeros((len(Each), classes))
        self._prepare()
        capacity = min(max(self.index.size, 64), self.index.limit)
        self.state: Array = np.zeros((capacity, self._width(classes)), dtype)
        self.book = np.zeros((1, self._at["BOOK"]))
        put_levels(self.book[0], self._at["LEVEL"], ClassBook, serve, tolerance, max_active)
        self._kernels.start(self.lanes_array, self.book, self.each)

    def _width(self, classes: int) -> int:
        return self._at["BLOCKS"] + classes * self._at["BLOCK"]

    def _prepare(self) -> None:
        """What is derived and stays out of pickles: kernels and scratch."""
        lanes, evicts = self.lanes, self.index.evicts
        self._at = places.sizes(lanes, evicts)
        self._kernels = compiling.class_kernels(lanes, evicts, compiled=self.compiled)
        classes = self.classes
        self._scratch = np.zeros((len(ClassScratch), classes * lanes))
        self._inputs = np.zeros((classes, self._at["INPUTS_SIZE"]))
        rows, width = max(classes, self._at["INPUTS"]), self._at["INPUTS_SIZE"]
        self._work = np.zeros((rows, width))
        self._gradient = np.zeros(2 * self._at["INPUTS"])
        self._kept = np.zeros((64, classes * lanes))
        self._bins = np.zeros(BINS)
        self._ready = 0
        eviction.attach(self)

    @classmethod
    def from_two(cls, two: StackLearner, serving: Mapping[str, Any]) -> "ClassStackLearner":
        """Go on from a stack of two classes, with a third that has been absent so far.

        Each lane begins as the most alike of the other's: the positive class as it was learned, the
        negative one with the opposite weights.
        """
        if two.index.evicts:
            two.index.evictor = None  # type: ignore[attr-defined]
        new = cls(2, two.index, dtype=two.dtype, compiled=two.compiled, **serving)
        at, theirs, own = new._at, two._at, new.lanes
        new.state = np.zeros((len(two.state), new._width(2)), new.dtype)
        new.state[:, : at["BLOCKS"]] = two.state[:, : at["BLOCKS"]]
        for lane, source in enumerate(_most_alike(new.models, two.models)):
            dual = two.state[:, theirs["DUALS"] + source]
            for k, sign in enumerate((-1.0, 1.0)):
                block = at["BLOCKS"] + k * at["BLOCK"]
                new.state[:, block + lane] = sign * dual
                new.state[:, block + own + lane] = two.state[:, theirs["ROOTS"] + source]
                new.lanes_array[Row.Z, k * own + lane] = sign * two.lanes_array[Row.Z, source]
                new.lanes_array[Row.Q, k * own + lane] = two.lanes_array[Row.Q, source]
        for k in range(2):
            place = at["BLOCKS"] + k * at["BLOCK"] + 2 * own
            new.state[:, place] = two.state[:, theirs["INFORMATION"]]
        # Not SEEN: lanes and levels begin their discounted losses anew.
        for name in ("ROWS", "POWER", "RHO", "LIFE", "LIFE_SERVED", "LIFE_FULL", "REJECTED"):
            new.book[0, ClassBook[name]] = two.book[Book[name]]
        if new.book[0, ClassBook.MOST] > 0:  # until features are counted again
            new.book[0, at["LEVEL"]] = two.book[theirs["LEVEL"]]
        # Both sums began with half of each class.
        events, positive = two.book[Book.EVENTS] - 1.0, two.book[Book.TARGETS] - 0.5
        new.book[0, ClassBook.EVENTS] = events
        new.each[Each.COUNT] = events - positive, positive
        new.add_class()
        return new

    def add_class(self) -> None:
        """Make room for one more class, which has been absent from all rows so far."""
        classes = self.classes + 1
        self.loss = Softmax(classes)
        grown = np.zeros((len(self.state), self._width(classes)), self.dtype)
        grown[:, : self.state.shape[1]] = self.state
        self.state = grown
        fresh = lane_rows(self.models, "softmax")
        fresh[Row.Q], fresh[Row.RATE] = fresh[Row.FIRST_Q], fresh[Row.FULL_RATE]
        fresh[Row.THETA] = fresh[Row.FULL_THETA]
        # What so many rows without it say of its share.
        fresh[Row.Z] = fresh[Row.Q] * np.log(self.book[0, ClassBook.ROWS] + 1.0)
        self.lanes_array = np.hstack([self.lanes_array, fresh])
        one = np.zeros((len(Each), 1))
        one[Each.RECENT_WEIGHT] = self.each[Each.RECENT_WEIGHT, 0]
        self.each = np.hstack([self.each, one])
        self._prepare()

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
    ) -> Array:
        """Learn one row, as `StackLearner.learn_row`; return the served scores from before."""
        if importance < 0:
            raise ValueError(f"importance = {importance!r} must be ≥ 0; drop the event instead")
        self._catch_up()
        self._hold(size)
        # A class may have come since the row was predicted.
        late = inputs is not None and len(inputs) == self.classes
        scores = np.empty((1, self.classes))
        self._kernels.learn_row(
            self.state, self.lanes_array, self.book, self.each, self._scratch,
            inputs if late else self._inputs, self._work, self._gradient, self._kept, self._bins,
            slots, values, size, float(target), float(importance), late, pending, scores,
        )  # fmt: skip
        return np.asarray(scores[0])

    def score_lanes(self, slots: Array, values: Array, size: int) -> Array:
        """The served scores of one row, shape (classes,); changes nothing."""
        self.inputs_of(slots, values, size)
        return np.array(self._inputs[:, self._at["SERVED"]])

    def inputs_of(self, slots: Array, values: Array, size: int) -> Array:
        """What the second layer sees of a row now: to be kept until its label comes."""
        self._catch_up()
        self._hold(size)
        self._kernels.score_row(
            self.state, self.lanes_array, self.book, self.each, self._scratch, self._inputs,
            self._kept, slots, values, size,
        )  # fmt: skip
        return self.last_inputs()

    def learn_encoded(
        self, indptr: Array, slots: Array, values: Array, targets: Array, importances: Array
    ) -> Array:
        """`learn_rows` for arrays that were made by this package: nothing is checked."""
        self._grow()
        self._hold(int(np.diff(indptr).max(initial=0)))
        scores = np.empty((len(targets), self.classes))
        self._kernels.learn_rows(
            self.state, self.lanes_array, self.book, self.each, self._scratch, self._inputs,
            self._work, self._gradient, self._kept, self._bins,
            indptr, slots, values, targets, importances, scores,
        )  # fmt: skip
        return scores

    def _score_encoded(self, indptr: Array, slots: Array, values: Array) -> Array:
        self._hold(int(np.diff(indptr).max(initial=0)))
        scores = np.empty((len(indptr) - 1, self.classes))
        self._kernels.score_rows(
            self.state, self.lanes_array, self.book, self.each, self._scratch, self._inputs,
            self._kept, indptr, slots, values, scores,
        )  # fmt: skip
        return scores


def _most_alike(lanes: Sequence[Lane], others: Sequence[Lane]) -> list[int]:
    """For each lane the number of the other one that is most like it."""

    def distance(lane: Lane, other: Lane) -> tuple[bool, bool, float]:
        kind = type(lane.rule) is not type(other.rule)
        number = lane.rule.parameters[0]
        steps = [getattr(each.rule, number, 1.0) for each in (lane, other)]
        return kind, lane.memory != other.memory, abs(float(np.log(steps[0] / steps[1])))

    return [min(range(len(others)), key=lambda i: distance(lane, others[i])) for lane in lanes]

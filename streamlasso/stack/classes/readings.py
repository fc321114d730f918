"""What a stack for many classes says of itself, in the user's units."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.kernels import FIRST
from streamlasso.layout import padded
from streamlasso.losses import Softmax
from streamlasso.stack.classes.places import ClassBook, ClassLevel
from streamlasso.stack.places import MOST_LEVELS
from streamlasso.stack.reporting import Reporting

__all__ = ["ClassReadings"]

Array = npt.NDArray[Any]


class ClassReadings(Reporting):
    """The part of `ClassStackLearner` that looks at what was learned.

    ``lane`` is a class, the first by default.
    """

    loss: Softmax
    book: Array
    each: Array

    places = ClassBook
    level_places = ClassLevel

    @property
    def numbers(self) -> Array:
        """The book, with one dimension."""
        return np.asarray(self.book[0])

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.each.shape[1])

    @property
    def lanes(self) -> int:
        """Models of a class side by side, padded to a power of two."""
        return padded(len(self.models))

    @property
    def clock(self) -> int:
        """Events learned so far."""
        return int(self.book[0, ClassBook.ROWS])

    @property
    def shares(self) -> Array:
        """Each lane's share of the mixture; they add up to 1."""
        at = self._at["SHARES"]
        return np.array(self.book[0, at : at + self.lanes])

    def lane_table(self) -> list[dict[str, Any]]:
        """For each lane: its rule, the memory of its intercept, its discounted mean loss, its share
        of the mixture, and its weight in the full model."""
        book, at, seen = self.book[0], self._at, self.book[0, ClassBook.SEEN]
        return [
            {
                "rule": repr(lane.rule),
                "memory": lane.memory,
                "recent_loss": float(book[at["LOSSES"] + k] / seen) if seen else float("nan"),
                "share": float(book[at["SHARES"] + k]),
                "weight": float(book[at["WEIGHTS"] + k]),
            }
            for k, lane in enumerate(self.models)
        ]

    def _read(self, slots: Array) -> Array:
        self._catch_up()
        weights = np.zeros((len(slots), self.classes + 1))
        self._kernels.read_slots(
            self.state, self.lanes_array, self.book, self.classes, slots, weights
        )
        weights[slots < FIRST] = 0.0
        return weights

    def _read_all(self) -> Array:
        self._catch_up()
        return self._read(np.arange(len(self.state), dtype=np.uint32))

    def effective_weights(self) -> Array:
        """Every slot's served weights, shape (capacity, classes)."""
        return self._read_all()[:, : self.classes]

    def served_weights(self) -> Array:
        """The same."""
        return self.effective_weights()

    def weights(self, lane: int | None = None) -> dict[Any, float]:
        """Name → weight of the active features of a class."""
        weights = self._read_all()[:, lane or 0]
        active = np.flatnonzero(weights)
        return {
            self.index.name(slot): weight
            for slot, weight in zip(active.tolist(), weights[active].tolist(), strict=True)
        }

    def weights_of(self, slots: Array, lane: int | None = None) -> Array:
        """The weights of some slots for a class."""
        return self._read(slots)[:, lane or 0]

    def centres(self) -> dict[Any, float]:
        """Name → what is taken off the feature's values, where that is not 0."""
        centres = self._read_all()[:, self.classes]
        centred = np.flatnonzero(centres).tolist()
        return {self.index.name(slot): float(centres[slot]) for slot in centred}

    def score_lanes(self, slots: Array, values: Array, size: int) -> Array:
        """The served scores of one row, shape (classes,)."""
        raise NotImplementedError

    def inputs_of(self, slots: Array, values: Array, size: int) -> Array:
        """What the second layer sees of a row now."""
        raise NotImplementedError

    def intercept(self, lane: int | None = None) -> float:
        """The intercept of a class: its score where all features are at their centres.

        Before a score is cut to what the rows so far allow: with contributions it adds up to a
        score that may lie beyond.
        """
        empty = np.zeros(0, np.uint32), np.zeros(0, self.dtype)
        level = int(self.book[0, ClassBook.CHOSEN])
        place = self._at["LEVEL"] + ClassLevel.SLOPE * MOST_LEVELS + level
        score = self.inputs_of(*empty, 0)[lane or 0, self._at["SUMS"] + level]
        return float((1.0 + self.book[0, place]) * score)

    def survey(self) -> tuple[int, Array]:
        """Sweep the state: tracked features; and of each class active ones, Σ|w|, max |w|."""
        self._catch_up()
        sizes = np.abs(self.effective_weights())
        counts = np.zeros(2, np.int64)
        self._kernels.survey(self.state, self.lanes_array, self.book, self.classes, counts)
        sums = np.array([(sizes > 0).sum(axis=0), sizes.sum(axis=0), sizes.max(axis=0, initial=0)])
        return int(counts[0]), sums

    def active_features(self) -> int:
        """Number of features with a weight in any class, exact as of the last event."""
        self._catch_up()
        counts = np.zeros(2, np.int64)
        self._kernels.survey(self.state, self.lanes_array, self.book, self.classes, counts)
        return int(counts[1])

    def active_count(self) -> Array:
        """Active features of each class."""
        return np.asarray(self.survey()[1][0].astype(np.int64))

    def uncertainty(self, slots: Array, values: Array, lane: int | None = None) -> float:
        """Not known of many classes."""
        raise TypeError(
            "uncertainty of many classes needs one rule: give rule=FTRLProximal() or another"
        )

    def score_row(self, slots: Array, values: Array, size: int) -> float:
        """The served score of one row for the first class."""
        return float(self.score_lanes(slots, values, size)[0])

    def learn_event(
        self, event: Mapping[Any, Any], encoder: Any, target: float, importance: float
    ) -> float | None:
        """None: a row must be encoded first; `streamlasso.taking_one` does both at once."""
        return None

    def score_event(self, event: Mapping[Any, Any], encoder: Any) -> float | None:
        """None, likewise."""
        return None

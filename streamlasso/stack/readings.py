"""What a stack says of itself, in the user's units."""

from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.kernels import FIRST
from streamlasso.stack.places import MOST_LEVELS, Book, Level, Row, Scratch
from streamlasso.stack.reporting import Reporting
from streamlasso.taking_one import TakesOne

__all__ = ["StackReadings"]

Array = npt.NDArray[Any]
BLOCK = 1 << 16


class StackReadings(Reporting, TakesOne):
    """The part of `StackLearner` that looks at what was learned.

    A feature's part of the score is weight·(value − centre): `centres`. ``lane`` is one of the
    models side by side; None is what is served.
    """

    book: Array
    fit_intercept: bool
    _scratch: Array

    places = Book
    level_places = Level

    @property
    def numbers(self) -> Array:
        """The book, with one dimension."""
        return self.book

    @property
    def lanes(self) -> int:
        """Models side by side, padded to a power of two."""
        return int(self.lanes_array.shape[1])

    def _used(self) -> Array:
        """The columns of a record that are more than padding."""
        at = self._at
        lanes = at["DUALS"] + np.arange(2 * self.lanes)
        return np.concatenate([np.arange(at["SHARED"]), lanes])

    def packed(self, records: Array) -> Array:
        """Records without what only pads them."""
        return np.ascontiguousarray(records[:, self._used()])

    def unpacked(self, records: Array) -> Array:
        """Records as they are in the state, of what `packed` gave."""
        whole = np.zeros((len(records), self._at["WIDTH"]), self.dtype)
        whole[:, self._used()] = records
        return whole

    @property
    def clock(self) -> int:
        """Events learned so far."""
        return int(self.book[Book.CLOCK])

    @property
    def shares(self) -> Array:
        """Each lane's share of the mixture; they add up to 1."""
        return np.array(self.lanes_array[Row.SHARE])

    def lane_table(self) -> list[dict[str, Any]]:
        """For each lane: its rule, the memory of its intercept, its discounted mean loss, its share
        of the mixture, and its weight in the full model."""
        rows, seen = self.lanes_array, self.book[Book.SEEN]
        half = 0.5 if self.loss.name == "squared" else 1.0
        return [
            {
                "rule": repr(lane.rule),
                "memory": lane.memory,
                "recent_loss": float(half * rows[Row.LOSS, k] / seen) if seen else float("nan"),
                "share": float(rows[Row.SHARE, k]),
                "weight": float(rows[Row.WEIGHT, k]),
            }
            for k, lane in enumerate(self.models)
        ]

    def _read(self, slots: Array) -> Array:
        self._catch_up()
        weights = np.zeros((len(slots), self.lanes + 2))
        self._kernels.read_slots(self.state, self.lanes_array, self.book, slots, weights)
        return weights

    def _read_all(self) -> Array:
        self._catch_up()
        weights = self._read(np.arange(len(self.state), dtype=np.uint32))
        weights[:FIRST] = 0.0
        return weights

    def effective_weights(self) -> Array:
        """Every slot's weight in each lane, shape (capacity, lanes)."""
        return self._read_all()[:, : self.lanes]

    def served_weights(self) -> Array:
        """Every slot's weight of what is served, shape (capacity,)."""
        self._catch_up()
        served = np.zeros(len(self.state))
        for begin in range(0, len(served), BLOCK):  # a table of all lanes may not fit in memory
            slots = np.arange(begin, min(begin + BLOCK, len(served)), dtype=np.uint32)
            served[begin : begin + BLOCK] = self._read(slots)[:, self.lanes]
        served[:FIRST] = 0.0
        return served

    def idle(self) -> Array:
        """Of every slot whether it can be freed without a change of the served score."""
        return np.asarray(self.served_weights() == 0)

    def _column(self, lane: int | None) -> int:
        return self.lanes if lane is None else lane

    def weights(self, lane: int | None = None) -> dict[Any, float]:
        """Name → effective weight of the active features."""
        weights = self._read_all()[:, self._column(lane)]
        active = np.flatnonzero(weights)
        return {
            self.index.name(slot): weight
            for slot, weight in zip(active.tolist(), weights[active].tolist(), strict=True)
        }

    def weights_of(self, slots: Array, lane: int | None = None) -> Array:
        """The effective weights of some slots."""
        weights = self._read(slots)[:, self._column(lane)]
        weights[slots < FIRST] = 0.0
        return weights

    def centres(self) -> dict[Any, float]:
        """Name → what is taken off the feature's values, where that is not 0."""
        centres = self._read_all()[:, self.lanes + 1]
        centred = np.flatnonzero(centres).tolist()
        return {self.index.name(slot): float(centres[slot]) for slot in centred}

    def intercept(self, lane: int | None = None) -> float:
        """The intercept: the score of a row whose features are all at their centres.

        Before a score is cut to what the rows so far allow: with contributions it adds up to a
        score that may lie beyond.
        """
        rows, book = self.lanes_array, self.book
        biases = -rows[Row.Z] / rows[Row.Q]
        if lane is not None:
            return float(biases[lane] + book[Book.ORIGIN])
        score = float(rows[Row.WEIGHT] @ biases + book[Book.OFFSET])
        mean = 0.0
        if self.loss.name == "squared" and book[Book.EVENTS]:
            mean = book[Book.TARGETS] / book[Book.EVENTS]
        place = self._at["LEVEL"] + int(book[Book.CHOSEN])
        slope, bias = (book[place + row * MOST_LEVELS] for row in (Level.SLOPE, Level.BIAS))
        size = book[Book.SIZE]
        return float(score + slope * (score - mean) + bias * size + book[Book.ORIGIN])

    def survey(self) -> tuple[int, Array]:
        """Sweep the state: tracked features, and of what is served active ones, Σ|w|, max |w|.

        The second has the shape (3, lanes), the same in each lane.
        """
        self._catch_up()
        counts = np.zeros(2, np.int64)
        self._kernels.survey(self.state, self.lanes_array, self.book, counts)
        sizes = np.abs(self.served_weights())
        sums = np.array([counts[1], sizes.sum(), sizes.max(initial=0.0)])
        return int(counts[0]), np.repeat(sums[:, None], self.lanes, axis=1)

    def active_features(self) -> int:
        """Number of active features of what is served, exact as of the last event."""
        self._catch_up()
        counts = np.zeros(2, np.int64)
        self._kernels.survey(self.state, self.lanes_array, self.book, counts)
        return int(counts[1])

    def active_count(self) -> Array:
        """`active_features` in each lane's place."""
        return np.full(self.lanes, self.active_features())

    def uncertainty(self, slots: Array, values: Array, lane: int | None = None) -> float:
        """Σ |a|·V: how far lanes would move the score of a row at the next one like it.

        V = Σ x²/q of a lane with the intercept's, a its weight in the full model. A first-order
        figure, not a bound as of a rule alone: the second layer moves too.
        """
        seen = self.last_inputs()
        self.score_row(slots, values, len(slots))
        self._inputs[:] = seen
        spread = self._scratch[Scratch.SPREAD]
        if lane is not None:
            return float(spread[lane])
        return float(np.abs(self.lanes_array[Row.WEIGHT]) @ spread)

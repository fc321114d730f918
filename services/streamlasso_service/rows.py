"""From a block of raw records to rows that can be learned, and the records that are bad.

Two ways that end in the same bits. The fast one scans the bytes of all records at once; a record
that is not simple, which the scanner leaves, is decoded by itself, in its place in the order: the
slots of new names depend on it. The other decodes each record by itself; it is for what the scanner
does not know.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.encoding import RowEncoder
from streamlasso.feeding import learn_events
from streamlasso.learners import AnyLearner
from streamlasso_service.decoding import Decoder
from streamlasso_service.records import Bad, Block, Event

__all__ = ["Decoded", "Events", "RowReader", "Rows"]

Array = npt.NDArray[Any]


@dataclass
class Decoded:
    """What there is in a block: good records, by number, and bad ones.

    ``targets`` are NaN where a record has none; then its importance is 0.
    """

    block: Block
    numbers: Array
    targets: Array
    importances: Array
    bad: list[tuple[int, Bad]]

    def learn(self, learner: AnyLearner, encoder: RowEncoder) -> Array:
        """Learn them in order; the scores from before each."""
        raise NotImplementedError

    def ids(self) -> list[Any]:
        """What identifies each good record in the predictions."""
        raise NotImplementedError

    @property
    def given(self) -> Array:
        """The targets, 0 where there is none."""
        return np.where(np.isnan(self.targets), 0.0, self.targets)


@dataclass
class Events(Decoded):
    """Good records as events, not encoded yet."""

    events: list[Event]

    def learn(self, learner: AnyLearner, encoder: RowEncoder) -> Array:
        """Encode and learn."""
        features = (event.features for event in self.events)
        return learn_events(learner, encoder, features, self.given, self.importances)

    def ids(self) -> list[Any]:
        """As they were decoded."""
        return [event.id for event in self.events]


@dataclass
class Rows(Decoded):
    """Good records as rows of slots and values."""

    indptr: Array
    slots: Array
    values: Array
    id_of: Callable[[int], Any]

    def learn(self, learner: AnyLearner, encoder: RowEncoder) -> Array:
        """Learn."""
        kind = learner.dtype
        return learner.learn_encoded(
            self.indptr,
            self.slots,
            self.values.astype(kind, copy=False),
            self.given.astype(kind, copy=False),
            self.importances.astype(kind, copy=False),
        )

    def ids(self) -> list[Any]:
        """Decoded now, since few ask for them."""
        return [self.id_of(i) for i in self.numbers.tolist()]


class RowReader:
    """Reads blocks for one learner."""

    def __init__(self, decoder: Decoder, encoder: RowEncoder) -> None:
        self._decoder = decoder
        self._encoder = encoder

    def read(self, block: Block) -> Decoded:
        """Decode a block; bad records are told, never raised."""
        return self._each(block)

    def _each(self, block: Block) -> Events:
        decoded = [self._decoder.decode(block.record(i)) for i in range(len(block))]
        good = [i for i, one in enumerate(decoded) if isinstance(one, Event)]
        events = [one for one in decoded if isinstance(one, Event)]
        targets = [np.nan if event.target is None else event.target for event in events]
        importances = [0.0 if e.target is None else e.importance for e in events]
        bad = [(i, one) for i, one in enumerate(decoded) if isinstance(one, Bad)]
        return Events(
            block, np.array(good, np.int64), np.array(targets, np.float64),
            np.array(importances, np.float64), bad, events,
        )  # fmt: skip

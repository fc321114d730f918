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
from streamlasso.index import FeatureIndex
from streamlasso.learners import AnyLearner
from streamlasso.scanning import ASK, TAKEN, Scanned
from streamlasso_service.decoding import Decoder
from streamlasso_service.records import Bad, Block, Event
from streamlasso_service.scanners import Scanners, Tray

__all__ = ["Decoded", "Events", "RowReader", "Rows"]

Array = npt.NDArray[Any]

NONE: Array = np.empty(0, np.uint32)


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
        self._scanners = Scanners(decoder)

    def read(self, block: Block) -> Decoded:
        """Decode a block; bad records are told, never raised."""
        return self.finish(*self.scan(block))

    def scan(self, block: Block) -> tuple[Block, Tray | None]:
        """The part of `read` that does not depend on blocks before; any thread may do it."""
        tray = None if self._encoder.index.selective else self._scanners.take(block)
        if tray is not None:
            tray.scan(block)
        return block, tray

    def finish(self, block: Block, tray: Tray | None) -> Decoded:
        """The other part, block by block in their order."""
        if tray is None:
            return self._each(block)
        rows = self._spliced(block, tray)
        self._scanners.give(tray)
        return rows

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

    def _spliced(self, block: Block, tray: Tray) -> Rows:
        """Slots for what was scanned, and between it, in their order, the records that ask."""
        rows = _Splicing(tray.arrays)
        bad = []
        for i in np.flatnonzero(rows.status == ASK).tolist():
            rows.resolve(self._encoder.index, i)
            event = self._decoder.decode(block.record(i))
            if isinstance(event, Bad):
                bad.append((i, event))
            else:
                rows.put(i, event, self._encoder)
        rows.resolve(self._encoder.index, len(block))
        return rows.end(block, bad, tray.ident)


class _Splicing:
    """Rows under way: those that were scanned, and single ones in their places."""

    def __init__(self, scanned: Scanned) -> None:
        count = scanned.rows
        self._scanned = scanned
        self.status = scanned.status[:count]
        self._sizes = np.diff(scanned.indptr[: count + 1])
        self._targets = scanned.targets[:count].copy()
        self._importances = np.where(np.isnan(self._targets), 0.0, scanned.importances[:count])
        self._good = self.status == TAKEN
        self._slots = np.empty(scanned.size, np.uint32)
        self._events: dict[int, Event] = {}
        self._parts: list[tuple[Array, Array]] = []
        self._next = 0

    def resolve(self, index: FeatureIndex, stop: int) -> None:
        """Slots for the scanned rows before ``stop`` that have none yet."""
        scanned, first = self._scanned, self._next
        if first == stop:
            return
        index.resolve(scanned, self._importances > 0, self._slots, first, stop)
        chosen = slice(scanned.indptr[first], scanned.indptr[stop])
        self._parts.append((self._slots[chosen], scanned.values[chosen]))
        self._next = stop

    def put(self, i: int, event: Event, encoder: RowEncoder) -> None:
        """An event in the place of record ``i``, which was not scanned."""
        if event.target is not None:
            self._targets[i], self._importances[i] = event.target, event.importance
        encoder.encode(event.features, allocate=bool(self._importances[i] > 0))
        size = self._sizes[i] = encoder.size
        self._parts.append((encoder.slots[:size].copy(), encoder.values[:size].copy()))
        self._good[i] = True
        self._events[i] = event

    def end(self, block: Block, bad: list[tuple[int, Bad]], ident: Callable[[bytes], Any]) -> Rows:
        """All of them; nothing of it is overwritten by the next block."""
        numbers = np.flatnonzero(self._good)
        indptr = np.concatenate(([0], np.cumsum(self._sizes[numbers])))
        slots, values = zip(*self._parts, strict=True) if self._parts else ([NONE], [NONE])
        return Rows(
            block, numbers, self._targets[numbers], self._importances[numbers], bad,
            indptr, np.concatenate(slots), np.concatenate(values), self._ids(ident),
        )  # fmt: skip

    def _ids(self, ident: Callable[[bytes], Any]) -> Callable[[int], Any]:
        scanned = self._scanned
        ids = scanned.ids_at[: scanned.rows].copy(), scanned.ids_size[: scanned.rows].copy()
        buffer, events = scanned.buffer, self._events

        def id_of(i: int) -> Any:
            if i in events:
                return events[i].id
            at, size = int(ids[0][i]), int(ids[1][i])
            return None if size < 0 else ident(buffer[at : at + size].tobytes())

        return id_of

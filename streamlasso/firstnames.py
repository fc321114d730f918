"""`FirstNames`: the first name that came to each of a fixed number of slots, in arrays."""

from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.growth import extended
from streamlasso.names import Name
from streamlasso.nametable import NamedRows, kernels, pack, read_only, unpack

__all__ = ["FirstNames"]

Array = npt.NDArray[Any]

SMALL = 1024


class FirstNames:
    """Names by slot; a slot keeps the name that it was given first.

    They stand one after the other in an arena, as in `streamlasso.table`; ``places`` says of each
    slot where, plus 1, and ``seen`` has its bit set.
    """

    def __init__(self, slots: int) -> None:
        self._places: Array = np.zeros(slots, np.int64)
        self._seen: Array = np.zeros((slots + 7) >> 3, np.uint8)
        self._arena: Array = np.zeros(SMALL, np.uint8)
        self._used: Array = np.zeros(1, np.int64)

    def note(self, slot: int, name: Name) -> None:
        """A name that came to a slot."""
        if self._places[slot]:
            return
        packed = pack((name,))
        self._make_room(len(packed))
        begin = int(self._used[0])
        self._arena[begin : begin + len(packed)] = np.frombuffer(packed, np.uint8)
        self._put(slot, begin)
        self._used[0] = begin + len(packed)

    def note_rows(
        self, rows: NamedRows, allocate: Array, slots: Array, first: int, last: int
    ) -> None:
        """The names of the features of rows ``first`` to ``last`` − 1 that are to be learned."""
        buffer, others = read_only(rows.buffer), read_only(rows.arena)
        begin, end = int(rows.indptr[first]), int(rows.indptr[last])
        while True:
            begin = kernels().note_rows(
                self._seen, self._places, self._arena, self._used, rows.names_at, rows.names_size,
                buffer, others, rows.indptr, allocate, slots, first, last, begin,
            )  # fmt: skip
            if begin == end:
                return
            self._make_room(int(rows.names_size[begin]))

    def _put(self, slot: int, place: int) -> None:
        self._places[slot] = place + 1
        self._seen[slot >> 3] |= 1 << (slot & 7)

    def _make_room(self, size: int) -> None:
        needed = int(self._used[0]) + size + SMALL
        if needed > len(self._arena):
            self._arena = extended(self._arena, 2 * needed)

    def get(self, slot: int) -> Name | None:
        """The name of a slot, if it has one."""
        place = int(self._places[slot])
        return unpack(self._arena, place - 1)[0] if place else None

    def slots(self) -> Array:
        """The slots that have a name, ascending."""
        return np.flatnonzero(self._places)

    def packed(self) -> tuple[Array, Array]:
        """The slots with a name in the order in which these came, and the names."""
        slots = self.slots()
        in_order = slots[np.argsort(self._places[slots])]
        return in_order.astype(np.uint32), self._arena[: self._used[0]].copy()

    def take(self, slots: Array, names: Array) -> None:
        """Take names that were `packed`; none may be here."""
        self._arena = np.concatenate((names, np.zeros(SMALL, np.uint8)))
        self._used[0] = len(names)
        at = 0
        for slot in slots.tolist():
            self._put(slot, at)
            _, at = unpack(names, at)

    def __getstate__(self) -> dict[str, Any]:
        return {"size": len(self._places), "packed": self.packed()}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        FirstNames.__init__(self, attributes["size"])
        self.take(*attributes["packed"])

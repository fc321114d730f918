"""`GrowingIndex`: exact names, as many as are let in.

A name without a slot passes two gates when it is learned: the admission, which keeps out names that
come once, and the limit, where it is refused or another name's slot is freed for it. Which slots
can be freed only the learner knows, which is asked through `GrowingIndex.evictor`.

The names are in a `NameTable`, which compiled code extends by itself where every name is let in.
Two names are taken for one if 96 bits of their hashes are equal: among ten million by chance with
probability 6·10⁻¹⁶; who knows the hashes can make such names.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from streamlasso.admission import Admission, get_admission
from streamlasso.kernels import FIRST, UNSEEN
from streamlasso.names import Name, plain_name
from streamlasso.nametable import NO_SLOTS, NamedRows, NameTable

__all__ = ["GrowingIndex"]

Array = npt.NDArray[Any]

NO_LIMIT = 1 << 32  # slots are numbers of 32 bits
MEMO_LIMIT = 1 << 20
"""Names in the memo `GrowingIndex.known`: about 160 bytes each. Another name is found in the table,
which takes 0.5 µs more (measured)."""
SHARE = 16  # of a full index this part is freed at a time, so that sweeps are seldom
COUNTERS = ("offered", "waiting", "refused", "evicted", "generation", "_pause")


class GrowingIndex:
    """Exact names, a new slot for each new one; unbounded, or bounded in either of two ways.

    Parameters
    ----------
    max_features
        The most names at a time; None is no limit.
    at_limit
        What becomes of a new name at the limit. ``"refuse"``: it is not learned, as if absent.
        ``"evict"``: names whose weight is exactly zero lose their slots, those first that were
        learned from longest ago, a sixteenth of the limit at a time; where no weight is zero the
        new name is refused. A sweep that frees too few is not repeated before as many names were
        refused as it failed to free.
    admit
        `AdmitByCount` or `AdmitAtRandom`: which new names are let in at all; None is every one.
        A template: the index counts in a copy of its own.

    Attributes
    ----------
    offered, waiting, refused, evicted
        Occurrences in learning of names without a slot; those that were not admitted; those that
        were refused at the limit; names that lost their slot. Counted only with one of the bounds.

    Examples
    --------
    >>> index = GrowingIndex()
    >>> index.add("price"), index.add(7), index.add("price"), index.find("unknown")
    (2, 3, 2, 1)
    >>> index = GrowingIndex(max_features=1)
    >>> index.add("price"), index.add(7), index.refused
    (2, 1, 1)
    """

    kind: ClassVar[str] = "growing"

    def __init__(
        self,
        max_features: int | None = None,
        at_limit: Literal["refuse", "evict"] = "refuse",
        admit: Admission | Mapping[str, Any] | None = None,
    ) -> None:
        integer = isinstance(max_features, int) and not isinstance(max_features, bool)
        if max_features is not None and not (integer and 0 < max_features <= NO_LIMIT - FIRST):
            raise ValueError(
                f"GrowingIndex: max_features = {max_features!r} must be an integer from 1 to "
                f"{NO_LIMIT - FIRST}, or None for no limit"
            )
        if at_limit not in ("refuse", "evict"):
            raise ValueError(f"GrowingIndex: at_limit = {at_limit!r} must be 'refuse' or 'evict'")
        if at_limit == "evict" and max_features is None:
            raise ValueError("GrowingIndex: at_limit = 'evict' needs max_features: set a limit")
        self.max_features = max_features
        self.at_limit = at_limit
        self.admit = get_admission(admit)
        self.known: dict[Name, int] = {}
        self.table = NameTable()
        self.free: list[int] = []
        self._row: Array | tuple[int, ...] = ()
        self.offered = self.waiting = self.refused = self.evicted = self.generation = 0
        self._pause = 0  # names to refuse before the next sweep
        self.evictor: Callable[[int, Any], Any] | None = None

    def __repr__(self) -> str:
        if not self.selective:
            return "GrowingIndex()"
        return f"GrowingIndex({self.max_features}, {self.at_limit!r}, admit={self.admit!r})"

    @property
    def size(self) -> int:
        """Slots in use or freed, the two reserved ones included."""
        return FIRST + self.table.slots

    @property
    def limit(self) -> int:
        """What `size` will never exceed."""
        return NO_LIMIT if self.max_features is None else FIRST + self.max_features

    @property
    def tracked(self) -> int:
        """Names that have a slot."""
        return len(self.table)

    @property
    def names_nbytes(self) -> int:
        """Bytes that the names take, without the memo."""
        return self.table.nbytes

    @property
    def selective(self) -> bool:
        """Whether `add` may turn a name away."""
        return self.max_features is not None or self.admit is not None

    @property
    def evicts(self) -> bool:
        """Whether `add` may take a slot from another name."""
        return self.at_limit == "evict"

    def add(self, name: Name) -> int:
        """The slot of a name, allocated if need be; 1 if it is not admitted or refused."""
        slot = self.known.get(name)
        if slot is None:
            slot = self._offer(name if type(name) is str else plain_name(name))
        return slot

    def _remember(self, name: Name, slot: int) -> None:
        if len(self.known) >= MEMO_LIMIT:
            self.known.clear()
        self.known[name] = slot

    def add_unseen(self, row: Array, unseen: Iterable[tuple[int, Name]]) -> None:
        """`add` the names at these positions of a row, of whose slots none is freed for them."""
        self._row = row
        for position, name in unseen:
            row[position] = self.add(name)
        self._row = ()

    def _offer(self, name: Name) -> int:
        """`add` a name that is not in the memo."""
        if self.selective:
            slot = self.table.find(name)
            if slot == UNSEEN:
                slot = self._admit(name)
        else:
            slot = self.table.claim(name)
        if slot != UNSEEN:
            self._remember(name, slot)
        return slot

    def _admit(self, name: Name) -> int:
        self.offered += 1
        if self.admit is not None and not self.admit.admits(name, self.offered - 1):
            self.waiting += 1
            return UNSEEN
        if self.size == self.limit and not self.free and not self._make_room():
            self.refused += 1
            return UNSEEN
        if not self.free:
            return self.table.claim(name)
        slot = self.free.pop()
        self.table.place(name, slot)
        return slot

    def _make_room(self) -> bool:
        if self.evictor is None or not self.evicts:
            return False
        if self._pause:
            self._pause -= 1
            return False
        wanted = max(1, (self.limit - FIRST) // SHARE)
        self.evictor(wanted, self._row)
        self._pause = wanted - len(self.free)
        return bool(self.free)

    def release(self, slots: Iterable[int]) -> None:
        """Take the names from these slots, which new names will get."""
        freed = sorted((int(slot) for slot in slots), reverse=True)
        for slot in freed:
            if not self.table.has(slot):
                raise ValueError(f"slot {slot} has no name; release slots that are in use")
            self.known.pop(self.table.name(slot), None)
            self.table.drop(slot)
        self.free = freed + self.free
        self.evicted += len(freed)
        self.generation += bool(freed)

    def find(self, name: Name) -> int:
        """The slot of a name, or 1 when it has none."""
        slot = self.known.get(name)
        if slot is None:
            try:
                name = name if type(name) is str else plain_name(name)
            except TypeError:
                return UNSEEN
            slot = self.table.find(name)
            if slot != UNSEEN:
                self._remember(name, slot)
        return slot

    def name(self, slot: int) -> Name:
        """The name that has the slot."""
        return self.table.name(slot)

    def named_slots(self) -> Array:
        """The slots that have a name, ascending."""
        return self.table.named()

    def resolve(
        self, rows: NamedRows, allocate: Array, slots: Array, first: int, last: int
    ) -> None:
        """Write the slots of the features of rows ``first`` to ``last`` − 1 into ``slots``.

        The slots are those of `add` where ``allocate`` (bool, by row) says so, otherwise of `find`.
        Only for an index that is not `selective`: one that is decides on names one by one.
        """
        if self.selective:
            raise ValueError(f"{self!r} decides on each name by itself; use add, row by row")
        self.table.resolve(rows, allocate, slots, first, last)

    def fresh(self) -> "GrowingIndex":
        """An empty one with the same settings."""
        return GrowingIndex(**self.settings())

    def settings(self) -> dict[str, Any]:
        """Constructor arguments; the admission as its settings and ``kind``."""
        admit = self.admit
        return {
            "max_features": self.max_features,
            "at_limit": self.at_limit,
            "admit": None if admit is None else {"kind": admit.kind, **admit.settings()},
        }

    def entries(self) -> list[tuple[int, Name]]:
        """All names by slot; without eviction that is the order in which they came."""
        return [(slot, self.table.name(slot)) for slot in self.table.named().tolist()]

    def restore(self, names: Iterable[tuple[int, Name]]) -> None:
        """Take the names of a snapshot into an empty index."""
        for slot, name in names:
            if slot != self.size and not (self.evicts and self.size < slot < self.limit):
                raise ValueError(f"name {name!r} cannot have slot {slot}: names are out of order")
            self.table.reserve(slot - FIRST)
            self.table.claim(name)

    def packed(self) -> tuple[Array, Array]:
        """The names one after the other (`streamlasso.nametable.pack`), and their slots.

        Without eviction these are 2, 3, … and are left out.
        """
        slots = self.table.named().astype(np.uint32) if self.evicts else NO_SLOTS
        return slots, self.table.packed()

    def take(self, slots: Array, names: Array) -> None:
        """Take names that were `packed` into an empty index."""
        self.table.take(slots, names)

    def memory(self) -> dict[str, Array]:
        """Counters, free slots, and what the admission keeps."""
        if not self.selective:
            return {}
        counters = np.array([getattr(self, name) for name in COUNTERS], np.int64)
        admission = {} if self.admit is None else self.admit.memory()
        return {
            "index_counters": counters,
            "free_slots": np.array(self.free, np.uint32),
            **{f"admission_{name}": array for name, array in admission.items()},
        }

    def remember(self, memory: Mapping[str, Array]) -> None:
        """Take the `memory` of a snapshot, after its names."""
        if not self.selective:
            return
        for name, value in zip(COUNTERS, memory["index_counters"].tolist(), strict=True):
            setattr(self, name, value)
        self.free = memory["free_slots"].tolist()
        self.table.reserve(max(self.free, default=0) + 1 - FIRST)
        if self.admit is not None:
            mark = "admission_"
            self.admit.remember(
                {k.removeprefix(mark): v for k, v in memory.items() if k.startswith(mark)}
            )

    def __getstate__(self) -> dict[str, Any]:
        # The learner attaches itself again.
        return {**self.__dict__, "evictor": None, "_row": (), "known": {}}

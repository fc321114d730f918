"""`HashingIndex`, and what indexes share in which every name has its slot for ever."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from streamlasso.firstnames import FirstNames
from streamlasso.kernels import FIRST
from streamlasso.names import Name, name_hash, plain_name
from streamlasso.nametable import NO_SLOTS, NamedRows, kernels

__all__ = ["FixedSlots", "HashingIndex"]

Array = npt.NDArray[Any]

MEMO_LIMIT = 1 << 18


class FixedSlots:
    """What indexes share in which every name has its slot for ever."""

    generation = 0
    selective = evicts = False

    @property
    def size(self) -> int:
        """All slots, the two reserved ones included."""
        raise NotImplementedError

    @property
    def limit(self) -> int:
        """All slots."""
        return self.size

    def add(self, name: Name) -> int:
        """The slot of a name."""
        raise NotImplementedError

    def add_unseen(self, row: Array, unseen: Iterable[tuple[int, Name]]) -> None:
        """`add` the names at these positions of a row."""
        for position, name in unseen:
            row[position] = self.add(name)

    def resolve(
        self, rows: NamedRows, allocate: Array, slots: Array, first: int, last: int
    ) -> None:
        """Not for names that are no text."""
        raise TypeError(f"{self!r} has no names of bytes")

    def packed(self) -> tuple[Array, Array]:
        """No names to be kept."""
        return NO_SLOTS, np.empty(0, np.uint8)

    def take(self, slots: Array, names: Array) -> None:
        """Nothing to take back."""

    def memory(self) -> dict[str, Array]:
        """Nothing."""
        return {}

    def remember(self, memory: Mapping[str, Array]) -> None:
        """Nothing."""


@dataclass(eq=False)
class HashingIndex(FixedSlots):
    """A fixed number of slots, names by hash: memory is bounded, names may collide.

    The hash is xxHash-64 of the name's UTF-8 bytes (integers and tuples of their ``repr``, with
    another seed), the same in every process and on every machine.

    Parameters
    ----------
    bits
        2^bits slots, 2 ≤ bits ≤ 30. With N names a name meets another with probability about
        N / 2^bits.
    names
        Remember which name came first to each slot, so that reports show it instead of ``#slot``.

    >>> HashingIndex(bits=22).find("price")
    269170
    """

    bits: int = 22
    names: bool = False

    kind: ClassVar[str] = "hashing"

    def __post_init__(self) -> None:
        if not isinstance(self.bits, int) or not 2 <= self.bits <= 30:
            raise ValueError(f"HashingIndex: bits = {self.bits!r} must be an integer from 2 to 30")
        self._memo: dict[Name, int] = {}
        # With names kept, a name must pass through `add` once: the memo cannot answer for it.
        self.known: dict[Name, int] = {} if self.names else self._memo
        self._names = FirstNames(self.size) if self.names else None

    @property
    def size(self) -> int:
        """All slots."""
        return 1 << self.bits

    def find(self, name: Name) -> int:
        """The slot of a name."""
        slot = self._memo.get(name)
        if slot is None:
            name = plain_name(name)
            slot = self._hash(name)
            if len(self._memo) >= MEMO_LIMIT:
                self._memo.clear()
            self._memo[name] = slot
        return slot

    def add(self, name: Name) -> int:
        """The slot of a name; the first to come is remembered with ``names=True``."""
        slot = self.find(name)
        if self._names is not None:
            self._names.note(slot, plain_name(name))
        return slot

    def cross(self, slots: tuple[int, ...], name: Name | None = None) -> int:
        """The slot of the interaction of these slots; a name is remembered as by `add`.

        It is a function of ``bits`` and the slots in their order alone: h ← mix(h + γ + slot), the
        finaliser of SplitMix64 at each step, of which the upper bits are the slot. Names that share
        a slot share their interactions too.

        References
        ----------
        G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
        OOPSLA 2014.
        """
        mixed = 0
        for slot in slots:
            mixed = (mixed + 0x9E3779B97F4A7C15 + slot) & 0xFFFFFFFFFFFFFFFF
            mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
            mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
            mixed ^= mixed >> 31
        slot = mixed >> (64 - self.bits)
        slot = slot if slot >= FIRST else slot + FIRST
        if self._names is not None and name is not None:
            self._names.note(slot, plain_name(name))
        return slot

    def resolve(
        self, rows: NamedRows, allocate: Array, slots: Array, first: int, last: int
    ) -> None:
        """Write the slots of the features of rows ``first`` to ``last`` − 1 into ``slots``.

        The slots are those of `find`; of rows that ``allocate`` (bool, by row) says it of, names
        are remembered as by `add`.
        """
        start, stop = int(rows.indptr[first]), int(rows.indptr[last])
        kernels().shift_keys(rows.keys, slots, np.uint64(64 - self.bits), start, stop)
        if self._names is not None:
            self._names.note_rows(rows, allocate, slots, first, last)

    def _hash(self, name: Name) -> int:
        slot = name_hash(name) >> (64 - self.bits)
        return slot if slot >= FIRST else slot + FIRST

    def name(self, slot: int) -> Name:
        """The first name that came to the slot, or ``#slot``."""
        kept = None if self._names is None else self._names.get(slot)
        return f"#{slot}" if kept is None else kept

    def fresh(self) -> "HashingIndex":
        """An empty one of the same size."""
        return HashingIndex(**self.settings())

    def settings(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"bits": self.bits, "names": self.names}

    def entries(self) -> list[tuple[int, Name]]:
        """The names that were kept, in the order in which they came."""
        return [(slot, self.name(slot)) for slot in self.packed()[0].tolist()]

    def restore(self, names: Iterable[tuple[int, Name]]) -> None:
        """Take the names of a snapshot into an empty index."""
        for slot, name in names:
            if self._names is not None:
                self._names.note(slot, name)

    def packed(self) -> tuple[Array, Array]:
        """The slots with a name, and the names (`streamlasso.nametable.pack`)."""
        if self._names is None:
            return NO_SLOTS, np.empty(0, np.uint8)
        return self._names.packed()

    def take(self, slots: Array, names: Array) -> None:
        """Take names that were `packed` into an empty index."""
        if self._names is not None:
            self._names.take(slots, names)

    def __getstate__(self) -> dict[str, Any]:
        return {"bits": self.bits, "names": self.names, "_names": self._names}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)
        names = self._names
        self.__post_init__()
        self._names = names

"""From feature names to slots of the state.

Slot 0 is the intercept and slot 1 stands for names that are not known, so features begin at 2. A
name is a ``str``, an ``int`` or a tuple of them; they stay distinct (``1``, ``"1"`` and ``("1",)``
are three features). ``add`` may allocate and is for learning; ``find`` never does and is for
predicting.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol

import numpy.typing as npt

from streamlasso.growing import GrowingIndex
from streamlasso.hashed import FixedSlots, HashingIndex
from streamlasso.names import Name
from streamlasso.nametable import NamedRows

__all__ = [
    "INDEXES",
    "FeatureIndex",
    "FixedSlots",
    "GrowingIndex",
    "HashingIndex",
    "Name",
    "checked_index",
]

Array = npt.NDArray[Any]


class FeatureIndex(Protocol):
    """What the learner and the estimators need of an index."""

    kind: ClassVar[str]
    known: dict[Name, int]
    """Names whose slot is known without asking; looking here first saves a call."""

    @property
    def generation(self) -> int:
        """Grows when slots are freed: what was remembered of names and slots is void then."""

    @property
    def size(self) -> int:
        """Slots in use, the two reserved ones included: the state must be at least as long."""

    @property
    def limit(self) -> int:
        """What `size` will never exceed."""

    @property
    def selective(self) -> bool:
        """Whether `add` may turn a name away."""

    @property
    def evicts(self) -> bool:
        """Whether `add` may take a slot from another name."""

    def add(self, name: Name) -> int:
        """The slot of a name, allocated if need be; 1 if it gets none."""

    def add_unseen(self, row: Array, unseen: Iterable[tuple[int, Name]]) -> None:
        """`add` the names at these positions of a row of slots, whose other slots stay taken."""

    def find(self, name: Name) -> int:
        """The slot of a name, or 1 when it has none."""

    def resolve(
        self, rows: NamedRows, allocate: Array, slots: Array, first: int, last: int
    ) -> None:
        """Write the slots of the features of rows ``first`` to ``last`` − 1 into ``slots``.

        They are those of `add` where ``allocate`` (bool, by row) says so, otherwise of `find`. Not
        for an index that is `selective`.
        """

    def name(self, slot: int) -> Name:
        """What to call a slot in reports."""

    def fresh(self) -> "FeatureIndex":
        """An empty index with the same settings."""

    def settings(self) -> dict[str, Any]:
        """Constructor arguments."""

    def entries(self) -> list[tuple[int, Name]]:
        """Every slot with a known name: what a snapshot has to keep."""

    def restore(self, names: Iterable[tuple[int, Name]]) -> None:
        """Take the names of a snapshot into an empty index."""

    def packed(self) -> tuple[Array, Array]:
        """The slots of the names that a snapshot has to keep, and the names."""

    def take(self, slots: Array, names: Array) -> None:
        """Take names that were `packed` into an empty index."""

    def memory(self) -> dict[str, Array]:
        """What a snapshot has to keep besides settings and names, as copies."""

    def remember(self, memory: Mapping[str, Array]) -> None:
        """Take the `memory` of a snapshot, after its names."""


INDEXES: dict[str, type[Any]] = {kind.kind: kind for kind in (GrowingIndex, HashingIndex)}


def checked_index(index: Any) -> FeatureIndex:
    """The index, or an error for what is none, such as its class."""
    if isinstance(index, type) or not callable(getattr(index, "fresh", None)):
        raise TypeError(
            f"index = {index!r} must be an index: GrowingIndex(), "
            "GrowingIndex(max_features=100_000) or HashingIndex(bits=22)"
        )
    given: FeatureIndex = index
    return given

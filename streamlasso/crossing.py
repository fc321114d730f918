"""Adding interactions to the row of an event while it is encoded.

A name is built once for each combination, not for each event: the slot is remembered by those of
the components. What is remembered is bounded and derived, so it is in no snapshot.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from streamlasso.index import FeatureIndex, Name
from streamlasso.interactions import Interactions, Plans, combined, interaction_name, products
from streamlasso.kernels import UNSEEN
from streamlasso.values import clamped, feature_name, present

__all__ = ["Crossing"]

COMBINATIONS_LIMIT = 1 << 18


class Crossing:
    """Adds the interactions to the rows of one encoder.

    An index with ``cross`` (hashing) derives a slot from the components' slots; any other is asked
    for the interaction's name.
    """

    def __init__(self, index: FeatureIndex, interactions: Interactions) -> None:
        self.plans = Plans(interactions)
        self._index = index
        self._cross = getattr(index, "cross", None)
        self._keeps_names = getattr(index, "names", False) is True
        self._slots: dict[tuple[int, ...], int] = {}
        self._generation = 0

    def numbers(self, event: Mapping[Name, Any], fields: tuple[Name, ...]) -> list[float]:
        """The values of an event of numbers, those of its interactions included."""
        values = list(event.values())
        return values + products(self.plans.of(fields), values)

    def extend(
        self,
        event: Mapping[Name, Any],
        fields: tuple[Name, ...],
        slots: list[int],
        values: list[float],
        unseen: list[tuple[int, Name]],
        allocate: bool,
    ) -> None:
        """Extend the row of an event by its interactions.

        ``unseen`` receives those that have no slot yet: the encoder offers them to the index
        after the whole row.
        """
        generation = getattr(self._index, "generation", 0)
        if generation != self._generation:
            self._slots.clear()  # a slot may have another name now
            self._generation = generation
        components, factors = slots, values
        if len(slots) != len(fields):
            event = present(event)
            fields = tuple(event)
            components = [self._index.find(feature_name(*item)) for item in event.items()]
            factors = [1.0 if isinstance(value, str) else value for value in event.values()]
        plan = self.plans.of(fields)
        # As `combined`, but without making the tuples: zip uses one again and again.
        known = self._slots.get
        found: list[Any] = []
        for group in plan:
            found += map(known, zip(*[take(components) for take in group]))  # noqa: B905
        try:
            crossed = products(plan, factors)
        except OverflowError:
            crossed = products(plan, [clamped(value) for value in factors])
        if None not in found:
            slots += found
            values += crossed
            return
        keys, named = combined(plan, components), combined(plan, list(event.items()))
        for key, items, slot, value in zip(keys, named, found, crossed, strict=True):
            if slot is None:
                slot = self._look_up(key, items, allocate)
                if slot == UNSEEN:
                    unseen.append((len(slots), _name(items)))
            slots.append(slot)
            values.append(value)

    def _look_up(self, key: tuple[int, ...], items: Sequence[Any], allocate: bool) -> int:
        """The slot of a combination that is not remembered."""
        slot: int
        if self._cross is not None:
            slot = self._cross(key, _name(items) if self._keeps_names and allocate else None)
        else:
            slot = self._index.find(_name(items))
        # A component without a slot could be any. A name is kept only when it is learned.
        if slot != UNSEEN and UNSEEN not in key and (allocate or not self._keeps_names):
            if len(self._slots) >= COMBINATIONS_LIMIT:
                self._slots.clear()
            self._slots[key] = slot
        return slot


def _name(items: Iterable[tuple[Name, Any]]) -> Name:
    return interaction_name(
        [
            # The frequent case of `feature_name`, without the call.
            name + "=" + value
            if type(value) is str and type(name) is str
            else feature_name(name, value)
            for name, value in items
        ]
    )

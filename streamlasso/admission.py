"""Which new names get a slot: so that names which come once do not cost memory.

An admission is asked once for each occurrence, in learning, of a name without a slot. It decides
from the name, the number of the occurrence and what it has counted, all of which a snapshot keeps:
a stream has the same names admitted wherever it is cut.
"""

import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import xxhash

from streamlasso.names import Name, name_hash

__all__ = ["ADMISSIONS", "Admission", "AdmitAtRandom", "AdmitByCount", "get_admission"]

Array = npt.NDArray[Any]

HASHES = 4


class Admission(Protocol):
    """What a growing index needs of an admission."""

    kind: ClassVar[str]

    def admits(self, name: Name, offer: int) -> bool:
        """Decide on, and count, one occurrence of a name; ``offer`` numbers it, from 0."""

    def fresh(self) -> "Admission":
        """One with the same settings that has counted nothing."""

    def settings(self) -> dict[str, Any]:
        """Constructor arguments."""

    def memory(self) -> dict[str, Array]:
        """What a snapshot has to keep, as copies."""

    def remember(self, memory: Mapping[str, Array]) -> None:
        """Take the `memory` of a snapshot."""


def _integer(what: str, value: Any, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{what} = {value!r} must be an integer from {least} to {most}")


@dataclass
class AdmitByCount:
    """Admit a name the ``times``-th time it comes, counted in fixed memory.

    A counting Bloom filter: a name has 4 of 2^bits one-byte counters, its count is the least of
    them, and an occurrence raises only those that are the least. Counts are never too small: a name
    is admitted at the latest when it comes the ``times``-th time. They may be too large where names
    share counters: with N names waiting a new one counts as seen before, and is admitted early,
    with probability about (1 − e^(−4N/2^bits))⁴. That is 0.1 % at N = 2^bits/20 and 16 % at
    2^bits/4; a filter that is full admits everything, so ``bits`` must fit the names that come
    once (`filled` tells).

    Parameters
    ----------
    times
        Occurrences until a name is admitted, from 1 (at once) to 255.
    bits
        2^bits bytes of counters, 4 ≤ bits ≤ 32.

    Examples
    --------
    >>> admission = AdmitByCount(times=2)
    >>> [admission.admits(name, offer) for offer, name in enumerate(["a", "b", "a"])]
    [False, False, True]

    References
    ----------
    McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, section 3.1.
    Estan and Varghese, "New Directions in Traffic Measurement and Accounting", SIGCOMM 2002
    (raising only the least).
    """

    times: int = 2
    bits: int = 20
    _counters: bytearray = field(init=False, repr=False)

    kind: ClassVar[str] = "count"

    def __post_init__(self) -> None:
        _integer("AdmitByCount: times", self.times, 1, 255)
        _integer("AdmitByCount: bits", self.bits, 4, 32)
        # Not a numpy array: reading single bytes of one takes twice as long.
        self._counters = bytearray(1 << self.bits)

    def admits(self, name: Name, offer: int) -> bool:
        """Count one occurrence; whether it is the ``times``-th."""
        counters, mask = self._counters, (1 << self.bits) - 1
        hashed = name_hash(name)
        # An odd step over a power of two: the places are distinct.
        step = hashed >> 32 | 1
        places = [(hashed + i * step) & mask for i in range(HASHES)]
        count = min([counters[place] for place in places])
        if count + 1 >= self.times:
            return True
        for place in places:
            if counters[place] == count:
                counters[place] = count + 1
        return False

    @property
    def filled(self) -> float:
        """Share of counters that are not zero; its fourth power is the share counted too large."""
        return 1.0 - self._counters.count(0) / len(self._counters)

    def fresh(self) -> "AdmitByCount":
        """One that has counted nothing."""
        return AdmitByCount(**self.settings())

    def settings(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"times": self.times, "bits": self.bits}

    def memory(self) -> dict[str, Array]:
        """The counters."""
        return {"counters": np.frombuffer(bytes(self._counters), np.uint8)}

    def remember(self, memory: Mapping[str, Array]) -> None:
        """Take the counters of a snapshot."""
        self._counters = bytearray(memory["counters"].tobytes())


@dataclass(frozen=True)
class AdmitAtRandom:
    """Admit each occurrence of a name with one probability: no memory, rare names seldom get in.

    A name that comes k times is in with probability 1 − (1 − p)^k, after 1/p occurrences in the
    mean. The draw is a hash of seed, name and the number of the occurrence, so a stream that is
    learned again, or goes on from a snapshot, has the same names admitted.

    Parameters
    ----------
    probability
        p, 0 < p ≤ 1.
    seed
        Another seed draws others, 0 ≤ seed < 2^64.

    Examples
    --------
    >>> admission = AdmitAtRandom(probability=0.5)
    >>> sum(admission.admits("a", offer) for offer in range(1000))
    469

    References
    ----------
    McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, section 3.1
    ("Poisson inclusion").
    """

    probability: float = 0.1
    seed: int = 0

    kind: ClassVar[str] = "random"

    def __post_init__(self) -> None:
        number = isinstance(self.probability, int | float)
        if not number or not 0 < self.probability <= 1:
            raise ValueError(
                f"AdmitAtRandom: probability = {self.probability!r} must be above 0 and at most 1"
            )
        _integer("AdmitAtRandom: seed", self.seed, 0, 2**64 - 1)

    def admits(self, name: Name, offer: int) -> bool:
        """Draw for one occurrence."""
        drawn = xxhash.xxh64_intdigest(struct.pack("<QQ", name_hash(name), offer), self.seed)
        return drawn < self.probability * 2.0**64

    def fresh(self) -> "AdmitAtRandom":
        """Itself: it counts nothing."""
        return self

    def settings(self) -> dict[str, Any]:
        """Constructor arguments."""
        return asdict(self)

    def memory(self) -> dict[str, Array]:
        """Nothing: the index numbers the occurrences."""
        return {}

    def remember(self, memory: Mapping[str, Array]) -> None:
        """Nothing."""


ADMISSIONS: dict[str, type[Any]] = {kind.kind: kind for kind in (AdmitByCount, AdmitAtRandom)}


def get_admission(admit: Any) -> Admission | None:
    """An admission that has counted nothing, from one, from its settings and ``kind``, or None."""
    if admit is None:
        return None
    if isinstance(admit, Mapping):
        settings = dict(admit)
        kind = settings.pop("kind", None)
        if kind not in ADMISSIONS:
            raise ValueError(f"admit: kind = {kind!r} is none of {', '.join(ADMISSIONS)}")
        admission: Admission = ADMISSIONS[kind](**settings)
        return admission
    if isinstance(admit, type) or getattr(admit, "kind", None) not in ADMISSIONS:
        choices = ", ".join(f"{kind.__name__}()" for kind in ADMISSIONS.values())
        raise TypeError(f"admit = {admit!r} must be None or one of {choices}")
    given: Admission = admit
    return given.fresh()

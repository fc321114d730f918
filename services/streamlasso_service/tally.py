"""What was learned from each partition: position, count and a fingerprint of the offsets.

The fingerprint is the sum of a mixed hash of each offset modulo 2⁶⁴: it does not depend on the
order across polls, and a lost or doubled record changes it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Tally", "fingerprint"]


def fingerprint(offsets: npt.ArrayLike) -> int:
    """Σ mix(offset) modulo 2⁶⁴, with the finaliser of SplitMix64 (Steele et al., 2014) as mix."""
    with np.errstate(over="ignore"):
        mixed = np.asarray(offsets, np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        return int(mixed.sum(dtype=np.uint64)) if mixed.size else 0


@dataclass
class Tally:
    """One partition's account."""

    position: int = 0
    learned: int = 0
    fingerprint: int = 0

    def add(self, offsets: npt.NDArray[np.int64]) -> None:
        """Account for learned offsets."""
        self.learned += len(offsets)
        self.fingerprint = (self.fingerprint + fingerprint(offsets)) % 2**64

    def as_json(self) -> dict[str, Any]:
        """For the snapshot; the fingerprint as text, since JSON numbers are often floats."""
        return {
            "position": self.position,
            "learned": self.learned,
            "fingerprint": f"{self.fingerprint:016x}",
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Tally":
        """The inverse."""
        return cls(value["position"], value["learned"], int(value["fingerprint"], 16))

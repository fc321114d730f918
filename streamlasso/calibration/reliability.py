"""Do the events that were given 20 % happen in 20 % of the cases? Counted in O(1) per event."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Bin", "Reliability", "ReliabilityCounter"]

# Cells of equal width in log-odds: fine at both ends, where click rates live.
CELLS, REACH = 480, 12.0


class Bin(NamedTuple):
    """Events with similar predictions."""

    prediction: float
    """Their mean predicted probability."""
    outcome: float
    """Their share of positives."""
    events: float
    """Their number, each counted with its importance."""


class Reliability(NamedTuple):
    """Bins in the order of predictions."""

    before: tuple[Bin, ...]
    """Of the classifier's own probabilities."""
    after: tuple[Bin, ...]
    """Of the corrected ones."""


class ReliabilityCounter:
    """Sums of predictions, outcomes and importances in cells of the predicted log-odds."""

    def __init__(self) -> None:
        self._sums: npt.NDArray[np.float64] = np.zeros((CELLS, 3))

    def add(self, p: float, target: float, importance: float = 1.0) -> None:
        """Count one event."""
        bounded = min(max(p, 1e-9), 1.0 - 1e-9)
        place = (math.log(bounded / (1.0 - bounded)) + REACH) * (CELLS / (2 * REACH))
        sums: Any = self._sums[min(max(int(place), 0), CELLS - 1)]
        sums[0] += importance * p
        sums[1] += importance * target
        sums[2] += importance

    def bins(self, bins: int = 10) -> tuple[Bin, ...]:
        """At most ``bins`` bins of about as many events each; fewer where predictions repeat."""
        if not (isinstance(bins, int) and 1 <= bins <= CELLS):
            raise ValueError(f"bins = {bins!r} must be a whole number from 1 to {CELLS}")
        counts = self._sums[:, 2]
        total = counts.sum()
        if not total:
            return ()
        # A cell belongs to the bin in which its middle event falls.
        owner = ((counts.cumsum() - counts / 2) * bins / total).astype(int)
        merged = np.zeros((bins, 3))
        np.add.at(merged, np.minimum(owner, bins - 1), self._sums)
        return tuple(
            Bin(predictions / count, outcomes / count, count)
            for predictions, outcomes, count in merged.tolist()
            if count
        )

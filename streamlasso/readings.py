"""What a learner says of itself: weights, counts, the lanes' losses, uncertainty, warm starts."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.checks import real
from streamlasso.index import FeatureIndex, Name
from streamlasso.kernels import ACTIVATED, CLOCK, DEACTIVATED, FIRST, INTERCEPT, REJECTED
from streamlasso.layout import padded
from streamlasso.rules import Rule
from streamlasso.scales import cuts
from streamlasso.selection import LaneRow
from streamlasso.specialise import Kernels
from streamlasso.taking import TakesRows

__all__ = ["Readings"]

Array = npt.NDArray[Any]


class Readings(TakesRows):
    """The part of `Learner` that looks at what was learned. Weights are in the user's units.

    ``lane`` is one of the models side by side; None is what is served: the selected lane or
    mixture, otherwise the first.
    """

    rules: tuple[Rule, ...]
    index: FeatureIndex
    state: Array
    hyper: Array
    counts: Array
    ledger: Array
    dtype: str
    scale: str | None
    select: str | None
    fit_intercept: bool
    _ready: int
    _kernels: Kernels

    @property
    def rule(self) -> Rule:
        """The rule of the first lane."""
        return self.rules[0]

    @property
    def rule_name(self) -> str:
        """The name of the rule."""
        return self.rule.name

    @property
    def lanes(self) -> int:
        """Models side by side, padded to a power of two."""
        return padded(len(self.rules))

    @property
    def clock(self) -> int:
        """Events learned so far."""
        return int(self.counts[CLOCK, 0])

    @property
    def rejected(self) -> int:
        """Rows left out because a number was not finite or too large to be squared."""
        return int(self.counts[REJECTED, 0])

    def effective_weights(self) -> Array:
        """Every slot's weight with pending shrinkage applied, shape (capacity, lanes)."""
        weights = np.zeros((len(self.state), self.lanes), self.dtype)
        self._kernels.read_all(self.state, self.hyper, self.clock, weights)
        return weights

    @property
    def shares(self) -> Array:
        """Each lane's share of what is served; they add up to 1."""
        if self.select is not None:
            return np.array(self.ledger[LaneRow.SHARE])
        shares = np.zeros(self.lanes)
        shares[0] = 1.0
        return shares

    def _serve(self, weights: Array, lane: int | None) -> Array:
        if lane is not None:
            return np.asarray(weights[:, lane])
        shares = self.shares
        chosen = np.flatnonzero(shares)
        if len(chosen) == 1:
            return np.asarray(weights[:, chosen[0]])  # to the bit
        return np.asarray(weights[:, chosen] @ shares[chosen])

    def served_weights(self) -> Array:
        """Every slot's weight of what is served, shape (capacity,)."""
        return self._serve(self.effective_weights(), None)

    def weights(self, lane: int | None = None) -> dict[Name, float]:
        """Name → effective weight of the active features."""
        weights = self._serve(self.effective_weights(), lane)
        active = np.flatnonzero(weights)
        return {
            self.index.name(slot): weight
            for slot, weight in zip(active.tolist(), weights[active].tolist(), strict=True)
            if slot >= FIRST
        }

    def weights_of(self, slots: Array, lane: int | None = None) -> Array:
        """The effective weights of some slots."""
        self._catch_up()
        weights = np.zeros((len(slots), self.lanes), self.dtype)
        self._kernels.read_slots(self.state, self.hyper, self.clock, slots, weights)
        return self._serve(weights, lane)

    def seen_values(self, slots: Array, values: Array, size: int) -> tuple[Array, Array]:
        """The entries of a row as they are scored: with a scale, wild values are cut."""
        self._catch_up()
        slots, values = slots[:size], values[:size]
        if self.scale is None:
            return slots, values
        bounds = cuts(self.state[slots])
        return slots, np.asarray(np.clip(values, -bounds, bounds))

    def intercept(self, lane: int | None = None) -> float:
        """The intercept."""
        only = np.zeros((1, self.lanes), self.dtype)
        self._kernels.read_all(self.state[:1], self.hyper, self.clock, only)
        return float(self._serve(only, lane)[INTERCEPT]) if self.fit_intercept else 0.0

    def survey(self) -> tuple[int, Array]:
        """Sweep the state: tracked features, and per lane active ones, Σ|w|, max |w| (3, lanes).

        It also corrects the running counts of `active_count`: weights that died untouched.
        """
        sums = np.zeros((3, self.lanes))
        tracked = int(self._kernels.survey(self.state, self.hyper, self.clock, sums))
        self.counts[DEACTIVATED] += self.active_count() - sums[0].astype(np.int64)
        return tracked, sums

    def active_features(self) -> int:
        """Number of active features of what is served, exact as of the last event."""
        shares = self.shares
        if np.count_nonzero(shares) == 1:
            return int(self.survey()[1][0, int(shares.argmax())])
        return int(np.count_nonzero(self._serve(self.effective_weights(), None)[FIRST:]))

    def active_count(self) -> Array:
        """Active features per lane as counted at the touch: O(1).

        Exact for rules whose weights change only when touched. For the others (``rule.fades``) it
        is exact right after a `survey` and too large later: a weight that died untouched and came
        back counts twice.
        """
        count: Array = self.counts[ACTIVATED] - self.counts[DEACTIVATED]
        return count

    def uncertainty(self, slots: Array, values: Array, lane: int | None = None) -> float:
        """u(x): how far one more event like this one, with |slope| ≤ 1, can move its score.

        Σ step·value² over the features and the intercept, and what the penalty and forgetting take
        at that event from weights that are not zero; a feature that was never seen counts with the
        step of its first event. It holds for importance 1 and while the rest stays: scales, shares
        of lanes, the factors of an adaptive penalty, the members of groups, the noise ratio of
        Newton's evidence.

        Raises ``TypeError`` for a rule whose weights move with the clock, so that nothing is bound.
        """
        if not self.rule.bounded:
            raise TypeError(
                f"the rule {self.rule.name!r} moves all weights at every event, so no step bounds "
                "the change of a score; use FTRLProximal, SoftThreshold, TruncatedGradient or "
                "Newton"
            )
        self._catch_up()
        reaches = np.zeros(self.lanes, self.dtype)
        self._kernels.reach_row(
            self.state, self.hyper, self.clock, slots, values, self.fit_intercept, reaches
        )
        return float(self._serve(reaches[None, :], lane)[0])

    def plant(
        self, weights: Mapping[Name, float], intercept: float = 0.0, trust: float = 1.0
    ) -> None:
        """Start from given weights, in all lanes; the next event without a slope changes nothing.

        Parameters
        ----------
        weights, intercept
            In the units of the values as they come.
        trust
            How large the root of a weight's sum of squared gradients is taken to be: the larger,
            the slower the weight moves.

        Raises ``TypeError`` for a rule whose weights move with the clock, ``ValueError`` for a
        learner with a scale, whose units are not known before the first event, and for a trust
        that is below 0, or 0 with rates of each weight's own.
        """
        self._check_plantable(weights)
        if not 0 <= real("trust", trust, "the default is 1") < math.inf:
            raise ValueError(f"trust = {trust!r} must be finite and ≥ 0")
        if trust == 0 and "squares" in self.rule.columns:
            raise ValueError(
                f"trust = 0 with {self.rule.name!r}: the step of a weight without a past has no "
                "bound, so that the first penalty would take it all; give trust > 0"
            )
        slots = np.array([self.index.add(name) for name in weights], np.uint32)
        self._grow()
        known = slots >= FIRST  # a bounded index may refuse a name
        values = np.array(list(weights.values()), self.dtype)[known]
        args = (self.state, self.hyper, self.clock)
        number = np.dtype(self.dtype).type(trust)
        self._kernels.plant_slots(*args, slots[known], values, number)
        if self.fit_intercept:
            at, value = np.array([INTERCEPT], np.uint32), np.array([intercept], self.dtype)
            self._kernels.plant_slots(*args, at, value, number)
        self.survey()

    def _check_plantable(self, weights: Mapping[Name, float]) -> None:
        if not self.rule.bounded:
            raise TypeError(
                f"{self.rule.name!r} cannot start from given weights: its own depend on the clock; "
                "use FTRLProximal, SoftThreshold, TruncatedGradient or Newton"
            )
        if "link" in self.rule.l1_penalty.shared:
            raise TypeError(
                f"{self.rule.l1_penalty.name!r} cannot start from given weights: each would "
                "depend on its group; use a number, Evidence or Adaptive for l1"
            )
        if self.scale is not None:
            raise ValueError(
                f"scale = {self.scale!r}: the size of a feature is not known before its first "
                "event; start from weights without a scale"
            )
        if getattr(self.rule, "nonnegative", False) and min(weights.values(), default=0.0) < 0:
            name = min(weights, key=weights.__getitem__)
            raise ValueError(
                f"weight {weights[name]!r} of {name!r} with nonnegative = True: it must be ≥ 0; "
                "leave such names out of the source"
            )

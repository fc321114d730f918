"""What stands in place of λ1: a number, the evidence θ√n, a factor of each coordinate's own.

Coordinate 0 is the intercept and never penalised; the feature with the name j is coordinate 1 + j.
A penalty is given as a number, or as a dict with its ``kind`` and its parameters.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Vector = npt.NDArray[np.float64]
Given = float | str | Mapping[str, Any]


def is_group(l1: Given) -> bool:
    return isinstance(l1, Mapping) and l1["kind"] == "group"


class Constant:
    """λ1, for all the same; ``age`` times that where it is a penalty per event."""

    def __init__(self, l1: float) -> None:
        self.l1 = l1

    def threshold(self, coordinate: int, age: float, root: float) -> float:
        """What |z_j| has to exceed. ``root`` is √n_j (Newton: √(n_j·r))."""
        return 0.0 if coordinate == 0 else age * self.l1

    def after(self, events: int, readings: Vector, known: Flags) -> None:
        """After so many events, with the unpenalised weights of all coordinates."""


class Evidence(Constant):
    """θ√n_j: θ standard deviations of the gradient sum."""

    def __init__(self, theta: float) -> None:
        self.theta = theta

    def threshold(self, coordinate: int, age: float, root: float) -> float:
        return 0.0 if coordinate == 0 else self.theta * root


class Adaptive(Constant):
    """λ1·min(|pilot_j|^(−γ), cap): Zou, "The Adaptive Lasso and Its Oracle Properties", JASA 2006.

    Without a pilot it is the coordinate's own unpenalised weight after events 64, 128, 256, …;
    until then, and of a feature without a gradient so far, the factor is 1. A name that a given pilot does not have gets the cap.
    """

    def __init__(
        self,
        size: int,
        l1: float,
        gamma: float = 1.0,
        cap: float = 100.0,
        pilot: Mapping[int, float] | None = None,
    ) -> None:
        self.l1, self.gamma, self.cap, self.pilot = l1, gamma, cap, pilot
        self.factor: Vector = np.ones(size)
        if pilot is not None:
            for j in range(1, size):
                self.factor[j] = self._factor(pilot.get(j - 1, 0.0))

    def _factor(self, weight: float) -> float:
        if weight == 0:
            return self.cap
        return float(min(abs(weight) ** -self.gamma, self.cap))

    def threshold(self, coordinate: int, age: float, root: float) -> float:
        return 0.0 if coordinate == 0 else age * self.l1 * float(self.factor[coordinate])

    def after(self, events: int, readings: Vector, known: Flags) -> None:
        is_power_of_two = math.log2(events).is_integer()
        if self.pilot is None and events >= 64 and is_power_of_two:
            new = [self._factor(float(weight)) for weight in readings]
            self.factor = np.where(known, new, self.factor)


def penalty_from(l1: Given, size: int, *, rule: str, allowed: tuple[str, ...]) -> Constant:
    """The penalty for vectors of this size; an error where the rule has no such penalty."""
    if isinstance(l1, (int, float)):
        return Constant(l1)
    given: dict[str, Any] = {"kind": l1} if isinstance(l1, str) else dict(l1)
    kind = given.pop("kind")
    if kind not in allowed:
        raise ValueError(f"no reference for the penalty {kind!r} of {rule} in this mode")
    if kind == "evidence":
        return Evidence(given.get("theta", 0.5))
    return Adaptive(size, **given)

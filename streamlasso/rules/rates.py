"""Step sizes of the rules that take explicit gradient steps: per coordinate, or one for all."""

import math
from collections.abc import Mapping

from streamlasso.rules.base import Rule

__all__ = ["DELTA", "RatedRule", "rate", "step"]

DELTA = 1e-8
"""δ of the per-coordinate rate η/(δ + √n): without it a zero first gradient gives 0·∞."""

# Names that each rule binds to its own columns, parameters and mode.
SQUARES = LEARNING_RATE = POWER = 0
ADAPTIVE = True


def rate(state, slot, lane, hyper, clock):
    """η/(δ + √n), or η/(1 + t)^power."""
    if ADAPTIVE:
        return hyper[LEARNING_RATE, lane] / (DELTA + math.sqrt(state[slot, SQUARES + lane]))
    return hyper[LEARNING_RATE, lane] / (1.0 + clock) ** hyper[POWER, lane]


def step(state, slot, lane, hyper, clock):
    """The rate itself."""
    return rate(state, slot, lane, hyper, clock)


class RatedRule(Rule):
    """A rule with ``adaptive`` and ``power`` among its parameters."""

    adaptive: bool
    power: float

    def _mode_faults(self) -> list[str]:
        if self.adaptive and self.power:
            return [f"power = {self.power!r} needs adaptive = False"]
        return []

    @property
    def columns(self) -> tuple[str, ...]:
        """w, the stamp of the last touch, and n for per-coordinate rates."""
        return ("weight", "stamp", "squares") if self.adaptive else ("weight", "stamp")

    @property
    def mode(self) -> Mapping[str, bool]:
        """Which step size is compiled in."""
        return {"ADAPTIVE": self.adaptive}

"""Step sizes of the rules that take explicit gradient steps: per coordinate, or one for all."""

import math
from collections.abc import Mapping

from streamlasso.rules.base import Rule

__all__ = ["DELTA", "RatedRule", "grow", "rate", "reach", "step"]

DELTA = 1e-8
"""δ of the per-coordinate rate η/(δ + √n): without it a zero first gradient gives 0·∞."""

# Names that each rule binds to its own columns, parameters and mode.
SQUARES = TOUCH = LEARNING_RATE = POWER = FADE = 0
ADAPTIVE = True
FORGETS = False


def rate(state, slot, lane, hyper, clock):
    """η/(δ + √n), or η/(1 + t)^power."""
    if ADAPTIVE:
        return hyper[LEARNING_RATE, lane] / (DELTA + math.sqrt(state[slot, SQUARES + lane]))
    return hyper[LEARNING_RATE, lane] / (1.0 + clock) ** hyper[POWER, lane]


def step(state, slot, lane, hyper, clock):
    """The rate itself."""
    return rate(state, slot, lane, hyper, clock)


def grow(state, slot, lane, gradient, hyper, clock):
    """n ← n·f^(2m) + g², m the events since the last touch; the rate is frozen in between."""
    squares = state[slot, SQUARES + lane]
    if FORGETS:
        squares *= math.exp(2 * hyper[FADE, lane] * (clock - state[slot, TOUCH + lane]))
        state[slot, TOUCH + lane] = clock
    state[slot, SQUARES + lane] = squares + gradient * gradient


def pull_of(hyper, lane):
    """The penalty of one event; each rule has its own."""
    return 0.0


def reach(state, slot, lane, value, hyper, clock):
    """η'·(value² + λ1·|value|), η' the rate after this event's own square: at birth it is finite."""
    pull = pull_of(hyper, lane) * abs(value)
    if ADAPTIVE:
        root = math.sqrt(state[slot, SQUARES + lane] + value * value)
        return hyper[LEARNING_RATE, lane] / (DELTA + root) * (value * value + pull)
    return rate(state, slot, lane, hyper, clock) * (value * value + pull)


class RatedRule(Rule):
    """A rule with ``adaptive`` and ``power`` among its parameters."""

    adaptive: bool
    power: float
    half_life: float

    def _mode_faults(self) -> list[str]:
        faults = []
        if self.adaptive and self.power:
            faults.append(f"power = {self.power!r} needs adaptive = False")
        if not self.adaptive and self.forgets:
            faults.append(
                f"half_life = {self.half_life!r} needs adaptive = True: a common rate has no past"
            )
        return faults

    @property
    def columns(self) -> tuple[str, ...]:
        """w, the stamp of the last touch, and n for per-coordinate rates; its clock if it fades."""
        squares = ("squares",) if self.adaptive else ()
        return ("weight", "stamp", *squares, *(("touch",) if self.forgets else ()))

    @property
    def mode(self) -> Mapping[str, bool]:
        """Which step size is compiled in."""
        return {"ADAPTIVE": self.adaptive}

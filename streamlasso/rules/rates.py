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


def read(state, slot, lane, hyper, clock):
    """Each rule has its own."""
    return 0.0


def pull_of(state, slot, lane, weight, hyper):
    """What one event's penalty takes off a weight, per step size; each rule has its own."""
    return 0.0


def reach(state, slot, lane, value, hyper, clock):
    """|value|·max(p, min(p + ηλ, |w|)): a step p, and what the penalty takes at most.

    p = η'·|value| with η' the rate after the largest gradient; a penalty never takes a weight past
    zero, which bounds it where η is large for want of a past.
    """
    size = abs(value)
    weight = abs(read(state, slot, lane, hyper, clock))
    eta = rate(state, slot, lane, hyper, clock)
    push = eta * size
    if ADAPTIVE:
        squares = state[slot, SQUARES + lane]
        if FORGETS:
            squares *= math.exp(2 * hyper[FADE, lane] * (clock - state[slot, TOUCH + lane]))
        eta = hyper[LEARNING_RATE, lane] / (DELTA + math.sqrt(squares))
        push = hyper[LEARNING_RATE, lane] / (DELTA + math.sqrt(squares + value * value)) * size
    pull = eta * pull_of(state, slot, lane, weight, hyper)
    return size * max(push, min(push + pull, weight))


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

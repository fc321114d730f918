"""Where things lie in the arrays of a stack for many classes.

* ``state[slot, column]``: the shared columns of `streamlasso.stack.places`, then for each class z
  of its lanes, √n of its lanes, and H: `BLOCK` numbers from `BLOCKS` on.
* ``lanes[Row, class·MODELS + lane]``: the lanes, the same rules for each class, and intercepts.
* ``book[ClassBook]``, then lanes' losses and shares, u, its precision, and the levels.
* ``each[Each, class]``: of the classes.
* ``scratch[Scratch, class·MODELS + lane]``: of one row.
* ``inputs[class, …]``: what the second layer sees of a row: X, then the full score, the served
  score, and those of the levels. For a late label they are those of the moment of prediction.
"""

from enum import IntEnum, auto

from streamlasso.stack.places import MOST_LEVELS, Row, columns

__all__ = ["ClassBook", "ClassLevel", "ClassScratch", "Each", "Row", "sizes"]


class _FromZero(IntEnum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last: list[int]) -> int:
        return count


class ClassBook(_FromZero):
    """Single numbers of ``book``."""

    ROWS = auto()  # rows learned
    EVENTS = auto()  # Σ importance
    POWER = auto()  # mean Σx² of a row
    RHO = auto()  # what the first rows divide steps by
    GAIN = auto()  # discounted loss of the mixture less that of the second layer
    GUARD = auto()  # share of the second layer
    LEVELS = auto()  # how many
    TOLERANCE = auto()
    CHOSEN = auto()  # the level that is served
    MOST = auto()  # features that may be served; 0 for any number
    SEEN = auto()  # discounted number of rows
    LIFE_SERVED = auto()  # losses over the life, and their weight
    LIFE_FULL = auto()
    LIFE = auto()
    REJECTED = auto()


class Each(_FromZero):
    """Rows of ``each``."""

    COUNT = auto()  # Σ importance of the class
    RECENT = auto()  # the same, fading
    RECENT_WEIGHT = auto()
    OFFSET = auto()  # the second layer's part of the intercept
    LESSON = auto()  # p(1 − p) of a row that teaches the class, 0 where it does not


class ClassScratch(_FromZero):
    """Rows of ``scratch``."""

    SCORE = auto()
    SPREAD = auto()
    SLOPE = auto()
    BEND = auto()
    RISE = auto()
    MOVED = auto()  # what moves of centres would have changed


class ClassLevel(_FromZero):
    """Numbers of a served level; each has `MOST_LEVELS` places in ``book``."""

    TAU = auto()
    SLOPE = auto()
    PRECISION = auto()
    LOSS = auto()


def sizes(lanes: int, evicts: bool) -> dict[str, int]:
    """The places of the arrays, by name."""
    at = columns(0, evicts)
    blocks = at.pop("WIDTH")
    inputs = lanes + 2
    at |= {"BLOCKS": blocks, "BLOCK": 2 * lanes + 1, "MODELS": lanes, "INPUTS": inputs}
    at |= {"MOST_LEVELS": MOST_LEVELS, "LEVEL": len(ClassBook)}
    at["LOSSES"] = len(ClassBook) + MOST_LEVELS * len(ClassLevel)
    at["SHARES"], at["WEIGHTS"] = at["LOSSES"] + lanes, at["LOSSES"] + 2 * lanes
    at["U"] = at["WEIGHTS"] + lanes
    at["PRIOR"], at["P"] = at["U"] + inputs, at["U"] + 2 * inputs
    at["BOOK"] = at["P"] + inputs * inputs
    at["FULL"], at["SERVED"], at["SUMS"] = inputs, inputs + 1, inputs + 2
    at["INPUTS_SIZE"] = inputs + 2 + MOST_LEVELS
    return at

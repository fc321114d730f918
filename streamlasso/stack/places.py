"""Where things lie in the arrays of a stack.

* ``state[slot, column]``: the scale's columns (`streamlasso.scales`), `OWN_COLUMNS`, padding, z of
  every lane and √n of every lane. Slot 0 holds nothing: the intercepts are in ``lanes``.
* ``lanes[Row, lane]``: what each lane is, its intercept and its past.
* ``book[Book]``: the second layer; after the single numbers `Level` by level, then vectors and a
  matrix, whose places depend on the number of lanes (`places`).
* ``scratch[Scratch, lane]``: of one row.
* ``kept[feature]``: of one row, the weights that each feature was scored with, its value as it is
  learned, and by what its record changes with its scale.
* ``inputs``: what the second layer sees of a row, X, the scores of the mixture, of the full
  model and the served one, and those of the levels. For a late label they are those of the moment
  of prediction.
"""

from enum import IntEnum, auto

from streamlasso import scales

__all__ = [
    "DESK",
    "MOST_LEVELS",
    "OWN_COLUMNS",
    "Book",
    "Level",
    "Row",
    "Scratch",
    "columns",
    "places",
]

OWN_COLUMNS = ("met", "averaged", "mean", "scatter", "centre", "information")
"""How many rows met the feature; how many of them are in the mean and Σ of squared deviations of
its values; what is taken off them; H = Σ h·x², its Fisher information."""

MOST_LEVELS = 8

DESK = "STATE", "LANES", "BOOK", "SCRATCH", "INPUTS", "GAINS", "KEPT", "BINS", "SCORE", "LATE"
"""Arrays on a learner's desk, in their order behind those of the row."""


class _FromZero(IntEnum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last: list[int]) -> int:
        return count


class Row(_FromZero):
    """Rows of ``lanes``."""

    BASE = auto()  # q = BASE·ρ + RATE·√n + OWN·n
    RATE = auto()
    OWN = auto()  # 1 for a Newton lane
    DAMPED = auto()  # 1 where the step is divided by D: of Newton and steady lanes
    ADAGRAD = auto()  # 1 for one that adds squared gradients
    THETA = auto()  # w = 0 where |z| ≤ THETA·√n
    FADE = auto()  # what of the intercept's precision a row forgets
    FIRST_Q = auto()  # the intercept's precision at first
    PRIOR = auto()  # nats against the lane, before the first row
    USED = auto()  # 0 for a lane that only pads
    FULL_RATE = auto()  # RATE and THETA before the size of targets comes in
    FULL_THETA = auto()
    Z = auto()  # the intercept's
    Q = auto()
    SQUARES = auto()  # Σ of the intercept's squared gradients, for real targets
    LOSS = auto()  # discounted
    SHARE = auto()  # v, of the mixture
    WEIGHT = auto()  # a, of the full model as one linear model


class Scratch(_FromZero):
    """Rows of ``scratch``."""

    SCORE = auto()
    SPREAD = auto()  # V, the variance of the score
    SLOPE = auto()
    BEND = auto()  # the curvature, of Newton lanes
    RISE = auto()  # the curvature that the intercept's precision grows by


class Book(_FromZero):
    """Single numbers of ``book``."""

    CLOCK = auto()  # rows learned
    ROWS = auto()  # the same since the start, or since it began anew
    POWER = auto()  # mean Σx² of a row
    RHO = auto()  # what the first rows divide steps by
    ORIGIN = auto()  # the first target, for real ones
    TARGETS = auto()  # Σ target, beginning with what keeps a mean off its bounds
    EVENTS = auto()
    DEVIATIONS = auto()  # Σ squared deviations of the target
    SIZE = auto()  # b, the target's deviation; 1 where it has none
    LOW = auto()  # the smallest and largest target so far
    HIGH = auto()
    WILD = auto()  # targets in a row that were cut
    NEWER = auto()  # number, mean and Σ of squared deviations of the targets in this block
    NEWER_MEAN = auto()
    NEWER_SQUARES = auto()
    EXCESS = auto()  # how much more counts vary than Poisson's; Σ discounted
    NATS = auto()  # what a squared score times information is divided by
    NOISE = auto()  # the second layer's squared errors, discounted, and their weight
    NOISES = auto()
    GAIN = auto()  # discounted loss of the mixture less that of the second layer
    GUARD = auto()  # share of the second layer
    OFFSET = auto()  # of the full model as one linear model
    LEVELS = auto()  # how many
    TOLERANCE = auto()
    CHOSEN = auto()  # the level that is served
    SEEN = auto()  # discounted number of rows
    LIFE_SERVED = auto()  # losses over the life, and their weight
    LIFE_FULL = auto()
    LIFE = auto()
    REJECTED = auto()
    MOST = auto()  # features that may be served; 0 for any number
    PAST_0 = auto()  # three means of the labels, and their weights
    PAST_1 = auto()
    PAST_2 = auto()
    PAST_WEIGHT_0 = auto()
    PAST_WEIGHT_1 = auto()
    PAST_WEIGHT_2 = auto()
    HELPER_0 = auto()  # what the second layer is told of them
    HELPER_1 = auto()
    HELPER_2 = auto()
    ECHO_0 = auto()  # three means of the mixture's residuals, and their weights
    ECHO_1 = auto()
    ECHO_2 = auto()
    ECHO_WEIGHT_0 = auto()
    ECHO_WEIGHT_1 = auto()
    ECHO_WEIGHT_2 = auto()


class Level(_FromZero):
    """Numbers of a served level; each has `MOST_LEVELS` places in ``book``."""

    TAU = auto()
    SLOPE = auto()
    BIAS = auto()
    C_SLOPE = auto()
    C_BOTH = auto()
    C_BIAS = auto()
    LOSS = auto()


def columns(lanes: int, evicts: bool) -> dict[str, int]:
    """Column → its first place in a record, and the record's width.

    TOUCHED, the clock of a feature's last row, is there where an index frees slots, −1 elsewhere.
    Lanes begin at a multiple of eight numbers and the record ends at one, so that it lies in as few
    cache lines as it can; what lies between is never used.
    """
    shared = (*scales.COLUMNS, *OWN_COLUMNS, *(("touched",) if evicts else ()))
    places = {"TOUCHED": -1} | {name.upper(): i for i, name in enumerate(shared)}
    begin = -(-len(shared) // 8) * 8 if lanes else len(shared)
    width = -(-(begin + 2 * lanes) // 8) * 8 if lanes else begin
    return places | {
        "SHARED": len(shared),
        "DUALS": begin,
        "ROOTS": begin + lanes,
        "WIDTH": width,
    }


def places(lanes: int, helpers: int) -> dict[str, int]:
    """Where vectors and the matrix begin in ``book`` and ``inputs``, and how large they are."""
    inputs = lanes + 1 + helpers + 1
    at = {"MODELS": lanes, "HELPERS": helpers, "INPUTS": inputs, "LEVEL": len(Book)}
    at["MOST_LEVELS"] = MOST_LEVELS
    at["U"] = len(Book) + MOST_LEVELS * len(Level)
    at["TOP"] = at["U"] + inputs
    at["C"] = at["TOP"] + inputs
    at["BOOK"] = at["C"] + inputs * inputs
    at["MIXTURE"], at["FULL"], at["SERVED"], at["SUMS"] = range(inputs, inputs + 4)
    at["INPUTS_SIZE"] = inputs + 3 + MOST_LEVELS
    at["X"], at["RATIO"] = lanes, lanes + 1
    at["KEPT"] = -(-(lanes + 2) // 8) * 8
    return at

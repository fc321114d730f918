"""Names that templates use: constants, and those that are bound before compiling."""

from typing import Any

# Templates see the names of this module alone, so the rows of scratch are among them.
from streamlasso import simd
from streamlasso.events import CURVATURE as CURVATURE
from streamlasso.events import IMPORTANCE as IMPORTANCE
from streamlasso.events import OWN_SPREAD as OWN_SPREAD
from streamlasso.events import SLOPE as SLOPE
from streamlasso.events import SPREAD as SPREAD
from streamlasso.events import TARGET as TARGET
from streamlasso.events import VARIANCE as VARIANCE
from streamlasso.selection import LaneRow

BLOCK, VALUES_AT, REPEATS, SUM_OF = simd.BLOCK, simd.values_at, simd.repeats, simd.sum_of
ADD_IN_ORDER, ADD_SIGNS, HOW_MANY = simd.add_in_order, simd.add_signs, simd.how_many

INTERCEPT, UNSEEN, FIRST = 0, 1, 2
CLOCK, REJECTED, ACTIVATED, DEACTIVATED = range(4)
# Bound of slope²·Σx² and of the score: far enough from overflow to add many such squares.
LARGEST_64, LARGEST_32 = 1e290, 1e30
LARGEST_LOSS = 1e100  # in the ledger, whose sums must stay finite

# How many features ahead a record is prefetched, rows after this one included: far enough for main
# memory to answer (measured: 1.8 times as fast at 2²² slots; 48 to 96 are alike).
AHEAD = 64

# Penalties that are renewed are so after 64, 128, … events.
FIRST_RENEWAL = 64

# Places of a learner's arrays on its desk (`streamlasso.addresses`).
ON_FLAGS, ON_SLOTS, ON_VALUES = range(3)
ON_STATE, ON_HYPER, ON_COUNTS, ON_EVENTS, ON_LEDGER, ON_LOSS, ON_SCORES = range(3, 10)

# Numbers among a learner's flags: whether it has an intercept, the first slot without a record; why
# a row was not taken, and its length; of stacks, whether a label is late and how many are to come.
HAS_INTERCEPT, READY, STATUS, LENGTH, LATE, PENDING = range(6)
FLAGS = 6
FINE, NO_RECORD = 0, 1  # statuses; those below 0 are of `streamlasso.objects`

# What `specialise` binds before compiling.
LANES = 1
OWN = 0  # first column of the rule: those before it may be set without an event
TOUCHED = -1  # the column of the last event's clock, where the index evicts
BLOCKS = ABREAST = False  # blocks of slots, or all lanes, at once
APART = MULTI = CURVED = SPREADS = GATHERS = RENEWS = SELECTS = COUNTS = False
_UNBOUND: Any = None
REAL = WHOLE = UNSIGNED = DOUBLE = _UNBOUND  # kinds of numbers in arrays: REAL is the state's
array_1 = array_2 = array_3 = _UNBOUND
READ = WRITE = STEP = REACH = PLANT = SETTLE = TICK = DUE = RESET = GATHER = RENEW = REPAY = (
    _UNBOUND
)
SCALED = OBSERVE = UNIT = SLOPES = SLOPE_OF = CURVATURE_OF = VARIANCE_OF = _UNBOUND
VALUE = MEAN = CONSTANT = PREFETCH = ELECT = _UNBOUND
SCORE_BLOCKS = SCORE_LANES = WRITE_BLOCKS = WRITE_LANES = _UNBOUND
ALL_LANES = SLOTS_AT = PREFETCH_AT = _UNBOUND
ENCODE = ROW_SIZE = _UNBOUND
TRACKED = SCORE_ONE = SPREAD_ONE = WRITE_FEATURES = ADVANCE = TRACK = LEARN_ONE = SURVEY_LANES = (
    _UNBOUND
)

ALL_LOSS, ALL_WEIGHT, ALL_SQUARE = LaneRow.ALL_LOSS, LaneRow.ALL_WEIGHT, LaneRow.ALL_SQUARE
LOSS, WEIGHT, SQUARE = LaneRow.LOSS, LaneRow.WEIGHT, LaneRow.SQUARE
MEMORY, ACTIVE, SHARE = LaneRow.MEMORY, LaneRow.ACTIVE, LaneRow.SHARE

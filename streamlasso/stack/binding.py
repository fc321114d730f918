"""Names that `compiling` gives a meaning before the kernels that use them are compiled.

Places in the arrays (`places`), the arithmetic of lane vectors (`streamlasso.vectors`), the
functions of the scale, and those of the loss.
"""

from typing import Any

_UNBOUND: Any = None

# Columns of ``state``.
TOUCHED = UNIT = MET = AVERAGED = MEAN = SCATTER = CENTRE = INFORMATION = DUALS = ROOTS = 0
# How many models and helpers, and how many inputs of the second layer these make.
MODELS = HELPERS = INPUTS = 0
# Places in ``kept``, ``book`` and ``inputs``.
RATIO = X = LEVEL = U = TOP = C = MIXTURE = FULL = SERVED = SUMS = MOST_LEVELS = 0


# Vectors of the lanes, of any numbers, of the levels, the second layer's inputs, and of four; and
# the scale's functions.
load = store = spread = _UNBOUND
at = exponential = four = fused = largest = logarithm = lower = ordinal = pick = _UNBOUND
root = smallest = total = upper = _UNBOUND
load_levels = store_levels = spread_levels = load_inputs = store_inputs = _UNBOUND
load_four = spread_four = _UNBOUND
prefetch = cut = scaled = observe = unit = _UNBOUND

# Of the kind of loss: `likelihood` or `least_squares`; and of the loss itself.
astray = mean_target = settle_targets = _UNBOUND
begin = combine = slopes = learn_layer = take_target = served_score = _UNBOUND
means_of = values_of = curvatures_of = links_of = link_of = _UNBOUND
sigmoid = _UNBOUND
COUNTS = False
"""Whether targets are counts."""

# Of one row: kinds of numbers in arrays, REAL the state's; places of arrays on a learner's desk,
# and the functions that take them from it (`streamlasso.addresses`).
REAL = WHOLE = UNSIGNED = DOUBLE = _UNBOUND
ON_STATE = ON_LANES = ON_BOOK = ON_SCRATCH = ON_INPUTS = ON_GAINS = ON_KEPT = ON_BINS = 0
ON_SCORE = ON_LATE = 0
array_1 = array_2 = row_size = _UNBOUND

# `features` and `layer`.
gather = settle = write = soft = settle_centre = tau_for = _UNBOUND
absorb = choose_level = faded = filter_levels = level_row = level_score = mixture_shares = _UNBOUND
put_level_row = settle_intercepts = settle_weights = stacked = _UNBOUND

# Of many classes: places, and the functions of `streamlasso.stack.classes`.
BLOCKS = BLOCK = WEIGHTS = LOSSES = SHARES = PRIOR = P = 0
gather_classes = write_classes = begin_classes = combine_classes = learn_classes = _UNBOUND
settle_shares = slopes_of_classes = softmax_loss = _UNBOUND

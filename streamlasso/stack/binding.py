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
# Places in ``book`` and ``inputs``.
LEVEL = U = TOP = C = MIXTURE = FULL = SERVED = SUMS = MOST_LEVELS = 0


# Lane vectors, and the scale's functions.
load = store = spread = root = total = lower = upper = _UNBOUND
load_levels = store_levels = spread_levels = reaches = _UNBOUND
prefetch = cut = scaled = observe = unit = _UNBOUND

# Of the kind of loss: `likelihood` or `least_squares`; and of the loss itself.
astray = _UNBOUND
begin = combine = slopes = learn_layer = take_target = served_score = full_curvature = _UNBOUND
mean_of = value_of = curvature_of = link_of = loss_of = _UNBOUND
sigmoid = _UNBOUND
COUNTS = False
"""Whether targets are counts."""

# `features` and `layer`.
gather = write = soft = settle_centre = tau_for = _UNBOUND
absorb = choose_level = filter_level = level_score = mixture_shares = _UNBOUND
recall = settle_intercepts = settle_weights = stacked = tell = _UNBOUND

# Of many classes: places, and the functions of `streamlasso.stack.classes`.
BLOCKS = BLOCK = WEIGHTS = LOSSES = SHARES = PRIOR = P = 0
gather_classes = write_classes = begin_classes = combine_classes = learn_classes = _UNBOUND
settle_shares = slopes_of_classes = softmax_loss = _UNBOUND

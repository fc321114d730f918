"""The loops over events and features, written once, as templates.

A template calls ``READ``, ``WRITE``, ``SLOPE_OF`` and so on: names that `specialise.kernels_for`
binds to the functions of one rule with its penalty, one loss, one scale and one selection, for a
fixed number of lanes, before numba compiles the copy.

Arrays, the same for all templates:

* ``state[slot, shared + column·LANES + lane]``: one record per slot. Slot 0 is the intercept; slot
  1 is read for unknown names, always zero and never written.
* ``hyper[which, parameter, lane]``: ``which`` is 0 for the intercept, 1 for features.
* ``counts[CLOCK | REJECTED | ACTIVATED | DEACTIVATED, lane]``: events learned, rows rejected
  because a number was not finite, and changes of activity.
* ``events[row, lane]``: scratch, the numbers of one event (`streamlasso.events`).
* ``ledger[row, lane]``: the lanes' losses and shares, where one is selected (`selection`).
* ``scores[row, lane]``; where a lane is selected, one more column holds what is served.

An event is applied to all its features or to none: whether it is safe is known before the first
write, for each lane by itself where lanes are models apart. Adding is in the order of the features,
so results depend neither on how rows are chunked nor on whether many go together (`abreast`).
"""

from streamlasso.kernels import abreast, learning, names, parts, reading, scoring
from streamlasso.kernels.names import (
    ACTIVATED,
    CLOCK,
    DEACTIVATED,
    FIRST,
    INTERCEPT,
    REJECTED,
    UNSEEN,
)

__all__ = [
    "ACTIVATED",
    "CLOCK",
    "DEACTIVATED",
    "FIRST",
    "INTERCEPT",
    "REJECTED",
    "UNSEEN",
    "abreast",
    "learning",
    "names",
    "parts",
    "reading",
    "scoring",
]

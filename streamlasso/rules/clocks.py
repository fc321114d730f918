"""How old a slot is and what it has forgotten: what rules with a dual share.

Names are bound by the rule: the columns STAMP and BIRTH, the row FADE (log f, f the factor by which
an event fades the past) and the modes FORGETS and SINCE_BIRTH.
"""

import math

__all__ = ["age", "faded", "one_fade"]

STAMP = BIRTH = FADE = ROOT = 0
FORGETS = SINCE_BIRTH = False


def age(state, slot, lane, hyper, clock):
    """T: how many events count for this slot, Σ f^s over them where the past fades."""
    start = state.dtype.type(0)
    if SINCE_BIRTH and state[slot, ROOT + lane] > 0:
        start = state[slot, BIRTH + lane]
    events = state.dtype.type(clock) - start
    if FORGETS and hyper[FADE, lane] != 0:
        return math.expm1(hyper[FADE, lane] * events) / math.expm1(hyper[FADE, lane])
    return events


def faded(state, slot, lane, hyper, clock):
    """f^m for the m events since the record was last written."""
    if FORGETS:
        return math.exp(hyper[FADE, lane] * (clock - state[slot, STAMP + lane]))
    return state.dtype.type(1)


def one_fade(state, lane, hyper):
    """f: what the event at hand fades."""
    if FORGETS:
        return math.exp(hyper[FADE, lane])
    return state.dtype.type(1)

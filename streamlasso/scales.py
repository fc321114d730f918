"""Scales: a feature's values divided by their own size, so that its unit does not matter.

A penalty and a step mean something else in metres than in millimetres. With a scale every value is
first divided by s, the size of the feature's values so far, kept per slot; when s moves, the record
is rescaled to what it would be had s always been so. Nothing is centred: an absent feature stays
zero.

Kinds, with ms the mean square and mx the largest absolute value over the last two blocks of
doubling length (values 1; 2; 3–4; 5–8; … of the feature, so that a wild first value is forgotten):

* ``"max"``: s = mx
* ``"rms"``: s = √ms
* ``"rms-max"``: s = √(√ms·mx), the geometric mean of both. The maximum alone starves z-scored
  numbers beside one-hot ones, the root mean square alone lets outliers take large steps.

A wild value does little: |v| is cut to twice mx, and to 1.25·mx once 32 values are known, at
prediction too. Where s falls by more than
4×, the weight keeps its effect and the rest of the record stays as it is: rescaled, it would be
sure of the wild value alone.

What differs from "Normalized Online Learning" (Ross, Mineiro, Langford, UAI 2013), VowpalWabbit's
``--normalized``: there the maximum of all time is the scale, a weight is multiplied by
(old/new)² when it moves and a global factor √(t/Σ(x/s)²) sets the rate; here the dual and its
squares are rescaled too, so a penalty on the dual keeps its meaning, an old maximum is forgotten,
and there is no global factor.

An event is scored with the scales from before it and learned with those after it, so that learning
returns what predicting would have.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["COLUMNS", "SCALES", "cuts", "functions_of"]

COLUMNS = ("seen", "start", "square", "peak", "old_square", "old_peak", "unit")
"""Columns per slot: how many values, how many before this block; its mean square and largest, those
of the block before; s."""

SEEN, START, SQUARE, PEAK, OLD_SQUARE, OLD_PEAK, UNIT = range(7)
LANES = 1
CUT_FIRST, CUT_LATER, MANY_VALUES = 2.0, 1.25, 32  # the cut, at first and after so many values


def rescale(state, slot, lane, ratio, hyper, clock):
    """The rule's own."""


def weaken(state, slot, lane, ratio, hyper, clock):
    """The rule's own."""


def largest(state, slot, peak, old_peak):
    """s = mx."""
    return max(peak, old_peak)


def root_mean_square(state, slot, peak, old_peak):
    """s = √ms over both blocks."""
    start = state[slot, START]
    now, before = state[slot, SEEN] - start, np.ceil(start * state.dtype.type(0.5))
    share = now / (now + before)  # a sum of squares could overflow
    old = state[slot, OLD_SQUARE]
    # Blocks that are alike give that to the bit: no record is rescaled for rounding.
    return math.sqrt(old + share * (state[slot, SQUARE] - old))


def both(state, slot, peak, old_peak):
    """s = √(√ms·mx)."""
    return math.sqrt(root_mean_square(state, slot, peak, old_peak) * max(peak, old_peak))


def size(state, slot, peak, old_peak):
    """The kind's own."""
    return max(peak, old_peak)


def cut(state, slot, value):
    """The value within ±2·mx, ±1.25·mx once mx is of many values; as it is before the first."""
    peak = max(state[slot, PEAK], state[slot, OLD_PEAK])
    if peak == 0:
        return value
    bound = peak * state.dtype.type(CUT_LATER if state[slot, SEEN] >= MANY_VALUES else CUT_FIRST)
    return min(max(value, -bound), bound)


def scaled(state, slot, value):
    """The value as it is scored: cut, divided by s; of an unknown feature its sign."""
    if max(state[slot, PEAK], state[slot, OLD_PEAK]) == 0:
        return math.copysign(abs(state.dtype.type(value != 0)), value)
    return cut(state, slot, value) / state[slot, UNIT]


def observe(state, slot, value, hyper, clock):
    """Take a value into the feature's scale, rescale its record; the value as it is learned."""
    if value == 0:
        return value
    peak, old_peak = state[slot, PEAK], state[slot, OLD_PEAK]
    before, one = state[slot, SEEN], state.dtype.type(1)  # else float32 would become float64
    if (
        abs(value) == peak == old_peak
        and value * value == state[slot, SQUARE]
        and (state[slot, SQUARE] == state[slot, OLD_SQUARE])
    ):
        # As all values of both blocks: 1, mostly. Only the blocks move.
        if before >= max(state[slot, START] + state[slot, START], one):
            state[slot, START] = before
        state[slot, SEEN] = before + one
        return value / state[slot, UNIT]
    value = cut(state, slot, value)
    if before >= max(state[slot, START] + state[slot, START], one):
        state[slot, OLD_SQUARE] = state[slot, SQUARE]
        state[slot, OLD_PEAK] = old_peak = peak
        state[slot, START] = before
        state[slot, SQUARE] = 0
        peak = 0 * peak
    state[slot, SEEN] = before + one
    here = state[slot, SEEN] - state[slot, START]
    if here > 0:  # a float32 counter stops at 2^24
        state[slot, SQUARE] += (value * value - state[slot, SQUARE]) / here
    peak = max(peak, abs(value))
    state[slot, PEAK] = peak
    unit = size(state, slot, peak, old_peak)
    if unit == 0:  # a square that underflows
        unit = max(peak, old_peak)
    old = state[slot, UNIT]
    if 0 < old != unit:
        for lane in range(LANES):
            if old <= state.dtype.type(4) * unit:
                rescale(state, slot, lane, old / unit, hyper, clock)
            else:
                weaken(state, slot, lane, old / unit, hyper, clock)
    state[slot, UNIT] = unit
    return value / unit


def unit(state, slot):
    """s, by which a weight is divided to be in the user's units; 1 where nothing was seen."""
    return state[slot, UNIT] if state[slot, UNIT] > 0 else state.dtype.type(1)


def _no_scale(state, slot, value):
    return value


def _no_observing(state, slot, value, hyper, clock):
    return value


def _no_unit(state, slot):
    return state.dtype.type(1)


SCALES: dict[str, Callable[..., Any]] = {
    "max": largest,
    "rms": root_mean_square,
    "rms-max": both,
}


def functions_of(kind: str | None) -> Mapping[str, Callable[..., Any]]:
    """What the kernels call: ``scaled``, ``observe``, ``unit``, and what these need."""
    if kind is None:
        return {"scaled": _no_scale, "observe": _no_observing, "unit": _no_unit}
    needs: dict[str, Callable[..., Any]] = {"root_mean_square": root_mean_square, "cut": cut}
    return {**needs, "size": SCALES[kind], "scaled": scaled, "observe": observe, "unit": unit}


def cuts(records: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The bounds that `cut` keeps the values of some records to; infinite before the first."""
    peaks = np.maximum(records[:, PEAK], records[:, OLD_PEAK])
    many = records[:, SEEN] >= MANY_VALUES
    return np.where(peaks > 0, peaks * np.where(many, CUT_LATER, CUT_FIRST), np.inf)

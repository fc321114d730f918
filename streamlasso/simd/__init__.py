"""Numba types for many numbers at once, by which a rule written for one slot works on many.

A rule's functions say ``state[slot, COLUMN + lane]`` and ``hyper[ROW, lane]``. Handed `Lanes` for
``lane`` they mean all lanes of one slot; handed `Slots` for ``slot``, as many slots of one lane.
Either way an access gives `Numbers`, which the processor treats together, and what is stored goes
back to where it came from. The source of the rule is the same; its two meanings give the same bits,
since every operation here is exactly rounded.

A loop over lanes would not do: numba's arrays may overlap for all that the compiler can see, and it
leaves such a loop as it is. Numbers that are a value have no such doubt.

What has no meaning for many at once: a branch on a number, and functions other than √. A rule that
needs them has one number at a time (`streamlasso.rules.base.Rule.abreast`).
"""

from streamlasso.simd import arithmetic, blocks, kinds, memory
from streamlasso.simd.blocks import (
    add_in_order,
    add_signs,
    how_many,
    repeats,
    sum_of,
    values_at,
)
from streamlasso.simd.kinds import BLOCK, Lanes, Numbers, Signs, Slots
from streamlasso.simd.memory import lanes_of, prefetching, slots_of

__all__ = [
    "BLOCK",
    "Lanes",
    "Numbers",
    "Signs",
    "Slots",
    "add_in_order",
    "add_signs",
    "arithmetic",
    "blocks",
    "how_many",
    "kinds",
    "lanes_of",
    "memory",
    "prefetching",
    "repeats",
    "slots_of",
    "sum_of",
    "values_at",
]

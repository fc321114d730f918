"""The powers of five and ten that `streamlasso.scanning.decimals` multiplies with.

A power of five is held as the first 128 bits of 5^q, with the upper one set: for q ≥ 0 rounded
down; for q < 0 those of the reciprocal 1/5^−q, rounded up for −q ≤ 27, where no product of 64 bits
needs more, and rounded down further on [Lemire, section 6].
"""

from typing import Any

import numpy as np

__all__ = ["FIVES", "LARGEST", "SMALLEST", "TENS", "WHOLE_TENS"]

SMALLEST, LARGEST = -342, 308
"""A number of 64 bits times 10^q is 0 below, infinite above."""


def _bits(power: int) -> int:
    """128 bits of 5^power."""
    five = int(5 ** abs(power))
    size = five.bit_length()
    if power >= 0:
        return five << 128 - size if size <= 128 else five >> size - 128
    if power >= -27:
        return (1 << 127 + size) // five + 1
    return ((1 << 2 * size + 128) // five + 1) >> size + 1


def _fives() -> Any:
    words = [divmod(_bits(power), 1 << 64) for power in range(SMALLEST, LARGEST + 1)]
    return np.array(words, np.uint64).reshape(-1)


FIVES = _fives()
"""The upper and the lower half of 5^q at 2·(q − `SMALLEST`)."""

TENS = np.array([10.0**power for power in range(23)])
"""Each exact."""

WHOLE_TENS = np.array([10**power for power in range(9)], np.uint64)

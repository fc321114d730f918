"""Features divided by a running scale of their own, in front of any reference."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from reference_base import Flags, Look, Push, Reference, Vector


def block_start(count: int) -> int:
    """The number of the first value in the block of value number ``count`` = 1, 2, 3, …

    Blocks begin with the values 1, 2, 3, 5, 9, 17, …: the one after a power of two.
    """
    return 1 if count == 1 else 1 + 2 ** int(math.log2(count - 1))


class Values:
    """The values of one feature so far, clipped, and the scale that follows from them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.sizes: list[float] = []

    def _recent(self) -> list[float]:
        """Those in the current block and in the one before."""
        if not self.sizes:
            return []
        start = block_start(len(self.sizes))
        first = start if start == 1 else block_start(start - 1)
        return self.sizes[first - 1 :]

    def clip(self, value: float) -> float:
        """|v| at most twice the largest of the recent ones, 1.25 times after 32 values."""
        if not self.sizes:
            return value
        most = (2 if len(self.sizes) < 32 else 1.25) * max(self._recent())
        return math.copysign(min(abs(value), most), value)

    def add(self, value: float) -> None:
        """A clipped value that is not 0."""
        self.sizes.append(abs(value))

    @property
    def scale(self) -> float:
        """max: the largest; rms: the root mean square; rms-max: their geometric mean."""
        recent = self._recent()
        largest = max(recent)
        root_mean_square = math.sqrt(sum(size**2 for size in recent) / len(recent))
        if self.kind == "max":
            return largest
        if self.kind == "rms":
            return root_mean_square
        if self.kind == "rms-max":
            return math.sqrt(root_mean_square * largest)
        raise ValueError(f"no reference for the scale {self.kind!r}")


class Scaled(Reference):
    """A reference that gets x_j = v_j/s_j, with v_j clipped.

    An event is scored with the scales from before it (a first value is its own scale; its weight is
    0). Then, if it counts, its values move the scales, the state of a feature with a new scale is
    rescaled by r = s_old/s_new (where s fell to less than a quarter, its weight alone becomes w/r),
    and the event is learned with the new scales. A value of 0 does not concern the scale.
    """

    def __init__(self, inner: Reference, kind: str) -> None:
        self.inner = inner
        self.loss, self.loss_parameters = inner.loss, inner.loss_parameters
        self.fit_intercept = inner.fit_intercept
        self.values = [Values(kind) for _ in inner.weights]
        self.own_gap = math.inf

    @property
    def weights(self) -> Vector:
        """Of the features in the user's units: w_j/s_j."""
        pairs = zip(self.inner.weights, self.values, strict=True)
        return np.array([w / past.scale if past.sizes else 0.0 for w, past in pairs])

    @property
    def intercept(self) -> float:
        return self.inner.intercept

    @property
    def events(self) -> int:
        return self.inner.events

    @property
    def gap(self) -> float:
        return min(self.own_gap, self.inner.gap)

    @gap.setter
    def gap(self, gap: float) -> None:
        self.own_gap = gap

    def _divided(self, x: Vector) -> Vector:
        scaled = np.zeros(len(x))
        for j in np.flatnonzero(x):
            past = self.values[j]
            scale = past.scale if past.sizes else abs(x[j])
            scaled[j] = past.clip(float(x[j])) / scale
        return scaled

    def look(self, x: Vector) -> Look:
        return self.inner.look(self._divided(x))

    def step(self, x: Vector, present: Flags, push: Push, look: Look) -> None:
        clipped = x.copy()
        for j in np.flatnonzero(x):
            past = self.values[j]
            clipped[j] = past.clip(float(x[j]))
            before = past.scale if past.sizes else None
            past.add(float(clipped[j]))
            if before is None:
                continue
            self.own_gap = min(self.own_gap, abs(4 * past.scale / before - 1))
            move = self.inner.rescale if past.scale >= before / 4 else self.inner.weaken
            move(1 + int(j), before / past.scale)
        scaled = np.zeros(len(x))
        for j in np.flatnonzero(x):
            scaled[j] = clipped[j] / self.values[j].scale
        self.inner.step(scaled, present, push, look)


def scaled(reference_class: Callable[..., Reference], kind: str) -> Callable[..., Scaled]:
    """The reference with a scale in front: called with the same arguments."""

    def make(dimension: int, loss: str, **parameters: Any) -> Scaled:
        return Scaled(reference_class(dimension, loss, **parameters), kind)

    return make

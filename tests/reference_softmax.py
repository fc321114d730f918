"""Several classes: one reference for each, coupled by the softmax of their scores."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from reference_base import Flags, Push, Reference, Vector


def softmax(scores: Vector) -> Vector:
    """p_k = e^(s_k) / Σ e^(s)."""
    powers = np.array([math.exp(score) for score in scores])
    shares: Vector = powers / powers.sum()
    return shares


class Softmax:
    """ℓ = −log p_y: class k gets the slope p_k − 1[y = k] and the curvature p_k(1 − p_k)."""

    def __init__(
        self,
        reference_class: Callable[..., Reference],
        classes: int,
        dimension: int,
        **parameters: Any,
    ) -> None:
        self.lanes = [reference_class(dimension, "softmax", **parameters) for _ in range(classes)]

    @property
    def events(self) -> int:
        return self.lanes[0].events

    @property
    def gap(self) -> float:
        return min(lane.gap for lane in self.lanes)

    @property
    def weights(self) -> Vector:
        """(feature, class)"""
        return np.stack([lane.weights for lane in self.lanes], axis=1)

    @property
    def intercept(self) -> Vector:
        """Of each class."""
        return np.array([lane.intercept for lane in self.lanes])

    def learn(
        self, x: Vector, target: float, importance: float = 1.0, present: Flags | None = None
    ) -> Vector:
        """Learn an event of class 0 … K − 1; return the scores from before."""
        looks = [lane.look(x) for lane in self.lanes]
        scores = np.array([look.score for look in looks])
        if importance > 0:
            here = x != 0 if present is None else present
            for k, p in enumerate(softmax(scores)):
                curvature = float(p * (1 - p))
                push = Push(float(p) - (target == k), curvature, curvature, importance)
                self.lanes[k].step(x, here, push, looks[k])
        return scores

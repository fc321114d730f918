"""One class against the rest, in the naive stack for many classes."""

import math
from collections.abc import Mapping
from typing import Any

from reference_base import shrink
from reference_stack import BETA, THETA
from reference_stack import MEMORY as FAST_MEMORY
from reference_stack_parts import Fading, Feature, Lane, sigmoid

__all__ = ["LANES", "Class", "lane_weights"]

LANES = (Lane(False, 0.15), Lane(False, 0.5), Lane(True, 0.3), Lane(False, 0.5, True))
TAUGHT, SMALLEST = 0.003, 1e-5
MEMORY = 0.9


def precision(lane: int, n: float, rho: float) -> float:
    """q(n)"""
    if LANES[lane].newton:
        return rho / LANES[lane].step + n
    return (BETA * rho + math.sqrt(n)) / LANES[lane].step


def lane_weights(feature: Feature, rho: float) -> list[float]:
    """Of scaled values."""
    return [
        -shrink(z, THETA * math.sqrt(n)) / precision(lane, n, rho)
        for lane, (z, n) in enumerate(zip(feature.z, feature.n, strict=True))
    ]


class Class:
    """Intercepts of a class, one a lane, and how often it came."""

    def __init__(self) -> None:
        self.first_q = [0.1 if lane.fast else 1.0 for lane in LANES]
        self.q, self.z = list(self.first_q), [0.0] * len(LANES)
        self.count = 0.0
        self.recent = Fading(MEMORY)
        self.offset = 0.0

    def bias(self, lane: int) -> float:
        return -self.z[lane] / self.q[lane]

    def learn(
        self, features: Mapping[Any, Feature], x: Mapping[Any, float], p: float, right: bool,
        w: float, rows: int, rho: float,
    ) -> float:  # fmt: skip
        """A row of ``rows`` before; Σ of the squared values."""
        lanes = range(len(LANES))
        taught = abs(p - right) >= TAUGHT
        values = {name: f.scaled(x[name]) for name, f in features.items()}
        before = {name: lane_weights(f, rho) for name, f in features.items()}
        slopes, curvatures, V = [], [], []
        for lane in lanes:
            score = self.bias(lane) + math.fsum(before[n][lane] * values[n] for n in features)
            own = sigmoid(score)
            slopes.append(w * (own - right))
            curvatures.append(w * max(own * (1 - own), SMALLEST))
            V.append(1 / self.q[lane] + math.fsum(
                values[n] ** 2 / precision(lane, f.n[lane], rho) for n, f in features.items()
            ))  # fmt: skip
        power = 0.0
        for name, feature in features.items():
            away = feature.sizes.clip(x[name] - feature.centre)
            size = feature.sizes.scale if feature.sizes.sizes else None
            shift = feature.settle(feature.centre + away, rows)
            if size is not None:
                for lane in lanes:
                    self.z[lane] -= before[name][lane] * shift / size * self.q[lane]
            xs = feature.observe(away - shift, [THETA] * len(LANES))
            power += xs**2
            if xs == 0 or not taught:
                continue
            for lane, weight in enumerate(lane_weights(feature, rho)):
                h, q = curvatures[lane], precision(lane, feature.n[lane], rho)
                D = 1 + h * max(V[lane] - xs**2 / q, 0.0) if LANES[lane].newton else 1.0
                g = slopes[lane] * xs / D
                feature.n[lane] += h * xs**2 / D if LANES[lane].newton else g**2
                feature.z[lane] += g - (precision(lane, feature.n[lane], rho) - q) * weight
            feature.information += w * max(p * (1 - p), SMALLEST) * xs**2
        for lane in lanes if taught else ():
            h, q, bias = curvatures[lane], self.q[lane], self.bias(lane)
            D = 1 + h * max(V[lane] - 1 / q, 0.0) if LANES[lane].newton else 1.0
            forgotten = (q - self.first_q[lane]) / FAST_MEMORY if LANES[lane].fast else 0.0
            change = h / D - forgotten
            self.z[lane] += slopes[lane] / D - change * bias
            self.q[lane] += change
        return power

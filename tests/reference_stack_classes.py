"""A stack of rules for many classes as its docstrings define it: naive, in plain floats.

Independent of the package. A feature is a `Feature` of its own for each class: all of them see the
same values, so they agree about scale and centre. Notation: t rows so far, class k, lane l.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reference_stack import LEVELS
from reference_stack_class import LANES, Class, lane_weights
from reference_stack_parts import HALF_LIFE, Faded, Feature, clip, dot, sigmoid, softmax, solve

__all__ = ["ClassLook", "ClassStack"]

GUARD_HALF_LIFE = 1000.0
KEEP, LARGEST = 0.9999, 8.0


class ClassLook(NamedTuple):
    """What the second layer sees of a row, class by class."""

    X: list[list[float]]
    full: list[float]
    served: list[float]
    sums: list[list[float]]


def loss(scores: Sequence[float], y: int) -> float:
    return -math.log(softmax(scores)[y])


class ClassStack:
    """Lanes of each class against the rest, one second layer, served levels."""

    def __init__(
        self, classes: int, levels: Sequence[float] = LEVELS, tolerance: float = 0.005
    ) -> None:
        K = len(LANES)
        self.classes = [Class() for _ in range(classes)]
        self.features: dict[Any, list[Feature]] = {}
        self.taus, self.tolerance, self.chosen = list(levels), tolerance, 0
        self.rows, self.events, self.rho, self.guard = 0, 0.0, 1.0, 0.5
        self.powers: list[float] = []
        self.losses = [Faded() for _ in LANES]
        self.gain = Faded()
        self.level_losses = [Faded() for _ in self.taus]
        self.level_slopes = [0.0] * len(self.taus)
        self.level_precisions = [100.0] * len(self.taus)
        self.u = [0.0] * (K + 2)
        self.priors = [200.0] * K + [100.0] * 2
        self.P = [[p if i == k else 0.0 for k in range(K + 2)] for i, p in enumerate(self.priors)]
        self.settle()

    def add_class(self) -> None:
        """One more, absent from all rows so far: its intercepts say 1/t."""
        new = Class()
        new.z = [q * math.log(self.rows + 1) for q in new.q]
        new.recent.weights = copy.deepcopy(self.classes[0].recent.weights)
        self.classes.append(new)
        for each in self.features.values():
            fresh = copy.deepcopy(each[0])
            fresh.z, fresh.n, fresh.information = [0.0] * len(LANES), [0.0] * len(LANES), 0.0
            each.append(fresh)

    # Weights, of scaled values

    def full_weight(self, feature: Feature) -> float:
        return dot(self.a, lane_weights(feature, self.rho))

    def reaches(self, feature: Feature, tau: float) -> bool:
        """Whether ½w²H ≥ τ."""
        full = self.full_weight(feature)
        return full != 0 and 0.5 * full**2 * feature.information >= tau

    # The second layer

    def recency(self, k: int) -> float:
        """Log of the recent over the long share of a class."""
        mean = (self.classes[k].count + 0.5) / (self.events + 0.5 * len(self.classes))
        return math.log(self.classes[k].recent.mean(mean) / mean)

    def settle(self) -> None:
        """After a label: v, a_l = v_l·(1 + g·(u_M − Σu)) + g·u_l, and g·u_r·recency."""
        losses = [past.total for past in self.losses]
        self.shares = softmax([-each for each in losses])
        K = len(LANES)
        rest = 1 + self.guard * (self.u[K] - math.fsum(self.u[:K]))
        self.a = [v * rest + self.guard * u for v, u in zip(self.shares, self.u, strict=False)]
        for k, one in enumerate(self.classes):
            one.offset = self.guard * self.u[K + 1] * self.recency(k)

    def bound(self) -> float:
        return math.log(2 * self.rows + 1)

    def known(self, x: Mapping[Any, float]) -> dict[Any, list[Feature]]:
        fresh = [Feature(len(LANES)) for _ in self.classes]
        return {name: self.features.get(name, fresh) for name in x}

    def look(self, x: Mapping[Any, float]) -> ClassLook:
        known, lanes = self.known(x), range(len(LANES))
        X, full, served, sums = [], [], [], []
        for k, one in enumerate(self.classes):
            features = {name: each[k] for name, each in known.items()}
            values = {name: f.scaled(x[name]) for name, f in features.items()}
            weights = {name: lane_weights(f, self.rho) for name, f in features.items()}
            biases, most = [one.bias(lane) for lane in lanes], min(LARGEST, self.bound())
            cut = [
                clip(b + math.fsum(weights[n][lane] * values[n] for n in features), -most, most)
                for lane, b in enumerate(biases)
            ]
            M = dot(self.shares, cut)
            X.append([c - M for c in cut] + [M, self.recency(k)])
            full.append(M + self.guard * dot(self.u, X[-1]))
            constant = dot(self.a, biases) + one.offset
            sums.append([
                constant + math.fsum(self.full_weight(f) * values[n] for n, f in features.items()
                                     if self.reaches(f, tau))
                for tau in self.taus
            ])  # fmt: skip
            score = clip(sums[-1][self.chosen], -self.bound(), self.bound())
            served.append((1 + self.level_slopes[self.chosen]) * score)
        return ClassLook(X, full, served, sums)

    def learn_layer(self, look: ClassLook, y: int, w: float, patience: float) -> None:
        fade, K = 0.5 ** (w / HALF_LIFE), len(LANES)
        for lane, past in enumerate(self.losses):
            past.add(w * loss([X[lane] + X[K] for X in look.X], y), fade)
        for level, past in enumerate(self.level_losses):
            c = [clip(sums[level], -self.bound(), self.bound()) for sums in look.sums]
            scores = [(1 + self.level_slopes[level]) * each for each in c]
            p = softmax(scores)
            mean = dot(p, c)
            spread = dot(p, [(each - mean) ** 2 for each in c])
            precision = KEEP * self.level_precisions[level] + (1 - KEEP) * 100 + w * spread
            self.level_precisions[level] = precision
            self.level_slopes[level] += w * (c[y] - mean) / precision
            past.add(w * loss(scores, y), fade)
        totals = [past.total for past in self.level_losses]
        within = min(totals) * (1 + self.tolerance)
        self.chosen = max(i for i, total in enumerate(totals) if total <= within)
        stacked = [X[K] + dot(self.u, X) for X in look.X]
        gain = loss([X[K] for X in look.X], y) - loss(stacked, y)
        self.gain.add(w * gain, 0.5 ** (1 / GUARD_HALF_LIFE))
        p = softmax(stacked)
        means = [dot(p, column) for column in zip(*look.X, strict=True)]
        away = [[a - m for a, m in zip(X, means, strict=True)] for X in look.X]
        for i, prior in enumerate(self.priors):
            for j in range(len(self.priors)):
                both = dot(p, [each[i] * each[j] for each in away])
                kept = KEEP * self.P[i][j] + (1 - KEEP) * (prior if i == j else 0.0)
                self.P[i][j] = kept + w * both
        step = solve(self.P, [w * each for each in away[y]])
        self.u = [u + patience * s for u, s in zip(self.u, step, strict=True)]
        for k, one in enumerate(self.classes):
            one.count += w * (k == y)
            one.recent.add(float(k == y), w)
        self.events += w
        self.guard = sigmoid(clip(self.gain.total, -30.0, 30.0))
        self.settle()

    # Lanes

    def learn(
        self, x: Mapping[Any, float], target: float, w: float = 1.0,
        late: ClassLook | None = None, pending: int = 0,
    ) -> ClassLook:  # fmt: skip
        look, y = late or self.look(x), int(target)
        if w == 0:
            return look
        for name in x:
            self.features.setdefault(name, [Feature(len(LANES)) for _ in self.classes])
        known = self.known(x)
        p = softmax(look.full)
        for k in range(len(self.classes)):
            features = {name: each[k] for name, each in known.items()}
            power = self.classes[k].learn(features, x, p[k], k == y, w, self.rows, self.rho)
        self.learn_layer(look, y, w, (1 + pending) ** -0.25)
        self.rows += 1
        self.powers.append(power)
        mean = math.fsum(self.powers) / self.rows
        self.rho = 1 + (math.sqrt(max(1.0, mean)) - 1) * 30 / (30 + self.rows)
        return look

    # In the user's units

    def intercepts(self) -> list[float]:
        """Of what is served, before it is cut."""
        slope = 1 + self.level_slopes[self.chosen]
        return [slope * sums[self.chosen] for sums in self.look({}).sums]

    def served_weights(self, k: int) -> dict[Any, float]:
        slope, tau = 1 + self.level_slopes[self.chosen], self.taus[self.chosen]
        return {
            name: self.full_weight(each[k]) * slope / each[k].sizes.scale
            for name, each in self.features.items()
            if each[k].sizes.sizes and self.reaches(each[k], tau)
        }

"""The naive stack for real targets."""

import math
from collections.abc import Sequence
from typing import Any

from reference_stack import Look, Stack
from reference_stack_parts import (
    HALF_LIFE,
    LANES,
    MEMORIES,
    STEADY,
    Faded,
    Fading,
    Lane,
    clip,
    sigmoid,
)

__all__ = ["Reals"]


class Reals(Stack):
    """Squared loss; targets are t = y − y₁, b is their deviation."""

    lanes: Sequence[Lane] = (Lane(False, STEADY, steady=True), *LANES[1:])

    def __init__(self, **how: float) -> None:
        self.targets: list[float] = []
        self.importances: list[float] = []
        self.origin, self.b, self.wild = 0.0, 1.0, 0
        self.recent = [Fading(memory) for memory in MEMORIES]
        self.echoes = [Fading(memory) for memory in (0.0, 0.5, 0.9)]
        self.noise, self.noises = Faded(), Faded()
        self.slopes: list[list[float]] = [[] for _ in self.lanes]
        self.how, self.given_up = how, 0
        super().__init__(**how)  # type: ignore[arg-type]

    def learn(self, *row: Any, **late: Any) -> Look:
        """Begins anew where one of the first targets was wild; ``given_up`` rows are lost then."""
        look = super().learn(*row, **late)
        if self.rows in (8, 16, 32):
            newer = Reals()
            newer.targets = self.targets[self.rows // 2 :]
            newer.importances = self.importances[self.rows // 2 :]
            if self.b > 1000 * newer.deviation() > 0:
                given_up, origin = self.given_up + self.rows, self.origin + newer.mean()
                self.__init__(**self.how)  # type: ignore[misc]
                self.given_up, self.origin = given_up, origin
        return look

    def priors(self) -> list[float]:
        return [0.005] * len(self.lanes) + [0.003] * 8

    def prior_nats(self, k: int) -> float:
        lane = self.lanes[k]
        return 0.3 if lane.damped else lane.step * (2 if lane.fast else 1)

    def unit(self) -> float:
        return self.b

    def lane_noise(self, k: int) -> float:
        """√r_k"""
        return math.sqrt(self.losses[k].total / self.seen.total) if self.targets else 1.0

    def mean(self) -> float:
        """μ"""
        if not self.targets:
            return 0.0
        pairs = zip(self.targets, self.importances, strict=True)
        return math.fsum(t * i for t, i in pairs) / math.fsum(self.importances)

    def deviation(self) -> float:
        mean = self.mean()
        pairs = zip(self.targets, self.importances, strict=True)
        square = math.fsum(i * (t - mean) ** 2 for t, i in pairs) / math.fsum(self.importances)
        return math.sqrt(square)

    def range(self) -> tuple[float, float]:
        return min(self.targets, default=0.0), max(self.targets, default=0.0)

    def take(self, y: float) -> float:
        """y as t, cut where it is wild."""
        if not self.targets:
            self.origin = y
            return 0.0
        t, mean = y - self.origin, self.mean()
        bound = 10 * self.b * 2 ** min(self.wild, 60)
        if self.rows >= 5 and self.deviation() > 0 and abs(t - mean) > bound:
            self.wild += 1
            return t if self.wild >= 5 else clip(t, mean - bound, mean + bound)
        self.wild = 0
        return t

    def helpers(self) -> list[float]:
        """In deviations, cut to ±3."""
        mean = self.mean()
        news = [past.mean(mean) - mean for past in self.recent]
        news += [past.mean(0.0) for past in self.echoes]
        return [clip(each / self.b, -3, 3) for each in news]

    def see(self, scores: Sequence[float]) -> tuple[list[float], float, float]:
        cut = [clip(score, *self.range()) for score in scores]
        M = math.fsum(v * c for v, c in zip(self.shares, cut, strict=True))
        X = [clip((c - M) / self.b, -3, 3) for c in cut]
        X += [(M - self.mean()) / self.b, *self.helpers(), 1.0]
        return X, M, M + self.guard * self.b * self.layer.score(X) + self.origin

    def level_score(self, level: int, score: float) -> float:
        """S + slope·(S − μ) + bias·b"""
        return score + self.b * self.filters[level].score([(score - self.mean()) / self.b, 1.0])

    def predict_level(self, level: int, score: float) -> float:
        return self.level_score(level, score) + self.origin

    def lane_slope(self, k: int, score: float, y: float, importance: float) -> tuple[float, ...]:
        bound = 6 * math.sqrt(self.losses[k].total / self.seen.total)
        slope = importance * clip(clip(score, *self.range()) - y, -bound, bound)
        lane = self.lanes[k]
        if lane.damped or lane.fast:
            return slope, importance, importance
        before = math.sqrt(math.fsum(g**2 for g in self.slopes[k]))
        self.slopes[k].append(slope / self.b)
        return slope, 0.0, math.sqrt(math.fsum(g**2 for g in self.slopes[k])) - before

    def curvature(self, look: Look) -> float:
        return 1.0

    def learn_layer(self, y: float, importance: float, look: Look, patience: float) -> float:
        t, M, X, i = self.take(y), look.mixture, look.X, importance
        mean, before = self.mean(), self.b
        known = bool(self.targets) and self.deviation() > 0
        errors = [t - self.level_score(level, score) for level, score in enumerate(look.sums)]
        fade, guard_fade = 0.5 ** (i / HALF_LIFE), 0.5 ** (1 / 300)
        self.seen.add(i, fade)
        for k in range(len(self.lanes)):
            self.losses[k].add(i * (X[k] * before + M - t) ** 2, fade)
        least = max(min(past.total for past in self.losses) / self.seen.total, 1e-300)
        self.targets.append(t)
        self.importances.append(i)
        self.b = self.deviation() or 1.0
        size = before if known else self.b
        floor = max(least / size**2, 1e-12)
        for level, score in enumerate(look.sums):
            self.level_losses[level].add(i * errors[level] ** 2, fade)
            error = errors[level] / size
            r = max(floor, error**2 / 36)
            self.filters[level].learn([(score - mean) / size, 1.0], i * error / r, i / r)
        plain = (t - M) / size
        error = plain - self.layer.score(X)
        gain = clip(0.5 * (plain**2 - error**2) / floor, -50, 50)
        self.gain.add(i * gain, guard_fade)
        self.noise.add(i * clip(error, -3, 3) ** 2, guard_fade)
        self.noises.add(i, guard_fade)
        r = max((self.noise.total + 0.01) / (self.noises.total + 0.01), error**2 / 36)
        self.layer.learn(X, i * error / r, i / r, patience)
        for past in self.recent:
            past.add(t, i)
        for past in self.echoes:
            past.add(t - M, i)
        self.nats = least
        self.shares = self._shares([past.total for past in self.losses], 2 * least)
        self.guard = sigmoid(clip(self.gain.total, -30, 30))
        if self.rows + i < 10:
            self.guard = 0.0
        self.a = self._full_weights()
        u_M, *rest = self.layer.u[len(self.lanes) :]
        news = [*self.helpers(), 1.0]
        offset = self.b * math.fsum(u * x for u, x in zip(rest, news, strict=True))
        self.offset = self.guard * (offset - u_M * self.mean())
        self.choose((1 + self.tolerance) ** 2)
        return t

"""The naive stack for labels and counts: `reference_stack` has the rest."""

import math
from collections.abc import Sequence

from reference_stack import Look, Stack
from reference_stack_parts import HALF_LIFE, LANES, MEMORIES, Faded, Fading, Lane, clip, sigmoid
from reference_stack_reals import Reals

__all__ = ["STACKS", "Counts", "Labels", "Reals"]


class Likelihood(Stack):
    """Labels and counts: everything in nats."""

    def __init__(self, **how: float) -> None:
        self.targets, self.importances = [0.5], [1.0]
        self.recent = [Fading(memory) for memory in MEMORIES]
        self.excess = Faded()
        super().__init__(**how)  # type: ignore[arg-type]

    def mean_of(self, score: float) -> float:
        raise NotImplementedError

    def link(self, mean: float) -> float:
        raise NotImplementedError

    def bend(self, score: float) -> float:
        raise NotImplementedError

    def value(self, score: float, y: float) -> float:
        raise NotImplementedError

    def priors(self) -> list[float]:
        return [0.005] * len(self.lanes) + [0.01] * 5

    def long(self) -> float:
        """The running mean, of half a positive row at first."""
        pairs = zip(self.targets[1:], self.importances[1:], strict=True)
        return (0.5 + math.fsum(y * i for y, i in pairs)) / math.fsum(self.importances)

    def centre(self) -> float:
        return 0.0

    def bounds(self, least: float = math.inf) -> tuple[float, float]:
        bound = min(least, math.log(2 * self.rows + 1))
        return self.centre() - bound, self.centre() + bound

    def helpers(self) -> list[float]:
        mean = self.long()
        return [self.link(past.mean(mean)) - self.link(mean) for past in self.recent]

    def see(self, scores: Sequence[float]) -> tuple[list[float], float, float]:
        cut = [clip(score, *self.bounds(8.0)) for score in scores]
        M = math.fsum(v * c for v, c in zip(self.shares, cut, strict=True))
        X = [*(c - M for c in cut), M, *self.helpers(), 1.0]
        return X, M, M + self.guard * self.layer.score(X)

    def predict_level(self, level: int, score: float) -> float:
        return clip(self.uncut(level, score), *self.bounds())

    def uncut(self, level: int, score: float) -> float:
        return score + self.filters[level].score([score, 1.0])

    def lane_slope(self, k: int, score: float, y: float, importance: float) -> tuple[float, ...]:
        h = importance * max(self.bend(score), 1e-5)
        return importance * (self.mean_of(score) - y), h, h

    def curvature(self, look: Look) -> float:
        return self.bend(look.full)

    def dispersion(self) -> float:
        """What nats are divided by."""
        return 1.0

    def learn_layer(self, y: float, importance: float, look: Look, patience: float) -> float:
        M, X, i = look.mixture, look.X, importance
        fade = 0.5 ** (i / HALF_LIFE)
        for k in range(len(self.lanes)):
            self.losses[k].add(i * self.value(X[k] + M, y), fade)
        for level, score in enumerate(look.sums):
            served = self.predict_level(level, score)
            self.level_losses[level].add(i * self.value(served, y), fade)
            h = i / self.nats * max(self.bend(served), 1e-5)
            residual = i / self.nats * (y - self.mean_of(served))
            self.filters[level].learn([clip(score, *self.bounds()), 1.0], residual, h)
        stacked = M + self.layer.score(X)
        gain = i * (self.value(M, y) - self.value(stacked, y)) / self.nats
        self.gain.add(gain, 0.5 ** (1 / 1000))
        h = i / self.nats * max(self.bend(stacked), 1e-4)
        self.layer.learn(X, i / self.nats * (y - self.mean_of(stacked)), h, patience)
        surprise = (y - self.mean_of(look.full)) ** 2 / max(self.bend(look.full), 1e-5)
        self.excess.add(i * min(surprise, 1e6), fade)
        self.seen.add(i, fade)
        for past in self.recent:
            past.add(y, i)
        self.targets.append(y)
        self.importances.append(i)
        self.nats = self.dispersion()
        self.shares = self._shares([past.total for past in self.losses], self.nats)
        self.guard = sigmoid(clip(self.gain.total, -30, 30))
        self.a = self._full_weights()
        rest = self.layer.u[len(self.lanes) + 1 :]
        news = [*self.helpers(), 1.0]
        self.offset = self.guard * math.fsum(u * x for u, x in zip(rest, news, strict=True))
        self.choose(1 + self.tolerance)
        return y


class Labels(Likelihood):
    """Logistic loss."""

    def mean_of(self, score: float) -> float:
        return sigmoid(score)

    def link(self, mean: float) -> float:
        return math.log(mean / (1 - mean))

    def bend(self, score: float) -> float:
        return sigmoid(score) * (1 - sigmoid(score))

    def value(self, score: float, y: float) -> float:
        return max(score, 0.0) + math.log1p(math.exp(-abs(score))) - y * score


class Counts(Likelihood):
    """Poisson deviance with e^s continued by its tangent from s = 20 on."""

    lanes: Sequence[Lane] = (Lane(False, 0.02), *LANES[1:-1], Lane(False, 1.0, True))

    def mean_of(self, score: float) -> float:
        return math.exp(score) if score <= 20 else math.exp(20) * (1 + score - 20)

    def link(self, mean: float) -> float:
        return math.log(mean) if mean <= math.exp(20) else 20 + mean / math.exp(20) - 1

    def bend(self, score: float) -> float:
        return self.mean_of(score)

    def value(self, score: float, y: float) -> float:
        """What it is worse than the best score."""
        least = self.loss(self.link(y), y) if y > 0 else 0.0
        return max(self.loss(score, y) - least, 0.0)

    def loss(self, score: float, y: float) -> float:
        beyond = max(score - 20, 0.0)
        return math.exp(min(score, 20)) * (1 + beyond + beyond**2 / 2) - y * score

    def centre(self) -> float:
        return self.link(self.long())

    def lane_slope(self, k: int, score: float, y: float, importance: float) -> tuple[float, ...]:
        centre = self.centre()
        return super().lane_slope(k, clip(score, centre - 16, centre + 16), y, importance)

    def dispersion(self) -> float:
        return max(1.0, (self.excess.total + 1) / (self.seen.total + 1))


STACKS: dict[str, type[Stack]] = {"logistic": Labels, "poisson": Counts, "squared": Reals}

"""A stack of rules as `docs/untuned.md` and the docstrings define it: naive, in plain floats.

Independent of the package. The past is kept as lists: a mean is a sum over all of it, a faded sum
is summed anew at each row. Features are a dict by name; nothing is padded, lazy or in place.
Notation: t rows so far, lane k with dual z, precision q(n), weight w; intercept −z_b/q_b.

`reference_stack_parts` has what it is made of, `reference_stack_losses` and
`reference_stack_reals` what depends on the loss.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reference_base import shrink
from reference_stack_parts import LANES, Faded, Feature, Filter, Lane

__all__ = ["Look", "Stack"]

LEVELS = (0.0, 0.0003, 0.003, 0.03, 0.3, 1.0, 3.0, 10.0)
BETA, THETA, MEMORY = 0.3, 0.5, 10.0


class Look(NamedTuple):
    """What the second layer sees of a row; kept until a late label comes."""

    X: list[float]
    mixture: float
    full: float
    served: float
    sums: list[float]


class Stack:
    """Lanes, second layer and served levels; a subclass knows the loss."""

    lanes: Sequence[Lane] = LANES

    def __init__(self, levels: Sequence[float] = LEVELS, tolerance: float = 0.005) -> None:
        K = len(self.lanes)
        self.features: dict[Any, Feature] = {}
        self.taus, self.tolerance = list(levels), tolerance
        self.rows, self.rho = 0, 1.0
        self.powers: list[float] = []
        self.first_q = [0.1 if lane.fast else 1.0 for lane in self.lanes]
        self.q_b, self.z_b = list(self.first_q), [0.0] * K
        self.losses = [Faded() for _ in self.lanes]
        self.level_losses = [Faded() for _ in self.taus]
        self.seen, self.gain = Faded(), Faded()
        self.filters = [Filter([0.01, 0.01]) for _ in self.taus]
        self.layer = Filter(self.priors())
        self.nats, self.guard, self.offset, self.chosen = 1.0, 0.5, 0.0, 0
        self.shares = self._shares([0.0] * K, 1.0)
        self.a = self._full_weights()

    # Of the loss

    def priors(self) -> list[float]:
        raise NotImplementedError

    def prior_nats(self, k: int) -> float:
        """Against the lane, before the first row."""
        return 0.0

    def unit(self) -> float:
        """What squared gradients are measured in."""
        return 1.0

    def lane_noise(self, k: int) -> float:
        """Standard deviation of a Newton lane's gradients."""
        return 1.0

    def see(self, scores: Sequence[float]) -> tuple[list[float], float, float]:
        """X, the mixture's and the full model's score."""
        raise NotImplementedError

    def predict_level(self, level: int, score: float) -> float:
        raise NotImplementedError

    def learn_layer(self, y: float, importance: float, look: Look, patience: float) -> float:
        """Everything but lanes; the target as lanes get it."""
        raise NotImplementedError

    def lane_slope(self, k: int, score: float, y: float, importance: float) -> tuple[float, ...]:
        """Slope, curvature, and what the intercept's precision grows by."""
        raise NotImplementedError

    def curvature(self, look: Look) -> float:
        """h at the full model's score."""
        raise NotImplementedError

    # Of all

    def precision(self, k: int, n: float) -> float:
        """q(n)"""
        lane = self.lanes[k]
        if lane.newton:
            return self.rho / lane.step + n
        if lane.steady:
            return self.rho / lane.step
        return (BETA * self.rho + math.sqrt(n) / self.unit()) / lane.step

    def threshold(self, k: int) -> float:
        if self.lanes[k].steady:
            return 0.0
        return THETA * (self.lane_noise(k) if self.lanes[k].newton else 1.0)

    def weight(self, k: int, feature: Feature) -> float:
        """Of scaled values."""
        n = feature.n[k]
        return -shrink(feature.z[k], self.threshold(k) * math.sqrt(n)) / self.precision(k, n)

    def full_weight(self, feature: Feature) -> float:
        lanes = range(len(self.lanes))
        return math.fsum(self.a[k] * self.weight(k, feature) for k in lanes)

    def worth(self, feature: Feature) -> float:
        """½w²H in nats."""
        return 0.5 * self.full_weight(feature) ** 2 * feature.information / self.nats

    def _shares(self, losses: Sequence[float], nats: float) -> list[float]:
        given = [loss / nats + self.prior_nats(k) for k, loss in enumerate(losses)]
        powers = [math.exp(min(given) - each) for each in given]
        return [power / math.fsum(powers) for power in powers]

    def _full_weights(self) -> list[float]:
        """a_k = v_k·(1 + g·(u_M − Σu)) + g·u_k"""
        K, u = len(self.lanes), self.layer.u
        rest = 1 + self.guard * (u[K] - math.fsum(u[:K]))
        return [v * rest + self.guard * u[k] for k, v in enumerate(self.shares)]

    def choose(self, margin: float) -> None:
        losses = [past.total for past in self.level_losses]
        self.chosen = max(i for i, loss in enumerate(losses) if loss <= min(losses) * margin)

    def bias(self, k: int) -> float:
        return -self.z_b[k] / self.q_b[k]

    def look(self, x: Mapping[Any, float]) -> Look:
        """Score a row."""
        known = {n: self.features.get(n) or Feature(len(self.lanes)) for n in x}
        X = {name: feature.scaled(x[name]) for name, feature in known.items()}
        K = range(len(self.lanes))
        scores = [
            self.bias(k) + math.fsum(self.weight(k, f) * X[n] for n, f in known.items()) for k in K
        ]
        constant = math.fsum(self.a[k] * self.bias(k) for k in K) + self.offset
        sums = []
        for tau in self.taus:
            kept = [n for n, f in known.items() if self.full_weight(f) and self.worth(f) >= tau]
            sums.append(
                constant + math.fsum(self.full_weight(known[n]) * X[n] for n in kept)
            )  # fmt: skip
        inputs, mixture, full = self.see(scores)
        return Look(inputs, mixture, full, self.predict_level(self.chosen, sums[self.chosen]), sums)

    def learn(
        self, x: Mapping[Any, float], y: float, importance: float = 1.0,
        late: Look | None = None, pending: int = 0,
    ) -> Look:  # fmt: skip
        """Learn a row; with ``late`` the second layer learns from what it saw at prediction."""
        look = late or self.look(x)
        if importance == 0:
            return look
        K = range(len(self.lanes))
        known = {n: self.features.setdefault(n, Feature(len(self.lanes))) for n in x}
        X = {name: feature.scaled(x[name]) for name, feature in known.items()}
        weights = {n: [self.weight(k, f) for k in K] for n, f in known.items()}
        biases = [self.bias(k) for k in K]
        scores = [biases[k] + math.fsum(weights[n][k] * X[n] for n in known) for k in K]
        V = [
            1 / self.q_b[k]
            + math.fsum(X[n] ** 2 / self.precision(k, f.n[k]) for n, f in known.items())
            for k in K
        ]
        h_full = importance * self.curvature(look)
        t = self.learn_layer(y, importance, look, (1 + pending) ** -0.25)
        pushes = [self.lane_slope(k, scores[k], t, importance) for k in K]
        power = 0.0
        for name, feature in known.items():
            away = feature.sizes.clip(x[name] - feature.centre)
            before = feature.sizes.scale if feature.sizes.sizes else None
            shift = feature.settle(feature.centre + away, self.rows)
            if before is not None:
                for k in K:
                    self.z_b[k] -= weights[name][k] * shift / before * self.q_b[k]
            xs = feature.observe(away - shift, [self.threshold(k) for k in K])
            if xs == 0:
                continue
            for k in K:
                slope, h, _ = pushes[k]
                w, q = self.weight(k, feature), self.precision(k, feature.n[k])
                D = 1 + h * max(V[k] - xs**2 / q, 0.0) if self.lanes[k].damped else 1.0
                g = slope * xs / D
                feature.n[k] += h * xs**2 / D if self.lanes[k].damped else g**2
                feature.z[k] += g - (self.precision(k, feature.n[k]) - q) * w
            feature.information += h_full * xs**2
            power += xs**2
        for k, lane in enumerate(self.lanes):
            slope, h, rise = pushes[k]
            D = 1 + h * max(V[k] - 1 / self.q_b[k], 0.0) if lane.damped else 1.0
            forgotten = (self.q_b[k] - self.first_q[k]) / MEMORY if lane.fast else 0.0
            dq = rise / D - forgotten
            self.z_b[k] += slope / D - dq * self.bias(k)  # with what moves of centres gave it
            self.q_b[k] += dq
        self.rows += 1
        self.powers.append(power)
        mean = math.fsum(self.powers) / self.rows
        self.rho = 1 + (math.sqrt(max(1.0, mean)) - 1) * 30 / (30 + self.rows)
        return look

    # In the user's units

    def lane_weights(self, k: int) -> dict[Any, float]:
        return {
            n: self.weight(k, f) / f.sizes.scale for n, f in self.features.items() if f.sizes.sizes
        }

    def intercept(self) -> float:
        """Of what is served, before it is cut."""
        score = self.look({}).sums[self.chosen]
        return self.uncut(self.chosen, score)

    def uncut(self, level: int, score: float) -> float:
        return self.predict_level(level, score)

    def served_weights(self) -> dict[Any, float]:
        slope, tau = self.filters[self.chosen].u[0], self.taus[self.chosen]
        return {
            n: self.full_weight(f) * (1 + slope) / f.sizes.scale
            for n, f in self.features.items()
            if f.sizes.sizes and self.full_weight(f) and self.worth(f) >= tau
        }

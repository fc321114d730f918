"""What the contract tests run over: variants of every rule, seeded streams, both implementations.

A new rule needs variants here and a class in `reference`; a test fails while it has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from reference import REFERENCES, Reference, scaled

from streamlasso import (
    LOSSES,
    Adaptive,
    DualAveraging,
    Evidence,
    FTRLProximal,
    Group,
    Learner,
    Newton,
    SoftThreshold,
    TruncatedGradient,
)
from streamlasso.recipe import Recipe
from streamlasso.rules import Rule

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Variant:
    """A rule in one of its modes, with penalties strong enough to matter on the streams below."""

    label: str
    rule: Rule
    late_pays: bool = False
    """By definition the penalty grows with the clock, also for features that were not there."""


GROUPS = {0: "signal", 1: "signal", 2: "signal", 3: "noise", 4: "noise", 6: "gone", 8: "gone"}
"""5 and 7 are in no group: each is one by itself."""
PILOT = {0: 1.2, 1: -0.8, 2: 0.5, 3: 0.01, 5: 0.9, 6: 0.0}
"""As for Adaptive: 6 has the weight 0, 4, 7 and 8 are missing; all these get the cap."""

VARIANTS = [
    Variant("ftrl-total", FTRLProximal(alpha=0.3, l1=1.5)),
    Variant("ftrl-total-l2", FTRLProximal(alpha=0.3, l1=0.7, l2=0.4)),
    Variant("ftrl-total-beta-0", FTRLProximal(alpha=0.3, beta=0.0, l1=0.5)),
    Variant("ftrl-total-beta-small", FTRLProximal(alpha=0.3, beta=1e-6, l1=0.5)),
    Variant("ftrl-total-unpenalised", FTRLProximal(alpha=0.3, l1=0.0)),
    Variant("ftrl-per-event", FTRLProximal(0.5, l1=0.05, penalty="per_event"), True),
    Variant("ftrl-per-event-l2", FTRLProximal(0.5, 1.0, 0.03, 0.02, "per_event"), True),
    Variant("ftrl-per-event-beta-0", FTRLProximal(0.5, 0.0, 0.05, 0.0, "per_event"), True),
    Variant("ftrl-since-birth", FTRLProximal(0.5, 1.0, 0.05, 0.01, "per_event", True)),
    Variant("truncated", TruncatedGradient(0.2, gravity=0.1, period=10)),
    Variant("truncated-period-1", TruncatedGradient(0.2, gravity=0.1, period=1)),
    Variant("truncated-threshold", TruncatedGradient(0.2, 0.2, period=7, threshold=0.35)),
    Variant("truncated-common", TruncatedGradient(0.03, gravity=0.08, adaptive=False)),
    Variant("truncated-common-power", TruncatedGradient(0.2, 0.08, 5, adaptive=False, power=0.5)),
    Variant("truncated-common-threshold", TruncatedGradient(0.03, 0.1, 3, 0.3, adaptive=False)),
    Variant("soft", SoftThreshold(0.2, l1=0.1)),
    Variant("soft-l2", SoftThreshold(0.2, l1=0.08, l2=0.03)),
    Variant("soft-l2-tiny", SoftThreshold(0.2, l1=0.1, l2=1e-12)),
    Variant("soft-l2-only", SoftThreshold(0.2, l1=0.0, l2=0.05)),
    Variant("soft-common", SoftThreshold(0.03, l1=0.08, adaptive=False)),
    Variant("soft-common-l2", SoftThreshold(0.03, l1=0.08, l2=0.05, adaptive=False)),
    Variant("soft-common-power", SoftThreshold(0.3, l1=0.06, adaptive=False, power=0.5)),
    Variant("soft-common-power-l2", SoftThreshold(0.3, 0.05, 0.1, adaptive=False, power=0.5)),
    Variant("ftrl-evidence", FTRLProximal(0.3, l1=Evidence(2.0))),
    Variant("ftrl-evidence-l2", FTRLProximal(0.3, l1=Evidence(1.5), l2=0.4)),
    Variant("ftrl-evidence-half-life", FTRLProximal(0.3, l1=Evidence(1.5), half_life=60.0)),
    Variant("ftrl-adaptive", FTRLProximal(0.3, l1=Adaptive(0.7, gamma=1.0, cap=20.0))),
    Variant("ftrl-adaptive-pilot", FTRLProximal(0.3, l1=Adaptive(1.0, 0.5, 8.0, PILOT))),
    Variant(
        "ftrl-adaptive-per-event",
        FTRLProximal(0.5, l1=Adaptive(0.03, gamma=0.5, cap=10.0), penalty="per_event"),
        True,
    ),
    Variant("ftrl-group", FTRLProximal(0.3, l1=Group(2.0, by=GROUPS))),
    Variant("ftrl-group-l2", FTRLProximal(0.3, l1=Group(2.0, by=GROUPS), l2=0.4)),
    Variant(
        "ftrl-group-per-event",
        FTRLProximal(0.5, l1=Group(0.06, by=GROUPS), l2=0.01, penalty="per_event"),
        True,
    ),
    Variant("ftrl-half-life", FTRLProximal(0.3, l1=1.5, half_life=60.0)),
    Variant("ftrl-half-life-short", FTRLProximal(0.3, l1=0.4, l2=0.1, half_life=3.0)),
    Variant(
        "ftrl-per-event-half-life",
        FTRLProximal(0.5, 1.0, 0.04, 0.01, "per_event", half_life=60.0),
        True,
    ),
    Variant(
        "ftrl-since-birth-half-life",
        FTRLProximal(0.5, 1.0, 0.04, 0.01, "per_event", True, half_life=60.0),
    ),
    Variant("ftrl-nonnegative", FTRLProximal(0.3, l1=1.5, nonnegative=True)),
    Variant(
        "ftrl-per-event-nonnegative",
        FTRLProximal(0.5, 1.0, 0.04, 0.01, "per_event", nonnegative=True),
        True,
    ),
    Variant("truncated-half-life", TruncatedGradient(0.2, gravity=0.08, period=10, half_life=60.0)),
    Variant(
        "truncated-threshold-half-life",
        TruncatedGradient(0.2, 0.15, period=7, threshold=0.35, half_life=40.0),
    ),
    Variant("truncated-nonnegative", TruncatedGradient(0.2, 0.1, period=10, nonnegative=True)),
    Variant(
        "truncated-common-nonnegative",
        TruncatedGradient(0.03, gravity=0.08, adaptive=False, nonnegative=True),
    ),
    Variant("soft-half-life", SoftThreshold(0.2, l1=0.08, half_life=60.0)),
    Variant("soft-half-life-l2", SoftThreshold(0.2, l1=0.06, l2=0.03, half_life=40.0)),
    Variant("soft-adaptive", SoftThreshold(0.2, l1=Adaptive(0.03, gamma=0.5, cap=10.0))),
    Variant("soft-adaptive-pilot", SoftThreshold(0.2, l1=Adaptive(0.05, 0.5, 8.0, PILOT))),
    Variant(
        "soft-adaptive-l2", SoftThreshold(0.2, l1=Adaptive(0.03, gamma=0.5, cap=10.0), l2=0.03)
    ),
    Variant(
        "soft-common-adaptive",
        SoftThreshold(0.03, l1=Adaptive(0.03, gamma=0.5, cap=4.0), adaptive=False),
    ),
    Variant("soft-nonnegative", SoftThreshold(0.2, l1=0.08, nonnegative=True)),
    Variant("soft-l2-nonnegative", SoftThreshold(0.2, l1=0.06, l2=0.03, nonnegative=True)),
    Variant(
        "soft-common-nonnegative", SoftThreshold(0.03, l1=0.06, adaptive=False, nonnegative=True)
    ),
    Variant("rda", DualAveraging(0.3, l1=0.06), True),
    Variant("rda-l2", DualAveraging(0.3, l1=0.05, l2=0.02), True),
    Variant("rda-plain", DualAveraging(0.2, l1=0.06, adaptive=False), True),
    Variant("rda-plain-l2", DualAveraging(0.2, l1=0.05, l2=0.02, adaptive=False), True),
    Variant("rda-since-birth", DualAveraging(0.3, l1=0.06, since_birth=True)),
    Variant(
        "rda-plain-since-birth",
        DualAveraging(0.2, l1=0.06, l2=0.01, adaptive=False, since_birth=True),
    ),
    Variant("rda-half-life", DualAveraging(0.3, l1=0.05, half_life=61.0), True),
    Variant(
        "rda-plain-half-life",
        DualAveraging(0.2, l1=0.05, l2=0.01, adaptive=False, half_life=60.0),
        True,
    ),
    Variant(
        "rda-since-birth-half-life",
        DualAveraging(0.3, l1=0.05, since_birth=True, half_life=60.0),
    ),
    Variant("rda-evidence", DualAveraging(0.3, l1=Evidence(2.0))),
    Variant("rda-evidence-l2", DualAveraging(0.3, l1=Evidence(2.0), l2=0.02), True),
    Variant("rda-adaptive", DualAveraging(0.3, l1=Adaptive(0.03, gamma=0.5, cap=10.0)), True),
    Variant("rda-adaptive-pilot", DualAveraging(0.3, l1=Adaptive(0.04, 0.5, 8.0, PILOT)), True),
    Variant(
        "rda-plain-adaptive",
        DualAveraging(0.2, l1=Adaptive(0.03, gamma=0.5, cap=10.0), adaptive=False),
        True,
    ),
    Variant("rda-nonnegative", DualAveraging(0.3, l1=0.05, nonnegative=True), True),
    Variant("newton", Newton(1.0, l1=Evidence(1.5))),
    Variant("newton-default", Newton()),
    Variant("newton-constant", Newton(0.5, l1=4.0)),
    Variant("newton-unpenalised", Newton(3.0, l1=0.0)),
    Variant("newton-adaptive", Newton(1.0, l1=Adaptive(1.0, gamma=1.0, cap=20.0))),
    Variant("newton-adaptive-pilot", Newton(1.0, l1=Adaptive(2.0, 0.5, 8.0, PILOT))),
    Variant("newton-half-life", Newton(1.0, l1=Evidence(1.5), half_life=60.0)),
    Variant("newton-constant-half-life", Newton(0.5, l1=3.0, half_life=40.0)),
    Variant("newton-nonnegative", Newton(1.0, l1=Evidence(1.5), nonnegative=True)),
]

MODES: list[Variant] = list(
    {
        Recipe.of(variant.rule, LOSSES["squared"]()): variant for variant in reversed(VARIANTS)
    }.values()
)
"""One variant for each kernel that `specialise` compiles: the first one listed."""


each_variant = pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.label)
each_mode = pytest.mark.parametrize("variant", MODES, ids=lambda variant: variant.label)
SCALAR = [name for name, kind in LOSSES.items() if not kind.together]
"""The losses of one score; those of many lanes together have tests of their own."""

each_loss = pytest.mark.parametrize("loss", SCALAR)


def pairs_of(variants: list[Variant]) -> list[tuple[Variant, str]]:
    """Three losses for each variant, in turn, so that every rule has every loss."""
    seen: dict[type, int] = {}
    pairs = []
    for variant in variants:
        first = seen[type(variant.rule)] = seen.get(type(variant.rule), -3) + 3
        pairs += [(variant, SCALAR[(first + i) % len(SCALAR)]) for i in range(3)]
    return pairs


def each_pair(variants: list[Variant]) -> pytest.MarkDecorator:
    """A test of `pairs_of` these variants."""
    pairs = pairs_of(variants)
    ids = [f"{variant.label}-{loss}" for variant, loss in pairs]
    return pytest.mark.parametrize(("variant", "loss"), pairs, ids=ids)


class Event(NamedTuple):
    """Names are the integers from 0 on; also the coordinates of the dense reference."""

    names: list[int]
    values: list[float]
    target: float
    importance: float

    @property
    def x(self) -> dict[int, float]:
        """As an estimator takes it."""
        return dict(zip(self.names, self.values, strict=True))


def target_of(loss: str, score: float, random: np.random.Generator) -> float:
    """A target of the loss's domain, which rises with the score, a count at random."""
    domain = LOSSES[loss].domain
    if domain == "binary":
        return float(score > 0)
    if domain == "real":
        return score
    return float(random.poisson(np.exp(min(0.4 * score, 1.0) - 0.5)))


DIMENSION = 9


def stream(
    loss: str,
    events: int = 400,
    *,
    seed: int = 7,
    scale: float = 1.0,
    importances: Sequence[float] = (0.0, 0.5, 1.0, 1.0, 2.3),
) -> list[Event]:
    """A seeded stream of 9 features in which features are absent, late, rare, zero and vanish.

    0–2 carry the signal, 3 and 4 are noise, 5 comes late and matters, 6 matters and vanishes
    early, 7 is rare, 8 matters at first and then means the opposite.
    """
    return list(_stream(loss, events, seed, scale, tuple(importances)))


@cache
def _stream(
    loss: str, events: int, seed: int, scale: float, importances: Sequence[float]
) -> list[Event]:
    """Many tests learn the same streams."""
    random = np.random.default_rng(seed)
    truth = np.array([1.2, -0.8, 0.5, 0.0, 0.0, 0.9, -1.1, 0.6, 0.7])
    presence = np.array([0.7, 0.6, 0.5, 0.5, 0.4, 0.6, 0.7, 0.03, 0.5])
    if LOSSES[loss].domain == "count":
        scale *= 0.5  # a common step size that suits the other losses would run away with an e^s
    made = []
    for t in range(events):
        here = random.random(DIMENSION) < presence
        here[5] &= t >= 0.4 * events
        here[6] &= t < 0.3 * events
        names = np.flatnonzero(here)
        values = scale * np.round(random.normal(size=len(names)), 3)
        values[random.random(len(names)) < 0.05] = 0.0
        if t == events // 2:
            truth[8] *= -1
        score = values @ truth[names] / scale + 0.3 + 0.3 * random.normal()
        target = target_of(loss, float(score), random)
        importance = float(random.choice(importances))
        made.append(Event(names.tolist(), values.tolist(), target, importance))
    return made


def learner_for(
    rule: Rule | Sequence[Rule], loss: str, *, compiled: bool = False, **settings: Any
) -> Learner:
    """A learner whose features are allocated so that name j has slot 2 + j."""
    learner = Learner(rule, loss, compiled=compiled, **settings)
    for name in range(DIMENSION):
        learner.index.add(name)
    return learner


def rows(events: Sequence[Event]) -> tuple[Array, Array, Array, Array, Array]:
    """``(indptr, slots, values, targets, importances)`` for `learner_for`'s slots."""
    indptr = np.cumsum([0] + [len(event.names) for event in events])
    slots = np.array([2 + name for event in events for name in event.names], np.uint32)
    values = np.array([value for event in events for value in event.values], np.float64)
    targets = np.array([event.target for event in events], np.float64)
    importances = np.array([event.importance for event in events], np.float64)
    return indptr, slots, values, targets, importances


def learn(learner: Learner, events: Sequence[Event]) -> Array:
    """Learn the events in one call; the progressive scores."""
    return learner.learn_rows(*rows(events))


def weights_of(learner: Learner, lane: int = 0) -> Array:
    """The effective weights of `learner_for`'s features, dense."""
    weights: Array = learner.effective_weights()[2 : 2 + DIMENSION, lane]
    return weights


def plain(rule: Rule) -> dict[str, Any]:
    """The rule's parameters as the references take them: numbers, and dicts for penalties."""
    parameters = {field.name: getattr(rule, field.name) for field in fields(rule)}
    if isinstance(rule, TruncatedGradient):
        del parameters["l2"]
    penalty = parameters.get("l1")
    if isinstance(penalty, Group):
        parameters["l1"] = {"kind": "group", "l1": penalty.l1, "groups": dict(penalty.by)}
    elif isinstance(penalty, Adaptive):
        names = "l1", "gamma", "cap", "pilot"
        kept = {name: getattr(penalty, name) for name in names}
        parameters["l1"] = {"kind": "adaptive", **kept}
    elif isinstance(penalty, Evidence):
        parameters["l1"] = {"kind": "evidence", "theta": penalty.theta}
    return parameters


def reference_for(
    rule: Rule, loss: str, *, fit_intercept: bool = True, scale: str | None = None
) -> Reference:
    """The naive implementation with the same hyper-parameters."""
    naive = REFERENCES[rule.name] if scale is None else scaled(REFERENCES[rule.name], scale)
    return naive(DIMENSION, loss, fit_intercept=fit_intercept, **plain(rule))


def presence(event: Event) -> Array:
    """Which features occur in the event, be it with the value 0."""
    present = np.zeros(DIMENSION, bool)
    present[event.names] = True
    return present


def dense(event: Event) -> Array:
    """The event as a vector."""
    x = np.zeros(DIMENSION)
    x[event.names] = event.values
    return x


def state_of(learner: Learner) -> dict[str, bytes | int]:
    """All that learning may change, for comparing bit for bit."""
    return {
        "ledger": learner.ledger.tobytes(),
        "state": learner.state.tobytes(),
        "hyper": learner.hyper.tobytes(),
        "clock": learner.clock,
        "rejected": learner.rejected,
        "names": learner.index.size,
    }

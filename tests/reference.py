"""The learning rules as their papers state them: naive, eager, dense; the tests' yardstick.

Independent of the package, which is lazy: here every coordinate is updated at every event, its
weight is a number that is always up to date, and an absent feature is a zero in a dense vector.
Nothing is rearranged for speed or for accuracy. Notation: event t = 1, 2, …, features x, target y,
importance i, score s = b + Σ w_j x_j, gradient g_j = i·ℓ'(s, y)·x_j. The intercept b is coordinate
0 of the vectors, with x_0 = 1; it is neither penalised nor constrained.

Two computations that round differently agree only away from the points where a rule jumps. `gap`
is the smallest distance to such a point that the events so far have come to.

The parts: `reference_losses`, `reference_penalties`, `reference_base` (what the rules share),
`reference_dual` and `reference_gradient` (the rules), `reference_groups`, `reference_scales`,
`reference_softmax`.
"""

from collections.abc import Callable
from typing import Any

from reference_base import DELTA, Push, Reference, Vector, shrink
from reference_dual import DualAveraging, FTRLProximal, Newton
from reference_gradient import GradientReference, SoftThreshold, TruncatedGradient
from reference_groups import GroupFTRL
from reference_losses import LossParameters, curvature, slope, value, variance
from reference_penalties import is_group
from reference_scales import Scaled, scaled
from reference_softmax import Softmax, softmax

__all__ = [
    "DELTA",
    "REFERENCES",
    "DualAveraging",
    "FTRLProximal",
    "GradientReference",
    "GroupFTRL",
    "LossParameters",
    "Newton",
    "Push",
    "Reference",
    "Scaled",
    "SoftThreshold",
    "Softmax",
    "TruncatedGradient",
    "Vector",
    "curvature",
    "scaled",
    "shrink",
    "slope",
    "softmax",
    "value",
    "variance",
]


def ftrl(dimension: int, loss: str, **parameters: Any) -> Reference:
    """FTRL-Proximal with any of its penalties."""
    chosen = GroupFTRL if is_group(parameters["l1"]) else FTRLProximal
    return chosen(dimension, loss, **parameters)


REFERENCES: dict[str, Callable[..., Reference]] = {
    "ftrl": ftrl,
    "truncated_gradient": TruncatedGradient,
    "soft_threshold": SoftThreshold,
    "dual_averaging": DualAveraging,
    "newton": Newton,
}
"""Called as ``REFERENCES[name](dimension, loss, fit_intercept=…, **parameters)``, the parameters
plain numbers; ``l1`` a number or a dict: ``{"kind": "evidence", "theta": …}``, ``{"kind":
"adaptive", "l1": …, "gamma": …, "cap": …, "pilot": {name: weight} or None}`` or ``{"kind":
"group", "l1": …, "groups": {name: group}}``."""

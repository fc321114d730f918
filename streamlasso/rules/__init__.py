"""Rules: one algorithm, one file. A new rule is a file here and a line in `RULES`."""

from streamlasso.rules.base import Rule
from streamlasso.rules.dual_averaging import DualAveraging
from streamlasso.rules.ftrl import FTRLProximal
from streamlasso.rules.newton import Newton
from streamlasso.rules.soft_threshold import SoftThreshold
from streamlasso.rules.truncated_gradient import TruncatedGradient

__all__ = [
    "RULES",
    "DualAveraging",
    "FTRLProximal",
    "Newton",
    "Rule",
    "SoftThreshold",
    "TruncatedGradient",
    "get_rule",
]

RULES: dict[str, type[Rule]] = {
    rule.name: rule
    for rule in (FTRLProximal, TruncatedGradient, SoftThreshold, DualAveraging, Newton)
}


def get_rule(name: str, **parameters: object) -> Rule:
    """A rule by its registered name, with hyper-parameters by keyword."""
    if name not in RULES:
        raise ValueError(f"rule = {name!r} is unknown; choose one of {', '.join(RULES)}")
    return RULES[name](**parameters)

"""From an estimator's parameters to its learner."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from streamlasso.checks import flag, shown
from streamlasso.grid import expand
from streamlasso.index import FeatureIndex
from streamlasso.learner import Learner
from streamlasso.losses import Loss
from streamlasso.rules import FTRLProximal, Rule
from streamlasso.stack import StackLearner
from streamlasso.stack.compiling import FAMILIES
from streamlasso.stack.serving import checked_serving

__all__ = ["SERVING", "make_learner"]

SERVING: dict[str, Any] = {"serve": "sparsest", "tolerance": 0.005, "max_active": None}
"""How a stack serves, by default."""


def make_learner(
    rule: Any,
    loss: Loss,
    index: FeatureIndex,
    fit_intercept: bool,
    scale: str | None,
    grid: Mapping[str, Iterable[Any]] | None,
    select: str,
    refit: bool,
    serving: Mapping[str, Any],
    dtype: str,
) -> Learner | StackLearner:
    """A stack without a rule, or with ``select="stack"``; otherwise lanes of one rule."""
    checked_serving(**serving)
    plain = scale is None and grid is None and not flag("refit", refit)
    if select == "stack":
        return _stack(
            rule, loss, index, fit_intercept, scale, grid, refit, {**serving, "dtype": dtype}
        )
    if isinstance(rule, Sequence) and not isinstance(rule, str):
        raise ValueError(f"rule = {shown(rule)} is a list: give select='stack', or one rule")
    if rule is None and plain and loss.name in FAMILIES:
        return StackLearner(loss, index, fit_intercept=fit_intercept, dtype=dtype, **serving)
    for name, default in SERVING.items():
        if serving[name] != default:
            raise ValueError(
                f"{name} = {serving[name]!r} is for a stack of rules; leave rule, scale, grid and "
                "refit out, or give select='stack'"
            )
    return Learner(
        expand(FTRLProximal() if rule is None else rule, grid),
        loss,
        index,
        fit_intercept=fit_intercept,
        dtype=dtype,
        scale=scale,
        select=None if grid is None else select,
    )


def _stack(
    rule: Any, loss: Loss, index: FeatureIndex, fit_intercept: bool, scale: str | None,
    grid: Mapping[str, Iterable[Any]] | None, refit: bool, serving: Mapping[str, Any],
) -> StackLearner:  # fmt: skip
    if scale not in (None, "rms-max"):
        raise ValueError(f"scale = {scale!r} with select='stack': it has rms-max; leave scale out")
    if refit:
        raise ValueError("refit = True with select='stack': its weights are not shrunk; leave out")
    lanes = rule
    if grid is not None:
        if not isinstance(rule, Rule):
            raise ValueError(f"grid with rule = {rule!r}: a grid varies the numbers of one rule")
        lanes = expand(rule, grid)
    return StackLearner(loss, index, lanes=lanes, fit_intercept=fit_intercept, **serving)

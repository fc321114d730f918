"""How lanes lie in the arrays of a learner: checks, hyper-parameters, the ledger, more lanes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from streamlasso.eviction import dtype_faults
from streamlasso.losses import Loss
from streamlasso.recipe import Recipe
from streamlasso.rules import Rule
from streamlasso.rules.base import checked_rule
from streamlasso.scales import SCALES
from streamlasso.selection import LEDGER_ROWS, SELECTIONS, LaneRow

if TYPE_CHECKING:
    from streamlasso.learner import Learner

__all__ = ["check", "new_ledger", "padded", "rearranged", "stack_hyper"]

Array = npt.NDArray[Any]


def padded(models: int) -> int:
    """Lanes for so many models: a power of two, so that few numbers of lanes are compiled."""
    return 1 << (models - 1).bit_length()


def check(learner: "Learner", given: Sequence[Any]) -> None:
    """Raise for settings that do not go together, both named."""
    faults = _faults_of_lanes(learner, given)
    if not given:
        raise ValueError(faults[0])
    faults += _faults_of_names(learner)
    faults += dtype_faults(learner.dtype, learner.index)
    for name, kinds in (("scale", SCALES), ("select", SELECTIONS)):
        value = getattr(learner, name)
        if value is not None and value not in kinds:
            faults.append(
                f"{name} = {value!r} is unknown; choose None or one of {', '.join(kinds)}"
            )
    clocks = {"stamp", "birth", "touch"} & set(learner.rule.columns)
    if learner.dtype == "float32" and clocks:
        faults.append(
            f"dtype = 'float32' with {learner.rule!r}: its column {clocks.pop()!r} counts events "
            "and float32 cannot beyond 2^24; use dtype = 'float64'"
        )
    if faults:
        raise ValueError("; ".join(faults))


def _faults_of_lanes(learner: "Learner", given: Sequence[Any]) -> list[str]:
    for rule in given:
        checked_rule(rule)
    if not given:
        return ["rule = [] must be a rule, or a list of one at least"]
    faults: list[str] = []
    kinds = {(type(r), type(r.l1_penalty), r.l1_penalty.renews, *r.modes.items()) for r in given}
    if len(kinds) != 1:
        faults.append(
            f"lanes must be rules of one kind and mode, got {list(given)!r}; "
            "use one Learner for each kind"
        )
    elif len({repr(getattr(rule.l1_penalty, "by", None)) for rule in given}) > 1:
        faults.append("lanes of Group penalties must have one by: their features share the groups")
    several = learner.loss.together or learner.outputs > 1
    if not isinstance(learner.outputs, int) or learner.outputs < 1:
        faults.append(f"outputs = {learner.outputs!r} must be a whole number ≥ 1")
    elif learner.loss.together and learner.outputs > 1:
        faults.append(
            f"outputs = {learner.outputs} with the {learner.loss.name} loss: one or other"
        )
    if several and (len(given) > 1 or learner.select):
        what = f"the {learner.loss.name} loss" if learner.loss.together else "several outputs"
        faults.append(f"several rules or select with {what}: its lanes are taken; use one rule")
    return faults


def _faults_of_names(learner: "Learner") -> list[str]:
    penalty, index = learner.rule.l1_penalty, learner.index
    faults = []
    if learner.scale is not None and "link" in penalty.shared:
        faults.append(
            f"scale = {learner.scale!r} with {penalty!r}: a group has one step size; "
            "bring its features to one scale before, and leave scale out"
        )
    if penalty.needs_names and (reason := _no_names(learner)):
        faults.append(f"{penalty!r} with {index!r}: {reason}")
    return faults


def _no_names(learner: "Learner") -> str | None:
    """Why a penalty that goes by names cannot have this index."""
    index = learner.index
    if index.kind == "columns":
        return (
            "the penalty goes by the names of features, and a column has only a number; use "
            "SparseClassifier or SparseRegressor of streamlasso"
        )
    if index.kind != "growing":
        return (
            "the penalty goes by the names of features, and hashed ones share slots; "
            "use GrowingIndex()"
        )
    if index.selective and "link" in learner.rule.l1_penalty.shared:
        return (
            "a group keeps its record in a slot of its own, its head, which a limit or an "
            "admission could turn away; use GrowingIndex() without max_features and admit"
        )
    if index.evicts:
        return (
            "the penalty goes by the names of features, and a slot that is freed gets another; "
            "use at_limit = 'refuse'"
        )
    return None


def stack_hyper(rules: Sequence[Rule], lanes: int, dtype: str) -> Array:
    """``hyper[0: intercept | 1: features, row, lane]``; the last rule pads."""
    filled = (*rules, *[rules[-1]] * (lanes - len(rules)))
    both = [[rule.hyper(intercept=intercept) for rule in filled] for intercept in (True, False)]
    return np.ascontiguousarray(np.array(both, dtype).transpose(0, 2, 1))


def new_ledger(models: int, lanes: int, loss: Loss, select: str | None, memory: float) -> Array:
    """The lanes' losses and shares before the first event; empty where none is selected."""
    if select is None:
        return np.zeros((1, 1))
    if not memory > 0:
        raise ValueError(f"memory = {memory!r} must be > 0 events; the default is 3000")
    ledger = np.zeros((LEDGER_ROWS, lanes))
    ledger[LaneRow.USED, :models] = 1.0
    ledger[LaneRow.RELATIVE] = float(loss.domain == "real")
    ledger[LaneRow.MEMORY] = 0.5 ** (1.0 / memory)
    ledger[LaneRow.SHARE, :models] = 1.0 / models if select == "mix" else 0.0
    if select != "mix":
        ledger[LaneRow.SHARE, 0] = 1.0
    return ledger


def rearranged(
    state: Array, hyper: Array, counts: Array, old: Recipe, new: Recipe, fresh: Array,
    sources: Sequence[int | None],
) -> tuple[Array, Array, Array]:  # fmt: skip
    """State, hyper and counts with other lanes: each from an old one, or None for a new model.

    ``fresh`` is the new ``hyper`` before any event. A new model's totals are those of the first
    lane: they belong to the clock. Its weights are zero.
    """
    grown = np.zeros((len(state), new.width), state.dtype)
    shared = len(old.shared)
    grown[:, :shared] = state[:, :shared]
    for name in (*new.penalty.columns, *new.columns):
        for lane, source in enumerate(sources):
            if source is not None:
                grown[:, new.offsets[name] + lane] = state[:, old.offsets[name] + source]
    totals = [row for row, name in enumerate(new.rows) if name in new.rule.totals]
    for lane in range(fresh.shape[2]):
        source = sources[lane] if lane < len(sources) else None
        fresh[:, totals, lane] = hyper[:, totals, source or 0]
    counted = np.zeros((len(counts), new.lanes), counts.dtype)
    for lane, source in enumerate(sources):
        if source is not None:
            counted[2:, lane] = counts[2:, source]
    counted[:2, 0] = counts[:2, 0]
    return grown, fresh, counted

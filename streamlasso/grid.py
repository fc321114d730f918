"""A grid of hyper-parameters as rules: every combination is a lane of one learner."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from streamlasso.penalties import Constant, Penalty, as_penalty
from streamlasso.rules import Rule
from streamlasso.rules.base import NEVER, checked_rule

__all__ = ["LARGEST_GRID", "expand", "listed"]

LARGEST_GRID = 256
NUMBERS = "numbers"


def expand(rule: Rule, grid: Mapping[str, Iterable[Any]] | None) -> tuple[Rule, ...]:
    """The rule with every combination of the grid's values, the last parameter varying fastest.

    A number for ``l1`` is the strength of the rule's own penalty: θ of an evidence threshold.

    >>> from streamlasso import FTRLProximal
    >>> [(r.alpha, r.l1) for r in expand(FTRLProximal(), {"alpha": [0.1, 1.0], "l1": [1, 2]})]
    [(0.1, 1), (0.1, 2), (1.0, 1), (1.0, 2)]
    """
    if grid is None:
        return (rule,)
    checked_rule(rule)
    values = {name: _values(name, given, rule) for name, given in listed(grid).items()}
    size = math.prod(len(given) for given in values.values())
    if not 1 <= size <= LARGEST_GRID:
        raise ValueError(
            f"grid: {_sizes(values)} has {size} combinations; a grid has from 1 to "
            f"{LARGEST_GRID}, each of which costs time and memory like a model of its own"
        )
    return tuple(
        replace(rule, **dict(zip(values, combination, strict=True)))
        for combination in product(*values.values())
    )


def listed(grid: Mapping[str, Iterable[Any]]) -> dict[str, list[Any]]:
    """The grid with its values as lists of plain numbers, whatever they came as."""
    if not isinstance(grid, Mapping):
        raise TypeError(f"grid = {grid!r} must be a dict of lists: {{'l1': [0.1, 1, 10]}}")
    for name, given in grid.items():
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise TypeError(f"grid: {name} = {given!r} must be a list of values")
    return {
        name: [value.item() if isinstance(value, np.generic) else value for value in given]
        for name, given in grid.items()
    }


def _sizes(values: Mapping[str, Sequence[Any]]) -> str:
    return " × ".join(f"{name} with {len(given)} values" for name, given in values.items())


def _values(name: str, values: list[Any], rule: Rule) -> Sequence[Any]:
    if name not in rule.parameters:
        raise ValueError(
            f"grid: the rule {rule.name!r} has no number {name!r} to vary; "
            f"choose from {', '.join(rule.parameters)}"
        )
    if name == "half_life" and any(value < math.inf for value in values):
        return [min(value, NEVER) for value in values]
    own = rule.l1_penalty
    kinds = {_kind(value) for value in values} if name == "l1" else set()
    if len(kinds - {NUMBERS}) > 1 or (isinstance(own, Constant) and len(kinds) > 1):
        raise ValueError(
            f"grid: l1 mixes kinds of penalties, {' and '.join(sorted(kinds))}; "
            "use one kind in a grid"
        )
    if name == "l1" and not isinstance(own, Constant):
        return [
            value if isinstance(as_penalty(value), type(own)) else own.scaled(_number(value))
            for value in values
        ]
    return values


def _kind(value: Any) -> str:
    return type(as_penalty(value)).__name__ if isinstance(value, Penalty | str) else NUMBERS


def _number(value: Any) -> float:
    if isinstance(value, Penalty | str):
        raise ValueError(f"grid: l1 = {value!r} mixes kinds of penalties; use one kind in a grid")
    return float(value)

"""Hyper-parameters as a file, a variable or a flag gives them: numbers, words, tables, lists.

A table stands for a penalty, ``{ penalty = "group", l1 = 2.0, by = "=" }``; ``by`` and ``pilot``
may be tables from names themselves. Nothing of the library is imported before it is needed.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamlasso.penalties import Penalty
    from streamlasso.rules import Rule

__all__ = ["STACK", "grid_of", "rule_of", "serving_faults", "typed"]

STACK = "stack"
"""In the place of a rule: several side by side, of which a sparse model is served."""

WORDS = ("penalty", "by")
"""Keys whose texts stay texts, also where they look like numbers."""


def typed(value: Any) -> Any:
    """Numbers, booleans, lists and tables from the environment and flags come as text."""
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return {name: item if name in WORDS else typed(item) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    if value[:1] in ("[", "{"):
        try:
            return typed(json.loads(value))
        except ValueError:
            return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def rule_of(name: str, parameters: Mapping[str, Any]) -> "Rule":
    """The rule of a name; a table for ``l1`` is a penalty. Raises ``ValueError``."""
    from streamlasso.rules import get_rule

    return get_rule(name, **{key: _value(key, value) for key, value in parameters.items()})


def serving_faults(parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with the parameters of a stack: one by one, or else together."""
    from streamlasso.estimators.making import SERVING
    from streamlasso.stack.serving import checked_serving

    faults = [f"{STACK} has no {name!r}" for name in parameters if name not in SERVING]
    if faults:
        faults[-1] += f"; choose from {', '.join(SERVING)}, or set rule = 'ftrl'"
    given = {name: value for name, value in parameters.items() if name in SERVING}
    alone: list[str] = []
    for some in (*({name: value} for name, value in given.items()), given):
        try:
            checked_serving(**{**SERVING, **some})
        except (TypeError, ValueError) as error:
            alone += [str(error)] * (some is not given or not alone)
    return faults + alone


def grid_of(grid: Mapping[str, list[Any]]) -> dict[str, list[Any]] | None:
    """The grid as an estimator takes it; an empty one is none. Raises ``ValueError``."""
    return {name: [_value(name, value) for value in given] for name, given in grid.items()} or None


def _value(name: str, value: Any) -> Any:
    return _penalty(value) if name == "l1" and isinstance(value, Mapping) else value


def _penalty(table: Mapping[str, Any]) -> "Penalty":
    from streamlasso.penalties import PENALTIES

    given = dict(table)
    name = given.pop("penalty", None)
    if name not in PENALTIES:
        raise ValueError(
            f"l1 = {dict(table)!r} has penalty = {name!r}; choose one of {', '.join(PENALTIES)}"
        )
    choices = [field.name for field in fields(PENALTIES[name])]
    faults = [f"l1: the penalty {name} has no {key!r}" for key in given if key not in choices]
    if faults:
        faults[-1] += f"; choose from {', '.join(choices)}"
    pilot = given.get("pilot", {})
    if not isinstance(pilot, Mapping) or any(isinstance(weight, str) for weight in pilot.values()):
        faults.append(f"l1: pilot = {pilot!r} must be a table from names to weights")
        given["pilot"] = None
    try:
        penalty = PENALTIES[name](**{key: given[key] for key in given if key in choices})
    except (TypeError, ValueError) as error:
        faults.append(str(error))
    if faults:
        raise ValueError("; ".join(faults))
    return penalty

"""Rules, penalties and labels as JSON and back."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from streamlasso.export import tuples
from streamlasso.penalties import PENALTIES, Penalty
from streamlasso.rules import Rule, get_rule
from streamlasso.stack import Lane

__all__ = [
    "given_from",
    "given_to",
    "number_from",
    "number_to",
    "rule_from",
    "rule_to",
    "value_from",
    "value_to",
]


def number_to(value: Any) -> Any:
    """JSON has no infinity."""
    return str(value) if value in (float("inf"), float("-inf")) else value


def number_from(value: Any) -> Any:
    """What `number_to` wrote."""
    return float(value) if value in ("inf", "-inf") else value


def _mapping_to(value: Any) -> Any:
    """JSON's own objects have strings as keys only."""
    if not isinstance(value, Mapping):
        return number_to(value)
    return {"pairs": [[key, item] for key, item in value.items()]}


def _mapping_from(value: Any) -> Any:
    if not isinstance(value, dict):
        return number_from(value)
    return {tuples(key): item for key, item in value["pairs"]}


def rule_to(rule: Rule) -> dict[str, Any]:
    """The rule's name and parameters."""
    parameters = {field.name: getattr(rule, field.name) for field in fields(rule)}
    return {"rule": rule.name, "parameters": {k: value_to(v) for k, v in parameters.items()}}


def value_to(value: Any) -> Any:
    """A rule's parameter: a number, a flag, a word or a penalty."""
    if not isinstance(value, Penalty):
        return number_to(value)
    given = {field.name: getattr(value, field.name) for field in fields(value)}
    return {"penalty": value.name, **{name: _mapping_to(item) for name, item in given.items()}}


def rule_from(manifest: Mapping[str, Any]) -> Rule:
    """The rule that `rule_to` wrote."""
    parameters = {name: value_from(value) for name, value in manifest["parameters"].items()}
    return get_rule(manifest["rule"], **parameters)


def value_from(value: Any) -> Any:
    """What `value_to` wrote."""
    if not isinstance(value, dict):
        return number_from(value)
    given = {name: _mapping_from(item) for name, item in value.items() if name != "penalty"}
    return PENALTIES[value["penalty"]](**given)


def given_to(given: Any, default: Rule) -> dict[str, Any]:
    """The rule as an estimator was given it: one, several of a stack, or none."""
    if given is None or isinstance(given, Rule):
        return {"given_rule": given is not None, **rule_to(given or default)}
    listed = [lane if isinstance(lane, Lane) else Lane(lane) for lane in given]
    return {
        "given_rule": True,
        "rules": [{**rule_to(lane.rule), "memory": number_to(lane.memory)} for lane in listed],
    }


def given_from(manifest: Mapping[str, Any]) -> Any:
    """What `given_to` wrote."""
    if not manifest["given_rule"]:
        # Before format 3 no rule meant FTRL-Proximal.
        return None if manifest["format"] >= 3 else rule_from(manifest)
    if "rules" not in manifest:
        return rule_from(manifest)
    return [Lane(rule_from(each), number_from(each["memory"])) for each in manifest["rules"]]

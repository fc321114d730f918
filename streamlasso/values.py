"""What the value of a field means, one at a time.

A number is itself, ``True``/``False`` are 1/0, a string is the one-hot feature ``name=value``;
``None``, NaN and pandas' NA mean that the feature is absent.
"""

from collections.abc import Mapping
from typing import Any

from streamlasso.index import Name

__all__ = ["categorical_name", "clamped", "feature", "feature_name", "number", "present"]


def categorical_name(name: Name, value: str) -> Name:
    """The name of the one-hot feature of a string value."""
    # Added, not formatted: an Enum that is a str would be formatted as its label.
    return name + "=" + value if isinstance(name, str) else (name, "=", value)


def feature_name(name: Name, value: Any) -> Name:
    """The name of the feature of a field with this value."""
    return categorical_name(name, str.__str__(value)) if isinstance(value, str) else name


def number(name: Name, value: Any) -> float:
    """A value that is neither float, int, bool, str nor None; NaN stands for absent."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return float("nan")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"feature {name!r} has the value {value!r} of type {type(value).__name__}; "
            "a value must be a number, a string, a bool or None: flatten or convert it"
        ) from None


def feature(name: Name, value: Any) -> tuple[Name, float] | None:
    """The feature of any field, and its value; None if it is absent."""
    if value is None:
        return None
    if isinstance(value, str):
        return categorical_name(name, str.__str__(value)), 1.0
    if not isinstance(value, float | int):
        value = number(name, value)
    return None if value != value else (name, clamped(value))


def present(event: Mapping[Name, Any]) -> dict[Name, Any]:
    """The fields that are not absent, with their values: numbers, or strings."""
    found: dict[Name, Any] = {}
    for name, value in event.items():
        if value is None:
            continue
        if not isinstance(value, str | float | int):
            value = number(name, value)
        if value == value:
            found[name] = value
    return found


def clamped(value: float) -> float:
    """An integer too large for a float becomes an infinity, which learning rejects and counts."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")

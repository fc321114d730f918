"""What a field of an event is: ``[features]`` of the configuration, applied to names and values."""

import math
from fnmatch import fnmatchcase
from typing import Any

from streamlasso_service.config import FeaturesConfig

__all__ = ["FieldError", "Fields", "NonFiniteError"]

SEEN_LIMIT = 1000
NAMES_LIMIT = 1 << 18


class FieldError(ValueError):
    """A value that its field cannot have."""


class NonFiniteError(ValueError):
    """A value that is infinite."""


class Fields:
    """Turns the raw fields of an event into features.

    ``seen`` records how each of the first 1,000 fields was read, for ``streamlasso inspect``.
    """

    def __init__(self, config: FeaturesConfig) -> None:
        self.config = config
        self.seen: dict[str, str] = {}
        self._plans: dict[str, tuple[str, str]] = {}

    def _plan(self, name: str) -> tuple[str, str]:
        """(kind, feature name) of a field, remembered."""
        plan = self._plans.get(name)
        if plan is None:
            kind = "auto"
            for candidate in ("ignore", "categorical", "log1p", "numeric"):
                if any(fnmatchcase(name, pattern) for pattern in getattr(self.config, candidate)):
                    kind = candidate
                    break
            prefixes = (
                text for pattern, text in self.config.prefix.items() if fnmatchcase(name, pattern)
            )
            plan = (kind, next(prefixes, "") + name)
            if len(self._plans) >= NAMES_LIMIT:
                self._plans.clear()
            self._plans[name] = plan
        return plan

    def apply(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Features by name: floats, and strings for one-hot; absent ones left out."""
        features: dict[str, Any] = {}
        for name, value in raw.items():
            if value is None:
                continue
            kind, feature = self._plan(name)
            if kind == "ignore":
                continue
            if kind == "auto":
                kind = "categorical" if isinstance(value, str) else "numeric"
            if kind == "categorical":
                features[feature] = _category(name, value)
            else:
                number = _number(name, value)
                features[feature] = _log1p(number) if kind == "log1p" else number
            if name not in self.seen and len(self.seen) < SEEN_LIMIT:
                self.seen[name] = kind
        return _unit(features) if self.config.unit_length else features


def _category(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise FieldError(_nested(name, value))


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool | int | float | str):
        try:
            number = float(value)
        except ValueError:
            raise FieldError(
                f"field {name!r} is numeric but has a text value; list it as categorical"
            ) from None
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise NonFiniteError(f"field {name!r} is not finite")
        return number
    raise FieldError(_nested(name, value))


def _nested(name: str, value: Any) -> str:
    return (
        f"field {name!r} holds a {type(value).__name__}; a feature is a number, a string, a bool "
        "or null: flatten it, or list it under features.ignore"
    )


def _log1p(number: float) -> float:
    return math.copysign(math.log1p(abs(number)), number)


def _unit(features: dict[str, Any]) -> dict[str, Any]:
    """Scale to Σ value² = 1, a one-hot feature counting as 1."""
    squares = math.fsum(
        1.0 if isinstance(value, str) else value * value for value in features.values()
    )
    length = math.sqrt(squares)
    if length == 0:
        return features
    # A one-hot feature of length other than 1 needs its value spelled out.
    return {
        (f"{name}={value}" if isinstance(value, str) else name): (
            1.0 / length if isinstance(value, str) else value / length
        )
        for name, value in features.items()
    }

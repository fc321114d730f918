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

    @property
    def patterned(self) -> bool:
        """Whether what a field is depends on its name."""
        config = self.config
        lists = (config.categorical, config.numeric, config.ignore, config.log1p, config.prefix)
        return any(lists)

    def plan(self, name: str, is_text: bool) -> tuple[str, str]:
        """(kind, feature name) of a field, made at its first value and remembered."""
        kind = "auto"
        for candidate in ("ignore", "categorical", "log1p", "numeric"):
            if any(fnmatchcase(name, pattern) for pattern in getattr(self.config, candidate)):
                kind = candidate
                break
        prefixes = (
            text for pattern, text in self.config.prefix.items() if fnmatchcase(name, pattern)
        )
        if len(self._plans) >= NAMES_LIMIT:
            self._plans.clear()
        plan = self._plans[name] = (kind, next(prefixes, "") + name)
        if kind != "ignore" and len(self.seen) < SEEN_LIMIT:
            guessed = "categorical" if is_text else "numeric"
            self.seen.setdefault(name, guessed if kind == "auto" else kind)
        return plan

    def apply(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Features by name: floats, and strings for one-hot; absent ones left out."""
        features: dict[str, Any] = {}
        plans = self._plans
        for name, value in raw.items():
            if value is None:
                continue
            kind, feature = plans.get(name) or self.plan(name, isinstance(value, str))
            if kind == "ignore":
                continue
            if kind == "categorical" or (kind == "auto" and type(value) is str):
                features[feature] = value if type(value) is str else _category(name, value)
                continue
            # A finite float, by far the most frequent case, costs one comparison.
            number = value if type(value) is float and value - value == 0 else _number(name, value)
            features[feature] = _log1p(number) if kind == "log1p" else number
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
    sizes = [1.0 if type(value) is str else value for value in features.values()]
    length = math.hypot(*sizes)
    if length == 0:
        return features
    # A one-hot feature of length other than 1 needs its value spelled out.
    return {
        (f"{name}={value}" if type(value) is str else name): size / length
        for (name, value), size in zip(features.items(), sizes, strict=True)
    }

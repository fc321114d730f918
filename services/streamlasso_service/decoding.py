"""From raw records to events, or to the reason why not. Nothing here raises for bad input."""

import math
from collections.abc import Callable
from typing import Any

import msgspec

from streamlasso.interactions import Plans
from streamlasso.losses import Loss
from streamlasso_service.config import EventConfig, LimitsConfig, Settings
from streamlasso_service.fields import FieldError, Fields, NonFiniteError
from streamlasso_service.records import Bad, Event, Record

__all__ = ["REASONS", "Decoder"]

REASONS = ("decode", "schema", "nonfinite", "too_large", "feature_limit")

# True and 1.0 equal 1, so they are in these sets too.
POSITIVE = frozenset({1, "1", "+1", "1.0", "true", "True"})
NEGATIVE = frozenset({0, -1, "0", "-1", "0.0", "-1.0", "false", "False"})

# Beyond it a few events would make the progressive sums infinite, for good.
LARGEST_IMPORTANCE = 1e12


class Decoder:
    """Decodes JSON events, nested or flat, as `EventConfig` names their fields.

    Parameters
    ----------
    task
        ``"classification"`` translates targets to 0 and 1, ``"regression"`` to floats.
    counts
        Whether a target below 0 is bad, as for the Poisson loss.
    """

    def __init__(
        self,
        event: EventConfig,
        fields: Fields,
        limits: LimitsConfig,
        task: str,
        *,
        counts: bool = False,
    ) -> None:
        self.task = task
        self.counts = counts
        self.event = event
        self.fields = fields
        self.limits = limits
        self._target: Callable[[Any], float] = (
            self._binary if task == "classification" else self._real
        )
        interactions = fields.config.interactions
        self._plans = Plans(interactions) if interactions else None
        self._decode = msgspec.json.Decoder().decode

    @classmethod
    def of(cls, settings: Settings, fields: Fields, loss: Loss) -> "Decoder":
        """The decoder that a configuration asks for."""
        counts = loss.domain == "count"
        return cls(settings.event, fields, settings.limits, settings.model.task, counts=counts)

    @property
    def combines(self) -> bool:
        """Whether a feature depends on more than its own field."""
        return self._plans is not None or self.fields.config.unit_length

    def decode(self, record: Record) -> Event | Bad:
        """The event of one record, or why there is none."""
        if len(record.value) > self.limits.max_event_bytes:
            return Bad("too_large", f"{len(record.value)} bytes > limits.max_event_bytes")
        if record.fault:
            return Bad("decode", record.fault)
        try:
            raw = self._decode(record.value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Bad("decode", f"not JSON: {error}")
        except RecursionError:
            return Bad("decode", "nested too deeply")
        if not isinstance(raw, dict):
            return Bad("schema", f"an event is a JSON object, not a {type(raw).__name__}")
        try:
            return self._event(raw)
        except NonFiniteError as error:
            return Bad("nonfinite", str(error))
        except FieldError as error:
            return Bad("schema", str(error))

    def _event(self, raw: dict[str, Any]) -> Event | Bad:
        names = self.event
        ident = raw.pop(names.id, None)
        target = raw.pop(names.target, None)
        importance = raw.pop(names.importance, None)
        nested = raw.get(names.features)
        fields = nested if isinstance(nested, dict) else raw
        if len(fields) > self.limits.max_event_features:
            return Bad("feature_limit", f"{len(fields)} features > limits.max_event_features")
        features = self.fields.apply(fields)
        if self._plans is not None:
            # A pattern over n fields makes of the order of n² features.
            crossed = self._plans.most(features)
            if len(features) + crossed > self.limits.max_event_features:
                return Bad(
                    "feature_limit",
                    f"{len(features)} features and up to {crossed} interactions "
                    "> limits.max_event_features",
                )
        return Event(
            ident,
            None if target is None else self._target(target),
            1.0 if importance is None else _importance(names.importance, importance),
            features,
        )

    def _binary(self, target: Any) -> float:
        positive = self.event.positive
        if positive is not None and isinstance(target, bool | int | float | str):
            return float(target == positive or _text(target) == _text(positive))
        try:
            if target in POSITIVE:
                return 1.0
            if target in NEGATIVE:
                return 0.0
        except TypeError:
            pass
        raise FieldError(
            f"target of type {type(target).__name__} is neither 0/1, −1/1 nor true/false; "
            "name the positive one: event.positive"
        )

    def _real(self, target: Any) -> float:
        if isinstance(target, bool) or not isinstance(target, int | float | str):
            raise FieldError(f"target of type {type(target).__name__} is not a number")
        try:
            number = float(target)
        except (ValueError, OverflowError):
            raise FieldError("target is not a number") from None
        if not math.isfinite(number):
            raise NonFiniteError("target is not finite")
        if self.counts and number < 0:
            raise FieldError("target is below 0; the poisson loss takes numbers ≥ 0")
        return number


def _text(value: Any) -> str:
    """The same for what means the same: 1 and "1" and 1.0, true and "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _importance(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise FieldError(f"{name!r} is not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise FieldError(f"{name!r} is not a number") from None
    if not math.isfinite(number):
        raise NonFiniteError(f"{name!r} is not finite")
    if not 0 <= number <= LARGEST_IMPORTANCE:
        raise FieldError(f"{name!r} must be from 0 to {LARGEST_IMPORTANCE:g}")
    return number

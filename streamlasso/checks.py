"""Errors for what callers hand in: the thing, the value, the constraint, the remedy."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "check_importance",
    "finite",
    "flag",
    "real",
    "reals",
    "refuse_event",
    "refuse_infinite",
    "shown",
]

LONGEST = 100


def shown(value: Any) -> str:
    """The value as text, cut short.

    >>> shown("high"), len(shown("x" * 1000))
    ("'high'", 100)
    """
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python writes no integer of thousands of digits
        text = f"a huge {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def real(what: str, value: Any, remedy: str = "leave such events out of learning") -> float:
    """The value as a float."""
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{what} = {shown(value)} is too large for a float; {remedy}") from None
    except (TypeError, ValueError):
        raise TypeError(f"{what} = {shown(value)} must be a number; {remedy}") from None


def finite(what: str, value: Any, remedy: str) -> float:
    """The value as a float that is neither NaN nor infinite."""
    number = real(what, value, remedy)
    if not math.isfinite(number):
        raise ValueError(f"{what} = {number!r} must be finite; {remedy}")
    return number


def reals(what: str, values: npt.ArrayLike, dtype: str = "float64") -> npt.NDArray[Any]:
    """The values as an array; what is no number is named with its row."""
    try:
        return np.asarray(values, dtype)
    except (TypeError, ValueError, OverflowError):
        given = np.asarray(values, object)
        if not given.ndim:
            real(what, given[()], "give one for all rows, or one for each")
        for row, value in enumerate(given):
            real(f"{what} of row {row}", value, "leave such rows out")
        raise


def flag(what: str, value: Any) -> bool:
    """True or False, and nothing that only counts as one of them."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{what} = {shown(value)} must be True or False")
    return bool(value)


def check_importance(w: Any) -> None:
    """An error for an importance that is below 0, or NaN, or no number."""
    if not real("importance w", w, "give one ≥ 0, by default 1") >= 0:
        raise ValueError(f"importance w = {w!r} must be ≥ 0; drop the event instead")


def refuse_event(x: Any) -> None:
    """An error for an event that is no dict."""
    if not hasattr(x, "items"):
        raise TypeError(
            f"x = {shown(x)} must be a dict name → value: {{'price': 2.5, 'site': 'news'}}"
        ) from None


def refuse_infinite(x: Mapping[Any, Any]) -> None:
    """An error for an event with an infinite number, which would make its score one."""
    for name, value in x.items():
        try:
            wild = not isinstance(value, str) and abs(float(value)) == np.inf
        except OverflowError:
            wild = True
        except (TypeError, ValueError):
            continue  # None and the like are absent
        if wild:
            raise ValueError(
                f"feature {name!r} has the value {shown(value)}, which has no score; "
                "leave it out, or cut it to the largest value that can be"
            )

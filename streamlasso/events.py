"""Rows of the scratch array ``events[row, lane]``: the numbers that belong to one event and lane."""

__all__ = ["CURVATURE", "IMPORTANCE", "OWN_SPREAD", "ROWS", "SLOPE", "SPREAD", "TARGET", "VARIANCE"]

SLOPE = 0
"""The slope of the loss, times the importance."""
CURVATURE = 1
"""Its second derivative or a bound of it, times the importance."""
SPREAD = 2
"""Σ step·value² over the event's features and the intercept, for rules that ask for it."""
TARGET = 3
"""The target."""
VARIANCE = 4
"""The expected square of the slope as far as the model knows, times the importance."""

IMPORTANCE = 5
"""The importance."""
OWN_SPREAD = 6
"""The part of the spread that is the slot's own, of the slot that is written next."""

ROWS = 7
"""How many rows there are."""

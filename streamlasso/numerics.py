"""Scalar functions that losses and rules share.

Each is written so that no intermediate overflows for any finite argument, and so that float32
arguments stay float32 where it pays (the per-feature ones).
"""

import math

from numba import njit

__all__ = ["log1pexp", "sigmoid", "soft_threshold"]


@njit(error_model="numpy")
def soft_threshold(value, amount):
    """S(v, a) = sgn(v)·max(|v| − a, 0), without a branch: v minus v clamped to [−a, a]."""
    return value - min(max(value, -amount), amount)


@njit(error_model="numpy")
def sigmoid(score):
    """1 / (1 + e^(−s)), exponentiating only negative numbers."""
    if score >= 0:
        return 1.0 / (1.0 + math.exp(-score))
    odds = math.exp(score)
    return odds / (1.0 + odds)


@njit(error_model="numpy")
def log1pexp(score):
    """log(1 + e^s) for any s."""
    return max(score, 0.0) + math.log1p(math.exp(-abs(score)))

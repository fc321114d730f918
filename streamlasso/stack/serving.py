"""The served model: the full one without the features that are worth little.

The full model is the mixture and its second layer as one linear model, w = Σ a_k w_k. Feature j is
worth ½w_j²H_j nats, H_j = Σ h·x² its Fisher information (for real targets over the mean squared
error, for counts over their dispersion): about what the log likelihood of the stream so far would
lose without it. A level τ keeps what is worth τ. Levels run side by side, each with a slope and an
intercept of its own (`layer.filter_level`) and a discounted loss; the sparsest within the tolerance
of the best is served.
"""

from typing import Any

import numpy as np

from streamlasso.checks import real, shown
from streamlasso.stack.places import MOST_LEVELS

__all__ = ["LEVELS", "checked_serving", "put_levels"]

LEVELS = (0.0, 0.0003, 0.003, 0.03, 0.3, 1.0, 3.0, 10.0)
NATS = "a feature's worth in nats, or 'sparsest' or 'all'"
SHARE = "the share of loss that sparsity may cost"


def checked_serving(serve: Any, tolerance: Any, max_active: Any) -> None:
    """Raise for what cannot be served."""
    if isinstance(serve, str):
        if serve not in ("sparsest", "all"):
            raise ValueError(
                f"serve = {serve!r} is unknown; choose 'sparsest', 'all', or a worth in nats ≥ 0"
            )
    elif isinstance(serve, bool) or not 0 <= real("serve", serve, NATS) < np.inf:
        raise ValueError(f"serve = {shown(serve)} must be 'sparsest', 'all', or nats ≥ 0")
    if isinstance(tolerance, bool) or not 0 <= real("tolerance", tolerance, SHARE) < np.inf:
        raise ValueError(f"tolerance = {shown(tolerance)} must be ≥ 0 and finite: {SHARE}")
    if max_active is None:
        return
    if isinstance(max_active, bool) or not isinstance(max_active, int) or max_active < 1:
        raise ValueError(f"max_active = {shown(max_active)} must be a whole number ≥ 1, or None")
    if serve != "sparsest":
        raise ValueError(
            f"max_active = {max_active} with serve = {serve!r}: the number of features or what "
            "they are worth, one or other; leave serve out"
        )


def put_levels(
    book: Any, at: int, kind: Any, serve: Any, tolerance: float, max_active: int | None
) -> None:
    """Write the levels of a choice into a new book of a kind; ``at`` is where they begin."""
    levels: tuple[float, ...] = LEVELS
    if serve != "sparsest" or max_active is not None:
        levels = (0.0 if isinstance(serve, str) else float(serve),)
    book[at : at + MOST_LEVELS] = np.inf  # nothing reaches a level that is not there
    book[at : at + len(levels)] = levels
    book[kind.LEVELS] = len(levels)
    book[kind.TOLERANCE] = tolerance
    book[kind.MOST] = max_active or 0

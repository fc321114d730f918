"""Many events through encoder and learner, to the bits of one after the other."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt

from streamlasso.encoding import RowEncoder
from streamlasso.learner import Learner

__all__ = ["learn_events"]

Array = npt.NDArray[Any]


def learn_events(
    learner: Learner,
    encoder: RowEncoder,
    events: Iterable[Mapping[Any, Any]],
    targets: Array,
    importances: Array,
) -> Array:
    """Learn events in order; the scores from before each, as `Learner.learn_rows` returns them.

    Names get slots only where the importance is not zero.
    """
    rows = encoder.encode_rows(events, allocate=(importances != 0).tolist())
    return learner.learn_encoded(*rows, targets, importances)

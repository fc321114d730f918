"""Events through encoder and learner; many at a time to the bits of one after the other.

An index that evicts frees slots while a row is encoded, by the weights of that moment: there the
events before must have been learned. Other indexes take a whole chunk of rows at a time.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.arrays import owned
from streamlasso.checks import refuse_infinite
from streamlasso.encoding import RowEncoder
from streamlasso.learners import AnyLearner

__all__ = ["learn_events", "score_lanes"]

Array = npt.NDArray[Any]


def score_lanes(learner: AnyLearner, encoder: RowEncoder, event: Mapping[Any, Any]) -> Array:
    """Every lane's score of an event, which changes nothing; an infinite value is an error."""
    encoder.encode(event, allocate=False)
    scores = learner.score_lanes(encoder.slots, encoder.values, encoder.size)
    if not np.isfinite(scores).all():
        refuse_infinite(event)
    return scores


def learn_events(
    learner: AnyLearner,
    encoder: RowEncoder,
    events: Iterable[Mapping[Any, Any]],
    targets: Array,
    importances: Array,
) -> Array:
    """Learn events in order; the scores from before each, as `TakesRows.learn_rows` returns them.

    Names get slots only where the importance is not zero.
    """
    allocate = (importances != 0).tolist()
    targets, importances = owned(targets, learner.dtype), owned(importances, learner.dtype)
    if not learner.index.evicts:
        rows = encoder.encode_rows(events, allocate=allocate)
        return learner.learn_encoded(*rows, targets, importances)
    scores = []
    for i, (event, one) in enumerate(zip(events, allocate, strict=False)):
        encoder.encode(event, allocate=one)
        size = encoder.size
        row = (np.array([0, size]), encoder.slots[:size], encoder.values[:size])
        scores.append(learner.learn_encoded(*row, targets[i : i + 1], importances[i : i + 1]))
    if not scores:
        return learner.learn_encoded(*encoder.encode_rows((), allocate=False), targets, importances)
    return np.concatenate(scores)

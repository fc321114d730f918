"""Others' logistic regression with their defaults, over events as dicts: scores before learning.

Names are one-hot for all. river learns numbers as they are, or through its `StandardScaler`, and
its probabilities are taken between 1e-15 and 1 − 1e-15, since it returns 0 and 1 too.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PEERS"]

Array = npt.NDArray[Any]
Events = Iterable[tuple[dict[str, Any], int]]
LEAST = 1e-15


def _river(events: Events, *, ftrl: bool, scaled: bool) -> Array:
    from river import compose, optim, preprocessing
    from river.linear_model import LogisticRegression

    numbers: Any = compose.SelectType(float)
    if scaled:
        numbers |= preprocessing.StandardScaler()
    names = compose.SelectType(str) | preprocessing.OneHotEncoder(drop_zeros=True)
    linear = LogisticRegression(optim.FTRLProximal()) if ftrl else LogisticRegression()
    model = (numbers + names) | linear
    scores = []
    for event, target in events:
        share = model.predict_proba_one(event).get(True, 0.5)
        share = min(max(share, LEAST), 1 - LEAST)
        scores.append(math.log(share) - math.log1p(-share))
        model.learn_one(event, bool(target))
    return np.array(scores)


def _vowpal(events: Events) -> Array:
    from vowpalwabbit import Workspace

    model = Workspace("--quiet --loss_function logistic")
    scores = []
    for event, target in events:
        parts = [
            f"{name}={value}" if isinstance(value, str) else f"{name}:{value}"
            for name, value in event.items()
        ]
        example = model.parse(f"{1 if target else -1} | {' '.join(parts)}")
        scores.append(model.predict(example))
        model.learn(example)
        model.finish_example(example)
    model.finish()
    return np.array(scores)


PEERS: dict[str, Callable[[Events], Array]] = {
    "river, LogisticRegression": lambda events: _river(events, ftrl=False, scaled=False),
    "river, StandardScaler, LogisticRegression": lambda events: _river(
        events, ftrl=False, scaled=True
    ),
    "river, FTRLProximal": lambda events: _river(events, ftrl=True, scaled=False),
    "river, StandardScaler, FTRLProximal": lambda events: _river(events, ftrl=True, scaled=True),
    "VowpalWabbit": _vowpal,
}

"""river's linear models over rows as dicts: each predicted before it is learned."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.quality_rows import Rows
from benchmarks.quality_score import LEAST, LOOK, Result, measured

__all__ = ["river"]

Array = npt.NDArray[Any]
Make = Callable[[], Any]
RATES = (0.03, 0.001, 0.1, 0.003, 0.3)
MANY = 20_000  # rows from which on every second setting is left out
FTRL = [(0.05, 1.0, 0.0), (0.1, 1.0, 0.0), (0.1, 1.0, 1.0), (0.5, 1.0, 0.0), (0.5, 0.1, 0.0),
        (0.5, 1.0, 1.0), (2.0, 1.0, 0.0)]  # fmt: skip


def models(task: str, few: bool) -> dict[str, Make]:
    """By setting, a function that makes the model."""
    from river import linear_model, multiclass, optim

    def linear(optimizer: Any, rate: float = 0.01, **how: Any) -> Any:
        if task == "regression":
            return linear_model.LinearRegression(optimizer, intercept_lr=rate, **how)
        return linear_model.LogisticRegression(optimizer, intercept_lr=rate, **how)

    if task == "classes":
        softmax, rest = linear_model.SoftmaxRegression, multiclass.OneVsRestClassifier
        found: dict[str, Make] = {
            "SoftmaxRegression": softmax,
            "SoftmaxRegression, SGD(0.1)": lambda: softmax(optim.SGD(0.1)),
            "OneVsRest, SGD(0.1)": lambda: rest(linear(optim.SGD(0.1), 0.1)),
        }
        return dict(list(found.items())[1:2]) if few else found
    if few:
        return {
            "defaults": lambda: linear(optim.SGD(0.01)),
            "SGD(0.1)": lambda: linear(optim.SGD(0.1), 0.1),
            "FTRLProximal(alpha=0.1, beta=1.0, l1=0.0)": lambda: linear(
                optim.FTRLProximal(0.1, 1.0, 0.0, 0.0)
            ),
        }
    found = {
        "defaults": lambda: linear(optim.SGD(0.01)),
        "AdaGrad": lambda: linear(optim.AdaGrad()),
    }
    for rate in RATES:
        found[f"SGD({rate})"] = lambda rate=rate: linear(optim.SGD(rate), rate)
    for l1 in (1e-4, 1e-5):
        found[f"SGD(0.03), l1={l1}"] = lambda l1=l1: linear(optim.SGD(0.03), 0.03, l1=l1)
    found["FTRLProximal"] = lambda: linear(optim.FTRLProximal())
    for alpha, beta, l1 in FTRL:
        found[f"FTRLProximal(alpha={alpha}, beta={beta}, l1={l1})"] = (
            lambda alpha=alpha, beta=beta, l1=l1: linear(optim.FTRLProximal(alpha, beta, l1, 0.0))
        )
    return found


class Scaled:
    """Numbers through river's `StandardScaler`, as a pipeline would; the rest as it is."""

    def __init__(self, numbers: set[str]) -> None:
        from river.preprocessing import StandardScaler

        self.numbers, self.scaler = numbers, StandardScaler()

    def seen(self, x: dict[str, float]) -> None:
        """Learn from a row."""
        self.scaler.learn_one({name: v for name, v in x.items() if name in self.numbers})

    def __call__(self, x: dict[str, float]) -> dict[str, float]:
        return {**x, **self.scaler.transform_one(
            {name: v for name, v in x.items() if name in self.numbers})}  # fmt: skip


def run(
    rows: Rows, events: Iterable[dict[str, float]], model: Any, scale: Scaled | None
) -> tuple[Array, int | None]:
    """Scores from before each row, and how many weights are not zero at the end."""
    targets, centre, unit = rows.targets, 0.0, 1.0
    if rows.task == "regression":
        centre, unit = float(targets[:LOOK].mean()), float(targets[:LOOK].std())
        targets = (targets - centre) / unit
    scores: list[Any] = []
    for x, y in zip(events, targets.tolist(), strict=True):
        shown = x if scale is None else scale(x)
        if rows.task == "regression":
            scores.append(model.predict_one(shown) * unit + centre)
        elif rows.task == "classes":
            known = model.predict_proba_one(shown)
            shares = [known.get(k, 1 / rows.classes) for k in range(rows.classes)]
            scores.append([share / sum(shares) for share in shares])
        else:
            share = min(max(model.predict_proba_one(shown)[True], LEAST), 1 - LEAST)
            scores.append(math.log(share) - math.log1p(-share))
        if scale is not None:
            scale.seen(x)
            shown = scale(x)
        label = y if rows.task == "regression" else int(y) if rows.task == "classes" else bool(y)
        model.learn_one(shown, label)
    weights = getattr(model, "weights", None)
    if weights is None or rows.task == "classes":
        return np.array(scores), None
    return np.array(scores), sum(weight != 0 for weight in weights.values())


def river(rows: Rows, *, few: bool) -> Iterator[Result]:
    """Each setting, and behind a scaler too where rows are dense; few: the set is large."""
    numbers = {rows.names[i] for i in np.flatnonzero(rows.numbers)}
    kept = None if few else list(rows.dicts())
    every = 2 if len(rows) > MANY and not few else 1
    for setting, make in list(models(rows.task, few).items())[::every]:
        for scales in (False, True) if rows.dense else (False,):
            model, scale = make(), Scaled(numbers) if scales else None
            start = time.perf_counter()
            scores, active = run(rows, rows.dicts() if kept is None else kept, model, scale)
            seconds = time.perf_counter() - start
            text = "StandardScaler, " * scales + setting
            yield measured(rows, scores, "river", text, active, seconds)

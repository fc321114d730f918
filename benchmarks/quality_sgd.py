"""scikit-learn's SGD with the prediction of each row from before it is learned, compiled.

`SGDClassifier.partial_fit` called once a row spends a thousand times as long on its checks as on
the row, and starts its cumulative L1 penalty anew at each call. This is the arithmetic of one call
over all rows in order, which the tests hold against scikit-learn to the last digits.
"""

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["SGD"]

Array = npt.NDArray[Any]
CONSTANT, OPTIMAL, INVSCALING = range(3)
RATES = {"constant": CONSTANT, "optimal": OPTIMAL, "invscaling": INVSCALING}
PENALTIES = {None: (0.0, 0.0), "l1": (1.0, 0.0), "l2": (0.0, 1.0), "elasticnet": (0.15, 0.85)}
LARGEST = 1e12


@numba.njit(cache=True)
def _pass(indptr, slots, values, targets, logistic, rate, eta0, power, alpha, penalty, decay,
          weights, scores):  # fmt: skip
    """One pass over rows with targets 0 and 1 (logistic) or numbers; the intercept at the end."""
    shrunk, bias, scale, total = np.zeros_like(weights), 0.0, 1.0, 0.0
    l1, l2 = penalty
    start = 1 / (alpha * math.sqrt(1 / math.sqrt(alpha)))
    for row in range(len(targets)):
        first, last = indptr[row], indptr[row + 1]
        score = 0.0
        for i in range(first, last):
            score += weights[slots[i]] * values[i]
        score = score * scale + bias
        scores[row] = score
        if rate == OPTIMAL:
            eta = 1 / (alpha * (start + row))
        elif rate == INVSCALING:
            eta = eta0 / (row + 1) ** power
        else:
            eta = eta0
        slope = (1 / (1 + math.exp(-score)) if logistic else score) - targets[row]
        step = -eta * min(max(slope, -LARGEST), LARGEST)
        if l2 > 0:
            scale *= max(0.0, 1 - l2 * eta * alpha)
            if scale < 1e-9:
                weights *= scale
                scale = 1.0
        for i in range(first, last):
            weights[slots[i]] += step * values[i] / scale
        bias += step * decay
        if l1 > 0:
            total += l1 * eta * alpha
            for i in range(first, last):
                slot = slots[i]
                before = weights[slot]
                if before > 0:
                    weights[slot] = max(0.0, before - (total + shrunk[slot]) / scale)
                elif before < 0:
                    weights[slot] = min(0.0, before + (total - shrunk[slot]) / scale)
                shrunk[slot] += scale * (weights[slot] - before)
    weights *= scale
    return bias


@dataclass(frozen=True)
class SGD:
    """One setting; penalty: None, ``"l1"``, ``"l2"`` or ``"elasticnet"`` (15 % of it L1).

    ``decay`` divides the intercept's steps: scikit-learn takes 0.01 for sparse rows, 1 for dense.
    """

    learning_rate: str = "optimal"
    eta0: float = 0.01
    power_t: float = 0.5
    penalty: str | None = "l2"
    alpha: float = 1e-4
    decay: float = 0.01

    def __str__(self) -> str:
        fixed = self.learning_rate == "optimal"
        power = f", power_t={self.power_t:g}" if self.learning_rate == "invscaling" else ""
        rate = "" if fixed else f", eta0={self.eta0:g}{power}"
        penalty = f", {self.penalty}" if self.penalty else ", no penalty"
        alpha = f", alpha={self.alpha:.2g}" if self.penalty or fixed else ""
        return f"{self.learning_rate}{rate}{penalty}{alpha}, decay={self.decay:g}"

    def run(self, rows: Any, targets: Array, *, logistic: bool) -> tuple[Array, Array, float]:
        """Scores from before each row, weights by slot and intercept at the end."""
        weights, scores = np.zeros(len(rows.names) + 2), np.zeros(len(targets))
        bias = _pass(
            rows.indptr, rows.slots, rows.values, targets, logistic, RATES[self.learning_rate],
            self.eta0, self.power_t, self.alpha, PENALTIES[self.penalty], self.decay,
            weights, scores,
        )  # fmt: skip
        return scores, weights, float(bias)

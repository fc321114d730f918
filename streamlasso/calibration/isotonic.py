"""A correction of any increasing shape, refitted to a window of the last events."""

import math
from importlib.util import find_spec
from typing import Any

import numpy as np

__all__ = ["Isotonic"]


# At a share of e^−30 for either side the other is as good as alone, and a drift is noticed sooner.
MOST_EVIDENCE = 30.0


class Isotonic:
    """The increasing function that fits the last events best in squares, as far as it helps.

    Every ``refit_every`` events scikit-learn's ``IsotonicRegression`` is fitted to the last
    ``window`` pairs (p, y), giving the function F, linear between its knots; before the first
    fit, and while only one class has come, the correction is the identity. F has steps at 0 and 1,
    from which one event would make the log loss infinite: its values stay 1/(n+2) away from them,
    n the events in the window.

    A free shape needs thousands of events, and F alone harms a model that is calibrated already.
    So the correction is a Bayesian mixture of F and the identity:

        τ(p) = π·F(p) + (1−π)·p,  log π/(1−π) = D,
        D ← f·D + log P(y|F) − log P(y|p) at each event,  f = 2^(−1/window), D = 0 at first.

    Without forgetting (f = 1) its total log loss is at most log 2 more than that of the better of
    the two. As p is in the mixture, τ increases strictly and changes no ranking.

    Parameters
    ----------
    window
        Events that are kept.
    refit_every
        Events between two fits, each of O(window·log(window)).

    Raises
    ------
    ImportError
        scikit-learn is not installed.

    References
    ----------
    B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability
    estimates", KDD 2002.
    H. B. McMahan et al., "Ad click prediction: a view from the trenches", KDD 2013, section 7.1.
    V. Vovk, "Aggregating strategies", COLT 1990 (the mixture's bound).
    """

    def __init__(self, window: int = 10_000, refit_every: int = 1_000) -> None:
        for name, value in (("window", window), ("refit_every", refit_every)):
            if not (isinstance(value, int) and value >= 1):
                raise ValueError(f"{name} = {value!r} must be a whole number of events ≥ 1")
        if find_spec("sklearn") is None:
            raise ImportError(
                "isotonic calibration needs scikit-learn: pip install 'streamlasso[sklearn]', or "
                "use method='power'"
            )
        self.window = window
        self.refit_every = refit_every
        self._events = np.zeros((3, window))  # p, y and importance, in a ring
        self._seen = 0
        self._knots: Any = None
        self._evidence = 0.0  # D

    def transform(self, p: float) -> float:
        """The corrected probability."""
        if self._knots is None:
            return p
        share = 1.0 / (1.0 + math.exp(-self._evidence))
        return share * self._fitted(p) + (1.0 - share) * p

    def learn(self, p: float, target: float, importance: float = 1.0) -> None:
        """Learn from a prediction p, made before its outcome 0 or 1 was known."""
        if not importance > 0:
            return
        if self._knots is not None:
            gain = _log_likelihood(self._fitted(p), target) - _log_likelihood(p, target)
            evidence = 2.0 ** (-1.0 / self.window) * self._evidence + importance * gain
            self._evidence = min(max(evidence, -MOST_EVIDENCE), MOST_EVIDENCE)
        self._events[:, self._seen % self.window] = p, target, importance
        self._seen += 1
        if self._seen % self.refit_every == 0:
            self._fit()

    def _fitted(self, p: float) -> float:
        return float(np.interp(p, *self._knots))

    def _fit(self) -> None:
        from sklearn.isotonic import IsotonicRegression

        size = min(self._seen, self.window)
        p, y, w = self._events[:, :size]
        if y.min() == y.max():
            return
        edge = 1.0 / (size + 2)
        model = IsotonicRegression(y_min=edge, y_max=1.0 - edge, out_of_bounds="clip")
        model.fit(p, y, sample_weight=w)
        # The knots alone: a pickle must not depend on scikit-learn's version.
        self._knots = (model.X_thresholds_, model.y_thresholds_)


def _log_likelihood(p: float, target: float) -> float:
    return math.log(max(p if target else 1.0 - p, 1e-15))

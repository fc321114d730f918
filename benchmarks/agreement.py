"""Whether the peers that are timed do the same: one figure of ours beside theirs, one run each.

Compared are only definitions that agree. Left out: river's FTRLProximal (it predicts with weights
one gradient old, and a weight once active never returns to zero), river's and scikit-learn's l1
(the cumulative penalty of Tsuruoka et al. 2009; ours is paid at each event).
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.peers import VW_FTRL, Array, river_model, sklearn_model
from benchmarks.workloads import ClickLog
from streamlasso import FTRLProximal, HashingIndex, Learner, SoftThreshold, SparseClassifier

__all__ = ["Agreement", "agreements"]


@dataclass(frozen=True)
class Agreement:
    """Mean log loss of ours and of a peer, which must be equal to so many decimals."""

    what: str
    ours: float
    peer: float
    decimals: int

    @property
    def met(self) -> bool:
        """Whether they differ by at most half a unit of the last decimal."""
        return abs(self.ours - self.peer) <= 0.5 * 10.0**-self.decimals


def log_loss(scores: Array, clicks: Array) -> float:
    """Mean of log(1 + e^s) − y·s."""
    return float(np.mean(np.logaddexp(0.0, scores) - clicks * scores))


def with_vw(log: ClickLog, folder: Path, *, exact: bool) -> Agreement:
    """FTRL without intercept, progressive; exact: features of their own instead of two hashes."""
    from vowpalwabbit import Workspace

    learner = Learner(FTRLProximal(), "logistic", HashingIndex(log.bits), fit_intercept=False)
    slots = log.exact_slots if exact else log.slots
    scores = learner.learn_rows(log.indptr, slots, log.ones, log.targets)
    path = folder / ("exact.txt" if exact else "clicks.txt")
    if not path.exists():
        log.write_vw(path, exact=exact)
    model = Workspace(f"-d {path} {VW_FTRL.format(bits=log.bits)}")
    theirs = model.get_sum_loss() / model.get_weighted_examples()
    model.finish()
    what = "collision-free" if exact else f"each with its own hash of {log.bits} bits"
    decimals = 5 if exact else 3
    return Agreement(f"FTRL, VW, {what}", log_loss(scores, log.targets), theirs, decimals)


def with_river(log: ClickLog, events: int) -> Agreement:
    """Gradient descent without penalty, progressive, on events of 39 numbers."""
    rule = SoftThreshold(learning_rate=0.01, l1=0.0, adaptive=False)
    clicks = (log.clicks[:events] == 1).tolist()
    losses = []
    for model in (SparseClassifier(rule), river_model("plain")):
        total = 0.0
        for event, click in zip(log.numeric(events), clicks, strict=True):
            # Before its first event a model may not know the label yet.
            total -= np.log(model.predict_proba_one(event).get(click, 0.5))
            model.learn_one(event, click)
        losses.append(float(total / events))
    return Agreement("SGD, river, numbers", *losses, decimals=5)


def with_sklearn(log: ClickLog) -> Agreement:
    """Gradient descent without penalty or intercept, the model after one pass over the rows."""
    rule = SoftThreshold(learning_rate=0.05, l1=0.0, adaptive=False)
    learner = Learner(rule, "logistic", HashingIndex(log.bits), fit_intercept=False)
    learner.learn_rows(log.indptr, log.slots, log.ones, log.targets)
    scores = learner.score_rows(log.indptr, log.slots, log.ones)
    model = sklearn_model(penalty=None)
    model.partial_fit(log.csr, log.clicks, classes=np.array([0, 1]))
    theirs = log_loss(model.decision_function(log.csr), log.targets)
    return Agreement("SGD, scikit-learn, after the pass", log_loss(scores, log.targets), theirs, 5)


def agreements(log: ClickLog, events: int, folder: Path) -> list[Agreement]:
    """All that the installed peers allow."""
    found = [with_river(log, events)]
    if find_spec("sklearn"):
        found.append(with_sklearn(log))
    if find_spec("vowpalwabbit"):
        found += [with_vw(log, folder, exact=exact) for exact in (False, True)]
    return found

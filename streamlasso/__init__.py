"""Sparse linear models learned from event streams, one event at a time.

`SparseClassifier` and `SparseRegressor` are river estimators; `Learner` takes arrays; rules are in
`streamlasso.rules`, losses in `streamlasso.losses`.
"""

from streamlasso.admission import ADMISSIONS, AdmitAtRandom, AdmitByCount
from streamlasso.estimators import SparseClassifier, SparseRegressor
from streamlasso.index import GrowingIndex, HashingIndex
from streamlasso.learner import Learner
from streamlasso.losses import LOSSES
from streamlasso.progressive import Progress
from streamlasso.rules import RULES, FTRLProximal, SoftThreshold, TruncatedGradient
from streamlasso.snapshot import SnapshotError, load

__all__ = [
    "ADMISSIONS",
    "LOSSES",
    "RULES",
    "AdmitAtRandom",
    "AdmitByCount",
    "FTRLProximal",
    "GrowingIndex",
    "HashingIndex",
    "Learner",
    "Progress",
    "SnapshotError",
    "SoftThreshold",
    "SparseClassifier",
    "SparseRegressor",
    "TruncatedGradient",
    "load",
]

__version__ = "0.1.0"

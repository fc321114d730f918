"""Sparse linear models learned from event streams, one event at a time.

`SparseClassifier` and `SparseRegressor` are river estimators; `Learner` takes arrays; rules are in
`streamlasso.rules`, losses in `streamlasso.losses`.
"""

from streamlasso.admission import ADMISSIONS, AdmitAtRandom, AdmitByCount
from streamlasso.calibration import Calibrated
from streamlasso.estimators import SparseClassifier, SparseMultiRegressor, SparseRegressor
from streamlasso.index import GrowingIndex, HashingIndex
from streamlasso.learner import Learner
from streamlasso.losses import LOSSES
from streamlasso.penalties import PENALTIES, Adaptive, Evidence, Group
from streamlasso.progressive import Progress
from streamlasso.rules import (
    RULES,
    DualAveraging,
    FTRLProximal,
    Newton,
    SoftThreshold,
    TruncatedGradient,
)
from streamlasso.snapshot import SnapshotError, load

__all__ = [
    "ADMISSIONS",
    "LOSSES",
    "PENALTIES",
    "RULES",
    "Adaptive",
    "AdmitAtRandom",
    "AdmitByCount",
    "Calibrated",
    "DualAveraging",
    "Evidence",
    "FTRLProximal",
    "Group",
    "GrowingIndex",
    "HashingIndex",
    "Learner",
    "Newton",
    "Progress",
    "SnapshotError",
    "SoftThreshold",
    "SparseClassifier",
    "SparseMultiRegressor",
    "SparseRegressor",
    "TruncatedGradient",
    "load",
]

__version__ = "0.1.0"

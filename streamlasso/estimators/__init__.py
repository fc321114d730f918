"""River estimators: thin, no arithmetic; they translate dicts and labels for a `Learner`."""

from streamlasso.estimators.classifier import SparseClassifier
from streamlasso.estimators.multi import SparseMultiRegressor
from streamlasso.estimators.regressor import SparseRegressor

__all__ = ["SparseClassifier", "SparseMultiRegressor", "SparseRegressor"]

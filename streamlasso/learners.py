"""What an estimator may have underneath."""

from streamlasso.learner import Learner
from streamlasso.stack import StackLearner

__all__ = ["AnyLearner"]

AnyLearner = Learner | StackLearner

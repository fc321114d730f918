"""What an estimator may have underneath."""

from streamlasso.learner import Learner
from streamlasso.stack import StackLearner
from streamlasso.stack.classes.learner import ClassStackLearner

__all__ = ["AnyLearner", "AnyStack"]

AnyStack = StackLearner | ClassStackLearner
AnyLearner = Learner | AnyStack

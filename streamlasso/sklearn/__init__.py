"""scikit-learn estimators: a `Learner` behind ``fit``, ``partial_fit`` and ``predict``.

Design:

a. Nothing is learned here: columns become slots in `columns`, several classes become models in
   `outputs`, and the kernels do the rest.
b. Rows are learned in their order. ``partial_fit`` over any chunks, and ``fit`` with one pass, give
   the same bits; so do dense and sparse matrices of the same numbers.
c. Conventions are scikit-learn's: a NaN is an error, a label beside ``classes`` is an error, and
   parameters take effect at the next ``fit``.
"""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError(
        "streamlasso.sklearn needs scikit-learn: pip install 'streamlasso[sklearn]'"
    ) from error

from streamlasso.sklearn.classifier import SparseSGDClassifier
from streamlasso.sklearn.regressor import SparseSGDRegressor

__all__ = ["SparseSGDClassifier", "SparseSGDRegressor"]

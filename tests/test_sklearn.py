from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from streamlasso import RULES
from streamlasso.sklearn import SparseSGDClassifier, SparseSGDRegressor

ESTIMATORS = [
    estimator(rule=rule(), max_iter=5)
    for estimator in (SparseSGDClassifier, SparseSGDRegressor)
    for rule in RULES.values()
]


def undoable(estimator: Any) -> dict[str, str]:
    reason = "weights as repetitions in another order: no order-dependent learner can"
    return {
        "check_sample_weight_equivalence_on_dense_data": reason,
        "check_sample_weight_equivalence_on_sparse_data": reason,
    }


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=undoable)
def test_scikit_learn_accepts_the_estimators(estimator: Any, check: Any) -> None:
    check(estimator)

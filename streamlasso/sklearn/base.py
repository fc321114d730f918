"""What the classifier and the regressor share: parameters, checks, passes."""

import warnings
from dataclasses import fields, replace
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from streamlasso.arrays import checked_importances
from streamlasso.learner import Learner
from streamlasso.losses import Loss, get_loss
from streamlasso.rules import FTRLProximal, Rule
from streamlasso.rules.base import checked_rule
from streamlasso.sklearn.columns import ColumnIndex, Rows, column_rows, reordered
from streamlasso.sklearn.outputs import Outputs

__all__ = ["SparseSGD"]

Array = npt.NDArray[Any]
Checked = tuple[Rows, Array, Array]

NESTED = "rule__"


class SparseSGD(BaseEstimator):  # type: ignore[misc]
    """Base of both; subclasses name their domains and what `validate_data` shall ask of targets."""

    _domains: ClassVar[tuple[str, ...]]
    _target_checks: ClassVar[dict[str, Any]] = {}
    _outputs: Outputs
    n_iter_: int

    def __init__(
        self,
        rule: Rule | None,
        loss: str | Loss,
        fit_intercept: bool,
        max_iter: int,
        shuffle: bool,
        random_state: Any,
        dtype: str,
        scale: str | None,
    ) -> None:
        self.rule = rule
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.dtype = dtype
        self.scale = scale

    # Parameters

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters; with ``deep`` also those of the rule, as ``rule__l1``."""
        parameters: dict[str, Any] = super().get_params(deep=deep)
        if deep and isinstance(self.rule, Rule):
            for field in fields(self.rule):
                parameters[NESTED + field.name] = getattr(self.rule, field.name)
        return parameters

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``rule__l1=0.1`` puts a rule that differs in ``l1`` in the rule's place.

        The rule itself stays as it is: other estimators may hold it. With ``rule=None`` the
        default `FTRLProximal()` is what is replaced.
        """
        nested = {name: value for name, value in params.items() if name.startswith(NESTED)}
        super().set_params(**{name: params[name] for name in params if name not in nested})
        if nested:
            rule = self._rule()
            changes = {name.removeprefix(NESTED): value for name, value in nested.items()}
            known = [field.name for field in fields(rule)]
            unknown = [name for name in changes if name not in known]
            if unknown:
                raise ValueError(
                    f"Invalid parameter {unknown[0]!r} for rule {rule!r}. "
                    f"Valid parameters are: {known!r}."
                )
            self.rule = replace(rule, **changes)
        return self

    def _rule(self) -> Rule:
        return FTRLProximal() if self.rule is None else checked_rule(self.rule)

    def _loss(self) -> Loss:
        return get_loss(self.loss, self._domains)

    def _learner(self, loss: Loss) -> Learner:
        return Learner(
            self._rule(),
            loss,
            ColumnIndex(self.n_features_in_),
            fit_intercept=self.fit_intercept,
            dtype=self.dtype,
            scale=self.scale,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_outputs")

    # Learning and scoring

    def _checked(self, X: Any, y: Any, sample_weight: Any, *, first: bool) -> Checked:
        """Rows, targets as given and importances; ``first`` takes the names of the columns."""
        dtype = self.dtype if first else self._outputs.learners[0].dtype
        if dtype not in ("float64", "float32"):
            raise ValueError(f"dtype = {dtype!r} must be 'float64' or 'float32'")
        X, y = validate_data(
            self, X, y, reset=first, accept_sparse="csr", dtype=dtype, **self._target_checks
        )
        if sample_weight is not None:
            sample_weight = check_array(
                sample_weight, ensure_2d=False, dtype=dtype, input_name="sample_weight"
            )
        importances = checked_importances(sample_weight, len(y), dtype)
        return column_rows(X, dtype), y, importances

    def _checked_fit(self, X: Any, y: Any, sample_weight: Any) -> Checked:
        """`_checked` for `fit`, which must leave a model of one event at least."""
        checked = self._checked(X, y, sample_weight, first=True)
        if not checked[2].any():
            raise ValueError("sample_weight is zero for all rows; fit needs one that is not")
        return checked

    def _learn_passes(self, outputs: Outputs, checked: Checked, passes: Any, shuffle: bool) -> None:
        if not isinstance(passes, Integral) or passes < 1:
            raise ValueError(f"max_iter = {passes!r} must be an integer ≥ 1")
        rows, targets, importances = checked
        random = check_random_state(self.random_state) if shuffle else None
        before = outputs.rejected
        for _ in range(passes):
            if random is None:
                outputs.learn(rows, targets, importances)
            else:
                order = random.permutation(len(targets))
                outputs.learn(reordered(rows, order), targets[order], importances[order])
        if outputs.rejected > before:
            warnings.warn(
                f"{outputs.rejected - before} of {passes * len(targets)} rows were left out: a "
                "score or a gradient was too large to be squared; scale the features, or lower "
                "the step size of the rule",
                ConvergenceWarning,
                stacklevel=3,
            )
        self._outputs, self.n_iter_ = outputs, int(passes)

    def _scores(self, X: Any) -> Array:
        check_is_fitted(self)
        dtype = self._outputs.learners[0].dtype
        X = validate_data(self, X, reset=False, accept_sparse="csr", dtype=dtype)
        return self._outputs.scores(column_rows(X, dtype))

    # What was learned

    @property
    def _fitted(self) -> Outputs:
        check_is_fitted(self)
        return self._outputs

    @property
    def learners_(self) -> tuple[Learner, ...]:
        """The `Learner` underneath; with one versus rest one for each class."""
        return self._fitted.learners

    @property
    def t_(self) -> int:
        """The number of the next event, as scikit-learn counts: 1 + events learned so far.

        Rows of weight 0 and rows that were left out are no events.
        """
        return 1 + self._fitted.clock

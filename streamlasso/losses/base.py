"""The contract of a loss.

A loss is a frozen dataclass of its parameters with static functions of the score ``s``, the target
``y`` and the parameters as a float array, in the order of the fields, which
`specialise.kernels_for` compiles into the loops. Called once per event and lane, they may branch.

* ``value``: the loss itself, ≥ 0.
* ``slope``: ∂value/∂s. At a kink the side is named in the class. Where a target is not finite
  neither may the slope be: by this the kernels reject the row.
* ``curvature``: ∂²value/∂s² ≥ 0, or what stands for it: the class says so.
* ``variance``: the expected square of the slope as far as the model knows it: the curvature where
  the loss is a log likelihood with no free scale (the two are then equal by definition), otherwise
  the square of the slope that was seen.
* ``mean``: the link, from a score to what `predict_one` reports.
* ``constant``: the score of the best constant model whose targets have the running mean ``m``;
  the baseline that every model is compared with. Where the mean does not determine the best one
  (quantile, Huber, ε-insensitive), the running mean itself.

A loss that is computed for all lanes ``together`` has instead of the first four vector functions of
a row of scores: see `Softmax`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, fields
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

__all__ = ["Loss"]


@dataclass(frozen=True)
class Loss:
    """Base of all losses. Subclasses set the class variables, parameters and functions.

    ``domain`` says which targets it takes: ``"binary"`` (0 and 1), ``"real"``, ``"count"`` (any
    number ≥ 0) or ``"classes"`` (0 … K − 1).
    """

    name: ClassVar[str]
    domain: ClassVar[str]
    together: ClassVar[bool] = False
    """Whether one event's slopes are computed for all lanes at once, one lane per class."""
    bounds: ClassVar[Mapping[str, tuple[Callable[[Any], bool], str]]] = {}
    """Parameter → whether a number is allowed, and what is: in words that follow "must be"."""

    value: ClassVar[Callable[..., Any]]
    slope: ClassVar[Callable[..., Any]]
    curvature: ClassVar[Callable[..., Any]]
    variance: ClassVar[Callable[..., Any]]
    mean: ClassVar[Callable[..., Any]]
    constant: ClassVar[Callable[..., Any]]

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            allowed, words = self.bounds[field.name]
            number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
            if not number or not math.isfinite(value) or not allowed(value):
                words = words if number else f"a number {words}"
                raise ValueError(
                    f"{type(self).__name__}: {field.name} = {value!r} must be {words}; "
                    f"the default is {field.default}"
                )
            # numpy's numbers made plain: equal losses must print and save alike.
            whole = isinstance(field.default, Integral)
            object.__setattr__(self, field.name, int(value) if whole else float(value))

    def hyper(self) -> np.ndarray[Any, Any]:
        """The parameters as the kernels take them (at least one number: numba types by example)."""
        return np.array([*astuple(self), 0.0], dtype=np.float64)

"""The numba type of the numbers of all lanes."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import models, register_model

__all__ = ["DOUBLE", "LaneVector", "spread_over"]

DOUBLE = ir.DoubleType()


class LaneVector(types.Type):  # type: ignore[misc]
    """So many float64 side by side."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(name=f"LaneVector({lanes})")


@register_model(LaneVector)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(DOUBLE, kind.lanes))


def spread_over(context: Any, builder: Any, value: Any, given: Any, lanes: int) -> Any:
    """A vector as it is; a number in every lane."""
    if isinstance(given, LaneVector):
        return value
    number = context.cast(builder, value, given, types.float64)
    vector = ir.Constant(ir.VectorType(DOUBLE, lanes), ir.Undefined)
    first = builder.insert_element(vector, number, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    return builder.shuffle_vector(first, vector, zeros)

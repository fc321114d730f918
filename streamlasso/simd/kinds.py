"""The types, and how each lies in the processor."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import models, register_model

__all__ = ["BLOCK", "SHORT", "WORD", "Lanes", "Numbers", "Signs", "Slots", "llvm"]

BLOCK = 8
"""Slots that are treated together."""

SHORT, WORD = ir.IntType(32), ir.IntType(64)
LLVM = {"float32": ir.FloatType(), "float64": ir.DoubleType()}


def llvm(kind: Any) -> Any:
    """The compiler's type of one number."""
    return LLVM[kind.name] if kind.name in LLVM else ir.IntType(kind.bitwidth)


class Numbers(types.Type):  # type: ignore[misc]
    """So many numbers of one kind."""

    def __init__(self, kind: Any, count: int) -> None:
        self.kind, self.count = kind, count
        super().__init__(name=f"Numbers({kind}, {count})")

    @property
    def vector(self) -> Any:
        """The compiler's type of all."""
        return ir.VectorType(llvm(self.kind), self.count)


class Signs(types.Type):  # type: ignore[misc]
    """Of so many numbers, whether something is true of each."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(name=f"Signs({count})")


class Lanes(types.Type):  # type: ignore[misc]
    """All of so many lanes. Its value is a column; a column plus lanes are lanes again."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(name=f"Lanes({count})")


class Slots(types.Type):  # type: ignore[misc]
    """So many slots of records of one width; its values are where the records begin.

    Where there are fewer, the last is there several times, and what is first of these counts.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(name=f"Slots({count})")


@register_model(Numbers)
class _NumbersModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, kind.vector)


@register_model(Signs)
class _SignsModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(ir.IntType(1), kind.count))


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, WORD)


@register_model(Slots)
class _SlotsModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        # Apart, since each of them is a number of its own when it comes to addresses.
        super().__init__(manager, kind, [(f"slot{k}", types.int64) for k in range(kind.count)])

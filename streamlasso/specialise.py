"""Compiling the kernels: one rule, one loss, one number of lanes at a time.

`kernels_for` copies each template with the names it calls bound to the functions of a rule with its
penalty, a loss, a scale and a selection, and hands the copy to numba. Functions as arguments,
closures or jitclasses would be compiled anew in every process; a copy with its own name is found
again in numba's cache on disk.

A copy's name tells all that is bound in it. numba makes the symbols of machine code from the name
and a number that counts up in each process: of two cached kernels, or a cached and a compiled one,
parts can have the same number, and with the same name the linker takes one part for both.
"""

import hashlib
import inspect
import math
import sys
import types
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from streamlasso import (
    addresses,
    events,
    jitting,
    kernels,
    numerics,
    objects,
    scales,
    selection,
    simd,
)
from streamlasso.jitting import PART, compile_top, digest_of
from streamlasso.losses import Loss
from streamlasso.recipe import TOUCHED, Recipe

__all__ = ["PART", "Kernels", "compile_top", "kernels_for"]

Functions = dict[str, Callable[..., Any]]

KERNELS = (
    kernels.names,
    kernels.abreast,
    kernels.parts,
    kernels.learning,
    kernels.scoring,
    kernels.reading,
)

SIMD = (simd, simd.kinds, simd.arithmetic, simd.memory, simd.blocks)

BEFORE_LOSS = (
    "row_size",
    "tracked",
    "score_one",
    "spread_one",
    "write_features",
    "advance",
    "survey_lanes",
)
"""The parts that do not depend on the loss, each before those that call it."""

NUMBERS = {"WHOLE": np.int64, "UNSIGNED": np.uint32, "DOUBLE": np.float64}


@cache
def _digest(*modules: str) -> str | None:
    """`digest_of` these modules; None where one has no file (an interactive rule)."""
    files = [getattr(sys.modules[name], "__file__", None) for name in modules]
    if None in files:
        return None
    return digest_of(map(str, files))


def _functions(recipe: Recipe) -> Functions:
    """The functions of a rule, of its penalty and its scale, by name."""
    functions: Functions = {**recipe.rule.defaults, **recipe.rule.functions}
    functions |= recipe.penalty.functions
    functions |= recipe.penalty.takes_over.get(recipe.rule.name, {})
    return functions | dict(scales.functions_of(recipe.scale))


def _places(recipe: Recipe) -> dict[str, Any]:
    """What is bound in the functions of a rule, its penalty and its scale, but for functions."""
    places: dict[str, Any] = {name.upper(): place for name, place in recipe.offsets.items()}
    places |= {name.upper(): row for row, name in enumerate(recipe.rows)}
    return places | {"LANES": recipe.lanes, **dict(recipe.mode)}


def _switches(recipe: Recipe) -> dict[str, Any]:
    """What is bound in the templates, but for functions."""
    takes_over = recipe.penalty.takes_over.get(recipe.rule.name, {})
    return {
        "LANES": recipe.lanes,
        "OWN": recipe.own,
        "TOUCHED": recipe.offsets.get(TOUCHED, -1),
        "MULTI": recipe.several_targets,
        "APART": recipe.lanes > 1 and not recipe.loss.together,
        "SPREADS": recipe.rule.spreads,
        "CURVED": recipe.rule.spreads,
        "GATHERS": "gather" in {**recipe.rule.functions, **takes_over},
        "RENEWS": recipe.renews,
        "SELECTS": recipe.select is not None,
        "COUNTS": recipe.select == "1se",
        "BLOCKS": recipe.abreast and recipe.lanes == 1 and not recipe.scale,
        "ABREAST": recipe.abreast and recipe.lanes > 1,
    }


@cache
def _suffix(recipe: Recipe, label: str) -> str:
    """What sets the names of a recipe's copies apart from all others', alike in every process."""
    functions = {name: _origin(function) for name, function in _functions(recipe).items()}
    bound = functions, _origin(recipe.loss), _places(recipe), _switches(recipe)
    content = repr((_digest(*_sources(recipe)), recipe.label, bound)).encode()
    return f"{label}_{recipe.lanes}_{hashlib.blake2b(content, digest_size=6).hexdigest()}"


def _origin(of: Callable[..., Any]) -> str:
    return f"{of.__module__}.{of.__qualname__}"


def _copy(function: Callable[..., Any], namespace: dict[str, Any], name: str) -> Any:
    """The function with other globals and a name of its own."""
    copy = types.FunctionType(inspect.unwrap(function).__code__, namespace, name)
    copy.__qualname__ = name  # numba names symbols and files after it
    return copy


def _bind(recipe: Recipe, compiled: bool) -> Functions:
    """The functions with offsets and modes bound; they see each other's bound copies."""
    functions = _functions(recipe)
    suffix = _suffix(recipe, recipe.label)
    namespace: dict[str, Any] = {}
    for function in functions.values():
        namespace |= function.__globals__  # some come from a module that rules share
    namespace |= vars(sys.modules[recipe.rule.__module__])
    namespace |= _places(recipe)
    for name, function in functions.items():
        copy = _copy(function, namespace, f"{name}_{suffix}")
        namespace[name] = njit(**PART, forceinline=recipe.abreast)(copy) if compiled else copy
    return {name: namespace[name] for name in functions}


class Kernels(types.ModuleType):
    """The compiled loops of one recipe.

    A module of functions: what measures a model by following its attributes, as river does, stops
    at modules and does not walk through the compiler.
    """

    learn_row: Callable[..., Any]
    learn_rows: Callable[..., Any]
    score_row: Callable[..., Any]
    score_rows: Callable[..., Any]
    read_slots: Callable[..., Any]
    read_all: Callable[..., Any]
    survey: Callable[..., Any]
    reach_row: Callable[..., Any]
    plant_slots: Callable[..., Any]
    measure: Callable[..., Any]


def _lines(recipe: Recipe) -> int:
    """Cache lines of 64 bytes to be prefetched of a record: at most 8, of numbers of 4 bytes."""
    return min(1 + recipe.width // 16, 8)


def _pass(state: Any, slot: int) -> None:
    """Python has no prefetch."""


def _sources(recipe: Recipe) -> tuple[str, ...]:
    """The modules that the kernels' code comes from."""
    classes = {*recipe.rule.__mro__, *recipe.penalty.__mro__, *recipe.loss.__mro__} - {object}
    modules = {cls.__module__ for cls in classes if cls.__module__.startswith(__package__)}
    modules |= {function.__module__ for function in _functions(recipe).values()}
    # A rule of the user's own, wherever it lives.
    modules |= {recipe.rule.__module__, recipe.penalty.__module__, recipe.loss.__module__}
    shared = (*KERNELS, *SIMD, addresses, jitting, objects, numerics, events, selection)
    return (__name__, *sorted(modules), *(module.__name__ for module in shared))


def kernels_for(recipe: Recipe, *, compiled: bool = True) -> Kernels:
    """The kernels of a recipe; the same objects for equal recipes."""
    return _specialise(recipe, compiled)


def _loss_parts(loss: type[Loss], jit: Callable[..., Any]) -> dict[str, Any]:
    """The loss's functions under the names that templates call."""
    names = {"SLOPE_OF": "slope", "CURVATURE_OF": "curvature", "VARIANCE_OF": "variance",
             "VALUE": "value", "MEAN": "mean", "CONSTANT": "constant"}  # fmt: skip
    return {part: jit(getattr(loss, name)) for part, name in names.items() if hasattr(loss, name)}


@cache
def _specialise(recipe: Recipe, compiled: bool) -> Kernels:
    jit: Callable[..., Any] = njit(**PART) if compiled else (lambda function: function)
    bound = _bind(recipe, compiled)
    parts: dict[str, Any] = {name.upper(): function for name, function in bound.items()}
    parts |= {
        **_switches(recipe),
        "PREFETCH": numerics.prefetching(_lines(recipe)) if compiled else _pass,
    }
    parts |= {"REAL": np.dtype(recipe.dtype).type, **NUMBERS}
    parts["ENCODE"] = objects.encode if compiled else objects.encode_nothing
    parts |= addresses.compiled_arrays if compiled else addresses.interpreted_arrays
    cached = _digest(*_sources(recipe)) is not None

    def build(template: Callable[..., Any], label: str, top: bool = True) -> Callable[..., Any]:
        name = f"{template.__name__}_{_suffix(recipe, label)}"
        copy: Callable[..., Any] = _copy(
            template, {**vars(kernels.names), "math": math, **parts}, name
        )
        if compiled and not top:
            # Each is called at one place, and hands on dozens of arguments: 25 ns a row (measured).
            return njit(**PART, forceinline=True)(copy)  # type: ignore[no-any-return]
        # To give up the interpreter's lock and take it again costs 40 ns, a tenth of a row.
        nogil = not template.__name__.endswith("_row")
        return compile_top(copy, cached=cached, nogil=nogil) if compiled else copy

    label = recipe.label
    if recipe.select is not None:
        parts["ELECT"] = _bound_selection(recipe, compiled)
    if not compiled:
        parts |= {"BLOCKS": False, "ABREAST": False}
    ways = {"BLOCKS": "blocks", "ABREAST": "lanes"}
    for way in (name for switch, name in ways.items() if parts[switch]):
        parts["ALL_LANES"] = simd.lanes_of(recipe.lanes)
        parts["SLOTS_AT"] = simd.slots_of(recipe.width)
        parts["PREFETCH_AT"] = simd.prefetching(recipe.width)
        for name in (f"score_{way}", f"write_{way}"):
            parts[name.upper()] = build(getattr(kernels.abreast, name), label, top=False)
    for name in BEFORE_LOSS:
        parts[name.upper()] = build(getattr(kernels.parts, name), label, top=False)
    made = {
        name: build(getattr(module, name), label)
        for module in (kernels.scoring, kernels.reading)
        for name in module.__all__
        if name != "measure"
    }
    parts |= _loss_parts(recipe.loss, jit)
    label = f"{recipe.label}_{recipe.loss.name}"
    if recipe.loss.together:
        parts["SLOPES"] = jit(recipe.loss.slopes)  # type: ignore[attr-defined]
    else:
        parts["SLOPES"] = build(kernels.parts.slopes, label, top=False)
        parts["TRACK"] = build(kernels.parts.track, label, top=False)
    parts["LEARN_ONE"] = build(kernels.learning.learn_one, label, top=False)
    made |= {
        template.__name__: build(template, label)
        for template in (kernels.learning.learn_row, kernels.learning.learn_rows)
    }
    if not recipe.loss.together:
        made["measure"] = build(kernels.reading.measure, recipe.loss.name)
    together = Kernels(label)
    vars(together).update(made)
    return together


def _bound_selection(recipe: Recipe, compiled: bool) -> Callable[..., Any]:
    """What sets the lanes' shares, for so many lanes."""
    namespace = {**vars(selection), "LANES": recipe.lanes}
    jit: Callable[..., Any] = njit(**PART) if compiled else (lambda function: function)
    suffix = _suffix(recipe, recipe.label)
    namespace["best"] = jit(_copy(selection.best, namespace, f"best_{suffix}"))
    chosen = selection.SELECTIONS[str(recipe.select)]
    bound: Callable[..., Any] = jit(_copy(chosen, namespace, f"{chosen.__name__}_{suffix}"))
    return bound

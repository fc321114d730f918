"""Compiling the kernels: one rule, one loss, one number of lanes at a time.

`kernels_for` copies each template with the names it calls bound to the functions of a rule and a
loss, and hands the copy to numba. Functions as arguments, closures or jitclasses would be compiled
anew in every process; a copy with its own name is found again in numba's cache on disk.
"""

import hashlib
import inspect
import sys
import types
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit

from streamlasso import events, kernels, numerics
from streamlasso.losses import Loss
from streamlasso.rules.base import Rule

__all__ = ["Kernels", "kernels_for"]

Mode = tuple[tuple[str, bool], ...]

# ``_nrt=False`` compiles without numba's reference counting: no kernel allocates, and the atomic
# counts on a dozen arrays cost 135 ns a row, a fifth of a row of 39 features (measured).
JIT = {"error_model": "numpy", "nogil": True, "_nrt": False}


def _compile(function: Callable[..., Any], *, cached: bool) -> Callable[..., Any]:
    """Compile, on disk where a cache directory can be written."""
    if cached:
        try:
            return njit(cache=True, **JIT)(function)  # type: ignore[no-any-return]
        except RuntimeError as error:
            warnings.warn(
                f"kernels are compiled anew in each process: {error}; "
                "set NUMBA_CACHE_DIR to a directory that can be written",
                RuntimeWarning,
                stacklevel=2,
            )
    return njit(**JIT)(function)  # type: ignore[no-any-return]


@cache
def _digest(*modules: str) -> str | None:
    """Of the sources that a kernel is made of; None where one has no file (an interactive rule).

    numba files its cache by the template's own file and name only: without this digest an edit of
    a rule would replay the kernel compiled before the edit.
    """
    files = [getattr(sys.modules[name], "__file__", None) for name in modules]
    if None in files:
        return None
    content = b"".join(Path(str(file)).read_bytes() for file in files)
    return hashlib.blake2b(content, digest_size=6).hexdigest()


def _bind_rule(
    rule: type[Rule], mode: Mode, columns: tuple[str, ...], lanes: int, compiled: bool
) -> dict[str, Callable[..., Any]]:
    """The rule's functions with offsets and mode bound; they see each other's bound copies."""
    shared = {name.upper(): i for i, name in enumerate(rule.shared)}
    own = {name.upper(): len(shared) + i * lanes for i, name in enumerate(columns)}
    functions = {**rule.defaults, **rule.functions}
    namespace: dict[str, Any] = {}
    for function in functions.values():
        namespace |= function.__globals__  # some come from a module that rules share
    namespace |= vars(sys.modules[rule.__module__]) | shared | own | dict(mode)
    for name, function in functions.items():
        copy = types.FunctionType(function.__code__, namespace, name)
        namespace[name] = njit(**JIT)(copy) if compiled else copy
    return {name: namespace[name] for name in functions}


class Kernels(types.ModuleType):
    """The compiled loops for one rule, loss, number of lanes.

    A module of functions: what measures a model by following its attributes, as river does, stops
    at modules and does not walk through the compiler.
    """

    learn_row: Callable[..., Any]
    learn_rows: Callable[..., Any]
    score_row: Callable[..., Any]
    score_rows: Callable[..., Any]
    read_all: Callable[..., Any]
    survey: Callable[..., Any]
    measure: Callable[..., Any]


def _pass(state: Any, slot: int) -> None:
    """Python has no prefetch."""


def kernels_for(rule: Rule, loss: Loss, lanes: int = 1, *, compiled: bool = True) -> Kernels:
    """The kernels of a rule and a loss; the same objects for the same types and modes."""
    mode = tuple(sorted(rule.mode.items()))
    kinds: tuple[Any, Any] = (type(rule), type(loss))
    return _specialise(*kinds, mode, rule.columns, lanes, compiled)


@cache
def _specialise(
    rule_type: type[Rule],
    loss_type: type[Loss],
    mode: Mode,
    columns: tuple[str, ...],
    lanes: int,
    compiled: bool,
) -> Kernels:
    jit: Callable[..., Any] = njit(**JIT) if compiled else (lambda function: function)
    bound = _bind_rule(rule_type, mode, columns, lanes, compiled)
    rule_parts = {name.upper(): bound[name] for name in ("read", "write", "settle")}
    rule_parts |= {name.upper(): bound[name] for name in ("tick", "due", "reset")}
    parts = rule_parts | {"LANES": lanes, "PREFETCH": numerics.prefetch if compiled else _pass}
    loss_parts = {
        "SLOPE_OF": jit(loss_type.slope),
        "VALUE": jit(loss_type.value),
        "MEAN": jit(loss_type.mean),
        "CONSTANT": jit(loss_type.constant),
    }
    rule_name = "_".join([rule_type.name, *(name.lower() for name, on in mode if on)])
    sources = (
        __name__,
        kernels.__name__,
        numerics.__name__,
        events.__name__,
        *sorted({cls.__module__ for cls in rule_type.__mro__ if issubclass(cls, Rule)}),
        *sorted({cls.__module__ for cls in loss_type.__mro__ if issubclass(cls, Loss)}),
    )

    def build(template: Callable[..., Any], label: str, top: bool = True) -> Callable[..., Any]:
        digest = _digest(*sources)
        name = f"{template.__name__}_{label}_{lanes}_{digest}"
        code = inspect.unwrap(template).__code__
        copy = types.FunctionType(code, {**vars(kernels), **parts}, name)
        copy.__qualname__ = name  # numba files its cache under the qualified name
        return _compile(copy, cached=digest is not None) if compiled and top else jit(copy)

    parts["SCORE_ONE"] = build(kernels.score_one, rule_name, top=False)
    parts["WRITE_FEATURES"] = build(kernels.write_features, rule_name, top=False)
    parts["ADVANCE"] = build(kernels.advance, rule_name, top=False)
    bound_kernels = {
        template.__name__: build(template, rule_name)
        for template in (kernels.score_row, kernels.score_rows, kernels.read_all, kernels.survey)
    }
    parts |= loss_parts
    rule_and_loss = f"{rule_name}_{loss_type.name}"
    parts["LEARN_ONE"] = build(kernels.learn_one, rule_and_loss, top=False)
    bound_kernels |= {
        template.__name__: build(template, rule_and_loss)
        for template in (kernels.learn_row, kernels.learn_rows)
    }
    bound_kernels["measure"] = build(kernels.measure, loss_type.name)
    together = Kernels(rule_and_loss)
    vars(together).update(bound_kernels)
    return together

"""Names of bound functions: numba links by them, so equal ones must mean equal code."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import FunctionType
from typing import Any

from cases import MODES

from streamlasso import LOSSES, FTRLProximal
from streamlasso.recipe import Recipe
from streamlasso.scales import SCALES
from streamlasso.selection import SELECTIONS
from streamlasso.specialise import _specialise

WAYS: list[dict[str, Any]] = [
    {},
    {"evicts": True},
    *({"scale": scale} for scale in SCALES),
    {"lanes": 2},
    *({"lanes": 3, "select": select} for select in SELECTIONS),
    {"lanes": 3, "several_targets": True},
]


def recipes() -> Iterator[Recipe]:
    """Every rule in every mode, with every loss, in every way to use it."""
    for variant, loss, way in product(MODES, LOSSES.values(), WAYS):
        yield Recipe.of(variant.rule, loss(), **way)


def name_of(function: Any) -> str:
    """As numba's symbols have it."""
    return f"{function.__module__}.{function.__qualname__}"


def bindings(recipe: Recipe) -> dict[str, Any]:
    """Name → what decides the code, of all functions that the kernels of a recipe consist of."""
    found: dict[str, Any] = {}
    # Not by way of the cache, which would keep all of them.
    waiting = list(vars(_specialise.__wrapped__(recipe, False)).values())
    while waiting:
        function = waiting.pop()
        # What is compiled at the import has a Python function inside.
        function = getattr(function, "py_func", function)
        if not isinstance(function, FunctionType) or name_of(function) in found:
            continue
        names = function.__code__.co_names
        bound = {name: function.__globals__[name] for name in names if name in function.__globals__}
        waiting += bound.values()
        inner = {name: getattr(each, "py_func", each) for name, each in bound.items()}
        found[name_of(function)] = (
            function.__code__,
            {
                name: name_of(each) if isinstance(each, FunctionType) else repr(each)
                for name, each in inner.items()
            },
        )
    return found


def test_no_two_recipes_have_one_name_for_different_bindings() -> None:
    known: dict[str, Any] = {}
    for recipe in recipes():
        for name, binding in bindings(recipe).items():
            assert known.setdefault(name, binding) == binding, (name, recipe)
    learning = [name for name in known if ".learn_row_" in name]
    assert len(learning) == len(MODES) * len(LOSSES) * len(WAYS)


def test_names_are_the_same_in_another_process() -> None:
    script = (
        "from test_names_of_kernels import *\n"
        "for way in WAYS:\n"
        "    recipe = Recipe.of(FTRLProximal(), LOSSES['logistic'](), **way)\n"
        "    print(*sorted(bindings(recipe)))\n"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    first = Recipe.of(FTRLProximal(), LOSSES["logistic"]())
    assert printed[0].splitlines()[0] == " ".join(sorted(bindings(first)))

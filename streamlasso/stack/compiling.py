"""Compiling a stack's kernels: for one loss and one number of lanes.

Every function of the rooms is copied with the names of `binding` bound, as
`streamlasso.specialise` does it; copies carry what they are bound to in their qualified name, by
which numba files its cache and names the parts of what it links.
"""

import inspect
import types
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from streamlasso import addresses, jitting, numerics, objects, scales, vectors
from streamlasso.jitting import PART, compile_top, digest_of
from streamlasso.kernels import names as flags
from streamlasso.kernels import parts
from streamlasso.layout import padded
from streamlasso.losses import Loss
from streamlasso.specialise import NUMBERS, Kernels
from streamlasso.stack import (
    binding,
    classes,
    features,
    layer,
    least_squares,
    likelihood,
    links,
    one_row,
    places,
    rows,
    targets,
)

__all__ = ["FAMILIES", "class_kernels", "kernels_for", "sizes"]

FAMILIES: dict[str, types.ModuleType] = {
    "logistic": likelihood,
    "poisson": likelihood,
    "squared": least_squares,
}
"""Loss → the room of its second layer."""

TOP = (
    "learn_row",
    "learn_rows",
    "read_slots",
    "score_row",
    "score_rows",
    "start",
    "survey",
)


def _digest() -> str:
    modules = (
        binding, features, layer, least_squares, likelihood, links, one_row, places, rows,
        targets, scales, *vectors.SOURCES, numerics, addresses, flags, jitting, objects, parts,
        classes.features, classes.layer, classes.places, classes.rows,
    )  # fmt: skip
    return digest_of([*(str(module.__file__) for module in modules), __file__])


def sizes(loss: str, lanes: int, evicts: bool) -> dict[str, int]:
    """The places of a stack's arrays, by name."""
    helpers = 6 if FAMILIES[loss] is least_squares else 3
    return places.columns(lanes, evicts) | places.places(lanes, helpers)


def _own(module: types.ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions that a room defines."""
    return {
        name: function
        for name, function in vars(module).items()
        if inspect.isfunction(function) and function.__module__ == module.__name__
    }


def kernels_for(
    loss: Loss, lanes: int, evicts: bool, dtype: str, *, compiled: bool = True
) -> Kernels:
    """The kernels of a loss for so many lanes; the same objects each time."""
    return _two(loss.name, lanes, evicts, dtype, compiled)


@cache
def _two(loss: str, lanes: int, evicts: bool, dtype: str, compiled: bool) -> Kernels:
    own_targets = (targets,) if loss == "squared" else ()
    modules = (features, layer, *own_targets, FAMILIES[loss], rows, one_row)
    rooms = [{"row_size": parts.row_size}, *(_own(module) for module in modules)]
    own = links.LINKS.get(loss, {})
    given = {**sizes(loss, lanes, evicts), "COUNTS": loss == "poisson", **own}
    given |= _of_one_row(dtype, compiled)
    return _specialise(f"{loss}_{dtype}", [*rooms, own], given, lanes, evicts, compiled)


def _of_one_row(dtype: str, compiled: bool) -> dict[str, Any]:
    """What is bound in `one_row`."""
    on = {f"ON_{name}": flags.ON_VALUES + 1 + i for i, name in enumerate(places.DESK)}
    arrays = addresses.compiled_arrays if compiled else addresses.interpreted_arrays
    encode = objects.encode if compiled else objects.encode_nothing
    return {**on, **NUMBERS, **arrays, "REAL": np.dtype(dtype).type, "ENCODE": encode}


@cache
def class_kernels(lanes: int, evicts: bool, *, compiled: bool = True) -> Kernels:
    """The kernels for many classes, of so many lanes each."""
    shared = {
        "settle_centre": features.settle_centre,
        "soft": features.soft,
        "tau_for": layer.tau_for,
    }
    rooms: list[dict[str, Any]] = [
        shared,
        _own(classes.features),
        _own(classes.layer),
        _own(classes.rows),
    ]
    given = classes.places.sizes(lanes, evicts) | {"sigmoid": numerics.sigmoid}
    return _specialise("softmax", rooms, given, lanes, evicts, compiled)


def _specialise(
    loss: str, rooms: list[dict[str, Any]], given: dict[str, Any], lanes: int, evicts: bool,
    compiled: bool,
) -> Kernels:  # fmt: skip
    """Bind the functions of rooms to each other and to what is given, and compile them."""
    rooms = [*rooms, dict(scales.functions_of("rms-max"))]
    functions = {name: part for room in rooms for name, part in room.items() if callable(part)}
    given = dict(given)
    made_of = vectors.compiled if compiled else vectors.interpreted
    part = vectors.compiled_part if compiled else vectors.interpreted_part
    inputs = part(padded(given["INPUTS"]), given["INPUTS"])
    given |= made_of(lanes)
    for kind, made in (
        ("levels", made_of(places.MOST_LEVELS)),
        ("four", made_of(4)),
        ("inputs", inputs),
    ):
        given |= {
            f"{name}_{kind}": made[name] for name in ("load", "store", "spread") if name in made
        }
    # `scales.observe` has one lane to rescale: `features.rescale` does all of them.
    width = given.get("WIDTH", given.get("BLOCKS", 0) + given.get("BLOCK", 0))
    given |= {"LANES": 1, "prefetch": numerics.prefetching(width) if compiled else _pass}
    label = f"stack_{loss}_{lanes}{'_evicting' * evicts}_{_digest()}"
    spaces: dict[int, dict[str, Any]] = {}
    for name, function in functions.items():
        if inspect.isfunction(function):  # not one that numba has already
            home = function.__globals__
            space = spaces.setdefault(id(home), {**home, **given})
            copy = types.FunctionType(function.__code__, space, name)
            copy.__qualname__ = f"{name}_{label}"
            given[name] = njit(**PART, forceinline=True)(copy) if compiled else copy
    for space in spaces.values():
        space |= {name: given[name] for name in functions if name in given}
    made = {name: given[name] for name in TOP}
    if compiled:
        # Those of one row may read Python's objects, and to give up the lock costs them 40 ns.
        made = {
            name: compile_top(kernel.py_func, nogil=not name.endswith("_row"))
            for name, kernel in made.items()
        }
    together = Kernels(label)
    vars(together).update(made)
    return together


def _pass(state: Any, slot: int) -> None:
    """Python has no prefetch."""

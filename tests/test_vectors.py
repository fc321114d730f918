"""Vectors of lanes: their exponential and logarithm against Python's, loads and stores of parts."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from numba import njit

from streamlasso import vectors

LANES = 8
Array = npt.NDArray[np.float64]


def by_lane(name: str) -> Callable[[Array], Array]:
    """A function over an array, eight numbers at a time."""
    made = vectors.compiled(LANES)
    load, store, function = made["load"], made["store"], made[name]

    @njit
    def fill(given: Any, found: Any) -> None:
        for first in range(0, len(given), LANES):
            store(found, 0, first, function(load(given, 0, first)))

    def over(given: Array) -> Array:
        found = np.zeros(-(-len(given) // LANES) * LANES)
        fill(np.resize(given, len(found)), found)
        return found[: len(given)]

    return over


def units_away(found: Array, function: Callable[[float], float], given: Array) -> float:
    """The largest distance from Python's result, in units in its last place."""
    expected = np.array([function(x) for x in given.tolist()])
    return float(np.max(np.abs(found - expected) / np.spacing(np.abs(expected))))


def test_the_exponential_is_pythons_to_a_unit_in_the_last_place() -> None:
    random = np.random.default_rng(0)
    edges = [0.0, -0.0, 1.0, -1.0, 1e-300, -1e-17, 0.5 * math.log(2), 708.0, -708.0]
    given = np.concatenate([edges, random.normal(size=40_000), random.uniform(-708, 708, 40_000)])
    found = by_lane("exponential")(given)
    assert units_away(found, math.exp, given) <= 1
    assert found[:2].tolist() == [1.0, 1.0]


def test_the_exponential_of_what_is_too_large_stays_finite() -> None:
    found = by_lane("exponential")(np.array([1e9, math.inf, -1e9, -math.inf]))
    assert found.tolist() == pytest.approx([math.exp(708)] * 2 + [math.exp(-708)] * 2, rel=1e-15)


def test_the_logarithm_is_pythons_to_two_units_in_the_last_place() -> None:
    random = np.random.default_rng(1)
    edges = [1.0, 2.0, 0.5, math.sqrt(0.5), 1e308, 2.3e-308, 1 - 1e-16, 1 + 3e-16, math.e]
    near, wide = np.exp(random.normal(0, 0.05, 40_000)), 10 ** random.uniform(-300, 300, 40_000)
    given = np.concatenate([edges, near, wide, random.uniform(0, 1, 40_000)])
    found = by_lane("logarithm")(given)
    assert units_away(found, math.log, given) <= 2
    assert found[0] == 0.0


@pytest.mark.parametrize(("lanes", "used"), [(16, 13), (16, 16), (8, 5), (4, 3)])
def test_a_part_is_loaded_and_stored_without_its_neighbours(lanes: int, used: int) -> None:
    access, spread = vectors.compiled_part(lanes, used), vectors.compiled(lanes)["spread"]
    load, store, total = access["load"], access["store"], vectors.compiled(lanes)["total"]

    @njit
    def double(array: Any) -> Any:
        vector = load(array, 0, 1)
        store(array, 0, 1, vector * spread(2.0))
        return total(vector)

    array = np.arange(1.0, lanes + 4.0)
    assert double(array) == sum(range(2, used + 2))
    expected = [x * (2 if 1 <= i <= used else 1) for i, x in enumerate(np.arange(1.0, lanes + 4))]
    assert array.tolist() == expected


def test_a_vector_of_four_numbers_and_what_is_picked() -> None:
    four, at, pick = (vectors.compiled(4)[name] for name in ("four", "at", "pick"))
    smallest, largest = vectors.compiled(4)["smallest"], vectors.compiled(4)["largest"]

    @njit
    def some(a: float, b: float) -> Any:
        vector = four(a, b, 3, 4.0)
        picked = pick(vector, 3.0, vector, -1.0)
        return at(vector, 1), at(picked, 0), at(picked, 2), smallest(vector), largest(picked)

    assert some(1.0, 7.0) == (7.0, -1.0, 3.0, 1.0, 7.0)

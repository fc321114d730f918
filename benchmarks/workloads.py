"""Seeded workloads with permanent ids: a simulated click log and the forms that peers take it in.

A log has 39 fields: ``n1`` to ``n13`` are binned counts, ``c1`` to ``c26`` categories, whose
cardinalities go from 3 to a million in equal ratios and whose popularity falls as 1/rank. One value
in 16 has a true weight; a click is drawn from the logistic model of their sum, about one in four.

An id stands for the same bytes for ever: `Workload.load` checks the arrays against the registered
checksum. A workload that has to change gets a new id.

Only exactly rounded operations make the arrays (sums, products, quotients, comparisons), so that
they do not depend on a machine's mathematics library; the one exponential decides the click.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso import HashingIndex
from streamlasso.encoding import categorical_name
from streamlasso.kernels import FIRST

__all__ = ["FIELDS", "WORKLOADS", "ClickLog", "Workload"]

Array = npt.NDArray[Any]

COUNTS, CATEGORIES = 13, 26
FIELDS = tuple(f"n{i + 1}" for i in range(COUNTS)) + tuple(f"c{i + 1}" for i in range(CATEGORIES))
CARDINALITIES = (
    # A sum of three uniform numbers, n = 6, 8, ..., 30 values each, has 3n − 2 values.
    *(3 * n - 2 for n in range(6, 6 + 2 * COUNTS, 2)),
    *(3, 5, 8, 14, 23, 38, 63, 105, 175, 291, 484, 805, 1338, 2225, 3700, 6153, 10232, 17014),
    *(28292, 47047, 78232, 130091, 216324, 359720, 598169, 1000000),
)
OFFSETS = np.concatenate(([0], np.cumsum(CARDINALITIES)))
BIAS, SHARE_OF_WEIGHTS, LARGEST_WEIGHT = -1.35, 1 / 16, 1.5


@dataclass(frozen=True)
class Workload:
    """What an id stands for: rows × 39 values in a space of 2^bits slots."""

    id: str
    rows: int
    bits: int
    seed: int
    checksum: str

    @cache  # noqa: B019 - the registry's few objects live as long as the process
    def load(self) -> "ClickLog":
        """Generate and verify."""
        log = generate(self)
        found = log.checksum()
        if found != self.checksum:
            raise ValueError(
                f"workload {self.id!r} has the checksum {found}, registered is {self.checksum}: "
                "the generator or the index has changed; register the new one under a new id"
            )
        return log


@dataclass(frozen=True)
class ClickLog:
    """The arrays of a workload, and its other forms, made when they are first asked for.

    ``ids[row, field]`` are the raw values, popular ones low; ``clicks[row]`` is 0 or 1.
    """

    ids: Array
    clicks: Array
    bits: int

    def __len__(self) -> int:
        return len(self.clicks)

    @cached_property
    def keys(self) -> Array:
        """Values numbered through over all fields: without collisions, below 2^22."""
        return (self.ids + OFFSETS[:-1]).astype(np.int32)

    @cached_property
    def names(self) -> list[str]:
        """Name of each number in `keys` as the library joins it, ``c7=a17``; "" where unused."""
        used = np.flatnonzero(np.bincount(self.keys.ravel(), minlength=OFFSETS[-1]))
        fields = np.searchsorted(OFFSETS, used, side="right") - 1
        names = [""] * int(OFFSETS[-1])
        for key, field in zip(used.tolist(), fields.tolist(), strict=True):
            names[key] = str(categorical_name(FIELDS[field], f"a{key - OFFSETS[field]}"))
        return names

    @cached_property
    def indptr(self) -> Array:
        """Where rows begin: every 39 entries."""
        return np.arange(len(self) + 1, dtype=np.int64) * len(FIELDS)

    @cached_property
    def ones(self) -> Array:
        """The value of every feature."""
        return np.ones(self.ids.size)

    @cached_property
    def slots(self) -> Array:
        """Slots of the names by the library's own hash, flat."""
        find = HashingIndex(self.bits).find
        table = np.array([find(name) if name else 0 for name in self.names], np.uint32)
        return table[self.keys.ravel()]

    @cached_property
    def exact_slots(self) -> Array:
        """Slots without any collision, flat."""
        return (self.keys.ravel() + FIRST).astype(np.uint32)

    @cached_property
    def targets(self) -> Array:
        """The clicks as the kernels take them."""
        return self.clicks.astype(np.float64)

    @cached_property
    def csr(self) -> Any:
        """A scipy CSR matrix over the same hashed slots."""
        from scipy.sparse import csr_array

        # scikit-learn refuses indices of 64 bits.
        parts = (self.ones, self.slots.astype(np.int32), self.indptr.astype(np.int32))
        return csr_array(parts, shape=(len(self), 1 << self.bits))

    def categorical(self, rows: int) -> list[dict[str, str]]:
        """The first rows as events of 39 strings, ``{"n1": "a4", ..., "c26": "a17"}``."""
        return [
            dict(zip(FIELDS, map("a{}".format, row), strict=True))
            for row in self.ids[:rows].tolist()
        ]

    def numeric(self, rows: int) -> list[dict[str, float]]:
        """The first rows as events of 39 numbers in [0, 1], ``f0`` to ``f38``: log₂ of the rank.

        The logarithm is the piecewise linear one of a number's exponent and fraction.
        """
        fraction, exponent = np.frexp(self.ids[:rows] + 1.0)
        largest = np.frexp(np.array(CARDINALITIES, np.float64))[1]
        table = (exponent + 2 * fraction - 2) / largest
        names = [f"f{i}" for i in range(len(FIELDS))]
        return [dict(zip(names, row, strict=True)) for row in table.tolist()]

    def vw_lines(self, *, exact: bool = False) -> Iterator[str]:
        """The rows as VowpalWabbit's text; exact: features are integers, which it does not hash."""
        # A name that is all digits is taken as the number itself.
        names = np.array(range(OFFSETS[-1]) if exact else self.names).astype(object)
        for row, click in zip(self.keys, self.clicks.tolist(), strict=True):
            yield ("1 | " if click else "-1 | ") + " ".join(map(str, names[row]))

    def write_vw(self, path: Path, *, exact: bool = False) -> Path:
        """Write `vw_lines` to a file."""
        with path.open("w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in self.vw_lines(exact=exact))
        return path

    def checksum(self) -> str:
        """Of the raw values, the clicks and the hashed slots, independent of byte order."""
        digest = hashlib.blake2b(digest_size=8)
        for array, kind in ((self.ids, "<i4"), (self.clicks, "u1"), (self.slots, "<u4")):
            digest.update(np.ascontiguousarray(array, kind).data)
        return digest.hexdigest()


def generate(workload: Workload) -> ClickLog:
    """The arrays, from the seed alone; with one seed a shorter log is the beginning of a longer."""
    random = np.random.Generator(np.random.PCG64(workload.seed))
    size = OFFSETS[-1]
    weights = (random.random(size) < SHARE_OF_WEIGHTS) * (2 * random.random(size) - 1)
    weights *= LARGEST_WEIGHT
    draws = random.random((workload.rows, 3 * COUNTS + CATEGORIES + 1)).T
    ids = np.empty((workload.rows, len(FIELDS)), np.int32)
    score = np.full(workload.rows, BIAS)
    for field, cardinality in enumerate(CARDINALITIES):
        if field < COUNTS:
            bins = (cardinality + 2) // 3
            ids[:, field] = (draws[3 * field : 3 * field + 3] * bins).astype(np.int32).sum(0)
        else:
            mass = np.cumsum(1.0 / np.arange(1, cardinality + 1))
            drawn = draws[2 * COUNTS + field] * mass[-1]
            ids[:, field] = np.searchsorted(mass, drawn, side="right")
        score += weights[OFFSETS[field] + ids[:, field]]
    clicks = draws[-1] * (1.0 + np.exp(-score)) < 1.0
    return ClickLog(ids, clicks.astype(np.uint8), workload.bits)


WORKLOADS = {
    workload.id: workload
    for workload in (
        Workload("clicks-2m-39-22b/1", 2_000_000, 22, 39, "30effb67d7ec61f2"),
        Workload("clicks-300k-39-22b/1", 300_000, 22, 39, "b662450d9ccb2a70"),
        Workload("clicks-30k-39-22b/1", 30_000, 22, 39, "d1814a136e14dde2"),
        Workload("clicks-2k-39-22b/1", 2_000, 22, 39, "459829eea28dc6d4"),
    )
}

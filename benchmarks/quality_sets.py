"""The streams of `benchmarks.bench_quality`: real data sets and seeded ones, as arrays of rows.

Every learner gets the same features. Columns of names are one-hot, ``name=value``; what is missing
is absent. Numbers are centred and divided by their deviation, or taken as sgn(v)·log(1 + |v|) where
they are counts; in the variants they are raw, or shifted by 30 deviations. A set is read once.
"""

import gzip
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.bench_drift import NAMES, NUMBERS
from benchmarks.quality_rows import FIRST, Rows, Table

__all__ = ["GROUPS", "SETS", "load"]

Array = npt.NDArray[Any]


def read(path: Path, names: tuple[str, ...] | str = ()) -> Any:
    """A CSV file as a data frame; these columns, or those that start so, as texts."""
    import pandas

    head = pandas.read_csv(path, nrows=0).columns
    texts = [name for name in head if name.startswith(names)] if names else []
    return pandas.read_csv(path, dtype=dict.fromkeys(texts, str), keep_default_na=False,
                           na_values=["", "NA"], low_memory=False)  # fmt: skip


def svm(task: str, files: list[Path], names: list[str]) -> Rows:
    """Files of svmlight one after the other: log(1 + count)."""
    from scipy.sparse import vstack
    from sklearn.datasets import load_svmlight_files

    texts = [str(file) for file in files]
    loaded = load_svmlight_files(texts, n_features=len(names), zero_based=False)
    matrix, labels = vstack(loaded[::2]).tocsr(), np.concatenate(loaded[1::2])
    targets = np.unique(labels, return_inverse=True)[1].astype(np.float64)
    slots = (matrix.indices + FIRST).astype(np.uint32)
    numbers = np.ones(len(names), bool)
    return Rows(task, matrix.indptr.astype(np.int64), slots, np.log1p(matrix.data), targets, names,
                numbers)  # fmt: skip


def words(path: Path) -> list[str]:
    """One name a line."""
    return gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()


def imdb(folder: Path) -> Rows:
    """Reviews, positive or not, by their words."""
    files = [folder / f"imdb_{part}.svm.gz" for part in ("train", "test")]
    return svm("binary", files, words(folder / "imdb_features.txt.gz"))


def news20(folder: Path) -> Rows:
    """Twenty groups by the words of a message; the part for training."""
    return svm(
        "classes", [folder / "news20_train.svm.gz"], words(folder / "news20_features.txt.gz")
    )


def a9a(folder: Path) -> Rows:
    """Income above a bound: 123 features of zero and one."""
    files = [folder / f"a9a_{part}.svm.gz" for part in ("train", "test")]
    rows = svm("binary", files, [str(i) for i in range(1, 124)])
    return Rows("binary", rows.indptr, rows.slots, np.ones_like(rows.values), rows.targets,
                rows.names, ~rows.numbers)  # fmt: skip


def criteo(folder: Path, scaling: str = "logged") -> Rows:
    """Clicks: thirteen counts, 26 columns of names."""
    frame, table = read(folder / "criteo_sample.csv.gz", "C"), Table(scaling)
    for name in frame.columns[1:]:
        (table.number if name.startswith("I") else table.category)(name, frame[name])
    return table.rows("binary", frame["label"])


def amazon(folder: Path) -> Rows:
    """Access granted: nine columns of ids."""
    frame, table = read(folder / "amazon_access.csv.gz", ("R", "M")), Table()
    for name in frame.columns[1:]:
        table.category(name, frame[name])
    return table.rows("binary", frame["ACTION"])


def elec2(folder: Path, scaling: str = "centred") -> Rows:
    """Price up or down each half-hour: the day a name, no date."""
    frame, table = read(folder / "elec2.csv.gz", "day"), Table(scaling)
    table.category("day", frame["day"])
    for name in frame.columns[2:-1]:
        table.number(name, frame[name])
    return table.rows("binary", frame["class"] == "UP")


def airlines(folder: Path, scaling: str = "centred") -> Rows:
    """Late departure, by what is known before."""
    frame = read(folder / "airlines_1987_2008.csv.gz", NAMES)
    table = Table(scaling)
    for name in NAMES:
        table.category(name, frame[name])
    for name in NUMBERS:
        table.number(name, frame[name])
    return table.rows("binary", frame["IsDepDelayed"] == "YES")


def kddcup99(folder: Path, task: str = "binary") -> Rows:
    """Connections, normal or not, or which of 23 kinds: counts logged, rates as they are."""
    names = ("protocol_type", "service", "flag")
    frame, table = read(folder / "kddcup99_10pct.csv.gz", names), Table("logged")
    for name in frame.columns[:-1]:
        table.scaling = "raw" if name.endswith("_rate") else "logged"
        (table.category if name in names else table.number)(name, frame[name])
    kinds = np.unique(frame["label"].to_numpy(str), return_inverse=True)[1]
    targets = kinds if task == "classes" else frame["label"] != "normal."
    return table.rows(task, targets, sparse=True)


def bike(folder: Path, scaling: str = "centred") -> Rows:
    """Bicycles lent in an hour; the hour also by working day."""
    frame = read(folder / "bike_sharing_hour.csv.gz")
    table = Table(scaling)
    for name in ("season", "yr", "mnth", "hr", "holiday", "weekday", "workingday", "weathersit"):
        table.category(name, frame[name].astype(str))
    table.category(
        "hr, workingday", frame["hr"].astype(str) + ", " + frame["workingday"].astype(str)
    )
    for name in ("temp", "atemp", "hum", "windspeed"):
        table.number(name, frame[name])
    return table.rows("regression", frame["cnt"])


def plain(
    folder: Path,
    file: str,
    target: str,
    task: str = "regression",
    scaling: str = "centred",
    above: float | None = None,
) -> Rows:
    """A table of numbers."""
    frame, table = read(folder / f"{file}.csv.gz"), Table(scaling)
    for name in frame.columns:
        if name not in (target, "train"):
            table.number(name, frame[name])
    targets = frame[target]
    if task == "binary":
        targets = targets == "AML" if above is None else targets > above
    return table.rows(task, targets)


def linear(folder: Path, kind: str, rows: int = 10_000) -> Rows:
    """Seeded Gaussian features and a linear target; the folder is not used."""
    random = np.random.default_rng(20)
    features, true = (500, 20) if kind == "sparse" else (50, 10)
    X = random.standard_normal((rows, features))
    weights = np.zeros(features)
    weights[random.choice(features, true, replace=False)] = random.choice([-1.0, 1.0], true)
    weights *= np.linspace(0.25, 1, features)
    if kind == "sparse":  # one value in twenty is there
        X *= random.random(X.shape) < 0.05
        y = 1e6 + 1000 * (X @ weights * 2 + random.standard_normal(rows))
    elif kind == "heavy tails":
        y = X @ weights + 1.5 * random.standard_t(2.5, rows)
    elif kind == "drift":  # every weight walks, the true ones jump half-way
        walk = 0.02 * random.standard_normal(X.shape).cumsum(axis=0)
        turn = np.where(np.arange(rows) < rows // 2, 1, -1)
        y = 10 + 3 * ((X * walk).sum(axis=1) + turn * (X @ weights) + random.standard_normal(rows))
    table = Table("raw").numbered(X)
    return table.rows("regression", y, sparse=kind == "sparse")


def shifted(folder: Path, shift: float, rows: int = 20_000) -> Rows:
    """A seeded logistic stream of 20 Gaussian features, each this many deviations off zero."""
    random = np.random.default_rng(21)
    X = random.standard_normal((rows, 20))
    weights = np.append(np.linspace(-1.5, 1.5, 10), np.zeros(10))
    y = random.random(rows) < 1 / (1 + np.exp(-X @ weights))
    return Table("raw").numbered(X + shift).rows("binary", y)


Read = Callable[[Path], Rows]
RAW, SHIFTED = {"scaling": "raw"}, {"scaling": "shifted"}

GROUPS: dict[str, dict[str, Read]] = {
    "Two classes": {
        "imdb": imdb,
        "a9a": a9a,
        "criteo": criteo,
        "amazon": amazon,
        "elec2": elec2,
        "airlines": airlines,
        "kddcup99": kddcup99,
    },
    "Regression": {
        "bike": bike,
        "diabetes": partial(plain, file="diabetes", target="y"),
        "diabetes, quadratic": partial(plain, file="diabetes_quadratic", target="y"),
        "prostate": lambda folder: plain(folder, "prostate", "lpsa").shuffled(0),
        "seeded, sparse": partial(linear, kind="sparse"),
        "seeded, heavy tails": partial(linear, kind="heavy tails"),
        "seeded, drift": partial(linear, kind="drift"),
    },
    "Many classes": {
        "news20": news20,
        "kddcup99, kinds": partial(kddcup99, task="classes"),
    },
    "Few rows": {
        "golub": lambda folder: plain(folder, "golub_leukemia", "y", "binary").shuffled(0),
        "diabetes > 140": partial(plain, file="diabetes", target="y", task="binary", above=140.0),
    },
    "Raw, uncentred numbers": {
        "elec2, raw": partial(elec2, **RAW),
        "airlines, raw": partial(airlines, **RAW),
        "criteo, raw": partial(criteo, **RAW),
        "bike, raw": partial(bike, **RAW),
    },
    "Shifted by 30 deviations": {
        "elec2, shifted": partial(elec2, **SHIFTED),
        "airlines, shifted": partial(airlines, **SHIFTED),
        "bike, shifted": partial(bike, **SHIFTED),
        "seeded, shift 0": partial(shifted, shift=0.0),
        "seeded, shift 3": partial(shifted, shift=3.0),
        "seeded, shift 30": partial(shifted, shift=30.0),
    },
    "Rows of unit length": {"imdb, unit length": lambda folder: imdb(folder).unit_length()},
}
SETS: dict[str, Read] = {name: read for group in GROUPS.values() for name, read in group.items()}


@cache
def load(name: str, folder: Path) -> Rows:
    """The set of this name; OSError where its file is missing."""
    return SETS[name](folder)

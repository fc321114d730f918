"""Weights from elsewhere, in one form: what a warm start plants.

Every source ends as `Coefficients`. Sources are told apart by what they have, never by importing
the library they come from.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from streamlasso.checks import finite
from streamlasso.export import from_cell, tuples
from streamlasso.index import Name
from streamlasso.names import plain_name
from streamlasso.vowpal import read_vowpal

__all__ = ["Coefficients", "checked_options", "coefficients_from"]

OPTIONS = ("names", "namespaces")
LEAVE_OUT = "leave such weights out"


@dataclass(frozen=True)
class Coefficients:
    """A linear model as plain numbers: score = intercept + Σ weight·value.

    Zeros are left out. A name that is no name, or a number that is not finite, is an error.

    Parameters
    ----------
    weights
        Name → weight, in units of score per unit of the feature.
    intercept
        The score of an empty event.
    classes
        The negative and the positive label where the source has labels, else None.

    Examples
    --------
    >>> Coefficients({"price": -0.5, "unused": 0.0}, intercept=1.0)
    Coefficients(weights={'price': -0.5}, intercept=1.0, classes=None)
    """

    weights: Mapping[Name, float] = field(default_factory=dict)
    intercept: float = 0.0
    classes: tuple[Any, Any] | None = None

    def __post_init__(self) -> None:
        weights = {
            plain_name(name): finite(f"weight of {name!r}", weight, LEAVE_OUT)
            for name, weight in self.weights.items()
        }
        kept = {name: weight for name, weight in weights.items() if weight != 0}
        object.__setattr__(self, "weights", kept)
        object.__setattr__(self, "intercept", finite("intercept", self.intercept, LEAVE_OUT))


def coefficients_from(
    source: Any, names: Sequence[Name] | None = None, *, namespaces: str = "keep"
) -> Coefficients:
    """Read the weights of a linear model from almost anything.

    Parameters
    ----------
    source
        * a mapping name → weight, or `Coefficients`;
        * a fitted scikit-learn linear model, of two classes or one target (``coef_``,
          ``intercept_``);
        * an estimator of this package or of river, or a `Learner` (its first lane);
        * the path of a file: ``.json`` or ``.csv`` as `SparseClassifier.export` writes them, any
          other is read as the text that VowpalWabbit writes with ``--invert_hash``.
    names
        Names of the columns of a scikit-learn model. By default those of the frame it was fitted
        on, else the column numbers, which are the names that `Learner.learn_csr` gives.
    namespaces
        ``"keep"``: VowpalWabbit's ``namespace^feature`` is the name; ``"strip"``: ``feature`` is.

    Returns
    -------
    Coefficients

    Raises
    ------
    TypeError
        The source is none of these, or is not fitted.
    ValueError
        It has more than one weight for a feature, a number is not finite, or a file is not in its
        format.

    Notes
    -----
    VowpalWabbit: names are strings, the feature ``7`` is named ``"7"``; of two features that
    share a hash its text has one name. Labels −1 and 1 are the negative and the positive class.
    Weights are those that its raw predictions use, the shrinkage still owed to ``--l1`` and
    ``--l2`` applied; ``--predict_only_model`` does not write what is owed, so leave it out then.

    Examples
    --------
    >>> coefficients_from({"price": -0.5}).weights
    {'price': -0.5}
    """
    if names is not None and not hasattr(source, "coef_"):
        raise ValueError(
            f"names = … with a source of type {type(source).__name__}, which has names of its own; "
            "names is for scikit-learn models only"
        )
    if isinstance(source, Coefficients):
        return source
    if isinstance(source, str | Path):
        return _from_file(Path(source), namespaces)
    if isinstance(source, Mapping):
        return Coefficients(source)
    if hasattr(source, "coef_"):
        return _from_sklearn(source, names)
    weights, intercept = getattr(source, "weights", None), getattr(source, "intercept", None)
    if callable(weights) and callable(intercept):  # a Learner
        return Coefficients(weights(), intercept())
    if isinstance(weights, Mapping) and intercept is not None:
        if getattr(source, "companion", None) is not None:  # its weights are pairs
            weights = source.learner.weights()
        # An estimator that has met fewer than two labels does not know its classes yet.
        labels = getattr(source, "_labels", None)
        if labels is None or len(labels.seen) < 2:
            return Coefficients(weights, intercept)
        return Coefficients(weights, intercept, labels.classes)
    raise TypeError(
        f"source is a {type(source).__name__}, from which no weights can be read; pass a dict, a "
        "fitted linear model of scikit-learn (of a pipeline its last step), an estimator with "
        "weights and intercept, or the path of an exported file"
    )


def checked_options(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options of `coefficients_from`; another one is an error that lists them."""
    for name in options:
        if name not in OPTIONS:
            raise TypeError(
                f"a warm start has no option {name!r}; it takes trust, {' and '.join(OPTIONS)}. An "
                "intercept: streamlasso.coefficients.Coefficients(weights, intercept) as source"
            )
    return options


def _from_sklearn(model: Any, names: Sequence[Name] | None) -> Coefficients:
    coef = model.coef_
    # A model after sparsify() holds a scipy matrix.
    table = np.asarray(coef.toarray() if hasattr(coef, "toarray") else coef, np.float64)
    table = np.atleast_2d(table)
    if table.ndim != 2 or len(table) != 1:
        raise ValueError(
            f"coef_ has the shape {np.shape(coef)}: {len(table)} weights for each feature, and "
            "a source must have one; pass {name: weight} of one class or target"
        )
    row = table[0].tolist()
    if names is None:
        names = list(getattr(model, "feature_names_in_", range(len(row))))
    if len(names) != len(row):
        raise ValueError(f"names has {len(names)} entries for {len(row)} columns of coef_")
    weights = dict(zip(map(plain_name, names), row, strict=True))
    if len(weights) != len(row):
        raise ValueError(f"names has {len(row) - len(weights)} repeated entries; make them unique")
    classes = getattr(model, "classes_", None)
    two = None if classes is None or len(classes) != 2 else tuple(np.asarray(classes).tolist())
    intercept = np.ravel(getattr(model, "intercept_", 0.0))
    return Coefficients(weights, float(intercept[0]), two)


def _from_file(path: Path, namespaces: str) -> Coefficients:
    if namespaces not in ("keep", "strip"):
        raise ValueError(f"namespaces = {namespaces!r} must be 'keep' or 'strip'")
    if not path.is_file():
        raise FileNotFoundError(
            f"source = {str(path)!r} is no file; pass the path of an exported .csv or .json, or of "
            "a text of VowpalWabbit"
        )
    if path.suffix == ".safetensors":
        raise ValueError(f"{str(path)!r} is a saved model: pass streamlasso.load of it")
    if path.suffix == ".json":
        return _from_json(path)
    if path.suffix == ".csv":
        return _from_csv(path)
    return Coefficients(*read_vowpal(path, strip=namespaces == "strip"))


def _from_json(path: Path) -> Coefficients:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = [(tuples(row["name"]), row["weight"]) for row in content["weights"]]
        intercept = content["intercept"]
    except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(
            f'{str(path)!r} is not {{"intercept": …, "weights": [{{"name": …, "weight": …}}]}} as '
            f"export writes it: {error!r}"
        ) from error
    return Coefficients(_unique(rows, path), intercept)


def _from_csv(path: Path) -> Coefficients:
    with path.open(newline="", encoding="utf-8", errors="surrogatepass") as file:
        rows = list(csv.reader(file))
    if not rows or rows[0] != ["name", "weight"]:
        raise ValueError(f"{str(path)!r} does not begin with the line 'name,weight' of an export")
    named: list[tuple[Name, float]] = []
    intercept = 0.0
    for number, row in enumerate(rows[1:], 2):
        try:
            name, weight = row[0], float(row[1])
        except (IndexError, ValueError) as error:
            raise ValueError(f"{str(path)!r}, row {number}: {row!r} is not name,weight") from error
        # The intercept is the first row, under an empty name; a feature may be called "" too.
        if number == 2 and name == "":
            intercept = weight
        else:
            named.append((from_cell(name), weight))
    return Coefficients(_unique(named, path), intercept)


def _unique(rows: list[tuple[Name, float]], path: Path) -> dict[Name, float]:
    weights: dict[Name, float] = {}
    for name, weight in rows:
        if name in weights:
            raise ValueError(f"{str(path)!r} has two weights for {name!r}; keep one")
        weights[name] = weight
    return weights

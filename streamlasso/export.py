"""The active weights alone, in files that anything can read."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamlasso.index import Name
from streamlasso.names import plain_name

__all__ = ["export_classes", "export_weights", "from_cell", "to_cell", "tuples"]


def export_weights(
    path: Path,
    loss: str,
    intercept: float,
    weights: Mapping[Name, float],
    centres: Mapping[Name, float] | None = None,
) -> Path:
    """Write ``.json`` or ``.csv``, largest weights first; names in ``.csv`` as `to_cell` does.

    With ``centres`` each row has one, 0 by default.
    """
    ordered = sorted(weights.items(), key=lambda item: -abs(item[1]))
    if path.suffix == ".json":
        rows = [
            {"name": name, "weight": weight, **_centre(name, centres)} for name, weight in ordered
        ]
        content = {"loss": loss, "intercept": intercept, "weights": rows}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
            writer = csv.writer(file)
            none = [] if centres is None else ["0.0"]
            writer.writerow(["name", "weight", *(["centre"] if none else [])])
            writer.writerow(["", repr(intercept), *none])
            writer.writerows(
                [to_cell(name), repr(weight), *map(repr, _centre(name, centres).values())]
                for name, weight in ordered
            )
    else:
        raise ValueError(f"export to {str(path)!r}: the name must end in .json or .csv")
    return path


def _centre(name: Name, centres: Mapping[Name, float] | None) -> dict[str, float]:
    return {} if centres is None else {"centre": centres.get(name, 0.0)}


def export_classes(
    path: Path,
    loss: str,
    intercepts: Mapping[Any, float],
    weights: Mapping[Any, Mapping[Name, float]],
    centres: Mapping[Name, float] | None = None,
) -> Path:
    """As `export_weights`, label by label."""
    ordered = {
        label: sorted(given.items(), key=lambda item: -abs(item[1]))
        for label, given in weights.items()
    }
    if path.suffix == ".json":
        classes = [
            {"label": label, "intercept": intercepts[label],
             "weights": [{"name": name, "weight": weight, **_centre(name, centres)}
                         for name, weight in rows]}
            for label, rows in ordered.items()
        ]  # fmt: skip
        content = {"loss": loss, "classes": classes}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
            writer = csv.writer(file)
            none = [] if centres is None else ["0.0"]
            writer.writerow(["label", "name", "weight", *(["centre"] if none else [])])
            for label, rows in ordered.items():
                writer.writerow([to_cell(label), "", repr(intercepts[label]), *none])
                writer.writerows(
                    [to_cell(label), to_cell(n), repr(w), *map(repr, _centre(n, centres).values())]
                    for n, w in rows
                )
    else:
        raise ValueError(f"export to {str(path)!r}: the name must end in .json or .csv")
    return path


def to_cell(name: Name) -> str:
    """A name as text: a string as it stands, others, and strings that look like them, as JSON."""
    if isinstance(name, str) and from_cell(name) == name:
        return name
    return json.dumps(name)


def from_cell(text: str) -> Name:
    """The name that `to_cell` wrote.

    >>> [from_cell(to_cell(name)) for name in ("price", 7, "7", ("buy", "now"))]
    ['price', 7, '7', ('buy', 'now')]
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    written = json.dumps(value) == text and not isinstance(value, bool)
    return tuples(value) if written and isinstance(value, int | list | str) else text


def tuples(name: Any) -> Name:
    """A name read from JSON, which writes a tuple as a list."""
    return tuple(map(tuples, name)) if isinstance(name, list) else plain_name(name)

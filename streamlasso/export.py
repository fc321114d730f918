"""What was learned: weights in files that anything can read, and the parts of one score."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from streamlasso.encoding import RowEncoder
from streamlasso.index import Name
from streamlasso.learner import Learner

__all__ = ["contributions", "export_weights"]


def export_weights(path: Path, loss: str, intercept: float, weights: Mapping[Name, float]) -> Path:
    """Write ``.json`` or ``.csv``, largest weights first; a name that is no string as JSON."""
    ordered = sorted(weights.items(), key=lambda item: -abs(item[1]))
    if path.suffix == ".json":
        rows = [{"name": name, "weight": weight} for name, weight in ordered]
        content = {"loss": loss, "intercept": intercept, "weights": rows}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
            writer = csv.writer(file)
            writer.writerow(["name", "weight"])
            writer.writerow(["", repr(intercept)])
            writer.writerows(
                [name if isinstance(name, str) else json.dumps(name), repr(weight)]
                for name, weight in ordered
            )
    else:
        raise ValueError(f"export to {str(path)!r}: the name must end in .json or .csv")
    return path


def contributions(learner: Learner, encoder: RowEncoder) -> dict[Name, float]:
    """Name → weight·value of the row that is encoded, largest first; zeros left out."""
    alone = np.ones(1, encoder.values.dtype)
    intercept = learner.intercept()
    parts: dict[Name, float] = {}
    for i in range(encoder.size):
        weight = learner.score_row(encoder.slots[i : i + 1], alone, 1) - intercept
        if weight:
            name = learner.index.name(int(encoder.slots[i]))
            parts[name] = parts.get(name, 0.0) + weight * float(encoder.values[i])
    return dict(sorted(parts.items(), key=lambda item: -abs(item[1])))

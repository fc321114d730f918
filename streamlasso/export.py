"""The active weights alone, in files that anything can read."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from streamlasso.index import Name

__all__ = ["export_weights"]


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

"""``python -m benchmarks.calibration FOLDER``: what corrections of probabilities gain and cost.

Progressive log loss and calibration error of a sparse classifier on the two click logs of the
folder, ``amazon_access.csv.gz`` and ``criteo_sample.csv.gz``, as it is and under each correction;
then of two that are miscalibrated on purpose: with the hinge loss, and with nine negatives in ten
left out of its training.
"""

import csv
import gzip
import math
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from streamlasso import FTRLProximal, SparseClassifier
from streamlasso.calibration import Calibrated

Stream = Callable[[], Iterator[tuple[dict[str, str], bool]]]


class KeepTenth(SparseClassifier):
    """Learns one negative in ten, drawn at random."""

    def __init__(self) -> None:
        super().__init__(FTRLProximal(alpha=0.1, l1=1.0))
        self.source = random.Random(1)

    def learn_one(self, x: Any, y: Any, w: float = 1.0) -> None:
        if y or self.source.random() < 0.1:
            super().learn_one(x, y, w)


CLASSIFIERS: dict[str, Callable[[], SparseClassifier]] = {
    "logistic": lambda: SparseClassifier(FTRLProximal(alpha=0.1, l1=1.0)),
    "hinge": lambda: SparseClassifier(FTRLProximal(alpha=0.1, l1=1.0), loss="hinge"),
    "1 negative in 10": KeepTenth,
}
CORRECTIONS: dict[str, dict[str, Any]] = {
    "power, Poisson": {},
    "power, logistic": {"likelihood": "logistic"},
    "isotonic": {"method": "isotonic"},
}


def amazon(folder: Path) -> Iterator[tuple[dict[str, str], bool]]:
    """All columns are categories; 94 % are positive."""
    with gzip.open(folder / "amazon_access.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row, row.pop("ACTION") == "1"


def criteo(folder: Path) -> Iterator[tuple[dict[str, str], bool]]:
    """Counts in half steps of their logarithm, as categories; 22 % are positive."""
    with gzip.open(folder / "criteo_sample.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            y = row.pop("label") == "1"
            for name in (f"I{i}" for i in range(1, 14)):
                if row[name]:
                    row[name] = str(int(2 * math.log1p(max(float(row[name]), 0.0))))
            yield {name: value for name, value in row.items() if value}, y


def log_loss(p: float, y: bool) -> float:
    """With probabilities kept 1e-15 away from 0 and 1."""
    return -math.log(max(p if y else 1.0 - p, 1e-15))


def measure(stream: Stream, make: Callable[[], SparseClassifier]) -> Iterator[list[str]]:
    """One row of the table for each correction: its name, losses, errors, parameters."""
    for name, arguments in CORRECTIONS.items():
        model = Calibrated(make(), **arguments)
        before, after = [], []
        for x, y in stream():
            before.append(log_loss(model.classifier.predict_proba_one(x)[True], y))
            after.append(log_loss(model.predict_proba_one(x)[True], y))
            model.learn_one(x, y)
        difference = np.array(after) - np.array(before)
        spread = difference.std() / math.sqrt(len(difference))
        errors = model.calibration_error()
        power = model.method == "power"
        yield [
            name,
            f"{np.mean(before):.4f}",
            f"{np.mean(after):.4f}",
            f"{difference.mean():+.4f} ± {spread:.4f}",
            f"{errors[0]:.3f} → {errors[1]:.3f}",
            f"{model.gamma:.2f}, {model.kappa:.2f}" if power else "",
        ]


def main(folder: Path) -> None:
    """Print the table."""
    streams: dict[str, Stream] = {
        "amazon": lambda: amazon(folder),
        "criteo": lambda: criteo(folder),
    }
    print(
        "| data | classifier | correction | log loss | corrected | gain (±1 s.e.) | error | γ, κ |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for data, stream in streams.items():
        try:
            for classifier, make in CLASSIFIERS.items():
                for row in measure(stream, make):
                    print("|", " | ".join([data, classifier, *row]), "|", flush=True)
        except OSError as error:
            print(f"{data} skipped: {error.strerror}: {error.filename}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

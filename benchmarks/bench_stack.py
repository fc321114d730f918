"""What a stack costs: learning without a rule against one FTRL lane, on the same rows.

    python -m benchmarks.bench_stack

Rows of random hashed features; both learn the same arrays in turns, and the ratio is taken within
each round. Nothing else should run.
"""

import time

import numpy as np
import numpy.typing as npt

from streamlasso import FTRLProximal, HashingIndex, Learner
from streamlasso.stack import StackLearner

CASES = ((14, 10), (14, 40), (14, 400), (16, 39), (22, 39))
"""2^bits slots, features a row; the values of rows of 400 are random, others 1."""
VALUES, ROUNDS = 400_000, 9
HEADER = "| slots | features a row | FTRL: ns/value | stack | stack, float32 | ratio | range |"


def rounds(bits: int, features: int) -> npt.NDArray[np.float64]:
    """ns a value of FTRL, of a stack and of one with float32 records, round by round."""
    random = np.random.default_rng(0)
    rows = VALUES // features
    slots = random.integers(2, 1 << bits, rows * features).astype(np.uint32)
    values = random.random(rows * features) if features == 400 else np.ones(rows * features)
    targets = (random.random(rows) < 0.3).astype(np.float64)
    indptr, ones = np.arange(0, rows * features + 1, features), np.ones(rows)
    learners = [
        Learner(FTRLProximal(), "logistic", HashingIndex(bits)),
        StackLearner("logistic", HashingIndex(bits)),
        StackLearner("logistic", HashingIndex(bits), dtype="float32"),
    ]
    for learner in learners:
        learner.index.add("all slots")
        learner.learn_rows(indptr, slots, values, targets)
    found = []
    for _ in range(ROUNDS):
        times = []
        for learner in learners:
            begun = time.perf_counter()
            learner.learn_encoded(indptr, slots, values, targets, ones)  # without checks
            times.append((time.perf_counter() - begun) / len(slots) * 1e9)
        found.append(times)
    return np.array(found)


def main() -> None:
    """Print the table."""
    print(HEADER)
    print("|---|---:|" + "---:|" * 5)
    for bits, features in CASES:
        times = rounds(bits, features)
        ratio = times[:, 1] / times[:, 0]
        medians = " | ".join(f"{value:.1f}" for value in np.median(times, axis=0))
        print(
            f"| 2^{bits} | {features} | {medians} | {np.median(ratio):.1f} "
            f"| {ratio.min():.1f}–{ratio.max():.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

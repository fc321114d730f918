"""What a stack costs: learning without a rule against one FTRL lane, on the same rows.

    python -m benchmarks.bench_stack

Rows of random hashed features; both learn the same arrays in turns, once with records of float64
and once of float32, and ratios are taken within each round, of processor time. Nothing else should
run: neighbours share the caches.
"""

import time

import numpy as np
import numpy.typing as npt

from streamlasso import FTRLProximal, HashingIndex, Learner
from streamlasso.stack import StackLearner

CASES = ((14, 10), (14, 40), (14, 400), (16, 39), (22, 39))
"""2^bits slots, features a row; the values of rows of 400 are random, others 1."""
VALUES, ROUNDS = 400_000, 9
DTYPES = ("float64", "float32")
HEADER = (
    "| slots | features a row | FTRL: ns/value | stack | ratio | FTRL, float32 | stack | ratio |"
)


def rounds(bits: int, features: int) -> npt.NDArray[np.float64]:
    """ns a value of FTRL and of a stack, in float64 and in float32, round by round."""
    random = np.random.default_rng(0)
    rows = VALUES // features
    slots = random.integers(2, 1 << bits, rows * features).astype(np.uint32)
    values = random.random(rows * features) if features == 400 else np.ones(rows * features)
    targets = (random.random(rows) < 0.3).astype(np.float64)
    indptr, ones = np.arange(0, rows * features + 1, features), np.ones(rows)
    learners: list[tuple[Learner | StackLearner, list[npt.NDArray[np.floating]]]] = []
    for dtype in DTYPES:
        given = [array.astype(dtype) for array in (values, targets, ones)]
        learners += [
            (Learner(FTRLProximal(), "logistic", HashingIndex(bits), dtype=dtype), given),
            (StackLearner("logistic", HashingIndex(bits), dtype=dtype), given),
        ]
    for learner, given in learners:
        learner.index.add("all slots")
        learner.learn_rows(indptr, slots, *given)
    found = []
    for _ in range(ROUNDS):
        times = []
        for learner, given in learners:
            begun = time.thread_time()
            learner.learn_encoded(indptr, slots, *given)  # without checks
            times.append((time.thread_time() - begun) / len(slots) * 1e9)
        found.append(times)
    return np.array(found)


def main() -> None:
    """Print the table."""
    print(HEADER)
    print("|---|---:|" + "---:|" * 6)
    for bits, features in CASES:
        times = rounds(bits, features)
        cells = []
        for ftrl, stack in ((times[:, 0], times[:, 1]), (times[:, 2], times[:, 3])):
            ratio = stack / ftrl
            spread = f"{np.median(ratio):.1f} ({ratio.min():.1f}–{ratio.max():.1f})"
            cells += [f"{np.median(ftrl):.1f}", f"{np.median(stack):.1f}", spread]
        print(f"| 2^{bits} | {features} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

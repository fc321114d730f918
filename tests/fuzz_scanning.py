"""A long run of mutated records through every scanner and the slow path beside it.

``python tests/fuzz_scanning.py --minutes 60`` prints how many records were taken, asked about and
blank, and stops at the first difference with the chunk that shows it. Guidance by coverage is of no
use here, since neither compiled scanners nor the libraries count theirs: what is changed comes from
the formats' own tokens and from other records instead.

A format takes part by a module ``scanning_….py`` beside this one, which puts its pairs into
`scanning_pairs.PAIRS`.
"""

import argparse
import importlib
import random
import sys
import time
from collections import Counter
from pathlib import Path

from scanning_pairs import PAIRS, Pair, check, mutated

BETWEEN = (b"\n", b"\r\n", b"", b"0", b"7e5", b'"', b"}", b',"a":1}', b"\xff", b" ")
SIZES = (1, 1, 2, 5, 20, 100)


def chunk(pair: Pair, rng: random.Random) -> list[bytes]:
    """Some records, of which a few come twice."""
    records: list[bytes] = []
    for _ in range(rng.choice(SIZES)):
        again = records and rng.random() < 0.1
        record = records[-1] if again else rng.choice(pair.seeds)
        records.append(mutated(record, pair, rng))
    return records


def fuzz(pairs: list[Pair], seconds: float, seed: int) -> Counter[tuple[str, str]]:
    """Compare until the time is over; how many records each pair said what of."""
    rng = random.Random(seed)
    said: Counter[tuple[str, str]] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pair = rng.choice(pairs)
        records, between = chunk(pair, rng), rng.choice(BETWEEN)
        try:
            said.update((pair.name, each) for each in check(pair, records, between))
        except Exception:
            print(f"{pair.name}, between {between!r}:", file=sys.stderr)
            print(records, file=sys.stderr)
            raise
    return said


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("--only", help="pairs whose names begin so")
    chosen = parser.parse_args()
    for module in sorted(Path(__file__).parent.glob("scanning_*.py")):
        importlib.import_module(module.stem)
    pairs = [make() for name, make in PAIRS.items() if name.startswith(chosen.only or "")]
    print(f"seed {chosen.seed}, {len(pairs)} pairs, {chosen.minutes:g} minutes", flush=True)
    said = fuzz(pairs, 60 * chosen.minutes, chosen.seed)
    for pair in pairs:
        counts = {what: said[pair.name, what] for what in ("taken", "ask", "nothing")}
        print(f"{pair.name:24} " + "  ".join(f"{n:>10,} {what}" for what, n in counts.items()))
    print(f"{sum(said.values()):,} records, no difference")


if __name__ == "__main__":
    main()

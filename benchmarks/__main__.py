"""``python -m benchmarks``: measure everything in one run and print the tables."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.agreement import agreements
from benchmarks.cases import CASES, Inputs
from benchmarks.measure import measure
from benchmarks.workloads import WORKLOADS

FULL, QUICK = "clicks-300k-39-22b/1", "clicks-30k-39-22b/1"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"a try-out on {QUICK}, 3 rounds")
    parser.add_argument("--only", choices=CASES, action="append", help="this case; repeatable")
    parser.add_argument("--repeat", type=int, help="rounds (default 9)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every time here")
    chosen = parser.parse_args(arguments)
    if chosen.repeat is not None and chosen.repeat < 1:
        parser.error(f"--repeat {chosen.repeat} must be at least 1")
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; the exit status says whether all agreed that should, speed is only reported."""
    chosen = parse(arguments)
    workload = QUICK if chosen.quick else FULL
    events = 2_000 if chosen.quick else 20_000
    repeat = chosen.repeat or (3 if chosen.quick else 9)
    log = WORKLOADS[workload].load()
    print(f"{report.machine()}. Workload {workload}, {repeat} rounds.\n", flush=True)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        inputs = Inputs(log, events, Path(folder))
        for name in chosen.only or CASES:
            print(f"measuring {name} ...", file=sys.stderr)
            results.append(measure(CASES[name](inputs), repeat))
        agreed = agreements(log, min(events, 5_000), Path(folder))
    print(report.result_table(results), end="\n\n")
    print(report.agreement_table(agreed))
    missing = sorted({name for result in results for name in result.missing()})
    if missing:
        print(f"\nNot measured, since not installed: {', '.join(missing)}.")
    if chosen.json:
        data = report.as_data(workload, results, agreed)
        chosen.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return 0 if all(one.met for one in agreed) else 1


if __name__ == "__main__":
    sys.exit(main())

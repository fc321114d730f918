"""VowpalWabbit, river and scikit-learn over the sets of `quality_sets`, each over its own grid.

The grids are searched in hindsight: rates first, then penalties at the best rates. A regression's
targets come to them centred and scaled by the first 50. Results are the same at each run, seconds
apart; those of scikit-learn are of its arithmetic compiled (`quality_sgd`), not of its own calls.
"""

import itertools
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.quality_rows import Rows
from benchmarks.quality_score import LOOK, Result, Results, best, measured, write_results
from benchmarks.quality_sgd import SGD

__all__ = ["PEERS", "PEER_RESULTS", "run_peers"]

Array = npt.NDArray[Any]
PEER_RESULTS = Path(__file__).parent / "quality_peers.json"
MANY = 3_000_000  # values of a set from which on a slow peer has few settings


def scaled(rows: Rows) -> tuple[Array, float, float]:
    """Targets as others get them, and what makes predictions of theirs: × scale + centre."""
    if rows.task != "regression":
        return rows.targets, 0.0, 1.0
    centre, scale = rows.targets[:LOOK].mean(), rows.targets[:LOOK].std()
    return (rows.targets - centre) / scale, float(centre), float(scale)


# VowpalWabbit

RATES = ["", *(f"-l {rate}" for rate in (0.05, 0.1, 0.2, 1, 2, 3, 5, 10, 20, 40)),
         *(f"-l {rate} --power_t 0" for rate in (0.01, 0.03, 0.1, 0.3, 1, 3)),
         *(f"--sgd -l {rate}" for rate in (0.01, 0.1, 1)),
         *(f"--sgd -l {rate} --power_t 0" for rate in (0.01, 0.03, 0.1))]  # fmt: skip
FTRL = [f"--ftrl --ftrl_alpha {alpha} --ftrl_beta {beta}"
        for alpha in (0.01, 0.03, 0.1, 0.3, 1, 3, 5, 10) for beta in (0.1, 1)]  # fmt: skip
OTHERS = ["--coin", "--freegrad", "--pistol"]
GRAVITY, LAMBDA = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3), (0.03, 0.1, 0.3, 1, 3, 10, 30)


def write_lines(rows: Rows, path: Path) -> None:
    """VowpalWabbit's text; a slot is a name that is its own hash."""
    targets = scaled(rows)[0].tolist()
    if rows.task != "regression":
        targets = [int(y) + 1 if rows.task == "classes" else 2 * int(y) - 1 for y in targets]
    slots, values, ends = rows.slots.tolist(), rows.values.tolist(), rows.indptr.tolist()
    with path.open("w", encoding="ascii") as file:
        for y, start, end in zip(targets, ends, ends[1:], strict=False):
            parts = [f"{slots[i]}:{values[i]:.7g}" for i in range(start, end)]
            file.write(f"{y} | {' '.join(parts)}\n")


def vowpal_once(rows: Rows, folder: Path, setting: str) -> Result:
    """One pass over the cached file."""
    from vowpalwabbit import Workspace

    said, model = folder / "said", folder / "model"
    how = {
        "binary": "--loss_function logistic",
        "regression": "",
        "classes": f"--oaa {rows.classes} --loss_function logistic --probabilities",
    }[rows.task]
    bits = 22 if rows.task == "classes" else 18  # no two weights in one place
    start = time.perf_counter()
    Workspace(f"-d {folder / 'rows'} --cache_file {folder / 'cache'} --quiet -b {bits} -p {said} "
              f"--readable_model {model} {how} {setting}").finish()  # fmt: skip
    seconds = time.perf_counter() - start
    _, centre, scale = scaled(rows)
    if rows.task == "classes":
        text = said.read_text().replace(":", " ")
        scores = np.fromstring(text, sep=" ").reshape(len(rows), -1)[:, 1::2]
    else:
        scores = np.loadtxt(said) * scale + centre
    weights = re.findall(r"^\d+:(\S+)", model.read_text(), re.MULTILINE)
    active = sum(float(weight) != 0 for weight in weights) - ("--noconstant" not in setting)
    return measured(rows, scores, "VowpalWabbit", setting or "defaults", active, seconds)


def vowpal(rows: Rows) -> Iterator[Result]:
    """Gradient descent and FTRL, without and then with a penalty, and what needs no rate."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_lines(rows, folder / "rows")
        found: dict[str, list[Result]] = {"gd": [], "ftrl": [], "others": []}
        vowpal_once(rows, folder, "")  # makes the cache
        few = rows.task == "classes"
        grids = {
            "gd": ["", "-l 0.1", "-l 2", "-l 5"] if few else RATES,
            "ftrl": FTRL[4:10:2] + FTRL[5:10:2] if few else FTRL,
            "others": OTHERS[:1] if few else OTHERS,
        }
        for kind, grid in grids.items():
            for setting in grid:
                found[kind].append(vowpal_once(rows, folder, setting))
                yield found[kind][-1]
        for kind, penalties in (("gd", GRAVITY), ("ftrl", LAMBDA)):
            rate = best(found[kind]).setting.replace("defaults", "")
            ends = ["", " --noconstant"]
            for l1, end in itertools.product(penalties[1::2] if few else penalties, ends):
                yield vowpal_once(rows, folder, f"{rate} --l1 {l1}{end}".strip())


# scikit-learn


def sgd_once(rows: Rows, setting: SGD) -> Result:
    """One pass; many classes are learned one against the rest."""
    targets, centre, scale = scaled(rows)
    logistic = rows.task != "regression"
    start = time.perf_counter()
    if rows.task == "classes":
        runs = [setting.run(rows, (targets == k) * 1.0, logistic=True) for k in range(rows.classes)]
        with np.errstate(over="ignore"):
            shares = 1 / (1 + np.exp(-np.column_stack([scores for scores, _, _ in runs])))
        scores = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)
        active = sum(int((weights != 0).sum()) for _, weights, _ in runs)
    else:
        scores, weights, _ = setting.run(rows, targets, logistic=logistic)
        scores, active = scores * scale + centre, int((weights != 0).sum())
    seconds = time.perf_counter() - start
    return measured(rows, scores, "scikit-learn", f"{setting}", active, seconds)


def sgd(rows: Rows) -> Iterator[Result]:
    """`SGDClassifier` and `SGDRegressor`: rates without a penalty, then penalties."""
    SGD().run(rows.first(2), rows.targets[:2] * 0, logistic=True)  # compiles
    grid = [SGD("constant", eta0, penalty=None) for eta0 in (1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1)]
    grid += [SGD("invscaling", eta0, power, None)
             for eta0 in (0.01, 0.03, 0.1, 0.3, 1, 3) for power in (0.1, 0.25, 0.5)]  # fmt: skip
    grid += [SGD("optimal", alpha=alpha) for alpha in (1e-6, 1e-5, 1e-4, 1e-3, 0.01)]
    found: list[tuple[SGD, Result]] = []
    for setting, decay in itertools.product(grid, (0.01, 1.0)):
        setting = replace(setting, decay=decay)
        found.append((setting, sgd_once(rows, setting)))
        yield found[-1][1]
    least = best([result for _, result in found])
    [rate] = [setting for setting, result in found if result is least]
    for penalty, power in itertools.product(("l1", "elasticnet", "l2"), range(-14, -1)):
        yield sgd_once(rows, replace(rate, penalty=penalty, alpha=round(10 ** (power / 2), 8)))


def river(rows: Rows) -> Iterator[Result]:
    """See `quality_river`."""
    from benchmarks.quality_river import river as run

    few = len(rows.values) * (rows.classes if rows.task == "classes" else 1) > MANY
    return run(rows, few=few)


PEERS: dict[str, Callable[[Rows], Iterator[Result]]] = {
    "VowpalWabbit": vowpal,
    "scikit-learn": sgd,
    "river": river,
}


def run_peers(
    name: str, rows: Rows, results: Results, systems: list[str], path: Path | None = PEER_RESULTS
) -> None:
    """Run these systems anew over one set; what is found goes to the file at once."""
    for system in systems:
        start = time.perf_counter()
        kept = [one for one in results.get(name, []) if one.system != system]
        found = list(PEERS[system](rows))
        results[name] = kept + found
        if path is not None:
            write_results(path, results)
        least = best(found)
        print(f"{name}, {system}: {len(found)} settings in {time.perf_counter() - start:.0f} s, "
              f"{least.loss:.5g} with {least.setting}", file=sys.stderr, flush=True)  # fmt: skip

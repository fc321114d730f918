"""What each piece of a stack is worth: each one off, alone, on every set.

    python -m benchmarks.ablation [--data FOLDER] [-o docs/ablation.md]

A piece is taken out by a change of the source of its room, or of the lanes; the kernels are then
compiled in memory. A change whose text is not found is an error, so that none is idle.
"""

import argparse
import inspect
import math
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np

from benchmarks.quality_sets import GROUPS, load
from streamlasso import Evidence, GrowingIndex, scales
from streamlasso.stack import Lane, StackLearner, compiling, lanes_for

SETS = {
    "two classes": ("a9a", "criteo", "amazon", "elec2", "airlines", "kddcup99"),
    "regression": tuple(GROUPS["Regression"]),
    "shifted": ("elec2, shifted", "bike, shifted", "seeded, shift 30"),
    "few rows": ("golub", "diabetes > 140"),
}

Lanes = Callable[[Sequence[Lane]], Sequence[Lane]]


@dataclass(frozen=True)
class Piece:
    """What is taken out: texts of rooms, a scale, or lanes."""

    name: str
    edits: tuple[tuple[str, str, str], ...] = ()
    scale: str | None = None
    lanes: Lanes = list


def _without_evidence(lanes: Sequence[Lane]) -> list[Lane]:
    from dataclasses import replace

    none = Evidence(0.0)
    return [lane if lane.steady else Lane(replace(lane.rule, l1=none), lane.memory)
            for lane in lanes]  # fmt: skip


def _only(*names: str) -> Lanes:
    return lambda lanes: [lane for lane in lanes if lane.rule.name in names]


def _slow(lanes: Sequence[Lane]) -> list[Lane]:
    return [lane for lane in lanes if lane.memory == math.inf]


GUARD = "1.0 / (1.0 + math.exp(-min(max(book[Book.GAIN], -30.0), 30.0)))"
BOUND = "min(LARGEST, math.log(2.0 * book[Book.ROWS] + 1.0))"

PIECES = (
    Piece("nothing off"),
    Piece("scale: the maximum alone", scale="max"),
    Piece("scale: the root mean square alone", scale="rms"),
    Piece("no centring", (("features", "PRESENT, HALF = 0.9, 0.5", "PRESENT, HALF = 2.0, 2.0"),)),
    Piece("no evidence threshold", lanes=_without_evidence),
    Piece("AdaGrad lanes alone", lanes=_only("ftrl")),
    Piece("Newton lanes alone", lanes=_only("newton")),
    Piece("no Newton lanes", lanes=_only("ftrl", "soft_threshold")),
    Piece("no steady lane", lanes=_only("ftrl", "newton")),
    Piece("no fast intercepts", lanes=_slow),
    Piece("no second layer", (("layer", "+= gains[i] * step", "+= 0.0"),)),
    Piece("no forgetting in the second layer", (("layer", "GROW = 1 / 0.9999", "GROW = 1.0"),)),
    Piece("no guard", (("likelihood", GUARD, "1.0"), ("least_squares", GUARD, "1.0"))),
    Piece(
        "no means of recent labels",
        (
            ("likelihood", "link_of(recent) - long", "0.0 * recent"),
            ("least_squares", "cut_input((recent - mean) * unit)", "0.0 * recent"),
            ("least_squares", "cut_input(echo * unit)", "0.0 * echo"),
        ),
    ),
    Piece("no start", (("rows", "WARM_UP = 30.0", "WARM_UP = 0.0"),
                       ("likelihood", BOUND, "LARGEST"))),
    Piece("levels without slope and bias",
          (("layer", "first * residual * scale", "0.0"),
           ("layer", "second * residual * scale", "0.0"))),
)  # fmt: skip
ROOMS = ("features", "layer", "likelihood", "least_squares", "rows")


@contextmanager
def without(piece: Piece) -> Iterator[None]:
    """Kernels without a piece."""
    old = {room: getattr(compiling, room) for room in ROOMS}
    sources = {room: inspect.getsource(module) for room, module in old.items()}
    for room, before, after in piece.edits:
        if before not in sources[room]:
            raise ValueError(f"{piece.name}: {before!r} is not in {room}; follow the source here")
        sources[room] = sources[room].replace(before, after)
    kept = compiling.compile_top, dict(compiling.FAMILIES), scales.SCALES["rms-max"]
    for room, source in sources.items():
        module = types.ModuleType(old[room].__name__)
        module.__file__ = old[room].__file__
        exec(compile(source, str(old[room].__file__), "exec"), vars(module))
        setattr(compiling, room, module)
    for loss, module in compiling.FAMILIES.items():
        compiling.FAMILIES[loss] = getattr(compiling, module.__name__.rsplit(".", 1)[1])
    compiling.compile_top = _in_memory
    if piece.scale:
        scales.SCALES["rms-max"] = scales.SCALES[piece.scale]
    compiling._two.cache_clear()
    try:
        yield
    finally:
        compiling.compile_top, families, scales.SCALES["rms-max"] = kept
        compiling.FAMILIES.update(families)
        for room, module in old.items():
            setattr(compiling, room, module)
        compiling._two.cache_clear()


def _in_memory(function: Callable[..., Any], *, nogil: bool) -> Callable[..., Any]:
    return numba.njit(error_model="numpy", nogil=nogil, _nrt=False)(function)  # type: ignore[no-any-return]


def losses(name: str, folder: Path, piece: Piece) -> tuple[float, float]:
    """Full and served loss of one pass; for regression the root of it."""
    rows = load(name, folder)
    loss = "squared" if rows.task == "regression" else "logistic"
    index = GrowingIndex()
    for each in rows.names:
        index.add(each)
    learner = StackLearner(loss, index, lanes=piece.lanes(lanes_for(loss)))
    learner.learn_rows(rows.indptr, rows.slots, rows.values, rows.targets)
    both = learner.full_loss, learner.served_loss
    return both if loss == "logistic" else (math.sqrt(both[0]), math.sqrt(both[1]))


def table(folder: Path) -> str:
    """Geometric means of the losses over those with nothing off, and the worst set."""
    head = "| off | " + " | ".join(f"{group}: full | served" for group in SETS) + " | worst set |"
    lines = [head, "|---|" + "---:|" * (2 * len(SETS)) + "---|"]
    whole: dict[str, tuple[float, float]] = {}
    for piece in PIECES:
        cells, ratios = [], {}
        with without(piece):
            for names in SETS.values():
                for name in names:
                    found = losses(name, folder, piece)
                    whole.setdefault(name, found)
                    ratios[name] = [a / b for a, b in zip(found, whole[name], strict=True)]
                logs = np.log([ratios[name] for name in names])
                cells += [f"{math.exp(mean):.3f}" for mean in logs.mean(axis=0)]
        worst = max(ratios, key=lambda name: ratios[name][0])
        shown = f"{worst} {ratios[worst][0]:.2f}" if piece is not PIECES[0] else ""
        lines.append(f"| {piece.name} | " + " | ".join(cells) + f" | {shown} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="what each piece of a stack is worth")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    text = table(given.data)
    if given.output:
        page = given.output.read_text(encoding="utf-8") if given.output.exists() else ""
        given.output.write_text(page.partition("| off |")[0] + text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The cases: who runs what, which pairs are compared, which rules and losses that covers.

Rules and losses are taken from the registries with their defaults, so a new one is measured without
an edit here; one that cannot be goes into `EXCLUDED` with its reason.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from benchmarks import peers
from benchmarks.peers import Run
from benchmarks.workloads import ClickLog
from streamlasso import LOSSES, RULES, Learner
from streamlasso.losses import get_loss
from streamlasso.recipe import Recipe
from streamlasso.rules import Rule

__all__ = ["CASES", "COVERED", "EXCLUDED", "Case", "Entry", "Inputs", "Pair"]

EXCLUDED: dict[str, str] = {}
"""Name of a rule or loss → why no case has it."""

MEASURED_RULES = {name: rule for name, rule in RULES.items() if name not in EXCLUDED}
MEASURED_LOSSES = {name: loss for name, loss in LOSSES.items() if name not in EXCLUDED}


@dataclass(frozen=True)
class Entry:
    """One contestant: ``prepare`` sets up a new model and returns the run to be timed."""

    prepare: Callable[[], Run]
    needs: str = "streamlasso"

    @property
    def available(self) -> bool:
        """Whether the peer is installed."""
        return find_spec(self.needs) is not None


@dataclass(frozen=True)
class Pair:
    """Two entries of a case by name; the goal is a bound of time(peer) / time(ours)."""

    ours: str
    peer: str
    goal: float | None = None


@dataclass(frozen=True)
class Case:
    """Entries that run in turn over the same events."""

    title: str
    unit: str
    """``"µs/event"`` or ``"rows/s"``."""
    events: int
    entries: Mapping[str, Entry]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Inputs:
    """What the cases read; the files are written into ``folder`` when they are first needed."""

    log: ClickLog
    events: int
    folder: Path

    @cached_property
    def labels(self) -> list[bool]:
        """The first clicks, as river takes them."""
        return (self.log.clicks[: self.events] == 1).tolist()

    @cached_property
    def text(self) -> Path:
        """The log as VowpalWabbit reads it."""
        return self.log.write_vw(self.folder / "clicks.txt")


def takes_float32(rule: Rule) -> bool:
    """Whether a rule can live in a float32 state."""
    try:
        Learner(rule, dtype="float32")
    except ValueError:
        return False
    return True


def one_event(inputs: Inputs) -> Case:
    """predict + learn, one event at a time, 39 numbers in a dict."""
    data = inputs.log.numeric(inputs.events), inputs.labels
    entries = {
        name: Entry(partial(peers.ours_events, rule(), *data))
        for name, rule in MEASURED_RULES.items()
    }
    entries["without arguments"] = Entry(partial(peers.ours_events, None, *data))
    for kind in ("plain", "l1", "ftrl"):
        entries[f"river {kind}"] = Entry(partial(peers.river_events, kind, *data), "river")
    pairs = (
        Pair("ftrl", "river ftrl", goal=12.0),
        Pair("ftrl", "river plain", goal=2.2),
        *(Pair(name, "river l1", goal=7.0 if name == "ftrl" else None) for name in MEASURED_RULES),
        Pair("without arguments", "river ftrl", goal=6.0),
        Pair("without arguments", "river plain", goal=1.3),
    )
    title = "predict + learn one event of 39 numbers"
    return Case(title, "µs/event", inputs.events, entries, pairs)


def one_event_strings(inputs: Inputs) -> Case:
    """predict + learn, one event at a time, 39 strings in a dict (VowpalWabbit: in a line)."""
    log, events = inputs.log, inputs.events
    data = log.categorical(events), inputs.labels
    entries = {"ftrl": Entry(partial(peers.ours_events, RULES["ftrl"](), *data))}
    for kind in ("plain", "l1", "ftrl"):
        name = f"river one-hot + {kind}"
        entries[name] = Entry(partial(peers.river_categories, kind, *data), "river")
    lines = list(islice(log.vw_lines(), events))
    entries["VW ftrl, line by line"] = Entry(
        partial(peers.vw_events, lines, log.bits), "vowpalwabbit"
    )
    goals = {"VW ftrl, line by line": 2.0}
    pairs = tuple(Pair("ftrl", name, goals.get(name)) for name in entries if name != "ftrl")
    return Case("predict + learn one event of 39 strings", "µs/event", events, entries, pairs)


def frames(inputs: Inputs) -> Case:
    """learn_many of frames of 1,000 × 39 numbers: a true step per row, river's one for them all."""
    events, labels = inputs.log.numeric(inputs.events), inputs.labels
    data = peers.frames_of(events, labels, 1_000)
    entries = {
        "ftrl, learn_many": Entry(partial(peers.ours_frames, RULES["ftrl"](), data)),
        "river plain, learn_one": Entry(
            partial(peers.river_learning, "plain", events, labels), "river"
        ),
        "river plain, learn_many": Entry(partial(peers.river_frames, "plain", data), "river"),
    }
    pairs = (
        Pair("ftrl, learn_many", "river plain, learn_one", goal=15.0),
        Pair("ftrl, learn_many", "river plain, learn_many", goal=1 / 3),
    )
    return Case("learn frames of 1,000 × 39 numbers", "µs/event", inputs.events, entries, pairs)


GOALS = {"float64": 0.65, "float32": 0.8, "sklearn": 3.0}
"""Of FTRL: against the touch limit by dtype, and against scikit-learn."""


def rows(inputs: Inputs) -> Case:
    """learn_rows of every rule, against the touch limit, scikit-learn and VowpalWabbit."""
    log, bits = inputs.log, inputs.log.bits
    entries: dict[str, Entry] = {}
    pairs: list[Pair] = []
    others = {
        f"sklearn l1 {dtype}, one call": Entry(
            partial(peers.sklearn_rows, None, dtype, log), "sklearn"
        )
        for dtype in ("float64", "float32")
    }
    others |= {
        "sklearn l1 float64, chunks of 10,000": Entry(
            partial(peers.sklearn_rows, 10_000, "float64", log), "sklearn"
        ),
        "VW ftrl, text file": Entry(partial(peers.vw_file, inputs.text, bits), "vowpalwabbit"),
        "VW ftrl, binary cache": Entry(
            partial(peers.vw_file, inputs.text, bits, cached=True), "vowpalwabbit"
        ),
    }
    for name, dtype, rule in _rules_and_dtypes():
        ours, kernel, limit = f"{name} {dtype}", f"{name} {dtype}, kernel", _limit(rule, dtype)
        goals = GOALS if name == "ftrl" else {}
        entries[ours] = Entry(partial(peers.ours_rows, rule, "logistic", dtype, log))
        entries[kernel] = Entry(partial(peers.ours_kernel, rule, "logistic", dtype, log))
        entries[limit] = Entry(partial(peers.touch_rows, width(rule), dtype, log))
        prefetched = f"{limit}, with prefetch"
        entries[prefetched] = Entry(partial(peers.touch_rows, width(rule), dtype, log, True))
        pairs += [Pair(ours, limit, goals.get(dtype))]
        pairs += [Pair(kernel, limit), Pair(kernel, prefetched)]
        pairs += [Pair(ours, f"sklearn l1 {dtype}, one call", goals.get("sklearn"))]
    others["ftrl float64, 2 threads without locks"] = Entry(
        partial(peers.ours_hogwild, RULES["ftrl"](), 2, log)
    )
    others["ftrl float64, new memory"] = Entry(partial(peers.ours_new_memory, RULES["ftrl"](), log))
    pairs += [Pair("ftrl float64", name) for name in others if "one call" not in name]
    title = f"learn {len(log):,} rows of 39 features in 2^{bits} slots"
    return Case(title, "rows/s", len(log), entries | others, tuple(pairs))


def losses(inputs: Inputs) -> Case:
    """learn_rows of the default rule with every loss, against the touch limit.

    Softmax learns the two classes in a lane each.
    """
    rule = RULES["ftrl"]()
    entries = {
        f"ftrl {loss}": Entry(partial(peers.ours_rows, rule, loss, "float64", inputs.log))
        for loss in MEASURED_LOSSES
    }
    limits = {loss: _limit(rule, "float64", loss) for loss in MEASURED_LOSSES}
    pairs = tuple(Pair(f"ftrl {loss}", limit) for loss, limit in limits.items())
    entries |= {
        limit: Entry(partial(peers.touch_rows, width(rule, loss), "float64", inputs.log))
        for loss, limit in limits.items()
    }
    return Case("the same rows by loss", "rows/s", len(inputs.log), entries, pairs)


def _rules_and_dtypes() -> Iterator[tuple[str, str, Rule]]:
    for name, kind in MEASURED_RULES.items():
        yield name, "float64", kind()
        if takes_float32(kind()):
            yield name, "float32", kind()


def width(rule: Rule, loss: str = "logistic") -> int:
    """Numbers in a record: those of the rule, for each lane of the loss."""
    made = get_loss(loss)
    return Recipe.of(rule, made, int(made.hyper()[0]) if made.together else 1).width


def _limit(rule: Rule, dtype: str, loss: str = "logistic") -> str:
    return f"touch limit, {width(rule, loss)} × {dtype}"


def shapes(inputs: Inputs) -> Case:
    """The kernel: 16 lanes against one, 2^26 slots against 2^22, a stack against FTRL."""
    log, rule = inputs.log, RULES["ftrl"]()
    events = min(len(log), 60_000)
    sized = {f"2^{bits} slots, all alike": bits for bits in (22, 26)}
    entries = {
        f"{lanes} lanes": Entry(partial(peers.lanes_kernel, lanes, events, log))
        for lanes in (1, 16)
    } | {name: Entry(partial(peers.sized_kernel, bits, events)) for name, bits in sized.items()}
    for dtype in ("float64", "float32"):
        entries |= {
            f"ftrl {dtype}": Entry(
                partial(peers.ours_kernel, rule, "logistic", dtype, log, events)
            ),
            f"without arguments {dtype}": Entry(partial(peers.stack_kernel, dtype, log, events)),
        }
    pairs = (
        Pair("16 lanes", "1 lanes", goal=1 / 5),
        Pair("2^26 slots, all alike", "2^22 slots, all alike", goal=0.5),
        Pair("without arguments float32", "ftrl float32", goal=1 / 4),
        Pair("without arguments float64", "ftrl float64"),
    )
    return Case("lanes, slots, and a learner without arguments", "rows/s", events, entries, pairs)


CASES: dict[str, Callable[[Inputs], Case]] = {
    build.__name__: build for build in (one_event, one_event_strings, frames, rows, losses, shapes)
}
COVERED = {"rules": frozenset(MEASURED_RULES), "losses": frozenset(MEASURED_LOSSES)}
"""Names of the registered rules and losses that a case measures."""

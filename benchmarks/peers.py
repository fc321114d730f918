"""What is timed: each function sets one learner up and returns the run that goes on the clock.

A run makes one pass over its workload with a new model and returns what it made, so that taking it
apart is not timed. The memory of a model is touched beforehand where the peer allows it (all but
VowpalWabbit): what a page costs that was never used depends on what ran before.

Settings are equal where the peer has the same algorithm: FTRL-Proximal with α = 0.1, β = 1, λ1 = 1;
otherwise one constant step size, 0.05 for rows and river's default of 0.01 for events.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.touch import touch
from benchmarks.workloads import ClickLog
from streamlasso import FTRLProximal, HashingIndex, Learner, SparseClassifier
from streamlasso.hogwild import learn_rows_hogwild
from streamlasso.learners import AnyLearner
from streamlasso.rules import Rule
from streamlasso.stack import StackLearner

__all__ = ["VW_FTRL", "Array", "Run"]

Array = npt.NDArray[Any]

Run = Callable[[], object]
Events = Sequence[Mapping[str, Any]]

# --noconstant: VowpalWabbit would penalise its constant as a feature.
VW_FTRL = (
    "--quiet --loss_function logistic --noconstant -b {bits} "
    "--ftrl --ftrl_alpha 0.1 --ftrl_beta 1 --l1 1"
)
L1_PER_EVENT = 1e-5


def _events(model: Any, events: Events, labels: Sequence[bool]) -> Run:
    def run() -> object:
        predict, learn = model.predict_proba_one, model.learn_one
        for event, label in zip(events, labels, strict=True):
            predict(event)
            learn(event, label)
        return model

    return run


def ours_events(rule: Rule | None, events: Events, labels: Sequence[bool]) -> Run:
    """predict_proba_one and learn_one of `SparseClassifier` with a growing index."""
    return _events(SparseClassifier(rule), events, labels)


def river_model(kind: str) -> Any:
    """river's logistic regression: ``"plain"`` (SGD), ``"l1"`` or ``"ftrl"``."""
    from river.linear_model import LogisticRegression
    from river.optim import SGD, FTRLProximal

    if kind == "ftrl":
        return LogisticRegression(FTRLProximal(alpha=0.1, beta=1.0, l1=1.0, l2=0.0))
    return LogisticRegression(SGD(0.01), l1=L1_PER_EVENT if kind == "l1" else 0.0)


def river_events(kind: str, events: Events, labels: Sequence[bool]) -> Run:
    """predict_proba_one and learn_one of river, which takes numbers only."""
    return _events(river_model(kind), events, labels)


def river_learning(kind: str, events: Events, labels: Sequence[bool]) -> Run:
    """learn_one of river alone."""
    model = river_model(kind)

    def run() -> object:
        learn = model.learn_one
        for event, label in zip(events, labels, strict=True):
            learn(event, label)
        return model

    return run


Frames = Sequence[tuple[Any, Any]]


def frames_of(events: Events, labels: Sequence[bool], rows: int) -> Frames:
    """The events as pandas frames of so many rows, and their labels."""
    import pandas as pd

    return [
        (pd.DataFrame(events[start : start + rows]), pd.Series(labels[start : start + rows]))
        for start in range(0, len(events), rows)
    ]


def _frames(model: Any, frames: Frames) -> Run:
    def run() -> object:
        for X, y in frames:
            model.learn_many(X, y)
        return model

    return run


def ours_frames(rule: Rule, frames: Frames) -> Run:
    """`SparseClassifier.learn_many`: each row is a step of its own."""
    return _frames(SparseClassifier(rule), frames)


def river_frames(kind: str, frames: Frames) -> Run:
    """river's learn_many: one step for all rows of a frame, by their mean gradient."""
    return _frames(river_model(kind), frames)


def river_categories(kind: str, events: Events, labels: Sequence[bool]) -> Run:
    """The same after river's one-hot encoder, as one pipeline."""
    from river.preprocessing import OneHotEncoder

    return _events(OneHotEncoder(drop_zeros=True) | river_model(kind), events, labels)


def vw_events(lines: Iterable[str], bits: int) -> Run:
    """Parse a line, predict, learn, release: VowpalWabbit called once per event from Python."""
    from vowpalwabbit import Workspace

    lines = list(lines)
    model = Workspace(VW_FTRL.format(bits=bits))

    def run() -> object:
        parse, predict, learn = model.parse, model.predict, model.learn
        for line in lines:
            example = parse(line)
            predict(example)
            learn(example)
            model.finish_example(example)
        return model

    return run


def _learner(rule: Rule, loss: str, dtype: str, bits: int) -> Learner:
    learner = Learner(rule, loss, HashingIndex(bits), dtype=dtype)
    learner.state.fill(0.0)  # new zeros are pages that the system has yet to find
    return learner


def ours_rows(rule: Rule, loss: str, dtype: str, log: ClickLog) -> Run:
    """`Learner.learn_rows` over hashed slots, all its checks included."""
    learner = _learner(rule, loss, dtype, log.bits)
    values, targets = log.ones.astype(dtype), log.targets.astype(dtype)
    return lambda: learner.learn_rows(log.indptr, log.slots, values, targets)


def ours_new_memory(rule: Rule, log: ClickLog) -> Run:
    """The same in memory that was never touched, as the first pass of a new process."""
    learner = Learner(rule, "logistic", HashingIndex(log.bits))
    return lambda: learner.learn_rows(log.indptr, log.slots, log.ones, log.targets)


def ours_kernel(rule: Rule, loss: str, dtype: str, log: ClickLog, events: int | None = None) -> Run:
    """`Learner.learn_encoded`: the compiled loop alone, over all rows or the first ``events``."""
    return _kernel(_learner(rule, loss, dtype, log.bits), log, events)


def _kernel(learner: AnyLearner, log: ClickLog, events: int | None) -> Run:
    values, targets = (each.astype(learner.dtype) for each in (log.ones, log.targets[:events]))
    ones = np.ones_like(targets)
    indptr = log.indptr[: len(targets) + 1]
    return lambda: learner.learn_encoded(indptr, log.slots, values, targets, ones)


def lanes_kernel(lanes: int, events: int, log: ClickLog) -> Run:
    """So many FTRL models side by side in float32, in 2^18 slots."""
    rules = [FTRLProximal(0.05 + 0.01 * lane, l1=1.0 + 0.1 * lane) for lane in range(lanes)]
    learner = Learner(rules, "logistic", HashingIndex(18), dtype="float32")
    learner.state.fill(0.0)
    values, targets = log.ones.astype("float32"), log.targets[:events].astype("float32")
    slots, indptr, ones = log.slots >> 4 | 2, log.indptr[: events + 1], np.ones_like(targets)
    return lambda: learner.learn_encoded(indptr, slots, values, targets, ones)


def sized_kernel(bits: int, events: int) -> Run:
    """One FTRL model in float32 over 39 slots a row of which none is likelier than another."""
    learner = _learner(FTRLProximal(), "logistic", "float32", bits)
    random = np.random.default_rng(bits)
    slots = random.integers(2, 1 << bits, events * 39).astype(np.uint32)
    targets = (random.random(events) < 0.25).astype("float32")
    indptr, values = np.arange(events + 1) * 39, np.ones(events * 39, "float32")
    return lambda: learner.learn_encoded(indptr, slots, values, targets, np.ones_like(targets))


def stack_kernel(dtype: str, log: ClickLog, events: int) -> Run:
    """The learner without arguments over hashed slots: the compiled loop alone."""
    learner = StackLearner(loss="logistic", index=HashingIndex(log.bits), dtype=dtype)
    learner.state.fill(0.0)
    return _kernel(learner, log, events)


def ours_hogwild(rule: Rule, threads: int, log: ClickLog) -> Run:
    """The rows on threads that do not wait for each other."""
    learner = _learner(rule, "logistic", "float64", log.bits)
    rows = log.indptr, log.slots, log.ones, log.targets
    return lambda: learn_rows_hogwild(learner, *rows, threads=threads)


def touch_rows(columns: int, dtype: str, log: ClickLog, prefetched: bool = False) -> Run:
    """The touch limit over the same slots, in a state like a learner's."""
    state = np.zeros((1 << log.bits, columns), dtype)
    state.fill(0.0)
    values, scores = log.ones.astype(dtype), np.empty(len(log), dtype)
    return lambda: touch(columns, prefetched)(state, log.indptr, log.slots, values, scores)


def sklearn_model(**settings: Any) -> Any:
    """scikit-learn's SGD with a constant step size, in the order of the rows.

    Without an intercept: for sparse rows scikit-learn learns it at 1/100 of the step size.
    """
    from sklearn.linear_model import SGDClassifier

    settings = {"penalty": "l1", "alpha": L1_PER_EVENT} | settings
    return SGDClassifier(
        loss="log_loss", learning_rate="constant", eta0=0.05, shuffle=False, fit_intercept=False,
        **settings,
    )  # fmt: skip


def sklearn_rows(chunk: int | None, dtype: str, log: ClickLog) -> Run:
    """`SGDClassifier.partial_fit`, in one call or in chunks that were sliced beforehand.

    Its weights take the dtype of the rows.

    An empty row makes the model first; its other arrays scikit-learn makes anew at each call.
    """
    from scipy.sparse import csr_array

    model = sklearn_model()
    size, csr = chunk or len(log), log.csr.astype(dtype, copy=False)
    chunks = [
        (csr[start : start + size], log.clicks[start : start + size])
        for start in range(0, len(log), size)
    ]
    classes = np.array([0, 1])
    model.partial_fit(csr_array((1, csr.shape[1]), dtype=dtype), log.clicks[:1], classes)
    model.coef_ += 0.0

    def run() -> object:
        for rows, clicks in chunks:
            model.partial_fit(rows, clicks)
        return model

    return run


def vw_file(path: Path, bits: int, *, cached: bool = False) -> Run:
    """VowpalWabbit over a whole text file: reading, parsing, hashing, learning.

    With ``-d`` the package makes the whole pass while the workspace is constructed, parsing in one
    thread and learning in another. Cached: from VowpalWabbit's own binary cache of the file.
    """
    from vowpalwabbit import Workspace

    arguments = f"-d {path} {VW_FTRL.format(bits=bits)}"
    if cached:
        cache = path.with_suffix(".cache")
        arguments += f" --cache_file {cache}"
        if not cache.exists():
            Workspace(arguments).finish()
    return lambda: Workspace(arguments)


def river_file(path: Path, events: int) -> None:
    """The usual loop of one's own over JSON lines: orjson, then predict and learn with river."""
    import orjson
    from river.preprocessing import OneHotEncoder

    model = OneHotEncoder(drop_zeros=True) | river_model("ftrl")
    with path.open("rb") as file:
        for line in islice(file, events):
            event = orjson.loads(line)
            label = event.pop("_label") == 1
            model.predict_proba_one(event)
            model.learn_one(event, label)

"""Bounded indexes against naive models of each policy, wherever the stream is cut."""

import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from streamlasso import (
    ADMISSIONS,
    RULES,
    AdmitAtRandom,
    AdmitByCount,
    FTRLProximal,
    Group,
    GrowingIndex,
    Learner,
    SparseRegressor,
    load,
)
from streamlasso.index import FeatureIndex, Name
from streamlasso.kernels import FIRST, UNSEEN
from streamlasso.snapshot import capture

# Plain Python warns where the compiled kernels silently reject a row.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

RULE = FTRLProximal(alpha=0.5, l1=0.7)
BOUNDS: dict[str, dict[str, Any]] = {
    "refuse": {"max_features": 3},
    "evict": {"max_features": 3, "at_limit": "evict"},
    "evict-more": {"max_features": 48, "at_limit": "evict"},
    "count": {"admit": AdmitByCount(times=2, bits=8)},
    "random": {"admit": AdmitAtRandom(probability=0.4, seed=3)},
    "count-refuse": {"max_features": 3, "admit": AdmitByCount(times=3, bits=8)},
    "random-evict": {"max_features": 4, "at_limit": "evict", "admit": AdmitAtRandom(0.5)},
}
each_bound = pytest.mark.parametrize("bounds", BOUNDS.values(), ids=BOUNDS)
tried = settings(max_examples=40, deadline=None, derandomize=True, database=None)

NAMES: list[Name] = ["a", "b", "c", "d", 1, 2, ("t", 1), "é", "\ud800"]
MANY: list[Name] = [("n", i) for i in range(90)]
EVENTS = st.lists(
    st.tuples(
        st.dictionaries(
            st.sampled_from(NAMES) | st.sampled_from(MANY),
            st.sampled_from([1.0, -2.0, 0.0, 0.0, 3.0, "x", None]),
            max_size=7,
        ),
        st.sampled_from([-3.0, -1.0, 0.1, 2.0, float("inf")]),
        st.sampled_from([0.0, 1.0, 1.0, 2.0]),
    ),
    min_size=5,
    max_size=40,
)
Stream = list[tuple[dict[Name, Any], float, float]]


def model_of(bounds: dict[str, Any]) -> Any:
    """An estimator with kernels in plain Python."""
    return interpreted(SparseRegressor(RULE, index=GrowingIndex(**bounds)))


def interpreted(model: Any) -> Any:
    model.learner.compiled = False
    model.learner._prepare()
    return model


def bits(model: Any) -> str:
    """The digest of all that a snapshot keeps."""
    return capture(model).serialise()[1]


def names_of(model: Any) -> set[Name]:
    return {name for _, name in model.learner.index.entries()}


def learn(model: Any, events: Stream) -> None:
    for x, y, w in events:
        model.learn_one(x, y, w)


def rare_names(rows: int) -> Stream:
    """A signal in two names among many that come once and a few that come often."""
    random = np.random.default_rng(5)
    events: Stream = []
    for i in range(rows):
        x = {
            "a": float(random.normal()),
            "b": float(random.normal()),
            "id": str(i % 5 if i % 3 else i),
        }
        events.append((x, 2.0 * x["a"] - x["b"], 1.0))
    return events


# Admission by itself


@pytest.mark.parametrize("times", [1, 2, 3, 255])
def test_a_name_alone_is_admitted_exactly_when_it_comes_that_often(times: int) -> None:
    admission = AdmitByCount(times)
    answers = [admission.admits("a", offer) for offer in range(times)]
    assert answers == [False] * (times - 1) + [True]


@tried
@given(
    st.lists(st.integers(0, 60), max_size=300),
    st.integers(1, 4),
    st.sampled_from([4, 6, 16]),
)
def test_counting_admits_never_late_and_early_only_where_counters_are_shared(
    stream: list[int], times: int, bits: int
) -> None:
    admission = AdmitByCount(times, bits)
    counts: Counter[int] = Counter()
    for offer, name in enumerate(stream):
        counts[name] += 1
        admitted = admission.admits(name, offer)
        assert admitted or counts[name] < times
        if bits == 16:
            assert admitted == (counts[name] >= times)
    assert len(admission.memory()["counters"]) == 2**bits


def test_early_admission_is_as_rare_as_stated() -> None:
    admission = AdmitByCount(times=2, bits=14)
    waiting = 2**14 // 4
    for offer in range(waiting):
        admission.admits(offer, offer)
    stated = (1 - np.exp(-4 * waiting / 2**14)) ** 4
    early = np.mean([AdmitByCount.admits(admission, -1 - i, 0) for i in range(0, 400)])
    assert stated == pytest.approx(0.16, abs=0.005)
    assert early == pytest.approx(stated, abs=0.08)
    assert admission.filled == pytest.approx(stated**0.25, abs=0.08)


@pytest.mark.parametrize("probability", [0.05, 0.3, 1.0])
def test_random_admission_has_its_probability_and_its_seed(probability: float) -> None:
    draws = [
        [AdmitAtRandom(probability, seed).admits(f"n{i}", i) for i in range(4000)]
        for seed in (0, 0, 1)
    ]
    assert np.mean(draws[0]) == pytest.approx(probability, abs=0.03)
    assert draws[0] == draws[1]
    assert (draws[0] == draws[2]) == (probability == 1)


def test_random_draws_are_pinned() -> None:
    """Snapshots of other processes and machines depend on them."""
    admission = AdmitAtRandom(0.5)
    names: list[Name] = ["a", 1, ("t", 2)]
    drawn = [[int(admission.admits(name, offer)) for offer in range(12)] for name in names]
    assert drawn == [
        [0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0],
        [0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 1],
        [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 1],
    ]


@pytest.mark.parametrize("kind", ADMISSIONS.values(), ids=ADMISSIONS)
def test_an_admission_comes_back_from_its_settings_and_memory(kind: Any) -> None:
    admission = kind()
    for offer in range(50):
        admission.admits(offer % 30, offer)
    again = kind(**admission.settings())
    again.remember(admission.memory())
    fresh = admission.fresh()
    assert again == admission
    assert fresh == kind()
    answers = [
        [one.admits(name, 50 + name) for name in range(60)] for one in (admission, again, fresh)
    ]
    assert answers[0] == answers[1]
    assert kind is AdmitAtRandom or answers[0] != answers[2]


# Wrong settings


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GrowingIndex(0), r"max_features = 0 must be an integer from 1 to"),
        (lambda: GrowingIndex(True), r"max_features = True must be an integer"),
        (lambda: GrowingIndex(2.5), r"max_features = 2.5 must be .*or None for no limit"),
        (lambda: GrowingIndex(5, "drop"), r"at_limit = 'drop' must be 'refuse' or 'evict'"),
        (lambda: GrowingIndex(None, "evict"), r"at_limit = 'evict' needs max_features"),
        (lambda: GrowingIndex(admit={"kind": "x"}), r"kind = 'x' is none of count, random"),
        (lambda: GrowingIndex(admit="count"), r"'count' must be None or one of AdmitByCount\(\)"),
        (lambda: AdmitByCount(0), r"times = 0 must be an integer from 1 to 255"),
        (lambda: AdmitByCount(256), r"times = 256 must be an integer from 1 to 255"),
        (lambda: AdmitByCount(bits=3), r"bits = 3 must be an integer from 4 to 32"),
        (lambda: AdmitAtRandom(0.0), r"probability = 0.0 must be above 0 and at most 1"),
        (lambda: AdmitAtRandom(float("nan")), r"probability = nan must be above 0"),
        (lambda: AdmitAtRandom(seed=-1), r"seed = -1 must be an integer from 0 to"),
    ],
)
def test_a_wrong_setting_is_named_with_its_bounds(make: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_an_index_that_evicts_belongs_to_one_learner() -> None:
    index = GrowingIndex(3, "evict")
    learner = Learner(RULE, index=index)
    with pytest.raises(ValueError, match=r"belongs to another learner.*index.fresh\(\)"):
        Learner(RULE, index=index)
    assert pickle.loads(pickle.dumps(learner)).index.evictor is not None
    with pytest.raises(ValueError, match="never frees slots; use one with at_limit='evict'"):
        Learner(RULE, index=GrowingIndex(3)).evict(1)


# Against naive models


class Naive:
    """Which names are in, by the words of the documentation."""

    def __init__(self, bounds: dict[str, Any]) -> None:
        self.limit = bounds.get("max_features") or 10**9
        self.evicts = bounds.get("at_limit") == "evict"
        self.admit = bounds.get("admit")
        self.touched: dict[Name, int] = {}
        self.slots: dict[Name, int] = {}
        self.counts: Counter[Name] = Counter()
        self.offers = self.waiting = self.refused = self.evicted = self.pause = 0

    def learn(self, model: Any, names: list[Name]) -> None:
        """Decide on a row's names as the weights stand before it."""
        weights = model.weights
        here = {name for name in names if name in self.slots}
        for name in names:
            if name in self.slots:
                continue
            self.offers += 1
            self.counts[name] += 1
            if not self.admitted(name):
                self.waiting += 1
            elif len(self.slots) < self.limit or self.room(weights, here):
                used = set(self.slots.values())
                free = (slot for slot in range(FIRST, 10**9) if slot not in used)
                self.slots[name] = next(free)
                self.touched[name] = 0
                here.add(name)
            else:
                self.refused += 1

    def admitted(self, name: Name) -> bool:
        if isinstance(self.admit, AdmitByCount):
            return self.counts[name] >= self.admit.times
        return self.admit is None or self.admit.admits(name, self.offers - 1)

    def room(self, weights: dict[Name, float], here: set[Name]) -> bool:
        if not self.evicts:
            return False
        if self.pause:
            self.pause -= 1
            return False
        share = max(1, self.limit // 16)
        idle = [name for name in self.slots if name not in here and not weights.get(name)]
        idle.sort(key=lambda name: (self.touched[name], self.slots[name]))
        for name in idle[:share]:
            del self.slots[name]
            if isinstance(self.admit, AdmitByCount):
                self.counts[name] = self.admit.times - 1
        self.evicted += len(idle[:share])
        self.pause = share - len(idle[:share])
        return bool(idle)


def names_in(x: dict[Name, Any]) -> list[Name]:
    names: list[Name] = []
    for name, value in x.items():
        if isinstance(value, str):
            names.append(f"{name}={value}" if isinstance(name, str) else (name, "=", value))
        elif value is not None:
            names.append(name)
    return names


@each_bound
@tried
@given(events=EVENTS)
def test_the_names_are_those_of_the_naive_model(bounds: dict[str, Any], events: Stream) -> None:
    model, naive = model_of(bounds), Naive(bounds)
    index = model.learner.index
    for x, y, w in events:
        before = model.learner.clock
        if w:
            naive.learn(model, names_in(x))
        model.learn_one(x, y, w)
        assert dict(index.entries()) == {slot: name for name, slot in naive.slots.items()}
        if model.learner.clock > before:
            for name in names_in(x):
                if name in naive.slots:
                    naive.touched[name] = model.learner.clock
        counted = (index.offered, index.waiting, index.refused, index.evicted)
        assert counted == (naive.offers, naive.waiting, naive.refused, naive.evicted)
        assert index.tracked <= naive.limit
        assert len(model.learner.state) <= max(64, index.size)
        assert len(model.learner.state) <= index.limit
        assert not model.learner.state[UNSEEN].any()


@each_bound
@tried
@given(events=EVENTS, cuts=st.sets(st.integers(0, 39)))
def test_predicting_repeating_and_snapshots_change_nothing(
    bounds: dict[str, Any], events: Stream, cuts: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    alone, other = model_of(bounds), model_of(bounds)
    path = tmp_path_factory.mktemp("models") / "m"
    for i, (x, y, w) in enumerate(events):
        before = bits(other)
        predicted = other.predict_one(x)
        other.predict_one({"never": 1.0, "learned": "x"})
        if i % 2:
            other.predict_one(x)
        assert bits(other) == before
        assert other.predict_one(x) == predicted or predicted != predicted
        alone.learn_one(x, y, w)
        other.learn_one(x, y, w)
        assert bits(other) == bits(alone)
        if i in cuts:
            other = interpreted(load(other.save(path)))
        elif i % 5 == 4:
            other = pickle.loads(pickle.dumps(other))


@each_bound
@tried
@given(events=EVENTS, size=st.integers(1, 9))
def test_frames_of_any_length_are_the_single_events(
    bounds: dict[str, Any], events: Stream, size: int
) -> None:
    alone, frames = model_of(bounds), model_of(bounds)
    columns = ["a", "b", "c", "d", "é"]
    table = [{name: x.get(name) for name in columns} for x, _, _ in events]
    learn(alone, [(x, y, w) for x, (_, y, w) in zip(table, events, strict=True)])
    for start in range(0, len(events), size):
        here = slice(start, start + size)
        frame = pd.DataFrame(table[here], columns=columns, dtype=object)
        frames.learn_many(frame, pd.Series([y for _, y, _ in events[here]]),
                          [w for _, _, w in events[here]])  # fmt: skip
    assert bits(frames) == bits(alone)


@each_bound
@tried
@given(seed=st.integers(0, 1000), size=st.integers(1, 9))
def test_matrices_of_any_length_are_the_single_events(
    bounds: dict[str, Any], seed: int, size: int
) -> None:
    random = np.random.default_rng(seed)
    X = np.where(random.random((25, 8)) < 0.3, random.normal(size=(25, 8)), 0.0)
    y, w = random.normal(size=25), random.integers(0, 3, 25).astype(float)
    alone, chunks = model_of(bounds), model_of(bounds)
    for row, target, weight in zip(X, y, w, strict=True):
        alone.learn_one({int(j): float(row[j]) for j in np.flatnonzero(row)}, target, weight)
    for start in range(0, 25, size):
        here = slice(start, start + size)
        chunks.learner.learn_csr(csr_array(X[here]), y[here], w[here])
    assert bits(chunks) == bits(alone)


# What it is for


@each_bound
def test_a_stream_of_rare_names_stays_within_its_bounds(bounds: dict[str, Any]) -> None:
    events = rare_names(600)
    plain, model = model_of({}), model_of(bounds)
    learn(plain, events)
    learn(model, events)
    index = model.learner.index
    assert index.tracked < plain.learner.index.tracked
    assert index.tracked <= bounds.get("max_features", 10**9)
    assert len(model.learner.state) <= index.limit
    counters = {"offered": index.offered, "waiting": index.waiting, "refused": index.refused}
    assert counters["offered"] > 0
    assert (counters["waiting"] > 0) == ("admit" in bounds)
    if bounds.get("at_limit") == "evict" and bounds["max_features"] > 10:
        assert index.evicted > 100


def test_a_weight_that_is_not_zero_is_never_evicted() -> None:
    model = model_of({"max_features": 40, "at_limit": "evict"})
    learn(model, rare_names(60))
    before = model.weights
    assert {"a", "b"} <= set(before)
    learn(model, [({f"n{i}": 0.0}, 0.0, 1.0) for i in range(500)])
    assert {"a", "b"} <= set(model.weights)


def test_a_row_never_frees_its_own_slots() -> None:
    model = model_of({"max_features": 2, "at_limit": "evict"})
    model.learn_one({"a": 0.0, "b": 0.0}, 1.0)
    model.learn_one({"c": 0.0, "a": 0.0}, 1.0)
    assert names_of(model) == {"a", "c"}
    model.learn_one({"d": 0.0, "c": 0.0, "a": 0.0}, 1.0)
    assert names_of(model) == {"a", "c"}
    assert model.learner.index.refused == 1


def test_a_freed_slot_starts_anew_under_its_next_name() -> None:
    model = model_of({"max_features": 1, "at_limit": "evict"})
    model.learn_one({"a": 0.1}, 1.0)
    assert model.learner.state[FIRST].any()
    encoder = model._encoder
    encoder.encode({"b": 0.0}, allocate=True)
    assert encoder.slots[: encoder.size].tolist() == [FIRST]
    assert not model.learner.state[FIRST].any()
    assert model.learner.index.find("a") == UNSEEN
    assert model.learner.index.name(FIRST) == "b"


def test_freed_slots_are_taken_lowest_first() -> None:
    model = model_of({"max_features": 5, "at_limit": "evict"})
    model.learn_one(dict.fromkeys("abcde", 0.0), 1.0)
    assert model.learner.evict(2, keep=[3]).tolist() == [2, 4]
    index = model.learner.index
    assert [index.add(name) for name in "xy"] == [2, 4]


def test_slots_that_were_freed_are_refused_by_the_learner() -> None:
    learner = Learner(RULE, index=GrowingIndex(5, "evict"), compiled=False)
    slots = [learner.index.add(name) for name in "abc"]
    rows = ([0, 1, 2, 3], slots, [0.0, 0.0, 0.0])
    learner.learn_rows(*rows, [1.0, 1.0, 1.0])
    learner.evict(1)
    with pytest.raises(ValueError, match=r"slot 2 was freed; ask the index .* or use learn_csr"):
        learner.learn_rows(*rows, [1.0, 1.0, 1.0])
    learner.learn_rows([0, 2], slots[1:], [0.0, 0.0], [1.0])


def test_what_was_remembered_of_a_freed_slot_is_forgotten() -> None:
    """The layout of {"a"} and the last event name a slot that is another's by now."""
    model = model_of({"max_features": 1, "at_limit": "evict"})
    for value in (0.0, 0.0, 0.5):
        model.learn_one({"a": value}, 0.1)
    model.predict_one({"a": 0.5})
    model.learner.evict(1)
    assert model.learner.index.add("b") == FIRST
    model._encoder.encode({"a": 0.5}, allocate=False)
    assert model._encoder.slots[:1].tolist() == [UNSEEN]
    model._encoder.encode({"a": 0.7}, allocate=False)
    assert model._encoder.slots[:1].tolist() == [UNSEEN]


def test_sweeps_are_amortised(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of({"max_features": 64, "at_limit": "evict"})
    sweeps = 0
    evict = model.learner.index.evictor

    def counted(*arguments: Any) -> Any:
        nonlocal sweeps
        sweeps += 1
        return evict(*arguments)

    model.learner.index.evictor = counted
    learn(model, [({f"n{i}": 0.0}, 0.0, 1.0) for i in range(64 + 400)])
    assert sweeps == 100
    learn(model, [({name: 5.0}, 9.0, 1.0) for name in sorted(names_of(model))])
    sweeps = 0
    learn(model, [({f"m{i}": 0.0}, 0.0, 1.0) for i in range(400)])
    assert sweeps <= 400 // 4
    assert model.learner.index.refused >= 300


@each_bound
def test_clones_share_nothing(bounds: dict[str, Any]) -> None:
    model = model_of(bounds)
    learn(model, rare_names(50))
    clone = interpreted(model.clone())
    assert bits(clone) == bits(model_of(bounds))
    fresh: FeatureIndex = model.learner.index.fresh()
    assert fresh.settings() == model.learner.index.settings()
    before = bits(model)
    learn(clone, rare_names(80))
    assert bits(model) == before


def test_a_snapshot_at_the_limit_keeps_free_slots_and_counters(tmp_path: Path) -> None:
    model = model_of({"max_features": 40, "at_limit": "evict", "admit": AdmitByCount(2, 8)})
    learn(model, rare_names(300))
    model.learner.evict(7)
    again = load(model.save(tmp_path / "m"))
    ours, theirs = model.learner.index, again.learner.index
    assert ours.free == theirs.free != []
    assert ours.size == theirs.size
    assert {name: getattr(ours, name) for name in ("offered", "waiting", "refused", "evicted")} == {
        name: getattr(theirs, name) for name in ("offered", "waiting", "refused", "evicted")
    }
    assert repr(ours) == repr(theirs)
    with pytest.raises(KeyError, match="it was freed"):
        theirs.name(ours.free[0])


# With the other parts of a learner


@pytest.mark.parametrize("settings_of", [{}, {"scale": "rms-max"}, {"select": "leader"}], ids=str)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_eviction_goes_with_every_rule_scale_and_selection(
    rule: Any, settings_of: dict[str, Any]
) -> None:
    rules = [rule(l1=0.9), rule(l1=0.5)] if hasattr(rule(), "l1") else [rule(), rule()]
    random = np.random.default_rng(3)
    X = np.where(random.random((60, 30)) < 0.15, random.normal(size=(60, 30)), 0.0)
    y = X[:, 0] * 2 + 0.1 * random.normal(size=60)
    digests = set()
    for size in (1, 7, 60):
        learner = Learner(rules, index=GrowingIndex(12, "evict"), compiled=False, **settings_of)
        for start in range(0, 60, size):
            here = slice(start, start + size)
            learner.learn_csr(csr_array(X[here]), y[here])
            free = [UNSEEN, *learner.index.free]  # type: ignore[attr-defined]
            assert not learner.state[free].any()
            assert len(learner.state) <= learner.index.limit
        counts = tuple(learner.index.memory()["index_counters"].tolist())
        digests.add((learner.state.tobytes(), tuple(learner.index.entries()), counts))
    assert len(digests) == 1


def test_what_does_not_go_with_a_bounded_index_is_said() -> None:
    with pytest.raises(ValueError, match=r"float32.*GrowingIndex\(5, 'evict'.*use dtype"):
        Learner(RULE, index=GrowingIndex(5, "evict"), dtype="float32")
    for index in (GrowingIndex(5), GrowingIndex(5, "evict"), GrowingIndex(admit=AdmitByCount())):
        with pytest.raises(
            ValueError, match=r"its head.*use GrowingIndex\(\) without max_features and admit"
        ):
            Learner(FTRLProximal(l1=Group(1.0)), index=index)

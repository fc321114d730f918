"""Interactions: which features they make, against dicts crossed by hand and VowpalWabbit."""

import itertools
import math
import pickle
import random
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import checks, preprocessing

from streamlasso import (
    FTRLProximal,
    GrowingIndex,
    HashingIndex,
    SparseClassifier,
    SparseRegressor,
    crossing,
    interactions,
    load,
)
from streamlasso.encoding import RowEncoder
from streamlasso.index import FeatureIndex
from streamlasso.interactions import Plans, checked_interactions, combined
from streamlasso.kernels import UNSEEN
from streamlasso.snapshot import capture

Event = Mapping[Any, Any]
Specs = Sequence[Sequence[str]]

SPECS: Specs = [("b", "a"), ("x*", "x*"), ("*", "a"), ("a", "x?", "7"), ("x1", "x*", "*")]


def part_by_hand(field: Any, value: Any) -> tuple[Any, Any]:
    """Name and value of the feature of one field."""
    if not isinstance(value, str):
        return field, value
    return f"{field}={value}" if isinstance(field, str) else (field, "=", value), 1


def crossed_by_hand(event: Event, specs: Specs) -> dict[Any, Any]:
    """The event with its interactions as features of their own."""
    here = {
        field: value
        for field, value in event.items()
        if value is not None and not (isinstance(value, float) and math.isnan(value))
    }
    made = dict(event)
    for size in (2, 3):
        for group in itertools.combinations(sorted(here, key=str), size):
            orders = [
                order
                for spec in specs
                for order in itertools.permutations(group)
                if len(spec) == size
                and all(fnmatchcase(str(f), p) for f, p in zip(order, spec, strict=True))
            ]
            if orders:
                parts = [part_by_hand(field, here[field]) for field in orders[0]]
                names = [name for name, _ in parts]
                value = math.prod((number for _, number in parts), start=1.0)
                if all(isinstance(name, str) for name in names):
                    made["^".join(names)] = value
                else:
                    made[tuple(part for name in names for part in ("^", name))[1:]] = value
    return made


def row_of(encoder: RowEncoder) -> list[tuple[Any, float]]:
    """The row with names."""
    slots, values = encoder.slots[: encoder.size].tolist(), encoder.values[: encoder.size].tolist()
    return [
        ("unseen" if slot == UNSEEN else encoder.index.name(slot), value)
        for slot, value in zip(slots, values, strict=True)
    ]


def ordered(row: list[tuple[Any, float]]) -> list[tuple[str, float]]:
    """The row by name."""
    return sorted((str(name), value) for name, value in row)


def encoded(event: Event, specs: Specs, index: FeatureIndex | None = None) -> list[Any]:
    """The interactions of one event, learned by an encoder of its own."""
    encoder = RowEncoder(index or GrowingIndex(), interactions=specs)
    encoder.encode(event, allocate=True)
    return row_of(encoder)[sum(value is not None for value in event.values()) :]


values = st.one_of(
    st.floats(-3, 3), st.integers(-3, 3), st.booleans(), st.sampled_from(["u", "v", "", "=w"]),
    st.none(), st.just(math.nan), st.just(0.0),
)  # fmt: skip
some_events = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "x1", "x2", "x", "c", 7]), values), max_size=8
)


# Which there are


def test_pairs_and_triples_are_products_with_readable_names() -> None:
    event = {"site": "news", "hour": 3.0, "ad": "shoes"}
    assert encoded(event, [("site", "hour"), ("ad", "site"), ("ad", "site", "hour")]) == [
        ("site=news^hour", 3.0),
        ("ad=shoes^site=news", 1.0),
        ("ad=shoes^site=news^hour", 3.0),
    ]


def test_a_component_whose_name_is_no_string_makes_a_tuple() -> None:
    assert encoded({7: 2.0, "a": "b", ("t", 1): 3.0}, [("7", "a"), ("a", "('t', 1)", "7")]) == [
        ((7, "^", "a=b"), 2.0),
        (("a=b", "^", ("t", 1), "^", 7), 6.0),
    ]


def test_within_a_pattern_each_pair_occurs_once_and_none_with_itself() -> None:
    names = [name for name, _ in encoded({"c": 1.0, "a": 2.0, "b": 3.0}, [("*", "*")])]
    assert names == ["a^b", "a^c", "b^c"]


def test_a_combination_that_two_interactions_cover_occurs_once_as_in_the_first() -> None:
    event = {"a": 2.0, "b": 3.0, "c": 5.0}
    assert encoded(event, [("c", "a"), ("*", "*"), ("a", "c")]) == [
        ("c^a", 10.0),
        ("a^b", 6.0),
        ("b^c", 15.0),
    ]


def test_names_and_order_do_not_depend_on_the_order_of_the_event() -> None:
    event = {"ad1": 2.0, "x": 3.0, "ad2": 5.0}
    rows = {
        tuple(encoded({name: event[name] for name in order}, [("ad*", "*"), ("x", "ad*")]))
        for order in itertools.permutations(event)
    }
    assert rows == {(("ad1^ad2", 10.0), ("ad1^x", 6.0), ("ad2^x", 15.0))}


def test_absent_components_make_none_and_zero_makes_zero() -> None:
    event = {"a": 0.0, "b": None, "c": 2.0}
    assert encoded(event, [("a", "b"), ("a", "c"), ("b", "c")]) == [("a^c", 0.0)]


def test_names_without_wildcards_are_taken_literally() -> None:
    assert encoded({"a[0]": 2.0, "a0": 3.0, "b": 1.0}, [("a[0]", "b")]) == [("a[0]^b", 2.0)]


def test_a_one_hot_feature_that_is_spelled_out_belongs_to_its_field() -> None:
    event = {"site=news": 0.6, "hour": 0.8, "sites=x": 1.0}
    assert encoded(event, [("site", "hour")]) == [("site=news^hour", pytest.approx(0.48))]


def test_huge_integers_are_infinite_and_the_event_is_rejected() -> None:
    model = SparseRegressor(interactions=[("a", "b")])
    model.learn_one({"a": 10**400, "b": 0.5}, 1.0)
    model.learn_one({"a": 10**200, "b": 10**200}, 1.0)
    assert model.learner.rejected == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([("site",)], r"interactions\[0\] = \('site',\) must have two or three fields, not 1"),
        ([("a", "b"), ("a", "b", "c", "d")], r"interactions\[1\] = .* not 4"),
        ([("a", 7)], r"interactions\[0\] = \('a', 7\): 7 is of type int"),
        (["site", "hour"], r"interactions\[0\] = 'site' must be a pair or triple"),
        ([3], r"interactions\[0\] = 3 must be a pair or triple"),
        ("ab", r"interactions = 'ab' must be a list"),
        ([("a", "b", "a")], r"crosses 'a' with itself"),
    ],
)
def test_wrong_interactions_are_named(wrong: Any, message: str) -> None:
    for kind in (SparseClassifier, SparseRegressor):
        with pytest.raises(ValueError, match=message):
            kind(interactions=wrong)


@given(some_events)
def test_a_plan_covers_at_most_what_was_announced(events: list[dict[Any, Any]]) -> None:
    plans = Plans(SPECS)
    for event in events:
        fields = tuple(event)
        assert len(combined(plans.of(fields), fields)) <= plans.most(fields)


# Against events that are crossed by hand


@given(some_events)
def test_rows_are_those_of_events_crossed_by_hand(events: list[dict[Any, Any]]) -> None:
    ours, plain = RowEncoder(GrowingIndex(), interactions=SPECS), RowEncoder(GrowingIndex())
    for event in events:
        for allocate in (False, True, False):
            ours.encode(event, allocate=allocate)
            plain.encode(crossed_by_hand(event, SPECS), allocate=allocate)
            assert ordered(row_of(ours)) == ordered(row_of(plain))


def stream(count: int, seed: int = 3) -> list[tuple[dict[Any, Any], bool]]:
    """Events in which a pair and a triple matter, fields come and go, all kinds of values."""
    rng = random.Random(seed)
    made = []
    for i in range(count):
        site, ad, hour = rng.choice("pqr"), rng.choice("uvwxyz"), rng.random()
        event: dict[Any, Any] = {"site": site, "ad1": ad, "hour": hour, "ad2": rng.gauss(0, 1)}
        if rng.random() < 0.3:
            event[f"rare{rng.randrange(9)}"] = rng.choice([1, True, 2.5, "word", None, math.nan])
        if i % 7 == 0:
            del event["hour"]
        signal = 2.0 * (site == "p" and ad in "uv") - 1.5 * (site == "q") * hour
        made.append((event, rng.random() < 1 / (1 + math.exp(-signal))))
    return made


STREAM_SPECS: Specs = [("site", "ad*"), ("site", "hour"), ("rare*", "*"), ("site", "ad1", "hour")]


def progressive(model: Any, events: Iterable[tuple[Event, bool]]) -> list[float]:
    """Scores from before each event is learned."""
    scores = []
    for event, label in events:
        scores.append(model._score(event))
        model.learn_one(event, label)
    return scores


def test_learning_is_that_of_events_crossed_by_hand() -> None:
    rule = FTRLProximal(l1=0.3)
    ours, plain = SparseClassifier(rule, interactions=STREAM_SPECS), SparseClassifier(rule)
    events = stream(600)
    crossed = [(crossed_by_hand(event, STREAM_SPECS), label) for event, label in events]
    assert progressive(ours, events) == pytest.approx(progressive(plain, crossed), abs=1e-12)
    assert ours.weights == pytest.approx(plain.weights, abs=1e-12)
    assert {"site=p^ad1=u", "site=q^hour", "site=p^ad1=v^hour"} <= set(ours.weights)
    assert ours.tracked_features == plain.tracked_features


def test_an_explanation_names_the_interactions_and_adds_up() -> None:
    model = SparseClassifier(FTRLProximal(l1=0.0), interactions=[("site", "hour")])
    progressive(model, stream(50))
    event = {"site": "p", "hour": 0.5}
    parts = model.explain_one(event)
    assert set(parts) == {"site=p", "hour", "site=p^hour"}
    assert sum(parts.values()) + model.intercept == pytest.approx(model._score(event))


# Order, chunks, looking


def bits(model: Any) -> tuple[Any, ...]:
    """All that was learned."""
    learner = model.learner
    state = learner.state[: learner.index.size].tobytes()
    return state, learner.hyper.tobytes(), learner.index.entries(), learner.clock


INDEXES = [GrowingIndex(), HashingIndex(12), HashingIndex(12, names=True)]
each_index = pytest.mark.parametrize("index", INDEXES, ids=repr)


@each_index
def test_the_same_bits_however_events_are_learned(index: FeatureIndex) -> None:
    events = stream(120)
    one, predicted, many = (
        SparseClassifier(FTRLProximal(), index=index, interactions=STREAM_SPECS) for _ in range(3)
    )
    for event, label in events:
        one.learn_one(event, label)
    progressive(predicted, events)
    frame = pd.DataFrame([{"site": None, **event} for event, _ in events]).astype(object)
    labels = pd.Series([label for _, label in events])
    for begin, end in ((0, 1), (1, 50), (50, 120)):
        many.learn_many(frame[begin:end], labels[begin:end])
    assert bits(one) == bits(predicted)
    # The columns of a frame have one order, so the rows of this one have another.
    again = SparseClassifier(FTRLProximal(), index=index, interactions=STREAM_SPECS)
    for row, label in zip(frame.to_dict("records"), labels, strict=True):
        again.learn_one(row, label)
    assert bits(many) == bits(again)
    scores = [again._score(row) for row in frame.to_dict("records")]
    assert again._score_frame(frame).tolist() == scores


def test_prediction_allocates_nothing_and_unknown_combinations_count_as_zero() -> None:
    model = SparseRegressor(FTRLProximal(l1=0.0), interactions=[("a", "b"), ("a", "c")])
    model.learn_one({"a": "x", "b": "y", "c": 1.0}, 1.0)
    model.learn_one({"a": "v", "b": "w", "c": 1.0}, -1.0)
    before = bits(model)
    parts = model.explain_one({"a": "x", "b": "w", "c": 1.0})
    assert set(parts) == {"a=x", "b=w", "c", "a=x^c"}
    assert model.predict_one({"a": "new", "b": "y"}) == model.predict_one({"b": "y"})
    assert bits(model) == before


def test_events_of_numbers_are_found_by_their_names() -> None:
    encoder = RowEncoder(GrowingIndex(), interactions=[("a", "b"), ("a", "b", "c")])
    for a in (2.0, 3, True, -1.5):
        encoder.encode({"a": a, "b": 5.0, "c": 7}, allocate=True)
        assert row_of(encoder)[3:] == [("a^b", a * 5.0), ("a^b^c", a * 35.0)]
    assert len(encoder._layouts) == 1


def test_a_predicted_event_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = RowEncoder(GrowingIndex(), interactions=[("a", "b")])
    calls = []
    whole = RowEncoder._encode_each
    monkeypatch.setattr(
        RowEncoder, "_encode_each", lambda *given: (calls.append(1), whole(*given))[1]
    )
    encoder.encode({"a": "x", "b": "y"}, allocate=False)
    encoder.encode({"a": "x", "b": "y"}, allocate=True)
    assert row_of(encoder) == [("a=x", 1.0), ("b=y", 1.0), ("a=x^b=y", 1.0)]
    assert len(calls) == 1


def test_what_is_remembered_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    free = SparseClassifier(FTRLProximal(), interactions=STREAM_SPECS)
    progressive(free, stream(100))
    monkeypatch.setattr(crossing, "COMBINATIONS_LIMIT", 5)
    monkeypatch.setattr(interactions, "PLANNED_LIMIT", 10)
    monkeypatch.setattr(interactions, "FIELDS_LIMIT", 3)
    bounded = SparseClassifier(FTRLProximal(), interactions=STREAM_SPECS)
    progressive(bounded, stream(100))
    assert bits(bounded) == bits(free)
    crossed: Any = bounded._encoder._crossing
    assert len(crossed._slots) <= 5
    assert len(crossed.plans._roles) <= 3
    assert len(crossed.plans._plans) <= 3


# The index


def test_a_hashed_interaction_is_a_function_of_the_slots_alone() -> None:
    index = HashingIndex(22)
    assert index.cross((5, 9)) == HashingIndex(22, names=True).cross((5, 9), "first")
    slots = {index.cross(key) for key in ((5, 9), (9, 5), (5, 9, 2), (5, 10), (6, 9))}
    assert len(slots) == 5
    assert index.cross((5, 9)) == 4181687
    assert all(2 <= HashingIndex(2).cross((a, b)) < 4 for a in range(9) for b in range(9))


def test_hashed_interactions_spread_over_the_slots() -> None:
    index = HashingIndex(16)
    slots = [index.cross((a, b)) for a in range(2, 130) for b in range(2, 130)]
    # 2^14 names in 2^16 slots: 2^16·(1 − e^(−1/4)) ≈ 14,497 different slots, within 4 deviations.
    assert abs(len(set(slots)) - 14_497) < 4 * 50


@pytest.mark.parametrize("names", [False, True])
def test_hashed_interactions_keep_their_names_if_asked(names: bool) -> None:
    model = SparseRegressor(
        FTRLProximal(l1=0.0), index=HashingIndex(20, names=names), interactions=[("a", "b")]
    )
    model.predict_one({"a": "x", "b": 2.0})
    model.learn_one({"a": "x", "b": 2.0}, 1.0)
    model.learn_one({"a": "x", "b": 2.0}, 1.0)
    slot = model.learner.index.cross(tuple(map(model.learner.index.find, ("a=x", "b"))))
    assert ("a=x^b" if names else f"#{slot}") in model.weights


def test_hashed_slots_are_the_same_in_every_process() -> None:
    script = """
from streamlasso import HashingIndex
from streamlasso.encoding import RowEncoder
encoder = RowEncoder(HashingIndex(20), interactions=[("*", "*"), ("a", "b", "7")])
encoder.encode({"b": "y", "a": "x", 7: 1.0, "c": "z"}, allocate=True)
print(encoder.slots[: encoder.size].tolist())
"""
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


class Evicting(GrowingIndex):
    """Refuses names with ``no`` in them; `swap` gives the slots of two names to each other."""

    generation = 0

    def add(self, name: Any) -> int:
        """The slot, or 1."""
        return UNSEEN if "no" in str(name) else super().add(name)

    def swap(self, one: str, other: str) -> None:
        """A later generation."""
        self.generation += 1
        a, b = self.find(one), self.find(other)
        for slot in (a, b):
            self.table.drop(slot)
        for name, slot in ((one, b), (other, a)):
            self.table.place(name, slot)
            self.known[name] = slot


class Selective(GrowingIndex):
    """Takes names only when they are offered."""

    selective = True


def test_refused_interactions_are_left_out_of_learning() -> None:
    encoder = RowEncoder(Evicting(), interactions=[("a", "b"), ("b", "c")])
    for _ in range(2):
        encoder.encode({"a": "n", "b": "x", "c": 2.0}, allocate=True)
        assert row_of(encoder)[3:] == [("a=n^b=x", 1.0), ("b=x^c", 2.0)]
        encoder.encode({"a": "n", "b": "o", "c": 2.0}, allocate=True)
        assert row_of(encoder)[3:] == [("a=n^b=o", 1.0), ("b=o^c", 2.0)]
    index = Evicting()
    GrowingIndex.add(index, "a=no")
    encoder = RowEncoder(index, interactions=[("a", "b"), ("b", "c")])
    for _ in range(2):
        encoder.encode({"a": "no", "b": "x", "c": 2.0}, allocate=True)
        assert row_of(encoder)[3:] == [("b=x^c", 2.0)]


def test_a_selective_index_gets_new_interactions_after_the_row() -> None:
    index = Selective()
    cross = crossing.Crossing(index, [("a", "b"), ("b", "c")])
    event = {"a": "x", "b": 2.0, "c": 3.0}
    slots = [index.add(name) for name in ("a=x", "b", "c")]
    known = index.add("b^c")
    values, unseen = [1.0, 2.0, 3.0], [(0, "before")]
    cross.extend(event, tuple(event), slots, values, unseen, allocate=True)
    assert slots[3:] == [UNSEEN, known]
    assert values[3:] == [2.0, 6.0]
    assert unseen == [(0, "before"), (3, "a=x^b")]
    assert index.size == known + 1


def test_slots_of_another_generation_are_looked_up_again() -> None:
    index = Evicting()
    encoder = RowEncoder(index, interactions=[("a", "b")])
    for value in ("x", "y"):
        encoder.encode({"a": value, "b": "z"}, allocate=True)
    index.swap("a=x^b=z", "a=y^b=z")
    for value in ("x", "y"):
        encoder.encode({"a": value, "b": "z"}, allocate=True)
        assert row_of(encoder)[2:] == [(f"a={value}^b=z", 1.0)]


# Files, copies, river


@each_index
def test_a_saved_model_goes_on_to_the_same_bits(index: FeatureIndex, tmp_path: Path) -> None:
    events = stream(200)
    whole = SparseClassifier(FTRLProximal(), index=index, interactions=STREAM_SPECS)
    progressive(whole, events[:100])
    path = whole.save(tmp_path / "model")
    restored, unpickled = load(path), pickle.loads(pickle.dumps(whole))
    rest = progressive(whole, events[100:])
    for copy in (restored, unpickled):
        assert copy.interactions == [tuple(each) for each in STREAM_SPECS]
        assert progressive(copy, events[100:]) == rest
        assert bits(copy) == bits(whole)


def test_what_is_remembered_is_in_no_file(tmp_path: Path) -> None:
    model = SparseClassifier(interactions=STREAM_SPECS)
    progressive(model, stream(50))
    path = model.save(tmp_path / "model")
    assert capture(load(path)).serialise()[1] == capture(model).serialise()[1]
    assert b"_crossing" not in pickle.dumps(model)
    assert b"crossing" not in path.read_bytes()


@pytest.mark.parametrize("kind", [SparseClassifier, SparseRegressor])
def test_clones_have_the_interactions_and_nothing_else(kind: Any) -> None:
    model = kind(interactions=(["a", "b"],))
    model.learn_one({"a": 1.0, "b": 1.0}, 1)
    clone = model.clone()
    assert clone.interactions == [("a", "b")]
    assert clone.tracked_features == 0
    assert kind().clone().interactions == []


def test_in_a_pipeline() -> None:
    pipeline = preprocessing.StandardScaler() | SparseRegressor(interactions=[("a", "b")])
    rng = np.random.default_rng(5)
    for a, b in rng.normal(size=(300, 2)).tolist():
        pipeline.learn_one({"a": a, "b": b}, a * b)
    assert pipeline["SparseRegressor"].weights["a^b"] > 0.3


CHECKED = [kind(interactions=[("*", "*")]) for kind in (SparseClassifier, SparseRegressor)]


@pytest.mark.parametrize(
    ("model", "check"),
    [
        pytest.param(model, check, id=f"{type(model).__name__}-{i}-{check.__name__}")
        for model in CHECKED
        for i, check in enumerate(checks.yield_checks(model))
    ],
)
def test_river_check(model: Any, check: Any) -> None:
    check(model.clone())


# VowpalWabbit


def vw_scores(arguments: str, events: Iterable[tuple[Event, bool]]) -> list[float]:
    """VowpalWabbit's own scores from before each event; a field's namespace is its first letter."""
    vowpalwabbit = pytest.importorskip("vowpalwabbit")
    vw = vowpalwabbit.Workspace(
        "--quiet --loss_function logistic --noconstant -b 24 "
        f"--ftrl --ftrl_alpha 0.1 --ftrl_beta 1 --l1 0.2 {arguments}"
    )
    scores = []
    for event, label in events:
        spaces = [
            f"|{letter} " + " ".join(f"{name}:{event[name]}" for name in sorted(event)
                                     if name.startswith(letter))
            for letter in "abc"
        ]  # fmt: skip
        example = vw.example(f"{1 if label else -1} {' '.join(spaces)}")
        vw.learn(example)
        scores.append(example.get_partial_prediction())
        vw.finish_example(example)
    vw.finish()
    return scores


def spaced_events(count: int) -> list[tuple[dict[str, float], bool]]:
    """Events of numbers under names of three letters; about a third of the fields is absent."""
    rng = random.Random(11)
    names = ["a1", "a2", "a3", "b1", "b2", "c1", "c2"]
    made = []
    for _ in range(count):
        # Quarters are exact in 32 bits.
        event = {name: rng.randint(-8, 8) / 4 for name in names if rng.random() < 0.7}
        signal = event.get("a1", 0) * event.get("b1", 0) + event.get("a1", 0) * event.get("a2", 0)
        made.append((event, rng.random() < 1 / (1 + math.exp(-signal))))
    return made


@pytest.mark.parametrize(
    ("arguments", "specs"),
    [
        ("-q ab", [("a*", "b*")]),
        ("-q ab -q ac -q ba", [("a*", "b*"), ("a*", "c*")]),
        ("--cubic abc", [("a*", "b*", "c*")]),
        ("-q bc --cubic abc", [("a*", "b*", "c*"), ("b*", "c*")]),
    ],
)
def test_scores_equal_those_of_vowpalwabbit(arguments: str, specs: Specs) -> None:
    events = spaced_events(400)
    model = SparseClassifier(FTRLProximal(l1=0.2), fit_intercept=False, interactions=specs)
    theirs = vw_scores(arguments, events)
    assert progressive(model, events) == pytest.approx(theirs, abs=2e-5)
    assert max(map(abs, theirs)) > 0.5


def test_vowpalwabbit_adds_squares_within_a_namespace() -> None:
    events = spaced_events(400)
    squared = [({**x, **{f"{n}²": v * v for n, v in x.items() if n[0] == "a"}}, y)
               for x, y in events]  # fmt: skip
    model = SparseClassifier(FTRLProximal(l1=0.2), fit_intercept=False, interactions=[("a?", "a?")])
    assert progressive(model, squared) == pytest.approx(vw_scores("-q aa", events), abs=2e-5)


def test_checked_interactions_come_as_tuples_from_anything_iterable() -> None:
    assert checked_interactions(iter([["a", "b"], ("c", "d", "*")])) == (
        ("a", "b"),
        ("c", "d", "*"),
    )

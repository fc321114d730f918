"""From raw records to events: forms of targets and importances, rules of fields, every bad record.

Nothing here may raise, whatever the bytes: one such record would stop the service at each restart.
"""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from serving import Json, decode

from streamlasso_service.decoding import REASONS
from streamlasso_service.records import Bad, Event

FEW = settings(derandomize=True, max_examples=150, deadline=None, database=None)


def target(value: Any, task: str = "classification", **event: Any) -> Any:
    decoded = decode({"target": value}, task=task, **event)
    return decoded.target if isinstance(decoded, Event) else decoded.reason


def reason(event: bytes | Json, **options: Any) -> str:
    decoded = decode(event, **options)
    assert isinstance(decoded, Bad), decoded
    return decoded.reason


# Shapes of events


def test_nested_event() -> None:
    event = {"id": 7, "target": 1, "importance": 2.5, "time": 9, "features": {"a": 1, "b": "x"}}
    assert decode(event) == Event(7, 1.0, 2.5, {"a": 1.0, "b": "x"})


def test_flat_event() -> None:
    event = {"id": "e", "target": 0, "importance": 0.5, "a": 1, "b": "x"}
    assert decode(event) == Event("e", 0.0, 0.5, {"a": 1.0, "b": "x"})


@pytest.mark.parametrize("nested", [True, False])
def test_field_names_are_configurable(nested: bool) -> None:
    names = {"id": "key", "target": "click", "importance": "weight", "features": "x"}
    fields = {"target": 3, "id": 4}
    event = {"key": "e", "click": 1, "weight": 2, **({"x": fields} if nested else fields)}
    assert decode(event, **names) == Event("e", 1.0, 2.0, {"target": 3.0, "id": 4.0})


def test_id_and_importance_may_be_left_out() -> None:
    assert decode({"target": 1, "a": 2}) == Event(None, 1.0, 1.0, {"a": 2.0})


@pytest.mark.parametrize("event", [{"a": 1}, {"target": None, "a": 1}])
def test_event_without_target_is_for_prediction_only(event: Json) -> None:
    assert decode(event) == Event(None, None, 1.0, {"a": 1.0})


# Targets


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "+1", "1.0", "true", "True"])
def test_positive_targets(value: Any) -> None:
    assert target(value) == 1.0


@pytest.mark.parametrize(
    "value", [0, 0.0, -0.0, -1, -1.0, False, "0", "-1", "0.0", "-1.0", "false"]
)
def test_negative_targets(value: Any) -> None:
    assert target(value) == 0.0


@pytest.mark.parametrize("value", [2, 0.5, "yes", "", [1], {"a": 1}, 10**30])
def test_other_targets_are_bad_unless_the_positive_one_is_named(value: Any) -> None:
    assert target(value) == "schema"


@pytest.mark.parametrize(
    ("positive", "value", "expected"),
    [
        ("yes", "yes", 1.0),
        ("yes", "no", 0.0),
        ("yes", 1, 0.0),
        (2, 2, 1.0),
        (2, 1, 0.0),
        (2, "2", 1.0),
        # From a variable the positive target is text, whatever the events hold.
        ("2", 2, 1.0),
        ("2", 2.0, 1.0),
        ("true", True, 1.0),
        ("true", False, 0.0),
        (True, "true", 1.0),
        (False, False, 1.0),
        ("yes", ["yes"], "schema"),
        ("yes", {"a": "yes"}, "schema"),
    ],
)
def test_named_positive_target(positive: Any, value: Any, expected: Any) -> None:
    assert target(value, positive=positive) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3.0),
        (-2.5, -2.5),
        ("1e3", 1000.0),
        (0, 0.0),
        (True, "schema"),
        ("tall", "schema"),
        ([1], "schema"),
        ("inf", "nonfinite"),
        ("nan", "nonfinite"),
        (10**400, "schema"),
    ],
)
def test_targets_of_a_regression(value: Any, expected: Any) -> None:
    assert target(value, task="regression") == expected


@pytest.mark.parametrize(("value", "expected"), [(0, 0.0), ("2.5", 2.5), (-1, "schema")])
def test_targets_of_counts(value: Any, expected: Any) -> None:
    assert target(value, task="regression", counts=True) == expected


# Importances


@pytest.mark.parametrize(("value", "expected"), [(0, 0.0), (2, 2.0), ("0.5", 0.5), (None, 1.0)])
def test_importance(value: Any, expected: float) -> None:
    decoded = decode({"target": 1, "importance": value})
    assert isinstance(decoded, Event)
    assert decoded.importance == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-1, "schema"),
        ("much", "schema"),
        (True, "schema"),
        ([1], "schema"),
        (10**400, "schema"),
        ("inf", "nonfinite"),
        ("nan", "nonfinite"),
        # So large a weight would make every later sum infinite, and no snapshot could be written.
        (1e300, "schema"),
    ],
)
def test_bad_importance(value: Any, expected: str) -> None:
    assert reason({"target": 1, "importance": value}) == expected


# Bad records


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (b"", "decode"),
        (b"{", "decode"),
        (b"\xff", "decode"),
        (b'{"a": NaN}', "decode"),
        (b'{"a": Infinity}', "decode"),
        (b'{"a": 1e999}', "decode"),
        (b'{"a": "\\ud800"}', "decode"),
        (b'{"a": "\\udc00\\ud800"}', "decode"),
        (b'{"a": "\xed\xa0\x80"}', "decode"),
        (b'{"a": ' + b"9" * 5000 + b"}", "decode"),
        (b"[" * 100_000, "decode"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "decode"),
        (b"null", "schema"),
        (b"[1, 2]", "schema"),
        (b"12", "schema"),
        (b'{"a": [1]}', "schema"),
        (b'{"features": {"a": {"b": 1}}}', "schema"),
        (b'{"features": [1]}', "schema"),
        (b'{"a": ' + b"9" * 400 + b"}", "nonfinite"),
    ],
    ids=lambda value: repr(value[:30]),
)
def test_reason_of_a_bad_record(event: bytes, expected: str) -> None:
    assert reason(event) == expected


@pytest.mark.parametrize("value", ["inf", "-Infinity", "nan", "1e999"])
def test_number_in_text_must_be_finite(value: str) -> None:
    assert reason({"a": value}, rules={"numeric": ["a"]}) == "nonfinite"


def test_word_in_a_numeric_field_is_bad() -> None:
    assert reason({"a": "tall"}, rules={"numeric": ["a"]}) == "schema"


@pytest.mark.parametrize(("length", "expected"), [(100, Event), (101, Bad)])
def test_record_may_be_as_large_as_the_limit(length: int, expected: type) -> None:
    event = b'{"a": 1}'.ljust(length)
    decoded = decode(event, limits={"max_event_bytes": 100})
    assert type(decoded) is expected
    if isinstance(decoded, Bad):
        assert decoded == ("too_large", "101 bytes > limits.max_event_bytes")


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize(("count", "expected"), [(5, Event), (6, Bad)])
def test_event_may_have_as_many_features_as_the_limit(
    nested: bool, count: int, expected: type
) -> None:
    fields = {f"x{i}": i for i in range(count)}
    event = {"id": 1, "target": 1, **({"features": fields} if nested else fields)}
    decoded = decode(event, limits={"max_event_features": 5})
    assert type(decoded) is expected
    if isinstance(decoded, Bad):
        assert decoded.reason == "feature_limit"


def test_message_of_a_bad_record_holds_none_of_its_values() -> None:
    secret = "s3cret"
    bad = [
        decode({"target": secret}),
        decode({"target": secret}, task="regression"),
        decode({"importance": secret}),
        decode({"a": [secret]}),
        decode({"a": secret}, rules={"numeric": ["a"]}),
        decode(b'{"a": "s3cret" "b"}'),
    ]
    for each in bad:
        assert isinstance(each, Bad)
        assert secret not in each.message


# Whatever comes

NUMBERS = st.integers() | st.floats() | st.sampled_from([10**40, -(10**400), 10**4000, 1e308])
TEXTS = st.text(max_size=8) | st.sampled_from(
    ["id", "target", "importance", "features", "NaN", "1"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=12,
)
RULES = st.sampled_from(
    [{}, {"categorical": ["*"]}, {"numeric": ["*"], "unit_length": True}, {"log1p": ["*"]}]
)
TASKS = st.sampled_from(["classification", "regression"])
POSITIVES = st.sampled_from([None, "1", 1, True])


def check(event: bytes, rules: dict[str, Any], task: str, positive: Any) -> None:
    """Bad with a known reason, or an event that can be learned."""
    decoded = decode(event, rules=rules, task=task, positive=positive)
    if isinstance(decoded, Bad):
        assert decoded.reason in REASONS
        return
    values = decoded.features.values()
    assert all(type(value) is str or math.isfinite(value) for value in values)
    assert math.isfinite(decoded.importance)
    assert decoded.importance >= 0
    assert decoded.target is None or math.isfinite(decoded.target)
    assert task == "regression" or decoded.target in (None, 0.0, 1.0)


@FEW
@given(st.binary(max_size=60), RULES, TASKS, POSITIVES)
def test_no_bytes_raise(event: bytes, rules: dict[str, Any], task: str, positive: Any) -> None:
    check(event, rules, task, positive)


@FEW
@example({"target": 10**4000}, {}, "classification", "1")
@example({"a": 10**4000}, {"categorical": ["*"]}, "classification", None)
@example({"importance": 10**4000}, {}, "regression", None)
@given(VALUES, RULES, TASKS, POSITIVES)
def test_no_json_raises(value: Any, rules: dict[str, Any], task: str, positive: Any) -> None:
    check(json.dumps(value).encode(), rules, task, positive)

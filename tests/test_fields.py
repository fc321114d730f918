"""What a field is: the rules of ``[features]``, applied to names and values."""

import json
import math
from typing import Any

import pytest
from serving import Json, decode, decoder

from streamlasso.encoding import RowEncoder
from streamlasso.index import GrowingIndex
from streamlasso_service.records import Event, Partition, Record


def features(event: bytes | Json, **rules: Any) -> dict[str, Any]:
    decoded = decode(event, rules=rules)
    assert isinstance(decoded, Event), decoded
    return decoded.features


def test_numbers_are_numeric_and_words_one_hot_unless_told_otherwise() -> None:
    event = {"n": 3, "f": 0.5, "w": "red", "b": True, "z": None}
    assert features(event) == {"n": 3.0, "f": 0.5, "w": "red", "b": 1.0}


def test_numeric_id_listed_as_categorical_is_one_hot() -> None:
    read = features({"user_id": 12345}, categorical=["*_id"])
    index = GrowingIndex()
    RowEncoder(index).encode(read, allocate=True)
    assert [name for _, name in index.entries()] == ["user_id=12345"]


@pytest.mark.parametrize(
    ("value", "expected"), [(12345, "12345"), ("a", "a"), (True, "true"), (1.5, "1.5"), (-0, "0")]
)
def test_categorical_value_is_text(value: Any, expected: str) -> None:
    assert features({"x": value}, categorical=["x"]) == {"x": expected}


@pytest.mark.parametrize("value", [3, "3", " 3.0 ", "3e0"])
def test_numeric_field_takes_numbers_in_text(value: Any) -> None:
    assert features({"x": value}, numeric=["x"]) == {"x": 3.0}


def test_log1p_keeps_the_sign() -> None:
    read = features({"x": 3, "y": -3, "z": "0"}, log1p=["?"])
    assert read == {"x": math.log(4), "y": -math.log(4), "z": 0.0}


def test_ignored_field_may_hold_anything() -> None:
    event = {"a": 1, "debug_x": {"deep": [1]}, "debug_y": "NaN"}
    assert features(event, ignore=["debug_*"]) == {"a": 1.0}


def test_rule_that_comes_first_wins() -> None:
    rules = {"ignore": ["a*"], "categorical": ["ab", "b*"], "log1p": ["bc"], "numeric": ["*"]}
    read = features({"ab": 1, "bc": 2, "c": "3"}, **rules)
    assert read == {"bc": "2", "c": 3.0}


def test_patterns_heed_upper_and_lower_case() -> None:
    assert features({"ID": 1, "id2": 2}, categorical=["id*"]) == {"ID": 1.0, "id2": "2"}


def test_prefix_keeps_fields_of_two_sources_apart() -> None:
    read = features({"x": 1, "site": "a"}, prefix={"si*": "web.", "*": "all."})
    assert read == {"all.x": 1.0, "web.site": "a"}


def test_unit_length_scales_numbers_and_one_hot_features() -> None:
    read = features({"x": 2, "y": -2, "w": "red"}, unit_length=True)
    assert read == {"x": 2 / 3, "y": -2 / 3, "w=red": 1 / 3}


@pytest.mark.parametrize(
    "event", [{}, {"x": 0.0}, {"x": 1e200, "y": 1e200}, {"x": 1e154, "y": 1e154}]
)
def test_unit_length_of_nothing_or_of_large_values_is_finite(event: Json) -> None:
    read = features(event, unit_length=True)
    assert all(math.isfinite(value) for value in read.values())
    assert sum(value**2 for value in read.values()) == pytest.approx(
        1 if any(event.values()) else 0
    )


def test_inspection_knows_how_fields_were_read() -> None:
    reader = decoder(rules={"categorical": ["*_id"], "log1p": ["n"], "ignore": ["z"]})
    for event in ({"a": None, "user_id": 5}, {"a": 1, "n": 2, "z": 3, "w": "x"}):
        reader.decode(Record(Partition("f", 0), 0, 1, json.dumps(event).encode()))
    seen = {"user_id": "categorical", "a": "numeric", "n": "log1p", "w": "categorical"}
    assert reader.fields.seen == seen

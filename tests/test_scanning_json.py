"""The JSON scanner says what the path through msgspec says, to the bit, or asks."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanning_json import SETTINGS, clicks, json_pair
from scanning_pairs import Pair, check, check_mutated

SOME = settings(max_examples=150, deadline=None, database=None, derandomize=True)


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    return {name: json_pair(name) for name in SETTINGS}


def taken(pair: Pair, *records: bytes) -> list[bool]:
    return [said == "taken" for said in check(pair, records)]


# What must be taken

SIMPLE = [
    b'{"target":1,"a":1.5,"b":"x"}',
    b'{"target":0,"features":{"a":1.5,"b":"x"}}',
    b'{"features":{"a":1.5,"b":"x"},"target":0,"id":"k","importance":0.5}',
    b'{"time":3,"note":"n","features":{"a":1},"target":0,"flag":true}',
    b'{"target":true,"a":true,"b":false,"c":null}',
    b'{"target":null,"a":1}',
    b'{"a":1}',
    b"{}",
    b'{"features":{}}',
    b'{"features":null,"a":1}',
    b'{"target":"-1.0","a":12345678901234567}',
    b'{ "target" : 1 , "a" :\t2 ,\r\n "b" : "y" } ',
    b'{"target":1,"k\xc3\xa9":"\xe2\x82\xac \xf0\x9f\x98\x80","":"","a=b":"c"}',
    b'{"target":-1,"a":-0,"b":-0.0,"c":1e-7,"d":1E+22,"e":9007199254740993}',
    b'{"target":1,"importance":1e12,"a":"' + b"long " * 100 + b'"}',
    b'{"id":"x y","a":"tab \x7f"}',
    b'{"id":-1.5e3,"a":2}',
]


@pytest.mark.parametrize("record", SIMPLE)
def test_simple_records_are_taken(pairs: dict[str, Pair], record: bytes) -> None:
    assert taken(pairs["classes"], record) == [True]


@pytest.mark.parametrize("record", clicks(3))
def test_simulated_clicks_are_taken(pairs: dict[str, Pair], record: bytes) -> None:
    assert taken(pairs["classes"], record) == [True]


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("numbers", b'{"target":-2.5,"a":1}'),
        ("numbers", b'{"target":9007199254740993,"a":1}'),
        ("counts", b'{"target":0,"a":1}'),
        ("yes", b'{"click":"yes","key":1,"weight":2,"x":{"target":1,"id":2,"features":3}}'),
        ("yes", b'{"click":"no","a":1}'),
        ("yes", b'{"click":0,"a":1}'),
        ("one", b'{"target":"1","a":1}'),
        ("one", b'{"target":true,"a":1}'),
        ("one-as-text", b'{"target":1.0,"a":1}'),
        ("one-as-text", b'{"target":2,"a":1}'),
        ("true", b'{"target":1,"a":1}'),
        ("true-as-text", b'{"target":true,"a":1}'),
        ("half", b'{"target":1.5,"a":1}'),
        ("half", b'{"target":"1.5","a":1}'),
        ("patterns", b'{"target":1,"c1":12,"hour":"7","a":2,"skip":"x","count":-3,"n1":0.1}'),
        ("patterns", b'{"target":1,"a":"5","d":"-0","f":"+1.5e3"}'),
        ("patterns", b'{"target":1,"c1":true,"hour":0,"cx":-5,"d":false,"f":1e300}'),
        ("prefixes", b'{"target":1,"a":1,"ab":"x","hour":3,"b":"y","e":"z","z":1}'),
    ],
)
def test_simple_records_under_settings(pairs: dict[str, Pair], name: str, record: bytes) -> None:
    assert taken(pairs[name], record) == [True]


def test_nearly_all_of_the_seeds_are_taken(pairs: dict[str, Pair]) -> None:
    pair = pairs["classes"]
    said = check(pair, pair.seeds)
    assert said.count("ask") <= 9


# What must be asked

ODD = [
    b'{"a":1,"a":2}',
    b'{"target":1,"a":1,"b":2,"c":3,"a":4}',
    b'{"target":1,"features":{"a":1},"target":0}',
    b'{"features":{"a":1},"features":{"b":1}}',
    b'{"a":"\\n"}',
    b'{"\\u0061":1}',
    b'{"a":{"b":1}}',
    b'{"a":[]}',
    b'{"features":3}',
    b'{"features":{"a":1}',
    b'{"a":1',
    b'{"a":1}}',
    b'{"a":1,}',
    b'{,"a":1}',
    b'{"a" 1}',
    b'{"a":}',
    b'{a:1}',
    b'{"a":01}',
    b'{"a":+1}',
    b'{"a":1.}',
    b'{"a":NaN}',
    b'{"a":1e999}',
    b'{"a":nulL}',
    b'{"a":"\t"}',
    b'{"a":"\xff"}',
    b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\xc3"}',
    b'\xef\xbb\xbf{"a":1}',
    b'{"a":1}\xa0',
    b'{"a":1} {}',
    b"[]",
    b"1",
    b"",
    b"  ",
    b'{"target":2}',
    b'{"target":"yes"}',
    b'{"target":[1]}',
    b'{"importance":-1}',
    b'{"importance":1e13}',
    b'{"importance":true}',
    b'{"importance":"1"}',
    b'{"k' + b"k" * 300 + b'":1}',
]  # fmt: skip


def test_odd_records_are_asked(pairs: dict[str, Pair]) -> None:
    for record in ODD:
        assert check(pairs["classes"], [record]) == ["ask"], record


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("numbers", b'{"target":"1","a":1}'),
        ("counts", b'{"target":-1,"a":1}'),
        ("huge", b'{"target":9007199254740993,"a":1}'),
        ("same-names", b'{"target":1,"a":1}'),
        ("patterns", b'{"target":1,"c1":1.5}'),
        ("patterns", b'{"target":1,"c1":-0}'),
        ("patterns", b'{"target":1,"a":" 5"}'),
        ("patterns", b'{"target":1,"a":"x"}'),
        ("patterns", b'{"target":1,"a":""}'),
        ("patterns", b'{"target":1,"a":"1_0"}'),
        ("patterns", b'{"target":1,"f":"inf"}'),
        ("patterns", b'{"target":1,"skip":{}}'),
        ("prefixes", b'{"target":1,"a":1,"xa":2}'),
        ("limits", b'{"target":1,"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}'),
        ("limits", b'{"target":1,"a":"' + b"x" * 60 + b'"}'),
    ],
)
def test_odd_records_under_settings(pairs: dict[str, Pair], name: str, record: bytes) -> None:
    assert check(pairs[name], [record] * 3) == ["ask"] * 3


def test_what_follows_a_record_is_not_read(pairs: dict[str, Pair]) -> None:
    """A cut record is not completed from the bytes behind it."""
    whole = b'{"target":1,"a":12,"features":{"b":"x","c":34}}'
    for cut in range(len(whole)):
        for between in (whole[cut:], b"", b"5}", b'"}', b"}", b' "'):
            assert check(pairs["classes"], [whole[:cut]], between) == ["ask"]


# Anything


@pytest.mark.parametrize("name", SETTINGS)
@SOME
@given(st.integers(0, 2**63), st.integers(1, 30), st.sampled_from([b"\n", b"", b"7", b'"', b"}"]))
def test_mutated_records(
    pairs: dict[str, Pair], name: str, seed: int, count: int, between: bytes
) -> None:
    check_mutated(pairs[name], seed, count, between)


VALUES: Any = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8), st.sampled_from(["1", "yes", "true", 1, 0, -1]),
)  # fmt: skip
NAMES = st.one_of(
    st.text(max_size=5), st.sampled_from(["id", "target", "importance", "a", "ab", "xab", "c1"])
)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=8)


@pytest.mark.parametrize("name", ["classes", "numbers", "yes", "patterns", "prefixes"])
@SOME
@given(st.lists(st.tuples(FIELDS, st.none() | FIELDS), max_size=6), st.booleans())
def test_generated_events(
    pairs: dict[str, Pair], name: str, events: list[Any], compact: bool
) -> None:
    records = []
    for fields, nested in events:
        event = fields if nested is None else {**fields, "features": nested}
        separators = (",", ":") if compact else None
        text = json.dumps(event, ensure_ascii=False, separators=separators)
        records.append(text.encode("utf-8", "surrogatepass"))
    check(pairs[name], records)

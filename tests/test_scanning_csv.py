"""The scanner of CSV says what the format and the decoder say, or asks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanning_csv import SETTINGS, csv_pair
from scanning_pairs import Pair, check, check_mutated

SOME = settings(max_examples=150, deadline=None, database=None, derandomize=True)


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    return {name: csv_pair(name) for name in SETTINGS}


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("classes", b"k1,1,2.5,news,7,1.5,2,x,3"),
        ("classes", b'"k 2",0,1,"shop floor",12,-0.25,1e3,"",-3'),
        ("classes", b"k3,-1,,caf\xc3\xa9,0,NA,nan,null,0"),
        ("classes", b",,,,,,,,"),
        ("classes", b"k4,1.0,.5,a=b,23,-0,-0.0,\xe2\x82\xac \xf0\x9f\x98\x80,12345678901234567"),
        ("classes", b"k5,0,1e12,N/A,None,9007199254740993,0.30000000000000004, b ,+7."),
        ("classes", b'k6,"1","1.0","None","5",1,1,\x00\x0b,1'),
        ("tabs", b"k1\t1\t2.5\tnews, shop\t7\t1.5\t2\tx\t3"),
        ("numbers", b"k1,-3.5,1,a,1,1,1,b,1"),
        ("counts", b"k1,7,1,a,1,1,1,b,1"),
        ("words", b"k1,5,2,news,7,1.5,2,x,3"),
        ("words", b"k1,5,2,shop,7,12,2,x,3"),
        ("words", b"k1,5,2,,7,NA,2,x,3"),
        ("no-event", b"k1,1,2.5,news,7,1.5,2,x,3"),
        ("patterns", b"k1,1,2.5,news,7,1.5,2,,3"),
        ("patterns", b"k1,1,2.5,,-7,1.5,-2.25,,0"),
        ("prefixes", b"k1,1,2.5,news,7,1.5,2,x,3"),
        ("one-name", b"1,2,,3"),
        ("features", b"1,7,x"),
        ("limits", b"k1,1,2.5,news,7,1.5,2,x,3"),
    ],
)
def test_simple_rows_are_taken(pairs: dict[str, Pair], name: str, record: bytes) -> None:
    assert check(pairs[name], [record] * 3) == ["taken"] * 3


def test_blank_rows_are_nothing(pairs: dict[str, Pair]) -> None:
    assert check(pairs["classes"], [b"", b" \x0b"]) == ["nothing"] * 2
    assert check(pairs["tabs"], [b"\t\t\t"]) == ["nothing"]


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("classes", b'k1,1,1,"a, b",1,1,1,c,1'),
        ("classes", b'k1,1,1,a,1,1,1,"say ""hi""",1'),
        ("classes", b'k1,1,1,a"b,1,1,1,c,1'),
        ("classes", b'k1,1,1,"a"b,1,1,1,c,1'),
        ("classes", b'k1,1,1,a,1,1,1,c,"1'),
        ("classes", b"k1,1,1,a,1,1,1,c"),
        ("classes", b"k1,1,1,a,1,1,1,c,1,1"),
        ("classes", b"k1,1,1,a,1,word,1,c,1"),
        ("classes", b"k1,1,1,a,1,1_0,1,c,1"),
        ("classes", b"k1,1,1,a,1, 1,1,c,1"),
        ("classes", b"k1,1,1,a,1,inf,1,c,1"),
        ("classes", b"k1,1,1,a,1,1,1,\xff,1"),
        ("classes", b"k1,1,1,a,1,1,1,c\rd,1"),
        ("classes", b"k1,1,1,a,1,1,1,c\nd,1"),
        ("classes", b"k1,2,1,a,1,1,1,c,1"),
        ("classes", b"k1,yes,1,a,1,1,1,c,1"),
        ("classes", b"k1,1,-1,a,1,1,1,c,1"),
        ("counts", b"k1,-1,1,a,1,1,1,c,1"),
        ("patterns", b"k1,1,1,a,1,1,1,5,1"),
        ("patterns", b"k1,1,1,a,1.5,1,1,,1"),
        ("patterns", b"k1,1,1,a,-0,1,1,,1"),
        ("patterns", b"k1,1,1,a,007,1,1,,1"),
        ("one-name", b"1,,2,3"),
        ("twice", b"1,2,3,4"),
        ("same-names", b"k1,1,1,a,1,1,1,c,1"),
        ("few", b"k1,1,1,a,1,1,1,c,1"),
        ("limits", b"k1,1,1,a,1,1,1," + b"x" * 200 + b",1"),
    ],
)
def test_odd_rows_are_asked(pairs: dict[str, Pair], name: str, record: bytes) -> None:
    assert check(pairs[name], [record]) == ["ask"]


def test_what_follows_a_row_is_not_read(pairs: dict[str, Pair]) -> None:
    whole = b'k1,1,2.5,"news",7,1.5,2,x,34'
    for cut in range(len(whole)):
        for between in (whole[cut:], b"", b"5", b'"', b","):
            check(pairs["classes"], [whole[:cut], whole], between)


@pytest.mark.parametrize("name", SETTINGS)
@SOME
@given(st.integers(0, 2**63), st.integers(1, 30), st.sampled_from([b"\n", b"", b"7", b'"', b","]))
def test_mutated_rows(
    pairs: dict[str, Pair], name: str, seed: int, count: int, between: bytes
) -> None:
    check_mutated(pairs[name], seed, count, between)

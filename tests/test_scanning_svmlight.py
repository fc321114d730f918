"""The scanner of svmlight says what the format and the decoder say, or asks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanning_pairs import Pair, check, check_mutated
from scanning_svmlight import SETTINGS, svmlight_pair

SOME = settings(max_examples=150, deadline=None, database=None, derandomize=True)


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    return {name: svmlight_pair(name) for name in SETTINGS}


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("classes", b"+1 1:0.5 7:2 12:-3.25 104:1e-3 # a note 4:5 \xff"),
        ("classes", b"0"),
        ("classes", b"1 qid:3 1:2#note"),
        ("classes", b"  -1.0\t1:-0  x:.5 \t"),
        ("classes", b"1 " + b" ".join(b"%d:%d" % (i, i) for i in range(1, 300))),
        ("classes", b"1 " + b"long_name" * 20 + b":1"),
        ("named", b"1 1:2 2:3 3:4 4:5 006:7"),
        ("numbers", b"-2.5 1:1"),
        ("counts", b"7 1:1 3:2"),
        ("one", b"2 1:1"),
        ("limits", b"1 1:1 2:2"),
    ],
)
def test_simple_lines_are_taken(pairs: dict[str, Pair], name: str, record: bytes) -> None:
    assert check(pairs[name], [record] * 3) == ["taken"] * 3


def test_blank_lines_and_comments_are_nothing(pairs: dict[str, Pair]) -> None:
    records = [b"", b" \t", b"# x", b" \t# 1 1:1", b"\x0b#\xff"]
    assert check(pairs["classes"], records) == ["nothing"] * len(records)


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("classes", b"1 1:2 1:2"),
        ("classes", b"one 1:1"),
        ("classes", b"2 1:1"),
        ("classes", b"nan 1:1"),
        ("classes", b"1 1"),
        ("classes", b"1 1:"),
        ("classes", b"1 :1"),
        ("classes", b"1 1:nan"),
        ("classes", b"1 1:1e999"),
        ("classes", b"1 a:b:1"),
        ("classes", b"1 caf\xc3\xa9:1"),
        ("classes", b"1 1:1\x0b2:2"),
        ("classes", b"1:1 2:2"),
        ("named", b"1 1:1 5:1"),
        ("named", b"1 0:1"),
        ("named", b"1 300:1"),
        ("named", b"1 x:1"),
        ("named", b"1 9999999999:1"),
        ("counts", b"-1 1:1"),
        ("same-names", b"1 1:1"),
        ("limits", b"1 1:1 2:1 3:1 4:1 5:1 6:1"),
        ("limits", b"1 " + b"x" * 200 + b":1"),
    ],
)
def test_odd_lines_are_asked(pairs: dict[str, Pair], name: str, record: bytes) -> None:
    assert check(pairs[name], [record]) == ["ask"]


@pytest.mark.parametrize("name", SETTINGS)
@SOME
@given(st.integers(0, 2**63), st.integers(1, 30), st.sampled_from([b"\n", b"", b"7", b"#", b":"]))
def test_mutated_lines(
    pairs: dict[str, Pair], name: str, seed: int, count: int, between: bytes
) -> None:
    check_mutated(pairs[name], seed, count, between)

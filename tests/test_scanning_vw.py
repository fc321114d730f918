"""The scanner of VowpalWabbit's text says what the format and the decoder say, or asks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanning_pairs import Pair, check, check_mutated
from scanning_vw import SETTINGS, vw_pair

from streamlasso.scanning import repeats

SOME = settings(max_examples=150, deadline=None, database=None, derandomize=True)


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    return {name: vw_pair(name) for name in SETTINGS}


SIMPLE = [
    b"1 | c0=a17 c1=a5 c2=a123",
    b"-1 |n c0=a17 c1=a5 c2=a123",
    b"0 2.5 'tag|user a b:2 |ad:0.5 x^y z=3 w:1.5 |x q c:.5 | plain",
    b"1 1 0 't |a x\ty:3 \t z:-1e-7",
    b" +1.0  1e3  |a  x  ",
    b"1|a x",
    b"t|a x",
    b"'t |a x",
    b"' |a x",
    b"|",
    b"||  | a || b",
    b"1 | caf\xc3\xa9 \xe2\x82\xac:2 |\xf0\x9f\x98\x80:2 a",
    b"1 \xc3\xa9| a",
    b"1 | " + b"long_name_" * 20 + b":2 " + b"b" * 64 + b" c",
    b"1 |" + b"long_space_" * 20 + b" a b c:2",
    b"1 | " + b" ".join(b"f%d:%d" % (i, i) for i in range(200)),
    b"1 | a:-0 b:0.0 c:9007199254740993",
    b"1 | \x00 \x01\x7f\x0b",
    b"1 |n:-0 a b:2 c:-0",
]


@pytest.mark.parametrize("record", SIMPLE)
def test_simple_lines_are_taken(pairs: dict[str, Pair], record: bytes) -> None:
    assert check(pairs["classes"], [record] * 3) == ["taken"] * 3


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("numbers", b"-2.5 3 | a"),
        ("counts", b"0 | a"),
        ("one", b"1 | a"),
        ("one", b"7 't| a"),
        ("half", b".5 | a"),
        ("limits", b"1 | a b c"),
    ],
)
def test_simple_lines_under_settings(pairs: dict[str, Pair], name: str, record: bytes) -> None:
    assert check(pairs[name], [record]) == ["taken"]


def test_blank_lines_are_nothing(pairs: dict[str, Pair]) -> None:
    assert check(pairs["classes"], [b"", b"  ", b" \t\r", b"\x0b\x0c"]) == ["nothing"] * 4


ODD = [
    b"1 x",
    b"1 | a b a",
    b"1 |n a |m a |n a",
    b"1 | a:2 a:3",
    b"1 2 0.5 | a",
    b"1 2 0 0 | a",
    b"2 | a",
    b"1 -1 | a",
    b"1 1e13 | a",
    b"one | a",
    b"nan | a",
    b"1_0 | a",
    b"a\t1 | a",
    b"1 | a\rb",
    b"1 | a:",
    b"1 | a:x",
    b"1 | a:1:2",
    b"1 | a:nan",
    b"1 | a:1e400",
    b"1 | a:0x10",
    b"1 | :2",
    b"1 |: a",
    b"1 |:2 a",
    b"1 |n:x a",
    b"1 |n:1e300 a:1e300",
    b"1 | \xff",
    b"1 | \xed\xa0\x80",
    b"1 | a\xc3",
    b"1 \xc3| a",
    b'{"target":1,"a":2}',
]


@pytest.mark.parametrize("record", ODD)
def test_odd_lines_are_asked(pairs: dict[str, Pair], record: bytes) -> None:
    assert check(pairs["classes"], [record]) == ["ask"]


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("counts", b"-1 | a"),
        ("same-names", b"1 | a"),
        ("limits", b"1 | a b c d e f"),
        ("limits", b"1 | " + b"x" * 200),
    ],
)
def test_odd_lines_under_settings(pairs: dict[str, Pair], name: str, record: bytes) -> None:
    assert check(pairs[name], [record]) == ["ask"]


def test_what_follows_a_line_is_not_read(pairs: dict[str, Pair]) -> None:
    """A cut line is not completed from the bytes behind it."""
    whole = b"1 2 't |n:2 a:12 caf\xc3\xa9:3"
    for cut in range(len(whole)):
        for between in (whole[cut:], b"", b"5", b":1", b" b", b"|"):
            check(pairs["classes"], [whole[:cut], b"1 | a"], between)


def test_names_that_need_more_room_than_expected(pairs: dict[str, Pair]) -> None:
    record = b"1 |" + b"n" * 300 + b" " + b" ".join(b"%d" % i for i in range(300))
    assert check(pairs["classes"], [record, b"1 | a", record]) == ["taken"] * 3


def test_stamps_begin_anew(pairs: dict[str, Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    pair = vw_pair("classes")
    scan = pair.scan.__closure__
    assert scan is not None
    scanner = next(c.cell_contents for c in scan if hasattr(c.cell_contents, "_counted"))
    scanner._counted[0] = repeats.LAST_STAMP - 2
    assert check(pair, [b"1 | a b c", b"1 | a a"] * 3) == ["taken", "ask"] * 3
    assert scanner._counted[0] < 10
    assert np.count_nonzero(scanner._seen) <= 8


@pytest.mark.parametrize("name", SETTINGS)
@SOME
@given(st.integers(0, 2**63), st.integers(1, 30), st.sampled_from([b"\n", b"", b"7", b"|", b":"]))
def test_mutated_lines(
    pairs: dict[str, Pair], name: str, seed: int, count: int, between: bytes
) -> None:
    check_mutated(pairs[name], seed, count, between)


TEXT = st.text(max_size=6) | st.sampled_from(["a", "b:2", "n:1", ":", "|", "a:1e5", "'t", "1", " "])


@SOME
@given(st.lists(st.lists(TEXT, max_size=12), max_size=8), st.sampled_from([" ", "|", " |", ":"]))
def test_generated_lines(pairs: dict[str, Pair], lines: list[list[str]], glue: str) -> None:
    records = [
        ("1 | " + glue.join(line)).replace("\n", "").encode("utf-8", "surrogatepass")
        for line in lines
    ]
    check(pairs["classes"], records)

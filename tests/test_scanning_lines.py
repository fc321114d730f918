"""Bytes are cut into the lines that reading them as a file gives."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlasso.scanning.lines import split_lines
from streamlasso.scanning.scanned import PADDING, Scanned, padded

SOME = settings(max_examples=300, deadline=None, database=None, derandomize=True)


def lines_of(data: bytes, room: int, start: int = 0) -> tuple[list[bytes], int]:
    starts, stops = np.empty(room, np.int64), np.empty(room, np.int64)
    rows, begin = split_lines(padded(data, len(data)), start, len(data), starts, stops)
    return [data[a:b] for a, b in zip(starts[:rows], stops[:rows], strict=True)], begin


@SOME
@given(st.lists(st.text("ab\r\n", max_size=90), max_size=9), st.integers(0, 5))
def test_lines_are_those_of_a_file(parts: list[str], start: int) -> None:
    data = "\n".join(parts).encode()
    start = min(start, len(data))
    *whole, rest = data[start:].split(b"\n")
    assert lines_of(data, 1000, start) == (
        [line.rstrip(b"\r") for line in whole],
        len(data) - len(rest),
    )


def test_it_stops_where_there_is_no_more_room() -> None:
    data = b"a\nbb\r\nccc\n"
    assert lines_of(data, 2) == ([b"a", b"bb"], 6)
    assert lines_of(data, 2, 6) == ([b"ccc"], 10)


def test_line_feeds_behind_the_stop_do_not_count() -> None:
    data = np.frombuffer(bytearray(b"a\nb" + b"\n" * 70), np.uint8)
    starts, stops = np.empty(9, np.int64), np.empty(9, np.int64)
    assert split_lines(data, 0, 3, starts, stops) == (1, 2)


def test_padding_copies_only_where_it_must() -> None:
    data = bytearray(200)
    assert np.shares_memory(padded(data, 200 - PADDING), np.frombuffer(data, np.uint8))
    assert len(padded(data, 200)) == 200 + PADDING


def test_the_arrays_are_kept_while_they_suffice() -> None:
    scanned = Scanned()
    scanned.reserve(10, 100, 1000)
    before = scanned.values, scanned.status, scanned.arena
    scanned.reserve(8, 90, 900)
    assert scanned.values is before[0]
    assert scanned.status is before[1]
    assert scanned.arena is before[2]
    scanned.reserve(13, 100, 1000)
    assert scanned.status is not before[1]
    assert scanned.values is before[0]

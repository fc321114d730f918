"""Decimal digits become the float that Python makes of them, to the bit, or are not simple."""

import math
import re
import struct
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamlasso.scanning import PADDING
from streamlasso.scanning.compiling import compile_scanner
from streamlasso.scanning.decimals import json_number, text_number

SOME = settings(max_examples=400, deadline=None, database=None, derandomize=True)

JSON = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
PLAIN = re.compile(rb"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def _read(data: Any, starts: Any, values: Any, ends: Any, strict: Any) -> None:
    for row in range(len(starts)):
        if strict:
            values[row], ends[row] = json_number(data, starts[row])
        else:
            values[row], ends[row] = text_number(data, starts[row])


@cache
def kernel() -> Any:
    return compile_scanner(_read)


def read(texts: list[bytes], strict: bool) -> list[tuple[float, int]]:
    """The value of each text and how many of its bytes are the number, −1 if not simple."""
    data = np.frombuffer(bytearray(b"".join(text + b"," for text in texts) + bytes(PADDING)), "u1")
    sizes = [len(text) + 1 for text in texts]
    starts = np.cumsum([0, *sizes[:-1]]).astype(np.int64)
    values, ends = np.empty(len(texts)), np.empty(len(texts), np.int64)
    kernel()(data, starts, values, ends, strict)
    return [
        (float(value), int(end - start) if end >= 0 else -1)
        for value, start, end in zip(values, starts, ends, strict=True)
    ]


def agrees(text: bytes, strict: bool) -> bool:
    """Check one text; whether it was taken as a whole."""
    ((value, size),) = read([text], strict)
    if size < 0:
        return False
    assert (JSON if strict else PLAIN).fullmatch(text[:size])
    assert struct.pack("d", value) == struct.pack("d", float(text[:size]))
    return size == len(text)


SIMPLE = [
    "0", "-0", "1", "-1", "10", "123456789", "9007199254740993", "18446744073709551615"[:19],
    "0.5", "0.1", "-0.001", "3.14159265358979", "1e5", "1E+5", "2.5e-7", "-1.25e300", "1e22",
    "1e23", "1.7976931348623157e308", "2.2250738585072014e-308", "0e999", "0.0",
    "0.000000000000000000001", "5e-300", "8.988465674311582e307", "9007199254740992.5",
    "0.30000000000000004", "1e00005",
]  # fmt: skip


@pytest.mark.parametrize("strict", [True, False])
def test_plain_numbers_are_taken(strict: bool) -> None:
    assert [text for text in SIMPLE if not agrees(text.encode(), strict)] == []


def test_python_also_reads_what_json_does_not() -> None:
    texts = [b"+1", b"1.", b".5", b"-.5e3", b"007", b"+0.25", b"00.5", b"1.e2"]
    assert [text for text in texts if not agrees(text, False)] == []
    assert [text for text in texts if agrees(text, True)] == []


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "text", ["", "-", ".", "e5", "-e", "1e", "1e+", "inf", "nan", "x", "--1", "1e400", "1e-400",
             "5e-324", "1e999999", "12345678901234567890", "0.12345678901234567890",
             "1e99999999999", "-.", "+-1"]
)  # fmt: skip
def test_what_is_not_simple(text: str, strict: bool) -> None:
    assert not agrees(text.encode(), strict)


@SOME
@given(st.floats(allow_nan=False, allow_infinity=False))
@example(2.2250738585072014e-308)
@example(1.7976931348623157e308)
@example(9007199254740993.0)
def test_floats_as_python_writes_them(number: float) -> None:
    for text in {repr(number), f"{number:.17e}", f"{number:.3e}", f"{number:.15g}"}:
        taken = agrees(text.encode(), True)
        assert taken or abs(float(text)) < 2.3e-308 or math.isinf(float(text)) or number == 0


@SOME
@given(st.integers(1, 10**19 - 1), st.integers(-345, 312), st.integers(0, 19))
def test_any_digits_with_any_exponent(digits: int, power: int, point: int) -> None:
    text = str(digits)
    agrees(f"{text}e{power}".encode(), True)
    point = min(point, len(text))
    agrees(f"{text[:point]}.{text[point:]}e{power}".encode(), False)


@SOME
@given(st.integers(2**52, 2**53 - 1), st.integers(-70, 60), st.sampled_from([-1, 0, 1]))
def test_near_the_middle_of_two_floats(mantissa: int, power: int, off: int) -> None:
    """The exact middle, its first 19 digits, and their neighbours."""
    middle = (2 * mantissa + 1) * (2**power if power >= 0 else 1)
    scale = 0
    if power < 0:
        middle, scale = middle * 5**-power, power
    digits = str(middle)
    cut = max(len(digits) - 19, 0)
    agrees(f"{int(digits[:19]) + off}e{scale + cut}".encode(), True)
    if len(digits) <= 19:
        agrees(f"{digits}e{scale}".encode(), True)


@SOME
@given(st.text("0123456789.eE+-_ nif", max_size=24))
def test_any_text_of_such_characters(text: str) -> None:
    agrees(text.encode(), True)
    agrees(text.encode(), False)

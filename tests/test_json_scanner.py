"""What the JSON scanner keeps between records and chunks, and what it asks its plan."""

import json
import math
import random

import numpy as np
from scanning_json import FLAT, NESTED, SETTINGS, clicks, json_pair, scanner_for
from scanning_pairs import check, laid_out, scanned

from streamlasso.scanning import ASK, NOTHING, TAKEN, json_scanner
from streamlasso.scanning.json_scanner import JsonScanner
from streamlasso.scanning.scanned import padded


def test_an_event_of_more_fields_than_the_table_has_room_for_is_asked() -> None:
    scanner = JsonScanner()
    wide = json.dumps({f"f{i}": i for i in range(9000)}).encode()
    records = [b'{"a":1}', wide, b'{"a":2,"b":1}', wide]
    found = scanner.scan(*laid_out(records))
    assert found.status[:4].tolist() == [TAKEN, ASK, TAKEN, ASK]
    assert found.features(2) == [(b"a", 2.0), (b"b", 1.0)]


def test_more_names_than_the_table_has_room_for_are_taken() -> None:
    records = [
        json.dumps({f"word{(i * 97 + j) % 30000}": j for j in range(97)}).encode()
        for i in range(300)
    ]
    assert check(json_pair("classes"), records) == ["taken"] * 300


def test_blank_lines_are_nothing_where_lines_are_read() -> None:
    found = JsonScanner().scan(*laid_out([b"", b' {"a":1}', b" \t"]))
    assert found.status[:3].tolist() == [NOTHING, TAKEN, NOTHING]


def test_the_plan_is_asked_once_a_field_and_not_for_what_is_no_feature() -> None:
    asked: list[tuple[str, bool]] = []

    def plan(name: str, text: bool) -> tuple[str, str]:
        asked.append((name, text))
        return "auto", name

    scanner = JsonScanner(plan=plan)
    records = [
        b'{"time":1,"features":{"a":1,"b":null},"id":3}',
        b'{"features":{"a":2,"b":"x"},"target":1}',
        b'{"features":{"c":2,"b":"x"},"zone":"y"}',
    ]
    for _ in range(2):
        found = scanner.scan(*laid_out(records))
        assert found.status[:3].tolist() == [TAKEN] * 3
    assert asked == [("a", False), ("b", True), ("c", False)]


def test_without_patterns_the_plan_is_told_of_the_first_fields_only() -> None:
    asked: list[str] = []

    def plan(name: str, text: bool) -> tuple[str, str]:
        asked.append(name)
        return "auto", name

    scanner = JsonScanner(plan=plan)
    records = [json.dumps({f"f{i}_{j}": 1 for j in range(50)}).encode() for i in range(40)]
    found = scanner.scan(*laid_out(records))
    assert found.status[:40].tolist() == [TAKEN] * 40
    assert 1000 <= len(asked) == len(set(asked)) <= 1050


def test_arrays_are_used_again() -> None:
    scanner = JsonScanner()
    first = scanner.scan(*laid_out(clicks(50)))
    values = first.values
    again = scanner.scan(*laid_out(clicks(40)), first)
    assert again is first
    assert again.values is values
    assert again.rows == 40


def test_log1p_is_that_of_python() -> None:
    rng = random.Random(5)
    numbers = [rng.gauss(0, 1) * 10.0 ** rng.randrange(-300, 300) for _ in range(2000)]
    records = [b'{"target":1,"n1":%r}' % number for number in numbers]
    found = list(scanned(json_pair("patterns"), records))
    assert all(each != "ask" for each in found)
    expected = [math.copysign(math.log1p(abs(number)), number) for number in numbers]
    bits = [each[-1][0][1] for each in found]
    assert bits == [np.float64(number).tobytes() for number in expected]


def test_a_scanner_serves_many_chunks_in_any_cut() -> None:
    records = [*clicks(60), *FLAT, *NESTED, *clicks(20)]
    whole = scanner_for(SETTINGS["classes"]).scan(*laid_out(records))
    scanner = scanner_for(SETTINGS["classes"])
    row = 0
    for size in (1, 2, 40, 7, 200):
        part = scanner.scan(*laid_out(records[row : row + size]))
        for each in range(part.rows):
            assert part.status[each] == whole.status[row + each]
            assert part.features(each) == whole.features(row + each)
        row += size


def test_nothing_is_compiled_for_another_kind_of_buffer() -> None:
    record = b'{"target":1,"a":"x"}' + bytes(200)
    bounds = np.array([0]), np.array([20])
    scanner = JsonScanner()
    writable = np.frombuffer(bytearray(record), np.uint8)
    for buffer in (record, record[:20], bytearray(record), memoryview(record), writable):
        assert scanner.scan(buffer, *bounds).features(0) == [(b"a=x", 1.0)]
    assert scanner.scan(b"", bounds[0][:0], bounds[1][:0]).rows == 0
    assert len(json_scanner._kernel().signatures) == 1
    assert writable.flags.writeable


def test_digits_that_do_not_end_are_not_followed() -> None:
    buffer = b'{"target":1,"a":12' + b"7" * 200
    assert JsonScanner().scan(buffer, np.array([0]), np.array([18])).status[0] == ASK
    assert chr(padded(buffer, 18)[-8]) == "\0"

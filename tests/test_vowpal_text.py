"""VowpalWabbit's text as events; what is read is held against the real VowpalWabbit."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import decode, read_all

from streamlasso_service.config import EventConfig, FileConfig
from streamlasso_service.file_source import FileSource
from streamlasso_service.formats import FormatError, format_of
from streamlasso_service.records import Bad, Event

FORMAT = format_of("a.vw")


def event(line: str) -> dict[str, Any]:
    found = json.loads(FORMAT.event(line.encode()))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1 |a x y:2", {"target": 1, "features": {"a^x": 1, "a^y": 2}}),
        ("-1 | x y:2", {"target": -1, "features": {"x": 1, "y": 2}}),
        ("0 || x", {"target": 0, "features": {"x": 1}}),
        ("1 0.5 |a x", {"target": 1, "importance": 0.5, "features": {"a^x": 1}}),
        ("1 2 0 |a x", {"target": 1, "importance": 2, "features": {"a^x": 1}}),
        ("1 2 't |a x", {"id": "t", "target": 1, "importance": 2, "features": {"a^x": 1}}),
        ("1 t|a x", {"id": "t", "target": 1, "features": {"a^x": 1}}),
        ("1 't|a x", {"id": "t", "target": 1, "features": {"a^x": 1}}),
        ("1 ' |a x", {"target": 1, "features": {"a^x": 1}}),
        ("1|a x", {"id": "1", "features": {"a^x": 1}}),
        ("'t |a x", {"id": "t", "features": {"a^x": 1}}),
        ("|a x", {"features": {"a^x": 1}}),
        ("|", {"features": {}}),
        (" +1  |a  x \t y:3 ", {"target": 1, "features": {"a^x": 1, "a^y": 3}}),
        ("1 |a:3 x y:2|b:.5 x |a z", {
            "target": 1, "features": {"a^x": 3, "a^y": 6, "b^x": 0.5, "a^z": 1},
        }),
        ("1 |a x:2 x x:-.5e1", {"target": 1, "features": {"a^x": -2}}),
        ("1 |a x:0 é:1e-3 y^z 7", {
            "target": 1, "features": {"a^x": 0, "a^é": 0.001, "a^y^z": 1, "a^7": 1},
        }),
    ],
)  # fmt: skip
def test_a_line_is_a_nested_event(line: str, expected: dict[str, Any]) -> None:
    assert event(line) == expected


REFUSED = {
    "1 x": r"no \|",
    "1 2 0.5 |a x": "base 0.5",
    "1 2 3 4 |a x": "before the",
    "1:0.5:0.3 |a x": "'1:0.5:0.3' is not a number",
    "shared |a x": "'shared' is not a number",
    "nan |a x": "'nan' is not a number",
    "1e999 |a x": "'1e999' is not finite",
    "junk\t1 |a x": "a tab",
    "1 |a x:word": "'word' is not a number",
    "1 |a x:1:2": "'1:2' is not a number",
    "1 |a x:": "'' is not a number",
    "1 |a x:0x10": "'0x10' is not a number",
    "1 |a x:1_0": "'1_0' is not a number",
    "1 |a x:inf": "'inf' is not a number",
    "1 |a x:1e300 x:1.7e308 x:1.7e308": "is not finite",
    "1 |a:1e300 x:1e300": "is not finite",
    "1 |a :3": "a feature without a name",
    "1 |:2 x": "a namespace without a name",
    "1 |a: x": "'' is not a number",
    "1 |a x\ry": "a carriage return",
    "1 |a x:١": "is not a number",
    "1 |a \udcff": "not UTF-8",
}  # fmt: skip


@pytest.mark.parametrize(("line", "reason"), REFUSED.items(), ids=map(ascii, REFUSED))
def test_what_vowpalwabbit_would_guess_is_refused_with_the_reason(line: str, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        FORMAT.event(line.encode("utf-8", "surrogateescape"))


def test_a_file_passes_bad_lines_on_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.vw"
    path.write_bytes(b"\xef\xbb\xbf1 |a x\r\n\n1 |a x:word\n-1 |a y")
    first, bad, last = read_all(FileSource(FileConfig(paths=[str(path)])))
    assert isinstance(decode(first.value), Event)
    assert isinstance(decode(last.value), Event)
    assert (bad.value, bad.fault) == (b"1 |a x:word", "'word' is not a number")


def test_a_fault_of_the_format_is_the_reason_of_the_bad_record(tmp_path: Path) -> None:
    from serving import decoder

    path = tmp_path / "a.vw"
    path.write_text('{"target": 1, "a": 2}\n')
    (record,) = read_all(FileSource(FileConfig(paths=[str(path)])))
    assert decoder().decode(record) == Bad("decode", "not VowpalWabbit text: there is no |")


def test_fields_have_the_configured_names() -> None:
    keys = EventConfig(id="key", target="label", importance="weight", features="x")
    line = format_of("a", "vw", event=keys).event(b"1 2 'a | b")
    assert json.loads(line) == {"key": "a", "label": 1, "weight": 2, "x": {"b": 1}}


@pytest.fixture(scope="module")
def workspaces() -> Iterator[list[Any]]:
    """One, in a list: hypothesis takes an object with `setup_example` for a test case."""
    vowpalwabbit = pytest.importorskip("vowpalwabbit")
    model = vowpalwabbit.Workspace("--quiet --noconstant -b 24")
    yield [model]
    model.finish()


def vowpals(model: Any, line: str) -> dict[str, Any]:
    """What VowpalWabbit makes of a line: features by hash."""
    example = model.parse(line)
    label = example.get_label()
    features: dict[int, float] = {}
    for index, value in example.iter_features():
        features[index] = features.get(index, 0.0) + value
    found = {"id": example.get_tag(), "importance": label.weight, "features": features}
    if label.label < 3e38:
        found["target"] = label.label
    model.finish_example(example)
    return found


def hashed(model: Any, name: str) -> int:
    namespace, hat, feature = name.partition("^")
    space = model.hash_space(namespace if hat else " ")
    return int(model.hash_feature(feature if hat else name, space))


def same(model: Any, line: str) -> None:
    ours, theirs = event(line), vowpals(model, line)
    assert ours.get("id", "") == theirs["id"]
    assert ours.get("target") == pytest.approx(theirs.get("target"))
    assert ours.get("importance", 1.0) == pytest.approx(theirs["importance"])
    features: dict[int, float] = {}
    for name, value in ours["features"].items():
        where = hashed(model, name)
        features[where] = features.get(where, 0.0) + value
    for where in features.keys() | theirs["features"].keys():
        known = theirs["features"].get(where, 0.0)
        assert math.isclose(features.get(where, 0.0), known, rel_tol=1e-5, abs_tol=1e-4), line


NAME = st.text("abz07=_-é'\"{}.*%", min_size=1, max_size=4)
NUMBER = st.sampled_from(["1", "0", "-2", "+.5", "3.", "1e2", "-1.25E-1", "0.1"])
WORD = st.tuples(NAME, st.just("") | NUMBER.map(":{}".format)).map("".join)
BLANK = st.sampled_from([" ", "  ", "\t"])
HEAD = st.sampled_from([
    "", " ", "1 ", "-1 2 ", "1 2 0 ", "'t ", "1 't ", "1 t", "1 2 't", "1", " 1  2  't  ", "1 'a'b",
])  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> str:
    parts = [draw(HEAD)]
    for _ in range(draw(st.integers(1, 3))):
        parts.append("|" + draw(st.just("") | WORD))
        parts += [draw(BLANK) + draw(WORD) for _ in range(draw(st.integers(0, 4)))]
        parts.append(draw(st.sampled_from(["", " "])))
    return "".join(parts)


@given(lines())
def test_a_line_is_read_as_vowpalwabbit_reads_it(workspaces: list[Any], line: str) -> None:
    same(workspaces[0], line)


@pytest.mark.parametrize("line", ["1 |a:3 x y:2 |b:0.5 x", "1 |a x x:2 |a x", "1|a x", "|"])
def test_these_lines_are_read_as_vowpalwabbit_reads_them(workspaces: list[Any], line: str) -> None:
    same(workspaces[0], line)

"""Lines of files as the JSON of events: JSON lines, CSV, TSV, svmlight."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from serving import decode, read_all

from streamlasso_service.config import EventConfig, FileConfig
from streamlasso_service.file_source import FileSource
from streamlasso_service.files import Pipe
from streamlasso_service.formats import format_of
from streamlasso_service.records import Bad
from streamlasso_service.source import SourceError


def values(path: Path, content: str | bytes, kind: str = "auto", **config: Any) -> list[Any]:
    """Every record of a file: parsed, or as bytes where it is no JSON."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    source = FileSource(FileConfig(paths=[str(path)], **config), kind)
    return [parsed(record.value) for record in read_all(source)]


def parsed(value: bytes) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def csv(folder: Path, content: str | bytes) -> list[Any]:
    return values(folder / "events.csv", content)


def svmlight(folder: Path, content: str | bytes, **config: Any) -> list[Any]:
    return values(folder / "events.svm", content, **config)


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("a.csv", "auto", "Csv"),
        ("a.csv.gz", "auto", "Csv"),
        ("a.tsv", "auto", "Csv"),
        ("a.svm", "auto", "Svmlight"),
        ("a.svmlight.gz", "auto", "Svmlight"),
        ("a.jsonl", "auto", "JsonLines"),
        ("a.gz", "auto", "JsonLines"),
        ("-", "auto", "JsonLines"),
        ("a.csv", "json", "JsonLines"),
        ("a.txt", "csv", "Csv"),
        ("-", "svmlight", "Svmlight"),
    ],
)
def test_format_goes_by_the_name_unless_it_is_given(path: str, kind: str, expected: str) -> None:
    assert type(format_of(path, kind)).__name__ == expected


def test_json_lines_pass_as_they_are() -> None:
    line = b' {"a": 1e5}'
    assert format_of("a.jsonl").event(line) is line


def test_byte_order_mark_is_no_part_of_the_first_event(tmp_path: Path) -> None:
    assert values(tmp_path / "a.jsonl", b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n') == [{"a": 1}, {"a": 2}]
    assert csv(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n") == [{"a": 1, "b": 2}]


# CSV


def test_csv_row_is_a_flat_event(tmp_path: Path) -> None:
    rows = csv(tmp_path, "id,target,site,hour\n1,0,news,2.5\n2,1,shop,3\n")
    assert rows == [
        {"id": 1, "target": 0, "site": "news", "hour": 2.5},
        {"id": 2, "target": 1, "site": "shop", "hour": 3},
    ]


def test_csv_column_has_one_type_for_the_whole_file(tmp_path: Path) -> None:
    rows = csv(tmp_path, "zip,size\n12345,1\n1A,2\n777,3\n")
    assert [row["zip"] for row in rows] == ["12345", "1A", "777"]
    assert [row["size"] for row in rows] == [1, 2, 3]


def test_csv_type_stays_the_same_when_reading_goes_on_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("zip\nA1\n" + "".join(f"{i}\n" for i in range(2000)))
    (first, *_, last) = read_all(FileSource(FileConfig(paths=[str(path)])))
    later = FileSource(FileConfig(paths=[str(path)]))
    assert read_all(later, {last.partition: last.offset})[0] == last
    assert parsed(first.value) == {"zip": "A1"}
    assert parsed(last.value) == {"zip": "1999"}


@pytest.mark.parametrize("text", ["", "NA", "N/A", "NaN", "nan", "null", "None"])
@pytest.mark.parametrize("others", ["1", "word"])
def test_csv_missing_value_is_null_in_any_column(tmp_path: Path, text: str, others: str) -> None:
    rows = csv(tmp_path, f"x,y\n{others},1\n{text},2\n")
    assert rows[1] == {"x": None, "y": 2}


def test_csv_quotes(tmp_path: Path) -> None:
    rows = csv(tmp_path, '"a b","c,d"\n"x, y","say ""hi"""\n')
    assert rows == [{"a b": "x, y", "c,d": 'say "hi"'}]


def test_csv_word_in_a_numeric_column_is_left_to_the_rules(tmp_path: Path) -> None:
    content = "size\n" + "1\n" * 1000 + "big\n"
    last = csv(tmp_path, content)[-1]
    assert last == {"size": "big"}
    bad = decode(last, rules={"numeric": ["size"]})
    assert isinstance(bad, Bad)
    assert bad.reason == "schema"


def test_csv_infinity_in_a_numeric_column_is_not_finite(tmp_path: Path) -> None:
    (row, _) = csv(tmp_path, "size\ninf\n1\n")
    bad = decode(row, rules={"numeric": ["size"]})
    assert isinstance(bad, Bad)
    assert bad.reason == "nonfinite"


def test_csv_integers_are_exact_and_floats_stay_floats(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"x\n{2**53 - 1}\n1.0\n1e400\n0.1\n")
    texts = [record.value for record in read_all(FileSource(FileConfig(paths=[str(path)])))]
    assert texts == [b'{"x":9007199254740991}', b'{"x":1}', b'{"x":"1e400"}', b'{"x":0.1}']


@pytest.mark.parametrize("row", ["1", "1,2,3", '"open', "a\rb,1", "\udcff,1"])
def test_csv_row_that_does_not_fit_passes_unread_and_is_bad(tmp_path: Path, row: str) -> None:
    raw = row.encode("utf-8", "surrogateescape")
    (first, second) = csv(tmp_path, b"a,b\n" + raw + b"\n3,4\n")
    assert first in (raw, parsed(raw))
    assert isinstance(decode(raw), Bad)
    assert second == {"a": 3, "b": 4}


def test_csv_header_alone_is_an_empty_file(tmp_path: Path) -> None:
    assert csv(tmp_path, "a,b\n") == []
    assert csv(tmp_path, "") == []


def test_csv_header_in_another_encoding_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"events\.csv.*UTF-8"):
        csv(tmp_path, b"caf\xe9,target\n1,0\n")


def test_tsv(tmp_path: Path) -> None:
    assert values(tmp_path / "a.tsv", "a\tb\nx, y\t2\n") == [{"a": "x, y", "b": 2}]


def test_csv_columns_of_a_pipe_are_typed_by_what_is_there() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a,b\n1,x\n2,y\n3")
    pipe, reader = Pipe(reading), format_of("-", "csv")
    assert reader.begin(pipe) == len(b"a,b\n")
    assert parsed(reader.event(b"1,x")) == {"a": 1, "b": "x"}
    os.close(writing)
    lines = [pipe.readline() for _ in range(4)]
    assert lines == [b"1,x\n", b"2,y\n", b"3", b""], "looking ahead takes nothing"
    os.close(reading)


# svmlight


def test_svmlight_line_is_a_nested_event(tmp_path: Path) -> None:
    rows = svmlight(tmp_path, "+1 1:0.5 7:2\n-1 3:1e-3\n0\n")
    assert rows == [
        {"target": 1, "features": {"1": 0.5, "7": 2}},
        {"target": -1, "features": {"3": 0.001}},
        {"target": 0, "features": {}},
    ]


def test_svmlight_comments_and_query_ids_are_left_out(tmp_path: Path) -> None:
    rows = svmlight(tmp_path, "# made by hand\n1 qid:3 1:2 # a note 4:5\n  # more\n0 qid:4 2:1\n")
    assert rows == [
        {"target": 1, "features": {"1": 2}},
        {"target": 0, "features": {"2": 1}},
    ]


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_svmlight_names_come_from_a_file(tmp_path: Path, ending: str) -> None:
    names = tmp_path / f"names.txt{ending}"
    raw = b"age\nblood pressure\n"
    names.write_bytes(gzip.compress(raw) if ending else raw)
    rows = svmlight(tmp_path, "1 1:30 2:120\n", names=str(names))
    assert rows == [{"target": 1, "features": {"age": 30, "blood pressure": 120}}]


@pytest.mark.parametrize("pair", ["0:1", "3:1", "x:1", "-1:1"])
def test_svmlight_index_without_a_name_makes_a_bad_record(tmp_path: Path, pair: str) -> None:
    names = tmp_path / "names.txt"
    names.write_text("one\ntwo\n")
    line = f"1 {pair}"
    assert svmlight(tmp_path, line + "\n", names=str(names)) == [line.encode()]
    assert isinstance(decode(line.encode()), Bad)


@pytest.mark.parametrize("line", ["one 1:1", "1 1", "1 1:x", "1:1 2:2", "1 :", "\udcff 1:1"])
def test_svmlight_line_that_cannot_be_read_passes_and_is_bad(tmp_path: Path, line: str) -> None:
    raw = line.encode("utf-8", "surrogateescape")
    assert svmlight(tmp_path, raw + b"\n") == [raw]
    assert isinstance(decode(raw), Bad)


@pytest.mark.parametrize("line", [b"1 1:inf", b"1 1:-1e999", b"inf 1:1"])
def test_svmlight_infinity_is_bad(tmp_path: Path, line: bytes) -> None:
    assert svmlight(tmp_path, line + b"\n") == [line]
    assert isinstance(decode(line), Bad)


def test_svmlight_nan_is_a_missing_value(tmp_path: Path) -> None:
    rows = svmlight(tmp_path, "1 1:nan\nnan 1:1\n")
    assert rows == [{"target": 1, "features": {"1": None}}, {"target": None, "features": {"1": 1}}]


def test_a_svmlight_line_takes_the_configured_names_of_target_and_features() -> None:
    event = EventConfig(target="label", features="x")
    line = format_of("a.svm", event=event).event(b"-1 3:2.5")
    assert json.loads(line) == {"label": -1.0, "x": {"3": 2.5}}

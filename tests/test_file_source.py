"""Files as streams: order, positions, compression, growing files, standard input."""

import gzip
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from serving import command, environment, read_all, wait_for

from streamlasso_service.config import FileConfig
from streamlasso_service.file_source import FileSource
from streamlasso_service.records import Partition, Record
from streamlasso_service.source import SourceError

LINES = [json.dumps({"a": i, "text": "x" * (i % 5)}).encode() for i in range(100)]


def source_of(*paths: Path, **config: Any) -> FileSource:
    return FileSource(FileConfig(paths=[str(path) for path in paths], **config))


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def values(records: list[Record]) -> list[bytes]:
    return [record.value for record in records]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_come_in_order_and_positions_join(
    tmp_path: Path, name: str, ending: bytes, last: bool
) -> None:
    content = ending.join(LINES) + (ending if last else b"")
    path = written(tmp_path / name, content)
    records = read_all(source_of(path))
    assert values(records) == LINES
    assert records[0].offset == 0
    assert records[-1].next == len(content)
    assert all(before.next == after.offset for before, after in pairwise(records))
    assert {record.partition for record in records} == {Partition(str(path), 0)}


def test_blank_lines_are_passed_over_but_counted_in_positions(tmp_path: Path) -> None:
    content = b'\n\n{"a":1}\n  \n\r\n{"a":2}\n\n'
    path = written(tmp_path / "a.jsonl", content)
    source = source_of(path)
    source.start({})
    batch = source.poll(0, 100)
    assert values(batch.records) == [b'{"a":1}', b'{"a":2}']
    assert [(r.offset, r.next) for r in batch.records] == [(2, 10), (15, 23)]
    assert batch.positions == {Partition(str(path), 0): len(content)}
    source.close()


def test_several_files_come_in_the_given_order(tmp_path: Path) -> None:
    # Without an end of line at the end of a file.
    paths = [written(tmp_path / name, name.encode()) for name in ("b.txt", "a.txt", "c.txt")]
    records = read_all(source_of(*paths))
    assert values(records) == [b"b.txt", b"a.txt", b"c.txt"]
    assert [record.partition.topic for record in records] == list(map(str, paths))


def test_empty_files_are_passed_over(tmp_path: Path) -> None:
    paths = [written(tmp_path / name, text) for name, text in (("a", b""), ("b", b"x"), ("c", b""))]
    assert values(read_all(source_of(*paths))) == [b"x"]


def csv_content() -> bytes:
    return b"a,text\n" + b"".join(b"%d,w%d\n" % (i, i % 7) for i in range(100))


@pytest.mark.parametrize("cut", [1, 50, 99, 100])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b"\n".join(LINES)),
        ("a.jsonl.gz", b"\n\n".join(LINES)),
        ("a.csv", csv_content()),
        ("a.csv.gz", csv_content()),
    ],
)
def test_reading_goes_on_exactly_where_it_stopped(
    tmp_path: Path, name: str, content: bytes, cut: int
) -> None:
    path = written(tmp_path / name, content)
    whole = read_all(source_of(path))
    assert read_all(source_of(path), {whole[0].partition: whole[cut - 1].next}) == whole[cut:]


def test_reading_goes_on_in_the_middle_of_several_files(tmp_path: Path) -> None:
    paths = [written(tmp_path / name, b"\n".join(LINES)) for name in ("a", "b", "c")]
    whole = read_all(source_of(*paths))
    done = {
        Partition(str(paths[0]), 0): whole[99].next,
        Partition(str(paths[1]), 0): whole[130].next,
    }
    assert read_all(source_of(*paths), done) == whole[131:]


def test_poll_gives_no_more_than_its_limit(tmp_path: Path) -> None:
    source = source_of(written(tmp_path / "a", b"\n".join(LINES)))
    source.start({})
    assert [len(source.poll(0, 40).records) for _ in range(3)] == [40, 40, 20]
    assert not source.finished
    assert source.poll(0, 40).records == []
    assert source.finished


def test_lag_is_the_bytes_left(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b"1234\n6789\n")
    source = source_of(path)
    assert source.lag() == {}
    source.start({})
    source.poll(0, 1)
    assert source.lag() == {Partition(str(path), 0): 5}
    source.close()


def test_missing_file_is_named_before_anything_is_read(tmp_path: Path) -> None:
    there = written(tmp_path / "a", b"x")
    with pytest.raises(SourceError, match=r"no file '.*none\.jsonl'; check the path") as caught:
        source_of(there, tmp_path / "none.jsonl")
    assert caught.value.code == 2


def test_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file"):
        source_of(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [lambda raw: raw[:200], lambda raw: raw[:-6], lambda raw: raw[:100] + b"\xff" * 50 + raw[150:]],
)
def test_damaged_gz_is_an_error_that_names_the_file(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(damage(gzip.compress(os.urandom(5000).hex().encode(), mtime=0)))
    with pytest.raises(SourceError, match=r"a\.jsonl\.gz.*damaged"):
        read_all(source_of(path))


# Growing files


def test_followed_file_is_read_as_it_grows_and_half_lines_wait(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b'{"a":1}\n{"a"')
    source = source_of(path, follow=True)
    source.start({})
    assert values(source.poll(0, 10).records) == [b'{"a":1}']
    assert not source.poll(0, 10), "nothing new, no position either"
    for more, expected in ((b":2", []), (b"}\n{}", [b'{"a":2}']), (b"\n", [b"{}"])):
        with path.open("ab") as file:
            file.write(more)
        records = source.poll(0, 10).records
        assert values(records) == expected
    assert (records[0].offset, records[0].next) == (16, 19)
    assert not source.finished
    source.close()
    assert source.finished


def test_followed_file_gives_new_lines_while_polling(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b"")
    source = source_of(path, follow=True)
    source.start({})
    timer = threading.Timer(0.1, path.write_bytes, [b"x\n"])
    timer.start()
    begun = time.monotonic()
    assert values(source.poll(20, 10).records) == [b"x"]
    assert time.monotonic() - begun < 10
    timer.join()
    source.close()


def test_only_the_last_file_is_followed(tmp_path: Path) -> None:
    # The first file's last line has no end: it is complete all the same.
    first, last = written(tmp_path / "a", b"1\n2"), written(tmp_path / "b", b"3\n")
    source = source_of(first, last, follow=True)
    source.start({})
    polled = [values(source.poll(0, 10).records) for _ in range(3)]
    assert polled == [[b"1", b"2"], [b"3"], []]
    source.close()


# Standard input


@pytest.fixture
def piped(tmp_path: Path) -> Any:
    """`start(*arguments)` -> a running ``consume --file -`` and a reader of its predictions."""
    running: list[subprocess.Popen[bytes]] = []
    output = tmp_path / "predictions.jsonl"

    def start(*arguments: object) -> tuple[subprocess.Popen[bytes], Callable[[], list[Any]]]:
        process = subprocess.Popen(
            command(
                *("consume", "--file", "-", "--snapshots", tmp_path / "s", "--port", 0),
                *("--predictions", output, "--set", "snapshot.interval_s=0.1", *arguments),
            ),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        running.append(process)

        def predictions() -> list[Any]:
            lines = output.read_bytes().splitlines() if output.exists() else []
            return [json.loads(line) for line in lines]

        return process, predictions

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_standard_input_is_learned_to_its_end(piped: Any) -> None:
    process, predictions = piped()
    _, log = process.communicate(b'{"id":1,"target":1,"a":1}\n{"id":2,"target":0,"a":1}', 60)
    assert process.returncode == 0, log
    assert [line["id"] for line in predictions()] == [1, 2]


def test_csv_from_standard_input(piped: Any) -> None:
    process, predictions = piped("--set", "source.format=csv")
    _, log = process.communicate(b"id,target,a\n1,1,x\n2,0,y\n", 60)
    assert process.returncode == 0, log
    assert [line["target"] for line in predictions()] == [1, 0]


def test_slow_standard_input_is_learned_at_once_and_stops_at_a_signal(piped: Any) -> None:
    process, predictions = piped()
    process.stdin.write(b'{"id":1,"target":1,"a":1}\n{"id":2')
    process.stdin.flush()
    # Until the next snapshot makes it durable: no end of the input, no full batch.
    wait_for(lambda: [line["id"] for line in predictions()] == [1], 60)
    process.stdin.write(b',"target":1,"a":1}\n')
    process.stdin.flush()
    wait_for(lambda: [line["id"] for line in predictions()] == [1, 2], 60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0

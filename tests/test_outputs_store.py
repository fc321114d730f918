"""Predictions and dead letters as files, the folder of snapshots, the fingerprint of offsets."""

import base64
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from serving import content, damage, environment, snapshots

from streamlasso import SparseClassifier
from streamlasso.snapshot import SnapshotError, capture
from streamlasso_service.outputs import FileSink
from streamlasso_service.records import Bad, Partition, Record
from streamlasso_service.store import SnapshotStore, StoreLockedError

# Sinks


def test_lines_are_appended_and_flush_makes_them_visible(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "out.jsonl"
    for text in (b"one", b"two"):
        sink = FileSink(path)
        sink.send(text)
        sink.flush()
        assert path.read_bytes().endswith(text + b"\n")
        sink.close()
    assert path.read_bytes() == b"one\ntwo\n"


def test_line_torn_by_a_crash_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b'{"whole": 1}\n{"torn": ')
    sink = FileSink(path)
    sink.send(b'{"again": 2}')
    sink.close()
    assert path.read_bytes().splitlines()[-1] == b'{"again": 2}'


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"plain", {"value": "plain"}),
        ("größer\n\u2028".encode(), {"value": "größer\n\u2028"}),
        (b"\xff\x00", {"value_base64": base64.b64encode(b"\xff\x00").decode()}),
    ],
)
def test_dead_letter_is_one_line_with_the_value_and_where_it_stood(
    tmp_path: Path, value: bytes, kept: dict[str, str]
) -> None:
    sink = FileSink(tmp_path / "dead.jsonl")
    record = Record(Partition("events.jsonl", 0), 17, 30, value)
    sink.dead_letter(record, Bad("decode", "not JSON"))
    sink.close()
    (line,) = sink.path.read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "source": "events.jsonl",
        "position": 17,
        "reason": "decode",
        "message": "not JSON",
        **kept,
    }


# Snapshots


def trained(count: int) -> SparseClassifier:
    model = SparseClassifier()
    for i in range(count):
        model.learn_one({"a": i % 3, "b": str(i % 5)}, i % 2)
    return model


def store_of(folder: Path, keep: int = 3) -> SnapshotStore:
    return SnapshotStore(folder, keep)


def write(store: SnapshotStore, *counts: int) -> list[Path]:
    """A snapshot of a model that has learned so many events, for each count."""
    return [store.write(capture(trained(n), {"n": n})).result().path for n in counts]


def newest(folder: Path) -> int | None:
    """How many events the newest good snapshot has learned."""
    store = store_of(folder)
    found = store.newest()
    store.close()
    return None if found is None else found[1].learner.clock


def test_empty_folder_has_no_newest(tmp_path: Path) -> None:
    assert newest(tmp_path / "made" / "for" / "it") is None


def test_newest_is_the_last_written_with_model_and_manifest(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    paths = write(store, 10, 30, 20)
    found = store.newest()
    store.close()
    assert found is not None
    path, model, manifest = found
    assert path == paths[-1]
    assert content(model) == content(trained(20))
    assert manifest["extra"] == {"n": 20}


def test_write_says_what_it_took(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, 3, clock=lambda: 1234.5)
    written = store.write(capture(trained(5))).result()
    store.close()
    assert written.size_bytes == written.path.stat().st_size
    assert written.time_s == 1234.5
    assert written.duration_s >= 0


@pytest.mark.parametrize("truncated", [True, False])
def test_damaged_newest_gives_way_to_the_one_before_loudly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, truncated: bool
) -> None:
    store = store_of(tmp_path)
    *_, last = write(store, 10, 20, 30)
    store.close()
    if truncated:
        last.write_bytes(last.read_bytes()[:-1])
    else:
        damage(last)
    with caplog.at_level(logging.ERROR):
        assert newest(tmp_path) == 20
    assert str(last) in caplog.text
    assert "trying the one before" in caplog.text


def test_every_single_bit_of_a_snapshot_is_guarded(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    first, last = write(store, 10, 20)
    store.close()
    raw = last.read_bytes()
    for position in range(0, len(raw), 37):
        changed = bytearray(raw)
        changed[position] ^= 0x10
        last.write_bytes(changed)
        found = newest(tmp_path)
        # A bit of the file's own header may change without changing what is read.
        assert found in (10, 20)
        if found == 20:
            assert position < 8 + int.from_bytes(raw[:8], "little")
    assert first.exists()


def test_nothing_but_damaged_snapshots_is_an_error(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    for path in write(store, 10, 20):
        damage(path)
    with pytest.raises(SnapshotError, match=r"none of the 2 snapshots .* move them away"):
        store.newest()
    store.close()


def test_each_owner_has_a_higher_epoch(tmp_path: Path) -> None:
    epochs = []
    for _ in range(3):
        store = store_of(tmp_path)
        epochs.append(store.epoch)
        store.close()
    assert epochs == [1, 2, 3]
    assert [path.name for path in tmp_path.glob("epoch-*")] == ["epoch-000003"]


def test_epoch_rises_above_snapshots_whose_claim_is_gone(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    write(store, 10)
    store.close()
    for claim in tmp_path.glob("epoch-*"):
        claim.unlink()
    store = store_of(tmp_path)
    assert store.epoch == 2
    store.close()


def late_owner(folder: Path) -> SnapshotStore:
    """An old owner that lost its lock (its machine stood still, or the lock was not honoured)."""
    store = store_of(folder)
    store._lock.close()
    return store


def test_late_write_of_an_old_owner_is_never_loaded(tmp_path: Path) -> None:
    old = late_owner(tmp_path)
    write(old, 10)
    new = store_of(tmp_path)
    write(new, 20)
    write(old, 30, 40, 50)
    found = new.newest()
    new.close()
    old.close()
    assert found is not None
    assert found[1].learner.clock == 20
    assert newest(tmp_path) == 20


def test_pruning_keeps_the_newest_and_spares_a_higher_epoch(tmp_path: Path) -> None:
    old = late_owner(tmp_path)
    first = write(old, 1, 2)
    new = store_of(tmp_path, keep=2)
    second = write(new, 3)
    assert snapshots(tmp_path) == [first[1], second[0]]
    second += write(new, 4, 5)
    assert snapshots(tmp_path) == second[1:]
    third = write(old, 6, 7, 8, 9)
    assert snapshots(tmp_path) == [*third[1:], *second[1:]]
    old.close()
    new.close()


def test_folder_is_refused_to_a_second_process(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from streamlasso_service.store import SnapshotStore;"
        "store = SnapshotStore(Path(sys.argv[1]), 3); print('owned', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"owned\n"
    with pytest.raises(StoreLockedError, match="used by another running streamlasso") as caught:
        store_of(tmp_path)
    assert str(tmp_path) in str(caught.value)
    other.kill()
    other.communicate()
    store_of(tmp_path).close()


def test_unfinished_files_of_a_crash_are_removed(tmp_path: Path) -> None:
    stale = tmp_path / f".snapshot-000001-00000001-{'0' * 32}.safetensors.123.tmp"
    stale.write_bytes(b"half")
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    store_of(tmp_path).close()
    assert not stale.exists()
    assert other.exists()

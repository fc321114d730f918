"""Batches, outputs and snapshots in the order that loses nothing, whatever is out of reach."""

import errno
import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from batches import ListSource, ShakySink, batch_of, lines_of, looped
from serving import (
    BAD_RECORDS,
    account,
    content,
    mixed_stream,
    run,
    settings_for,
    snapshots,
)

from streamlasso.snapshot import Captured, read_manifest
from streamlasso_service import consumer as loop
from streamlasso_service.records import Batch, Partition
from streamlasso_service.source import SourceError
from streamlasso_service.store import SnapshotStore, Written
from streamlasso_service.tally import Tally, fingerprint


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    return mixed_stream(tmp_path / "events.jsonl")


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "RETRY_S", 0.001)


@pytest.mark.usefixtures("_hasty")
def test_dead_letters_out_of_reach_pause_the_stream_and_lose_nothing(
    tmp_path: Path, stream: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = run(settings_for(tmp_path / "whole", stream))
    values = stream.read_bytes().split(b"\n")[:-1]
    part, sink = Partition("events", 0), ShakySink()
    batches = [batch_of(part, values[i : i + 100], i) for i in range(0, len(values), 100)]
    consumer = looped(settings_for(tmp_path / "s", stream), ListSource(batches), sink)
    assert content(consumer.model) == content(whole.model)
    assert [record.value for record, _ in sink.letters] == BAD_RECORDS
    assert sink.flushed == 5, "durable before the last snapshot"
    assert consumer.failed == 5
    assert "dead letters out of reach, waiting: no route" in caplog.text


@pytest.mark.usefixtures("_hasty")
def test_replayed_records_are_dropped(tmp_path: Path) -> None:
    values = lines_of(300)
    part = Partition("events", 0)
    once = [batch_of(part, values[i : i + 100], i) for i in (0, 100, 200)]
    replayed = [
        batch_of(part, values[max(0, i - 50) : i + 100], max(0, i - 50)) for i in (0, 100, 200)
    ]
    stream = tmp_path / "unused"
    first = looped(settings_for(tmp_path / "a", stream), ListSource(once))
    second = looped(settings_for(tmp_path / "b", stream), ListSource(replayed))
    assert account(second) == account(first)
    assert (
        second.metrics.registry.get_sample_value(
            "streamlasso_replayed_events_total", {"model": "default"}
        )
        == 100
    )


@pytest.mark.usefixtures("_hasty")
def test_tallies_say_per_partition_what_was_learned_and_where_to_go_on(tmp_path: Path) -> None:
    values = lines_of(200)
    parts = [Partition("events", number) for number in (0, 1)]
    batches = [
        batch_of(parts[0], values[:50], 10),
        batch_of(parts[1], values[50:120], 0),
        batch_of(parts[0], values[120:], 60),
        # The end of a transaction: a position without a record.
        Batch([], {parts[1]: 75}),
    ]
    source = ListSource(batches)
    settings = settings_for(tmp_path / "s", tmp_path / "unused")
    consumer = looped(settings, source)
    learned: dict[Partition, list[int]] = {part: [] for part in parts}
    for batch in batches:
        for record in batch.records:
            event = json.loads(record.value)
            if "target" in event and event.get("importance", 1) > 0:
                learned[record.partition].append(record.offset)
    expected = {
        part: Tally(position, len(learned[part]), fingerprint(learned[part]))
        for part, position in zip(parts, (140, 75), strict=True)
    }
    assert consumer.tallies == expected
    assert source.commits[-1] == {parts[0]: 140, parts[1]: 75}
    again = ListSource([])
    looped(settings, again)
    assert again.started_at == {parts[0]: 140, parts[1]: 75}


@pytest.mark.usefixtures("_hasty")
def test_idle_stream_takes_no_memory(tmp_path: Path) -> None:
    part = Partition("events", 0)
    batches = [batch_of(part, lines_of(5), 0), *(Batch([], {part: 5}) for _ in range(500))]
    settings = settings_for(tmp_path / "s", tmp_path / "unused")
    consumer = looped(settings, ListSource(batches))
    assert len(consumer.bad_share._recent) < 10


@pytest.mark.usefixtures("_hasty")
def test_bad_share_may_rise_by_good_records_leaving_the_window(tmp_path: Path) -> None:
    part, good = Partition("events", 0), lines_of(900)
    batches, begin = [], 0
    for values in (good, [b"{"] * 600, good[:400]):
        batches.append(batch_of(part, values, begin))
        begin += len(values)
    with pytest.raises(SourceError, match=r"600 of the last 1000 .* decode: not JSON"):
        looped(settings_for(tmp_path / "s", tmp_path / "unused"), ListSource(batches))


class WatchfulSource(ListSource):
    """At each commit it looks what a crash at this moment would restore."""

    folder: Path

    def commit(self, positions: Mapping[Partition, int]) -> None:
        super().commit(positions)
        newest = snapshots(self.folder)[-1]
        saved = read_manifest(newest)["extra"]["partitions"]
        assert {Partition.parse(name): t["position"] for name, t in saved.items()} == positions


class SlowStore(SnapshotStore):
    """Writes slower than batches come."""

    def _write(self, captured: Captured, sequence: int) -> Written:
        time.sleep(0.05)
        return super()._write(captured, sequence)


class FullStore(SnapshotStore):
    """The disk is full, but for the second write."""

    def _write(self, captured: Captured, sequence: int) -> Written:
        if sequence == 2:
            return super()._write(captured, sequence)
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.usefixtures("_hasty")
def test_positions_are_committed_only_after_their_snapshot_is_on_disk(tmp_path: Path) -> None:
    part, values = Partition("events", 0), lines_of(3000)
    source = WatchfulSource([batch_of(part, values[i : i + 10], i) for i in range(0, 3000, 10)])
    source.folder = tmp_path / "s"
    settings = settings_for(source.folder, tmp_path / "u", snapshot={"interval_events": 50})
    consumer = looped(settings, source, kind=SlowStore)
    get = consumer.metrics.registry.get_sample_value
    written = get("streamlasso_snapshots_total", {"model": "default", "result": "ok"})
    committed = get("streamlasso_offset_commits_total", {"model": "default", "result": "ok"})
    begun = int(snapshots(source.folder)[-1].name.split("-")[2])
    assert len(source.commits) == written == committed == begun
    assert source.commits[-1] == {part: 3000}


@pytest.mark.usefixtures("_hasty")
def test_snapshot_that_cannot_be_written_is_counted_and_not_committed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    part, values = Partition("events", 0), lines_of(300)
    source = ListSource([batch_of(part, values[i : i + 100], i) for i in (0, 100, 200)])
    settings = settings_for(tmp_path / "s", tmp_path / "u", snapshot={"interval_events": 1})
    with pytest.raises(SourceError, match=r"last snapshot was not written: .* No space left"):
        looped(settings, source, kind=FullStore)
    assert len(source.commits) == 1
    assert len(snapshots(tmp_path / "s")) == 1
    assert "the one before stands" in caplog.text

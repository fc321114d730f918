"""Runs that work, but probably not as they were meant, say so."""

import logging
from pathlib import Path

import pytest
from serving import settings_for

from streamlasso_service.advice import nothing_learned
from streamlasso_service.service import serve

LINE = b'{"clicked": 1, "features": {"a": 1}}\n'


def run(tmp_path: Path, name: str, content: bytes) -> str | None:
    path = tmp_path / name
    path.write_bytes(content)
    return nothing_learned(serve(settings_for(tmp_path / "snapshots", path)))


def test_a_run_without_targets_says_where_it_looked(tmp_path: Path) -> None:
    advice = run(tmp_path, "a.jsonl", LINE * 3)
    assert advice is not None
    assert "event.target=NAME" in advice
    assert "--snapshots NEW" in advice


def test_a_finished_file_run_again_says_that_nothing_was_new(tmp_path: Path) -> None:
    content = LINE.replace(b"clicked", b"target") * 3
    assert run(tmp_path, "a.jsonl", content) is None
    advice = run(tmp_path, "a.jsonl", content)
    assert advice is not None
    assert "nothing new was read" in advice


def test_going_on_with_another_file_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = LINE.replace(b"clicked", b"target")
    with caplog.at_level(logging.WARNING):
        run(tmp_path, "a.jsonl", content)
        assert "learned from" not in caplog.text
        run(tmp_path, "b.jsonl", content)
    assert "learned from" in caplog.text
    assert "b.jsonl" in caplog.text

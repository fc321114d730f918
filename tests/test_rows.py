"""Blocks scanned at once give what their records give one by one: rows, slots, ids, bad ones."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving import BAD_RECORDS, events, learn_lines, settings_for

from streamlasso.encoding import RowEncoder
from streamlasso_service.decoding import Decoder
from streamlasso_service.fields import Fields
from streamlasso_service.models import build_model
from streamlasso_service.records import Block, Partition, Record
from streamlasso_service.rows import Decoded, Events, RowReader, Rows

ODD = [
    b'{"target":1,"text":"an \\u00e9scape","new1":"a"}',
    b'{"target":0,"site":"s1","site":"s2","new2":2}',
    b'{"features":{"new3":"x","site":"s3"},"other":[1,2],"target":1}',
    b'{"features":{"new4":"x"},"other":[1,2]}',
    b'{"target":1,"importance":0,"new5":1,"a":"\\n"}',
    b'{"target":1,"new6":12345678901234567890123}',
]
"""Good records that no scanner takes, most with names of their own."""


def stream(seed: int) -> list[bytes]:
    lines = [json.dumps(event).encode() for event in events(300, seed)]
    rng = random.Random(seed)
    for line in (*ODD, *BAD_RECORDS, *ODD):
        lines.insert(rng.randrange(len(lines)), line)
    return lines


def block_of(lines: list[bytes]) -> Block:
    partition = Partition("events", 0)
    return Block.of([Record(partition, i, i + 1, line) for i, line in enumerate(lines)])


def reader_of(settings: Any) -> tuple[RowReader, Any, RowEncoder]:
    model = build_model(settings.model, settings.features.interactions)
    learner = model.learner
    decoder = Decoder(
        settings.event, Fields(settings.features), settings.limits, settings.model.task
    )
    encoder = RowEncoder(learner.index, learner.dtype, model.interactions)
    return RowReader(decoder, encoder), learner, encoder


def told(decoded: Decoded, scores: Any) -> Any:
    return (
        decoded.numbers.tolist(), decoded.targets.tobytes(), decoded.importances.tobytes(),
        decoded.bad, decoded.ids(), np.asarray(scores, np.float64).tobytes(),
    )  # fmt: skip


MODELS: list[dict[str, Any]] = [
    {"rule": "ftrl"},
    {"rule": "ftrl", "dtype": "float32"},
    {"rule": "ftrl", "index": "hashing", "bits": 6},
    {"rule": "ftrl", "max_features": 30},
]
FEATURES: list[dict[str, Any]] = [
    {},
    {"prefix": {"s*": "of "}, "categorical": ["hour", "new2"], "ignore": ["rare1?"],
     "log1p": ["noise"]},
    {"unit_length": True},
    {"interactions": [["site", "hour"]]},
]  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("features", FEATURES, ids=str)
def test_scanned_rows_are_those_of_the_records_one_by_one(
    tmp_path: Path, model: dict[str, Any], features: dict[str, Any]
) -> None:
    settings = settings_for(tmp_path, tmp_path, model=model, features=features)
    fast, slow = reader_of(settings), reader_of(settings)
    lines = stream(2)
    for begin in range(0, len(lines), 100):
        block = block_of(lines[begin : begin + 100])
        one = fast[0].read(block)
        other = slow[0]._each(block)
        results = [
            told(decoded, decoded.learn(learner, encoder))
            for decoded, (_, learner, encoder) in ((one, fast), (other, slow))
        ]
        assert results[0] == results[1]
        simple = not {"unit_length", "interactions"} & set(features) and "max_features" not in model
        assert type(one) is (Rows if simple else Events)
    assert fast[1].index.entries() == slow[1].index.entries()
    assert fast[1].state.tobytes() == slow[1].state.tobytes()


def test_most_records_are_scanned(tmp_path: Path) -> None:
    reader, _, _ = reader_of(settings_for(tmp_path, tmp_path, model={"rule": "ftrl"}))
    decoded: list[int] = []
    decode = reader._decoder.decode
    reader._decoder.decode = lambda record: decoded.append(record.offset) or decode(record)  # type: ignore
    block = block_of(stream(3))
    reader.read(block)
    assert 0 < len(decoded) <= len(ODD) * 2 + len(BAD_RECORDS)


def test_a_block_of_nothing_gives_nothing(tmp_path: Path) -> None:
    reader, learner, encoder = reader_of(settings_for(tmp_path, tmp_path, model={"rule": "ftrl"}))
    decoded = reader.read(block_of([b"{}"])[0:0])
    assert len(decoded.learn(learner, encoder)) == len(decoded.ids()) == 0


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(tmp_path: Path, threads: int) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(stream(4) * 3))
    assert learn_lines(path, threads) == learn_lines(path, 0)

"""The Kafka benchmark's events and table are as described. No broker, nothing is timed."""

import json
import random

import numpy as np
import pytest

pytest.importorskip("kafka")

from benchmarks.bench_kafka import BARE, Topic, click, lines


def test_events_have_22_fields_and_about_294_bytes() -> None:
    draw = random.Random(1)
    made = [click(number, draw) for number in range(100_000, 100_500)]
    assert 280 < np.mean([len(event) for event in made]) < 300
    assert len(json.loads(made[0])["features"]) == 22


def test_a_ratio_is_of_the_same_round() -> None:
    seconds = {BARE: np.array([[4.0, 2.0], [8.0, 6.0]]), "raw": np.array([[1.0, 1.0], [1.0, 2.0]])}
    bare, raw = lines("lz4", Topic("", "", 1_000_000), seconds)
    assert bare == f"| lz4 | {BARE} | 166,667 | 1.00 | 1.00–1.00 | 4.00 | 1.00 |"
    assert raw == "| lz4 | raw | 1,000,000 | 6.00 | 4.00–8.00 | 1.50 | 2.50 |"

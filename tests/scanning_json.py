"""JSON events for `scanning_pairs`: settings, seeds and the slow path through msgspec."""

import csv
import gzip
import itertools
import json
import math
import os
from pathlib import Path
from typing import Any

import servers
from scanning_pairs import PAIRS, Pair, encoded

from streamlasso.scanning import ASK, Scanned
from streamlasso.scanning.json_scanner import JsonScanner
from streamlasso_service.config import EventConfig, FeaturesConfig, LimitsConfig
from streamlasso_service.decoding import Decoder
from streamlasso_service.fields import Fields
from streamlasso_service.records import Bad, Partition, Record
from streamlasso_service.simulate import simulated_clicks

DATA = Path(os.environ.get("STREAM_DATA") or servers.REPOSITORY.parent / "shared" / "data")

FLAT = [
    b'{"id":7,"target":1,"importance":2.5,"a":1.5,"b":"x","c":true,"d":null,"e":-0,"f":1e3}',
    b'{"target": 0, "a": 2, "b": "caf\xc3\xa9", "ab": -1.5, "count": 12, "hour": "7", "g": false}',
    b'{"target":"true","id":"k-1","a":0.1,"xab":3,"ab":4,"c1":"u","hour":23,"skip":"zz"}',
    b'{"a":9007199254740993,"b":1.7976931348623157e308,"c":2.2250738585072014e-308,"d":-0.0}',
    b'{"target":-1,"importance":1e12,"\xe2\x82\xac":"\xf0\x9f\x98\x80","":"","x":"a=b","x=a":1}',
    b'{"target":1,"a":"-0","d":"+1.5e-3","f":"10","count":"7.","n1":".25","b":"1"}',
    b'{"target":1,"text":"tab\\tand \\u00e9","b":1}',
    b'{ "target" : 0 ,\t"a" :\r\n 1 , "b" : "y" }',
    b'{"target":1.5,"a":123456789012345678901234567890,"b":0.1000000000000000055511151231257827}',
    b'{}',
    b'{"target":3,"id":null,"features":4,"importance":0}',
    b'{"click":"yes","target":2,"weight":3,"key":5,"x":{"target":1,"features":2,"a":3}}',
]  # fmt: skip
NESTED = [
    b'{"id":1,"target":1,"features":{"a":1,"b":"x","hour":3,"c1":true},"time":12.5}',
    b'{"time":"now","b":1,"features":{"a":1,"target":2,"id":3,"features":4},"target":0}',
    b'{"features":{},"target":1}',
    b'{"features":{"a":{"b":1}},"target":1}',
    b'{"features":[1,2],"target":1}',
    b'{"other":{"features":{"a":1}},"target":1,"b":2}',
    b'{"target":1,"features":{"a":1},"features":{"b":2}}',
    b'{"target":1,"features":{"a":1,"b":2,"a":3},"id":"\xd0\xb6"}',
]
TOKENS = [
    *(bytes([each]) for each in b"\",:{}[]\\-.01eE+ \t\n\r\x00\x0b\x7f\xff/'"),
    *b'null true false tru nul "" "a" "b" "c1" ":" "," ":1," "ab": "xab": "hour":'.split(),
    *b"NaN Infinity 1e400 1e-400 00 -0 -0.0 1. .5 18446744073709551616 9007199254740993".split(),
    *b'0.30000000000000004 "target":1 "target":null "id":"x" "importance":-1 // {"a":1}'.split(),
    *b'"importance":1e13 "features":{ "features":null "count":-3.5 "skip":{} \\u0041'.split(),
    *b"\xc3\xa9 \xed\xa0\x80 \xc0\x80 \xf4\x90\x80\x80 \xe2\x82 \xef\xbb\xbf".split(),
]

SETTINGS: dict[str, dict[str, Any]] = {
    "classes": {},
    "numbers": {"task": "regression"},
    "counts": {"task": "regression", "counts": True},
    "yes": {"event": {"positive": "yes", "target": "click", "importance": "weight", "id": "key",
                      "features": "x"}},
    "one": {"event": {"positive": 1}},
    "one-as-text": {"event": {"positive": "1"}},
    "true": {"event": {"positive": True}},
    "true-as-text": {"event": {"positive": "true"}},
    "half": {"event": {"positive": 1.5}},
    "huge": {"event": {"positive": 2**53 + 1}},
    "same-names": {"event": {"id": "target"}},
    "patterns": {"features": {"categorical": ["c?", "hour"], "numeric": ["a", "d"],
                              "ignore": ["skip", "time"], "log1p": ["count", "f", "n?"]}},
    "prefixes": {"features": {"prefix": {"a*": "x", "h*": "long prefix of ", "b": "ü"},
                              "categorical": ["h*"], "ignore": ["e"]}},
    "limits": {"limits": {"max_event_bytes": 70, "max_event_features": 5}},
}  # fmt: skip


def clicks(count: int) -> list[bytes]:
    return list(itertools.islice(simulated_clicks(3)(0), count))


def real_events(name: str, count: int) -> list[bytes]:
    """Rows of a CSV file as flat events; none where the file is missing."""
    path = DATA / name
    if not path.exists():
        return []
    with gzip.open(path, "rt", newline="") as file:
        rows = itertools.islice(csv.DictReader(file), count)
        return [json.dumps({k: _cell(v) for k, v in row.items()}).encode() for row in rows]


def _cell(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text or None
    if math.isinf(number):  # a code that looks like a number
        return text
    return int(number) if number.is_integer() else number


def slow_path(settings: dict[str, Any]) -> Any:
    decoder = Decoder(
        EventConfig(**settings.get("event", {})),
        Fields(FeaturesConfig(**settings.get("features", {}))),
        LimitsConfig(**settings.get("limits", {})),
        settings.get("task", "classification"),
        counts=settings.get("counts", False),
    )

    def slow(record: bytes) -> Any:
        event = decoder.decode(Record(Partition("", 0), 0, 0, record))
        if isinstance(event, Bad):
            return None
        return ("taken", event.id, event.target, event.importance, encoded(event.features))

    return slow


def scanner_for(settings: dict[str, Any]) -> JsonScanner:
    event = EventConfig(**settings.get("event", {}))
    config = FeaturesConfig(**settings.get("features", {}))
    limits = LimitsConfig(**settings.get("limits", {}))
    fields = Fields(config)
    return JsonScanner(
        **event.model_dump(),
        task=settings.get("task", "classification"),
        counts=settings.get("counts", False),
        plan=fields.plan,
        patterned="features" in settings,
        max_bytes=limits.max_event_bytes,
        max_features=limits.max_event_features,
        blank_is=ASK,
    )


def json_pair(name: str) -> Pair:
    settings = SETTINGS[name]
    scanner, into = scanner_for(settings), Scanned()
    return Pair(
        f"json-{name}",
        slow_path(settings),
        lambda buffer, starts, stops: scanner.scan(buffer, starts, stops, into),
        [*FLAT, *NESTED, *clicks(20), *real_events("criteo_sample.csv.gz", 30),
         *real_events("amazon_access.csv.gz", 30), *real_events("bike_sharing_hour.csv.gz", 30)],
        TOKENS,
    )  # fmt: skip


for each in SETTINGS:
    PAIRS[f"json-{each}"] = lambda name=each: json_pair(name)  # type: ignore[misc]

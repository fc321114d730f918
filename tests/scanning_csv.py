"""CSV for `scanning_pairs`: headers, settings, seeds and the slow path."""

import io
from typing import Any

from scanning_pairs import PAIRS, Pair
from scanning_vw import decoding

from streamlasso.scanning import Scanned
from streamlasso.scanning.csv_scanner import CsvScanner
from streamlasso_service.config import EventConfig, FeaturesConfig, LimitsConfig
from streamlasso_service.fields import Fields
from streamlasso_service.formats.table import Csv

HEADER = b"id,target,importance,site,hour,a,ab,note,c1\n"
TYPING = b"k1,1,2.5,news,7,1.5,2,x,3\n"
SEEDS = [
    b"k1,1,2.5,news,7,1.5,2,x,3",
    b'"k 2",0,1,"shop floor",12,-0.25,1e3,"",-3',
    b"k3,-1,,caf\xc3\xa9,0,NA,nan,null,0",
    b",,,,,,,,",
    b"k4,1.0,0.5,a=b,23,-0,-0.0,\xe2\x82\xac \xf0\x9f\x98\x80,12345678901234567",
    b"k5,0,1e12,N/A,None,9007199254740993,0.30000000000000004,a b,007",
    b'k6,1,1,"a, b",1,1,1,"say ""hi""",1',
    b"k7,1,1,a\"b,1,1,1,c,1",
    b"k8,1,1,s,big,1,1,t,1",
    b"k9,1,1,short,1",
    b"k10,1,1,a,1,2,3,4,5,6",
    b"k11,0,1," + b"a long text that goes on and on " * 5 + b",1,2,3,n,4",
    b"k12,2,-1,s,1,1,1,n,1",
    b"5,1,1,7,5,5,5,5,5",
]  # fmt: skip
TOKENS = [
    *(bytes([each]) for each in b',"\t\r\'=+-.01eE_ \x00\x0b\xff'),
    b'""', b'","', b',"', b'",', b",,", b"NA", b"nan", b"null", b"None", b"NaN", b"N/A", b"inf",
    b"1e400", b"1_0", b"0x1", b" 1", b"-0", b"1.", b".5", b"\xc3\xa9", b"\xed\xa0\x80", b"word",
    b"true", b"12345678901234567890123", b"0", b",1,", b",0,", b'"5"', b'"x',
]  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "classes": {},
    "tabs": {"delimiter": "\t"},
    "numbers": {"task": "regression"},
    "counts": {"task": "regression", "counts": True},
    "words": {"event": {"target": "site", "positive": "news", "id": "a"}},
    "no-event": {"event": {"target": "t", "id": "i", "importance": "n"}},
    "patterns": {"fields": {"categorical": ["c?", "hour"], "numeric": ["a", "note"],
                            "ignore": ["site"], "log1p": ["ab"]}},
    "prefixes": {"fields": {"prefix": {"a*": "x", "h*": "a long prefix of ", "site": "ü"}}},
    "one-name": {"fields": {"prefix": {"b": "a"}}, "header": b"target,b,ab,c\n",
                 "typing": b"1,2,3,4\n"},
    "twice": {"header": b"target,a,a,b\n", "typing": b"1,2,3,4\n"},
    "features": {"header": b"target,features,b\n", "typing": b"1,2,x\n"},
    "same-names": {"event": {"id": "target"}},
    "limits": {"limits": {"max_event_bytes": 1300}},
    "few": {"limits": {"max_event_features": 5}},
}  # fmt: skip


def csv_pair(name: str) -> Pair:
    settings = SETTINGS[name]
    delimiter = settings.get("delimiter", ",")
    format = Csv(delimiter)
    header = settings.get("header", HEADER) + settings.get("typing", TYPING)
    format.begin(io.BytesIO(header.replace(b",", delimiter.encode())))
    limits = LimitsConfig(**settings.get("limits", {}))
    event = EventConfig(**settings.get("event", {})).model_dump()
    del event["features"]
    fields = Fields(FeaturesConfig(**settings.get("fields", {})))
    scanner = CsvScanner(
        format.columns,
        format.numeric,
        delimiter,
        **event,
        task=settings.get("task", "classification"),
        counts=settings.get("counts", False),
        plan=fields.plan,
        max_bytes=limits.max_event_bytes,
        max_features=limits.max_event_features,
    )
    into = Scanned()
    seeds = SEEDS
    if "header" in settings:
        seeds = [b",".join(seed.split(b",")[1 : 1 + len(format.columns)]) for seed in SEEDS]
    return Pair(
        f"csv-{name}",
        decoding(format, settings),
        lambda buffer, starts, stops: scanner.scan(buffer, starts, stops, into),
        [seed.replace(b",", delimiter.encode()) for seed in seeds],
        [token.replace(b",", delimiter.encode()) for token in TOKENS],
        scanner.ident,
    )


for each in SETTINGS:
    PAIRS[f"csv-{each}"] = lambda name=each: csv_pair(name)  # type: ignore[misc]

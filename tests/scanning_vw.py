"""VowpalWabbit's text for `scanning_pairs`: settings, seeds and the slow path."""

from typing import Any

from scanning_pairs import PAIRS, Pair, encoded

from streamlasso.scanning import Scanned
from streamlasso.scanning.vw_scanner import VowpalScanner
from streamlasso_service.config import EventConfig, FeaturesConfig, LimitsConfig
from streamlasso_service.decoding import Decoder
from streamlasso_service.fields import Fields
from streamlasso_service.formats import Format, FormatError
from streamlasso_service.formats.vowpal import VowpalText
from streamlasso_service.records import Bad, Partition, Record

SEEDS = [
    b"1 | c0=a17 c1=a5 c2=a123 c3=a88 c4=a9 c5=a41 c6=a7 c7=a17 c8=a64 c9=a0 c10=a11",
    b"-1 2.5 'tag|user a b:2 |ad:0.5 x^y z=3 w:1.5 |x q c:.5 | plain",
    b"0 1 0 't |n:1e-3 caf\xc3\xa9:2 \xe2\x82\xac:-3. \xf0\x9f\x98\x80",
    b"1|a x",
    b"'id |a x y:-0 z:0",
    b"| a b c",
    b"|",
    b" +1   |a  x\ty:3 \t ",
    b"1 |a x:2 x",
    b"1 |a x |b x |a y",
    b"0.5 0 | price:12.75 sqft:.25 age:1e3",
    b"3 | a:9007199254740993 b:0.30000000000000004 c:1e22",
    b"1 |" + b"a_long_namespace_" * 5 + b" a b",
    b"1 1 0 0 | a",
    b"-1 'it's|a a|b b||c c",
    b"1 | " + b" ".join(b"f%d" % i for i in range(80)),
    b"1 | \x00 \x01\x7f:2 \x0b",
]  # fmt: skip
TOKENS = [
    *(bytes([each]) for each in b"|: \t\r'\"\\^=+-.01eE\x00\x0b\xff_"),
    b" |", b"||", b" | ", b"| ", b":1 ", b":-.5", b":1e400", b":1e-400", b":nan", b":inf",
    b":0x1", b":1_0", b":1:2", b"'t|", b"'t |", b"1 ", b"-1 ", b"2 ", b"1 0.5 0 ", b"1 -1 ",
    b"\xc3\xa9", b"\xed\xa0\x80", b"\xc3", b"\xe2\x82", b"\xd9\xa1", b"a a", b" a", b"c0=a17", b":",
    b"|n:2 ", b"|n:1e300 a:1e300 ", b":12345678901234567890123", b"shared ", b"1:0.5:0.3 ",
]  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "classes": {},
    "numbers": {"task": "regression"},
    "counts": {"task": "regression", "counts": True},
    "one": {"event": {"positive": "1", "id": "key", "features": "x"}},
    "half": {"event": {"positive": 0.5}},
    "same-names": {"event": {"id": "target"}},
    "limits": {"limits": {"max_event_bytes": 700, "max_event_features": 5}},
}


def decoding(format: Format, settings: dict[str, Any]) -> Any:
    """The slow path of lines of a format."""
    decoder = Decoder(
        EventConfig(**settings.get("event", {})),
        Fields(FeaturesConfig(**settings.get("fields", {}))),
        LimitsConfig(**settings.get("limits", {})),
        settings.get("task", "classification"),
        counts=settings.get("counts", False),
    )

    def slow(record: bytes) -> Any:
        if not record.strip():
            return "nothing"
        try:
            value = format.event(record)
        except FormatError:
            return None
        found = decoder.decode(Record(Partition("", 0), 0, 0, value))
        if isinstance(found, Bad):
            return None
        return ("taken", found.id, found.target, found.importance, encoded(found.features))

    return slow


def scanner_for(settings: dict[str, Any]) -> VowpalScanner:
    event = EventConfig(**settings.get("event", {}))
    limits = LimitsConfig(**settings.get("limits", {}))
    return VowpalScanner(
        **event.model_dump(),
        task=settings.get("task", "classification"),
        counts=settings.get("counts", False),
        max_bytes=limits.max_event_bytes,
        max_features=limits.max_event_features,
    )


def vw_pair(name: str) -> Pair:
    settings = SETTINGS[name]
    scanner, into = scanner_for(settings), Scanned()
    return Pair(
        f"vw-{name}",
        decoding(VowpalText(EventConfig(**settings.get("event", {}))), settings),
        lambda buffer, starts, stops: scanner.scan(buffer, starts, stops, into),
        SEEDS,
        TOKENS,
        scanner.ident,
    )


for each in SETTINGS:
    PAIRS[f"vw-{each}"] = lambda name=each: vw_pair(name)  # type: ignore[misc]

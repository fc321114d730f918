"""svmlight for `scanning_pairs`: settings, seeds and the slow path."""

from typing import Any

from scanning_pairs import PAIRS, Pair
from scanning_vw import decoding

from streamlasso.scanning import Scanned
from streamlasso.scanning.svmlight_scanner import SvmlightScanner
from streamlasso_service.config import EventConfig, LimitsConfig
from streamlasso_service.formats.svmlight import Svmlight

NAMES = ["age", "blood pressure", "", "caf\xe9", "age", *(f"name {i}" for i in range(6, 300))]
SEEDS = [
    b"+1 1:0.5 7:2 12:-3.25 104:1e-3 # a note 4:5",
    b"-1 3:1e-3",
    b"0",
    b"1 qid:3 1:2 2:4#note",
    b"2.5  1:1\t2:-0 \t 3:0.0  ",
    b"1 " + b" ".join(b"%d:%d" % (i, i) for i in range(1, 60)),
    b"1 age:3 blood:120 a_rather_long_name_of_a_feature_that_goes_on_beyond_sixty_four_bytes:2",
    b"1 001:2 1:3",
    b"# only words",
    b"1 1:2 1:3",
    b"-1 5:1 4:9007199254740993 3:0.30000000000000004",
]
TOKENS = [
    *(bytes([each]) for each in b": #\t\r\x0b\x1c_+-.01eE\x00\xff"),
    b"qid:", b" qid:1", b"1:1", b" 2:2", b":nan", b":inf", b":1e400", b"1:", b":1", b"::", b"nan ",
    b"\xc2\xa0", b"\xc3\xa9", b" # \xff", b"0:1", b"300:1", b"99999999999:1", b"1_0:1", b"-1:1",
]  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "classes": {},
    "named": {"names": NAMES},
    "numbers": {"task": "regression"},
    "counts": {"task": "regression", "counts": True, "names": NAMES[:3]},
    "one": {"event": {"positive": 1, "features": "x"}},
    "same-names": {"event": {"id": "features"}},
    "limits": {"limits": {"max_event_bytes": 700, "max_event_features": 5}},
}


def scanner_for(settings: dict[str, Any]) -> SvmlightScanner:
    limits = LimitsConfig(**settings.get("limits", {}))
    return SvmlightScanner(
        settings.get("names"),
        **EventConfig(**settings.get("event", {})).model_dump(),
        task=settings.get("task", "classification"),
        counts=settings.get("counts", False),
        max_bytes=limits.max_event_bytes,
        max_features=limits.max_event_features,
    )


def svmlight_pair(name: str) -> Pair:
    settings = SETTINGS[name]
    scanner, into = scanner_for(settings), Scanned()
    event = EventConfig(**settings.get("event", {}))
    slow = decoding(Svmlight(settings.get("names"), event), settings)

    def comments_too(record: bytes) -> Any:
        return "nothing" if record.lstrip().startswith(b"#") else slow(record)

    return Pair(
        f"svmlight-{name}",
        comments_too,
        lambda buffer, starts, stops: scanner.scan(buffer, starts, stops, into),
        SEEDS,
        TOKENS,
    )


for each in SETTINGS:
    PAIRS[f"svmlight-{each}"] = lambda name=each: svmlight_pair(name)  # type: ignore[misc]

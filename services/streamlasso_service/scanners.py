"""Which scanner reads which block, and keeping them."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import msgspec

from streamlasso.scanning import ASK, NOTHING, Scanned
from streamlasso.scanning.csv_scanner import CsvScanner
from streamlasso.scanning.json_scanner import JsonScanner
from streamlasso.scanning.scanned import Array
from streamlasso.scanning.svmlight_scanner import SvmlightScanner
from streamlasso.scanning.vw_scanner import VowpalScanner
from streamlasso_service.decoding import Decoder
from streamlasso_service.formats import Format
from streamlasso_service.formats.base import JsonLines
from streamlasso_service.formats.svmlight import Svmlight
from streamlasso_service.formats.table import Csv
from streamlasso_service.formats.vowpal import VowpalText
from streamlasso_service.lines import Lines
from streamlasso_service.records import Block

__all__ = ["Scanner", "Scanners", "Tray"]

decode = msgspec.json.Decoder().decode


class Scanner(Protocol):
    """What reads many records at once: one of `streamlasso.scanning`."""

    def scan(
        self, buffer: Array, starts: Array, stops: Array, into: Scanned | None = None
    ) -> Scanned:
        """The rows of these records, in the arrays ``into``."""


class Tray(NamedTuple):
    """A scanner, and the arrays that it fills anew for each block."""

    kind: Format | None
    scanner: Scanner
    arrays: Scanned
    ident: Callable[[bytes], Any]
    """From the raw bytes of an id to what it is."""

    def scan(self, block: Block) -> Scanned:
        """The rows of a block; nobody else may use the tray until they have been read."""
        return self.scanner.scan(block.buffer, block.starts, block.stops, self.arrays)


class Scanners:
    """Trays for the blocks of one decoder; each is used by one thread at a time."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._free: dict[Format | None, list[Tray]] = defaultdict(list)

    def take(self, block: Block) -> Tray | None:
        """A tray for the block, or None where each record must be decoded by itself."""
        if self._decoder.combines:
            return None
        kind = block.format if isinstance(block, Lines) else None
        if self._free[kind]:
            return self._free[kind].pop()
        return _new_tray(self._decoder, kind)

    def give(self, tray: Tray) -> None:
        """Back, when its rows have been read."""
        self._free[tray.kind].append(tray)


def _new_tray(decoder: Decoder, kind: Format | None) -> Tray | None:
    event, limits = decoder.event, decoder.limits
    given: dict[str, Any] = {
        "id": event.id, "target": event.target, "importance": event.importance,
        "features": event.features, "task": decoder.task, "counts": decoder.counts,
        "positive": event.positive, "max_bytes": limits.max_event_bytes,
        "max_features": limits.max_event_features,
    }  # fmt: skip
    fields = decoder.fields
    if kind is None or isinstance(kind, JsonLines):
        scanner = JsonScanner(
            **given, plan=fields.plan, patterned=fields.patterned,
            blank_is=ASK if kind is None else NOTHING,
        )  # fmt: skip
        return Tray(kind, scanner, Scanned(), decode)
    if isinstance(kind, VowpalText) and not fields.patterned:
        words = VowpalScanner(**given)
        return Tray(kind, words, Scanned(), words.ident)
    if isinstance(kind, Svmlight) and not fields.patterned:
        return Tray(kind, SvmlightScanner(kind.names, **given), Scanned(), decode)
    if isinstance(kind, Csv):
        del given["features"]
        cells = CsvScanner(kind.columns, kind.numeric, kind.delimiter, **given, plan=fields.plan)
        return Tray(kind, cells, Scanned(), cells.ident)
    return None

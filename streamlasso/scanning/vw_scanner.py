"""Scanning VowpalWabbit's text from Python."""

from functools import cache
from typing import Any

import numpy as np

from streamlasso.scanning.compiling import compile_scanner
from streamlasso.scanning.repeats import new_seen
from streamlasso.scanning.rules import rules_of
from streamlasso.scanning.scanned import ASK, PADDING, Array, Scanned, padded
from streamlasso.scanning.vw import scan_vw

__all__ = ["VowpalScanner"]

LEAST_BYTES = 2
"""Of a feature: a name of one byte and a blank."""

QUOTED = 6
"""Bytes in JSON of a byte of a key, at most."""


@cache
def _kernel() -> Any:
    return compile_scanner(scan_vw, "streamlasso.scanning.vw")


class VowpalScanner:
    """Reads lines of VowpalWabbit's text that are simple.

    Not simple are repeated features, carriage returns, numbers that `text_number` does not read,
    targets and importances out of their domain, and all that the format refuses.

    Parameters
    ----------
    id, target, importance, features
        The names of these fields in the JSON that the format makes of a line.
    task, counts, positive
        What targets are, as for `JsonScanner`.
    max_bytes, max_features
        A line with more features, or with more bytes in JSON, is not simple.
    """

    def __init__(
        self, *, id: str = "id", target: str = "target", importance: str = "importance",
        features: str = "features", task: str = "classification", counts: bool = False,
        positive: str | float | bool | None = None, max_bytes: int = 1_000_000,
        max_features: int = 100_000,
    ) -> None:  # fmt: skip
        keys = {id, target, importance, features}
        self._applies = len(keys) == 4
        overhead = sum(QUOTED * len(key.encode("utf-8", "surrogatepass")) + 40 for key in keys)
        self._limits = np.array([max_bytes, max_features, overhead], np.int64)
        self._rules, self._positive = rules_of(task, counts, positive)
        self._counted = np.zeros(2, np.int64)
        self._seen = new_seen(0)

    @staticmethod
    def ident(raw: bytes) -> Any:
        """The id of an event from the bytes that `Scanned.ident` gives: the tag."""
        return raw.decode()

    def scan(
        self, buffer: Any, starts: Array, stops: Array, into: Scanned | None = None
    ) -> Scanned:
        """The lines ``buffer[start:stop]``; parameters as for `JsonScanner.scan`."""
        scanned = Scanned() if into is None else into
        stop = int(stops.max()) if len(stops) else 0
        scanned.buffer, scanned.rows = padded(buffer, stop), len(starts)
        sizes = stops - starts
        size = int(sizes.sum())
        scanned.reserve(len(starts), size // LEAST_BYTES + len(starts) + 1, size)
        scanned.indptr[0] = 0
        if not self._applies:
            scanned.status[: len(starts)] = ASK
            scanned.indptr[: len(starts) + 1] = 0
            return scanned
        seen = new_seen(sizes.max() if len(starts) else 0)
        if len(seen) > len(self._seen):
            self._seen = seen
        self._run(scanned, starts, stops)
        return scanned

    def _run(self, scanned: Scanned, starts: Array, stops: Array) -> None:
        row, self._counted[1] = 0, 0
        results = scanned.targets, scanned.importances, scanned.ids_at, scanned.ids_size
        while True:
            features = (scanned.keys, scanned.checks, scanned.names_at, scanned.names_size,
                        scanned.values, scanned.arena)  # fmt: skip
            row = _kernel()(
                scanned.buffer, starts, stops, row, self._counted, self._seen, self._limits,
                self._rules, self._positive, scanned.indptr, scanned.status, features, results,
            )  # fmt: skip
            if row == len(starts):
                return
            grown = np.empty(2 * len(scanned.arena) + PADDING, np.uint8)
            grown[: len(scanned.arena)] = scanned.arena
            scanned.arena = grown

"""What the scanners of lines have in common, as Python sees them."""

from typing import Any

import numpy as np

from streamlasso.scanning.naming import new_lines
from streamlasso.scanning.repeats import new_seen
from streamlasso.scanning.rules import rules_of
from streamlasso.scanning.scanned import ASK, PADDING, Array, Scanned, padded

__all__ = ["WIDEST", "LineScanner"]

WIDEST = 6
"""Bytes in JSON of a byte of a key or text, at most."""

AROUND = 40
"""Bytes of JSON around a key, and of a number."""


class LineScanner:
    """Base of the scanners of lines: buffers, limits, what targets are.

    Parameters
    ----------
    keys
        The names of the fields id, target, importance and features in the JSON that the format
        makes of a line; lines are not simple where two are the same.
    task, counts, positive
        What targets are, as for `JsonScanner`.
    max_bytes, max_features
        A line with more features, or with more bytes in JSON, is not simple.
    """

    least_bytes = 2
    """Of a feature in a line."""

    def __init__(
        self, keys: tuple[str, ...], task: str, counts: bool, positive: str | float | bool | None,
        max_bytes: int, max_features: int,
    ) -> None:  # fmt: skip
        self.applies = len(set(keys)) == len(keys)
        self._limits = np.array([max_bytes, max_features, json_size(keys)], np.int64)
        self._rules, self._positive = rules_of(task, counts, positive)
        self._counted = np.zeros(2, np.int64)
        self._seen = new_seen(0)
        self._lines = new_lines()
        self._names = np.empty(0, np.uint8)

    def ident(self, raw: bytes) -> Any:
        """The id of an event from the bytes that `Scanned.ident` gives."""
        return raw.decode()

    def scan(
        self, buffer: Any, starts: Array, stops: Array, into: Scanned | None = None
    ) -> Scanned:
        """The lines ``buffer[start:stop]``; parameters as for `JsonScanner.scan`."""
        scanned = Scanned() if into is None else into
        rows, sizes = len(starts), stops - starts
        scanned.buffer = padded(buffer, int(stops.max()) if rows else 0)
        scanned.rows = rows
        size = int(sizes.sum())
        scanned.reserve(rows, size // self.least_bytes + rows + 1, size + len(self._names))
        scanned.indptr[0] = 0
        if not self.applies:
            scanned.status[:rows] = ASK
            scanned.targets[:rows], scanned.importances[:rows] = np.nan, 1.0
            scanned.ids_size[:rows] = -1
            scanned.indptr[: rows + 1] = 0
            return scanned
        seen = new_seen(sizes.max() if rows else 0)
        if len(seen) > len(self._seen):
            self._seen = seen
        self._run(scanned, starts, stops)
        return scanned

    def _run(self, scanned: Scanned, starts: Array, stops: Array) -> None:
        row, known = 0, -1
        results = scanned.targets, scanned.importances, scanned.ids_at, scanned.ids_size
        while row < len(starts):
            if known != len(self._names):  # more of them: begin anew
                row = 0
                known = self._counted[1] = len(self._names)
                if len(scanned.arena) < known + PADDING:
                    scanned.arena = np.empty(2 * known + PADDING, np.uint8)
                scanned.arena[:known] = self._names
            features = (scanned.keys, scanned.checks, scanned.names_at, scanned.names_size,
                        scanned.values, scanned.arena)  # fmt: skip
            row = self._call(
                (scanned.buffer, starts, stops, row, self._counted),
                (self._limits, self._rules, self._positive),
                (scanned.indptr, scanned.status, features, results),
            )
            if row < len(starts) and not self._resume():
                grown = np.empty(2 * len(scanned.arena) + PADDING, np.uint8)
                grown[: len(scanned.arena)] = scanned.arena
                scanned.arena = grown

    def _resume(self) -> bool:
        """See to what the kernel stopped for; False where it is the arena that is too small."""
        return False

    def _call(self, lines: tuple[Any, ...], rules: tuple[Any, ...], into: tuple[Any, ...]) -> int:
        """Run the kernel from a row on: where it stopped."""
        raise NotImplementedError


def json_size(keys: tuple[str, ...]) -> int:
    """The most bytes that these keys and what is around them take in JSON."""
    return sum(WIDEST * len(key.encode("utf-8", "surrogatepass")) + AROUND for key in keys)

"""Scanning JSON events from Python."""

from functools import cache
from typing import Any

import numpy as np

from streamlasso.scanning.compiling import compile_scanner
from streamlasso.scanning.fields import ID, IMPORTANCE, NESTED, TARGET
from streamlasso.scanning.json import ARENA, WAITING, scan_json
from streamlasso.scanning.json_parts import PLAN
from streamlasso.scanning.naming import new_lines
from streamlasso.scanning.rules import rules_of
from streamlasso.scanning.scanned import ASK, NOTHING, Array, Scanned, padded
from streamlasso.scanning.table import FieldTable, Plan

__all__ = ["JsonScanner"]

LEAST_BYTES = 5
"""Of a feature: ``"":1`` and a comma or a brace."""

MOST_WAITING = 1024
SPARE = 72


@cache
def _kernel() -> Any:
    return compile_scanner(scan_json, "streamlasso.scanning.json")


class JsonScanner:
    """Reads JSON events, nested or flat, that are simple.

    Not simple are escapes, nesting elsewhere than in ``features``, repeated keys, numbers that
    `json_number` does not read, in a numeric field a text that `text_number` does not read, in a
    categorical one a number that is no int, targets and importances of the wrong type or out of
    their domain, and all that is beyond a limit or no JSON.

    Parameters
    ----------
    id, target, importance, features
        The names of these fields, all different.
    task
        ``"classification"`` for targets 0 and 1, ``"regression"`` for numbers.
    counts
        Whether a target is ≥ 0.
    positive
        The target that counts as 1, every other as 0; by default 1, true and their like are 1, and
        0, −1, false and theirs 0.
    plan
        A callable that says what a field is: from its name and whether its first value is a text
        to its kind (``auto``, ``ignore``, ``categorical``, ``numeric``, ``log1p``) and its
        feature's name.
    patterned
        Whether that depends on the field. Otherwise all are ``auto``, and ``plan`` is told of the
        first 1,000 only.
    max_bytes, max_features
        A record with more is not simple.
    blank_is
        The status of an empty record: `NOTHING` for lines of a file, `ASK` elsewhere.
    """

    def __init__(
        self, *, id: str = "id", target: str = "target", importance: str = "importance",
        features: str = "features", task: str = "classification", counts: bool = False,
        positive: str | float | bool | None = None, plan: Plan | None = None,
        patterned: bool = False, max_bytes: int = 1_000_000, max_features: int = 100_000,
        blank_is: int = NOTHING,
    ) -> None:  # fmt: skip
        kinds = {id: ID, target: TARGET, importance: IMPORTANCE, features: NESTED}
        self._applies = len(kinds) == 4
        special = {name.encode("utf-8", "surrogatepass"): kind for name, kind in kinds.items()}
        self._table = FieldTable(special, plan, patterned)
        self._limits = np.array([max_bytes, max_features, blank_is], np.int64)
        self._rules, self._positive = rules_of(task, counts, positive)
        self._progress = np.zeros(3, np.int64)
        self._waiting = np.empty((MOST_WAITING, 2), np.int64)
        self._quotes, self._lines = np.empty(0, np.int32), new_lines()

    def scan(
        self, buffer: Any, starts: Array, stops: Array, into: Scanned | None = None
    ) -> Scanned:
        """The records ``buffer[start:stop]``.

        Parameters
        ----------
        buffer
            Bytes, or a uint8 array; copied unless there is `PADDING` behind the last record.
        starts, stops
            int64, by record.
        into
            What to fill, in place of a new one.
        """
        scanned = Scanned() if into is None else into
        stop = int(stops.max()) if len(stops) else 0
        scanned.buffer, scanned.rows = padded(buffer, stop), len(starts)
        longest = int((stops - starts).max()) if len(stops) else 0
        if len(self._quotes) < longest + SPARE:
            self._quotes = np.empty(2 * longest + SPARE, np.int32)
        self._reserve(scanned, int((stops - starts).sum()))
        if not self._applies:
            scanned.status[: len(starts)] = ASK
            scanned.indptr[: len(starts) + 1] = 0
            return scanned
        self._run(scanned, starts, stops)
        return scanned

    def _reserve(self, scanned: Scanned, size: int) -> None:
        features = size // LEAST_BYTES + 1
        scanned.reserve(scanned.rows, features, size + features * self._table.longest_prefix)

    def _run(self, scanned: Scanned, starts: Array, stops: Array) -> None:
        """Scan, and go on whenever the table of fields has been seen to."""
        row, forgotten = 0, -1
        self._progress[ARENA] = scanned.indptr[0] = 0
        while True:
            row, state = self._call(scanned, starts, stops, row)
            if row == len(starts):
                return
            prefix = self._table.longest_prefix
            if state == PLAN:
                waiting = self._waiting[: self._progress[WAITING]].tolist()
                if self._table.plan([(field, bool(is_text)) for field, is_text in waiting]):
                    if self._table.longest_prefix > prefix:  # the arena may be too small by now
                        self._reserve(scanned, int((stops - starts).sum()))
                        row, self._progress[ARENA] = 0, 0
                    continue
            if forgotten == row:  # one record has more fields than there is room for
                scanned.status[row] = ASK
                scanned.indptr[row + 1] = scanned.indptr[row]
                row += 1
            forgotten = row
            self._table.forget()

    def _call(self, scanned: Scanned, starts: Array, stops: Array, row: int) -> tuple[int, int]:
        features = (scanned.keys, scanned.checks, scanned.names_at, scanned.names_size,
                    scanned.values, scanned.arena)  # fmt: skip
        results = scanned.targets, scanned.importances, scanned.ids_at, scanned.ids_size
        return _kernel()(  # type: ignore[no-any-return]
            scanned.buffer, starts, stops, row, self._quotes, self._table.arrays,
            self._progress, self._waiting, self._limits, self._rules, self._positive, self._lines,
            scanned.indptr, scanned.status, features, results,
        )  # fmt: skip

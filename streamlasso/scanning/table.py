"""The arrays of `streamlasso.scanning.fields` as Python sees them: who plans what a field is."""

from collections.abc import Callable
from typing import Any

import numpy as np

from streamlasso.hashing import hash_bytes
from streamlasso.scanning.fields import (
    AUTO,
    COLUMNS,
    COUNT,
    DEFAULT,
    GROUP,
    KEY_AT,
    KEY_HASH,
    KEY_SIZE,
    KIND,
    KINDS,
    LEVEL,
    NAME_AT,
    NAME_CHECK,
    NAME_HASH,
    NAME_SIZE,
    TEXTS,
    UNPLANNED,
)

__all__ = ["FieldTable", "Plan"]

Plan = Callable[[str, bool], tuple[str, str]]
"""From a field's name, and whether its value is a text, to its kind and its feature's name."""

SMALL, LARGE = 1 << 13, 1 << 17
BYTES_OF_A_FIELD = 64
SEEN_LIMIT = 1000
SPARE = 64


class FieldTable:
    """Fields that were seen; when there is no room for another, all are forgotten.

    Parameters
    ----------
    special
        Key in UTF-8 → kind, of the fields of an event that are no features.
    plan
        Asked once for each field, at its first value that is not null; without it all are ``auto``.
    patterned
        Whether the answer depends on the field; otherwise ``plan`` is told of the first 1,000.
    """

    def __init__(self, special: dict[bytes, int], plan: Plan | None, patterned: bool) -> None:
        self._special = special
        self._plan = plan
        self._patterned = patterned
        self._planned = 0
        self.longest_prefix = 0
        size = LARGE if patterned else SMALL
        self.fields = np.zeros((size, COLUMNS), np.int64)
        self.heads = np.empty(2 * size, np.int32)
        self.texts = np.empty(size * BYTES_OF_A_FIELD, np.uint8)
        self.held = np.zeros(3, np.int64)
        self.held[DEFAULT] = AUTO if plan is None else UNPLANNED
        self.forget()

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What kernels take."""
        return self.fields, self.heads, self.texts, self.held

    def forget(self) -> None:
        """Begin anew with the special fields."""
        self.heads[:] = -1
        self.fields[:2] = 0
        self.fields[:2, KEY_SIZE] = -1
        self.held[COUNT], self.held[TEXTS] = 2, 0
        self._groups: dict[tuple[int, bytes], int] = {}
        for key, kind in self._special.items():
            self._insert(key, kind)

    def _insert(self, key: bytes, kind: int) -> None:
        """As `insert_field` does; keys are all different."""
        row = int(self.held[COUNT])
        at = self._put(key)
        digest, check = hash_bytes(key)
        values = {KIND: kind, KEY_AT: at, KEY_SIZE: len(key), NAME_AT: at, NAME_SIZE: len(key),
                  KEY_HASH: digest, NAME_HASH: digest, NAME_CHECK: check, GROUP: row}  # fmt: skip
        self.fields[row] = 0
        for column, value in values.items():
            self.fields[row, column] = np.uint64(value).astype(np.int64)
        place = (digest >> 20) & (len(self.heads) - 1)
        while self.heads[place] >= 0:
            place = (place + 1) & (len(self.heads) - 1)
        self.heads[place] = row
        self.held[COUNT] += 1

    def _put(self, text: bytes) -> int:
        """Where a text with ``=`` behind it is, from now on."""
        at = int(self.held[TEXTS])
        self.texts[at : at + len(text) + 1] = np.frombuffer(text + b"=", np.uint8)
        self.held[TEXTS] += len(text) + 1
        return at

    def plan(self, waiting: list[tuple[int, bool]]) -> bool:
        """Plan fields that have none; False if there is no room for their features' names."""
        assert self._plan is not None
        for row, is_text in waiting:
            at, size = (int(self.fields[row, column]) for column in (KEY_AT, KEY_SIZE))
            key = self.texts[at : at + size].tobytes()
            kind, feature = self._plan(key.decode(), is_text)
            name = feature.encode("utf-8", "surrogatepass")
            if self.held[TEXTS] + len(name) + SPARE > len(self.texts):
                return False
            if name != key:
                self._rename(row, name)
            group = self._groups.setdefault((int(self.fields[row, LEVEL]), name), row)
            self.fields[row, GROUP] = group
            self.fields[row, KIND] = KINDS[kind]
        self._planned += len(waiting)
        if not self._patterned and self._planned >= SEEN_LIMIT:
            self._all_auto()
        return True

    def _rename(self, row: int, name: bytes) -> None:
        digest, check = hash_bytes(name)
        self.longest_prefix = max(self.longest_prefix, len(name) - int(self.fields[row, KEY_SIZE]))
        self.fields[row, NAME_AT] = self._put(name)
        self.fields[row, NAME_SIZE] = len(name)
        self.fields[row, NAME_HASH] = np.uint64(digest).astype(np.int64)
        self.fields[row, NAME_CHECK] = check

    def _all_auto(self) -> None:
        self.held[DEFAULT] = AUTO
        kinds = self.fields[: self.held[COUNT], KIND]
        kinds[2:][kinds[2:] == UNPLANNED] = AUTO

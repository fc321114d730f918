"""What a scanner makes of a chunk of records."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ASK", "NOTHING", "PADDING", "TAKEN", "Scanned", "padded"]

Array = npt.NDArray[Any]

TAKEN, ASK, NOTHING = 0, 1, 2
"""What became of a record: taken; not simple, so that the library decides; blank or a comment."""

PADDING = 64
"""Bytes that must be there behind the last record, whatever they are."""

ROWS = {"targets": np.float64, "importances": np.float64, "status": np.uint8,
        "ids_at": np.int64, "ids_size": np.int32}  # fmt: skip
FEATURES = {"keys": np.uint64, "checks": np.uint32, "names_at": np.int64,
            "names_size": np.int32, "values": np.float64}  # fmt: skip


class Scanned:
    """Arrays that are filled anew by each chunk and grow between chunks.

    Attributes
    ----------
    buffer
        uint8; the records' bytes, with `PADDING`.
    rows
        How many records the chunk has.
    indptr
        int64; the features of a row are ``indptr[row]:indptr[row + 1]``, none unless it is `TAKEN`.
    targets, importances
        float64, by row; a target is NaN where there is none.
    status
        uint8, by row: `TAKEN`, `ASK`, `NOTHING`.
    ids_at, ids_size
        Where in the buffer the raw bytes of a row's id are; size −1 where there is none.
    keys, checks
        uint64 and uint32, by feature: `streamlasso.hashing.hash_both` of its name, seed 0.
    names_at, names_size
        Where a feature's name is: from ``names_at`` in the buffer; where that is negative, from
        ``~names_at`` in the arena.
    values
        float64, by feature.
    arena
        uint8; names that do not stand in the buffer as they are.
    """

    buffer: Array
    indptr: Array
    targets: Array
    importances: Array
    status: Array
    ids_at: Array
    ids_size: Array
    keys: Array
    checks: Array
    names_at: Array
    names_size: Array
    values: Array

    def __init__(self) -> None:
        self.rows = 0
        self.buffer = self.arena = np.empty(0, np.uint8)
        self.indptr = np.zeros(1, np.int64)
        for name, kind in (ROWS | FEATURES).items():
            setattr(self, name, np.empty(0, kind))

    def reserve(self, rows: int, features: int, arena: int) -> None:
        """Make room for so many rows, features and bytes of names; what was here is lost."""
        if len(self.status) < rows:
            self.indptr = np.zeros(rows + rows // 4 + 1, np.int64)
            self._renew(ROWS, rows + rows // 4)
        if len(self.values) < features:
            self._renew(FEATURES, features + features // 4)
        if len(self.arena) < arena + PADDING:
            self.arena = np.empty(arena + arena // 4 + PADDING, np.uint8)

    def _renew(self, kinds: dict[str, Any], size: int) -> None:
        for name, kind in kinds.items():
            setattr(self, name, np.empty(size, kind))

    @property
    def size(self) -> int:
        """How many features the chunk has."""
        return int(self.indptr[self.rows])

    def name(self, feature: int) -> bytes:
        """The name of a feature, in UTF-8."""
        at, size = int(self.names_at[feature]), int(self.names_size[feature])
        if at >= 0:
            return self.buffer[at : at + size].tobytes()
        return self.arena[~at : ~at + size].tobytes()

    def features(self, row: int) -> list[tuple[bytes, float]]:
        """The names and values of a row, in their order."""
        chosen = range(int(self.indptr[row]), int(self.indptr[row + 1]))
        return [(self.name(feature), float(self.values[feature])) for feature in chosen]

    def ident(self, row: int) -> bytes | None:
        """The raw bytes of a row's id, or None."""
        at, size = int(self.ids_at[row]), int(self.ids_size[row])
        return None if size < 0 else self.buffer[at : at + size].tobytes()


def padded(buffer: Any, stop: int) -> Array:
    """The bytes as an array with `PADDING` behind ``stop``; copied only where it is not there.

    Digits are read as long as there are any: a buffer that ends with digits is copied too. The
    array is read-only, whatever it is made of: another kind would compile every scanner again.
    """
    array = np.frombuffer(buffer, np.uint8) if len(buffer) else np.empty(0, np.uint8)
    if len(array) - stop < PADDING or chr(array[-8]).isdigit():
        copy = np.zeros(stop + PADDING, np.uint8)
        copy[:stop] = array[:stop]
        array = copy
    array.flags.writeable = False
    return array

"""Scanning svmlight from Python."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from streamlasso.scanning.compiling import compile_scanner
from streamlasso.scanning.line_scanner import LineScanner
from streamlasso.scanning.svmlight import scan_svmlight

__all__ = ["SvmlightScanner"]


@cache
def _kernel() -> Any:
    return compile_scanner(scan_svmlight, "streamlasso.scanning.svmlight")


class SvmlightScanner(LineScanner):
    """Reads lines of svmlight that are simple; parameters as `LineScanner`'s.

    Not simple are bytes beyond ASCII before a comment, repeated names, colons in an index, numbers
    that `text_number` does not read, targets out of their domain, and all that the format refuses.

    Parameters
    ----------
    names
        Name i of them is that of index i + 1; without them an index is a name itself.
    """

    least_bytes = 4

    def __init__(
        self, names: Sequence[str] | None = None, *, id: str = "id", target: str = "target",
        importance: str = "importance", features: str = "features", task: str = "classification",
        counts: bool = False, positive: str | float | bool | None = None,
        max_bytes: int = 1_000_000, max_features: int = 100_000,
    ) -> None:  # fmt: skip
        keys = id, target, importance, features
        super().__init__(keys, task, counts, positive, max_bytes, max_features)
        self._named = np.empty(0, np.int64)
        if names is not None:
            encoded = [name.encode("utf-8", "surrogatepass") for name in names]
            self._names = np.frombuffer(b"".join(encoded), np.uint8)
            sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
            self._named = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))

    def _call(self, lines: tuple[Any, ...], rules: tuple[Any, ...], into: tuple[Any, ...]) -> int:
        return _kernel()(  # type: ignore[no-any-return]
            *lines, self._seen, self._lines, self._named, *rules, *into
        )

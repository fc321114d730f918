"""Scanning VowpalWabbit's text from Python."""

from functools import cache
from typing import Any

from streamlasso.scanning.compiling import compile_scanner
from streamlasso.scanning.line_scanner import LineScanner
from streamlasso.scanning.vw import scan_vw

__all__ = ["VowpalScanner"]


@cache
def _kernel() -> Any:
    return compile_scanner(scan_vw, "streamlasso.scanning.vw")


class VowpalScanner(LineScanner):
    """Reads lines of VowpalWabbit's text that are simple; parameters as `LineScanner`'s.

    Not simple are repeated features, carriage returns, numbers that `text_number` does not read,
    targets and importances out of their domain, and all that the format refuses.
    """

    def __init__(
        self, *, id: str = "id", target: str = "target", importance: str = "importance",
        features: str = "features", task: str = "classification", counts: bool = False,
        positive: str | float | bool | None = None, max_bytes: int = 1_000_000,
        max_features: int = 100_000,
    ) -> None:  # fmt: skip
        keys = id, target, importance, features
        super().__init__(keys, task, counts, positive, max_bytes, max_features)

    def _call(self, lines: tuple[Any, ...], rules: tuple[Any, ...], into: tuple[Any, ...]) -> int:
        return _kernel()(*lines, self._seen, self._lines, *rules, *into)  # type: ignore[no-any-return]

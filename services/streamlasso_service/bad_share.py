"""Counting bad records: a schema change shall not drain the topic into the dead letters."""

from collections import deque
from collections.abc import Sequence

from streamlasso_service.config import LimitsConfig
from streamlasso_service.records import Bad
from streamlasso_service.source import SourceError

__all__ = ["BAD_SHARE_EXIT_CODE", "BadShare"]

BAD_SHARE_EXIT_CODE = 4


class BadShare:
    """The share of bad records among the last ``limits.bad_window``, in whole batches."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._recent: deque[tuple[int, int]] = deque()
        self.bad = 0
        """Bad records of this run."""
        self.example = ""
        """Why the last of them is bad."""

    def check(self, reasons: Sequence[Bad], records: int) -> None:
        """Count a batch; raise if too many are bad."""
        if not records:
            return
        limits = self._limits
        self._recent.append((len(reasons), records))
        while sum(n for _, n in self._recent) - self._recent[0][1] >= limits.bad_window:
            self._recent.popleft()
        bad, total = (sum(column) for column in zip(*self._recent, strict=True))
        if reasons:
            self.bad += len(reasons)
            self.example = f"{reasons[-1].reason}: {reasons[-1].message}"
        if total >= limits.bad_window and bad / total > limits.max_bad_share:
            raise SourceError(
                f"{bad} of the last {total} records are bad, more than limits.max_bad_share = "
                f"{limits.max_bad_share}; the last: {self.example}. "
                "Has the schema changed? Correct [event] or [features], or raise the limit",
                BAD_SHARE_EXIT_CODE,
            )

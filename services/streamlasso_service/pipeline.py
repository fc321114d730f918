"""Work on several threads whose results come in the order of its parts.

Threads help only where the work lets go of the interpreter's lock: reading, decompressing and
scanning do. What depends on the order (slots of new names, learning) is left to who takes the
results, so these do not depend on the number of threads.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

__all__ = ["in_order"]

Part = TypeVar("Part")
Done = TypeVar("Done")

AHEAD = 2
"""Parts for each thread that may be done, or under way, and not yet taken."""


def in_order(parts: Iterable[Part], work: Callable[[Part], Done], threads: int) -> Iterator[Done]:
    """``work(part)`` for each part, in their order; with 0 threads when it is asked for.

    Otherwise the threads also take the parts, one at a time. An error, of a part or of the work,
    is raised in its place.
    """
    if not threads:
        yield from map(work, parts)
        return
    given = _Turns(parts)
    with ThreadPoolExecutor(threads) as pool:
        number = AHEAD * threads
        waiting = deque(pool.submit(given.one, work, i) for i in range(number))
        try:
            while done := waiting.popleft().result():
                waiting.append(pool.submit(given.one, work, number))
                number += 1
                yield done[0]
        finally:
            for future in waiting:
                future.cancel()


class _Turns(Generic[Part]):
    """An iterator that threads share, each in its turn."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._parts = iter(parts)
        self._next = 0
        self._changed = threading.Condition()

    def one(self, work: Callable[[Part], Done], number: int) -> tuple[Done] | None:
        """The work on the part of this number; None behind the last."""
        with self._changed:
            self._changed.wait_for(lambda: self._next == number)
            try:
                part = next(self._parts)
            except StopIteration:
                return None
            finally:
                self._next += 1
                self._changed.notify_all()
        return (work(part),)

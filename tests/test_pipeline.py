"""Threads that work on parts of a stream: results in order, errors in their place."""

import random
import time
from collections.abc import Iterator

import pytest

from streamlasso_service.pipeline import AHEAD, in_order

threads_each = pytest.mark.parametrize("threads", [0, 1, 2, 5])


@threads_each
def test_results_come_in_the_order_of_the_parts(threads: int) -> None:
    delays = random.Random(1)

    def work(part: int) -> int:
        time.sleep(delays.random() / 500)
        return part * part

    assert list(in_order(range(50), work, threads)) == [i * i for i in range(50)]
    assert list(in_order((), work, threads)) == []


@threads_each
@pytest.mark.parametrize("where", ["part", "work"])
def test_an_error_is_raised_in_its_place(threads: int, where: str) -> None:
    def parts() -> Iterator[int]:
        for i in range(9):
            if i == 5 and where == "part":
                raise ValueError("damaged")
            yield i

    def work(part: int) -> int:
        if part == 5:
            raise ValueError("damaged")
        return part

    done: list[int] = []
    with pytest.raises(ValueError, match="damaged"):
        done.extend(in_order(parts(), work, threads))
    assert done == [0, 1, 2, 3, 4]


def test_no_more_is_read_ahead_than_said() -> None:
    read = []

    def parts() -> Iterator[int]:
        for i in range(100):
            read.append(i)
            yield i

    results = in_order(parts(), lambda part: part, 2)
    assert next(results) == 0
    time.sleep(0.05)
    assert len(read) <= AHEAD * 2 + 1
    results.close()  # type: ignore[attr-defined]
    assert len(read) < 100

"""The fingerprint of learned offsets: free of order, and it tells every loss and doubling."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlasso_service.records import Partition
from streamlasso_service.tally import Tally, fingerprint

OFFSETS = st.lists(st.integers(0, 2**40), unique=True, min_size=1, max_size=30)
SOME = settings(derandomize=True, max_examples=60, deadline=None, database=None)


@SOME
@given(OFFSETS, st.randoms(), st.integers(0, 30))
def test_fingerprint_does_not_depend_on_order_or_batches(
    offsets: list[int], random: object, cut: int
) -> None:
    shuffled = list(offsets)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    tally = Tally()
    tally.add(shuffled[:cut])
    tally.add(shuffled[cut:])
    assert (tally.learned, tally.fingerprint) == (len(offsets), fingerprint(offsets))


@SOME
@given(OFFSETS, st.data())
def test_fingerprint_tells_lost_doubled_and_exchanged_offsets(
    offsets: list[int], data: st.DataObject
) -> None:
    which = data.draw(st.sampled_from(offsets))
    lost = [offset for offset in offsets if offset != which]
    moved = [*lost, which + 1]
    for wrong in (lost, [*offsets, which], [*offsets, which, which], moved):
        if sorted(wrong) != sorted(offsets):
            assert fingerprint(wrong) != fingerprint(offsets)


def test_fingerprint_of_nothing_is_zero() -> None:
    assert fingerprint([]) == 0
    assert Tally() == Tally(0, 0, 0)


def test_one_lost_and_one_doubled_do_not_cancel() -> None:
    assert fingerprint([0, 1, 2, 3]) != fingerprint([0, 1, 1, 3])
    assert fingerprint([1, 4]) != fingerprint([2, 3])


@SOME
@given(st.integers(0, 2**62), st.integers(0, 2**62), st.integers(0, 2**64 - 1))
def test_tally_survives_json(position: int, learned: int, total: int) -> None:
    tally = Tally(position, learned, total)
    assert Tally.from_json(json.loads(json.dumps(tally.as_json()))) == tally


@pytest.mark.parametrize("topic", ["events", "/data/a b/0.jsonl", "-"])
def test_partition_is_read_back_from_its_text(topic: str) -> None:
    partition = Partition(topic, 12)
    assert Partition.parse(str(partition)) == partition

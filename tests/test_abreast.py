"""Many slots or lanes at once: the same bits as one after another."""

from typing import Any, ClassVar

import numpy as np
import pytest

from streamlasso import FTRLProximal, GrowingIndex, HashingIndex, Learner

Array = np.ndarray[Any, Any]


class OneByOne(FTRLProximal):
    """The same rule, which is not told that it holds for many at once."""

    abreast: ClassVar[bool] = False  # type: ignore[assignment]


def rows(seed: int = 1) -> tuple[Array, Array, Array, Array]:
    """Rows of 0 to 25 features; many have a slot twice, some a NaN."""
    random = np.random.default_rng(seed)
    indptr = np.concatenate([[0], np.cumsum(random.integers(0, 26, 400))])
    slots = random.integers(2, 60, indptr[-1]).astype(np.uint32)
    values = random.normal(size=len(slots)) * random.choice([0.0, 1.0, 1e-3, 1e3], len(slots))
    values[random.integers(0, len(slots), 5)] = np.nan
    return indptr, slots, values, random.integers(0, 2, 400).astype(float)


def same(one: Learner, other: Learner, data: tuple[Array, Array, Array, Array]) -> None:
    assert one.recipe.abreast
    assert not other.recipe.abreast
    scores = [learner.learn_rows(*data) for learner in (one, other)]
    np.testing.assert_array_equal(*scores)
    np.testing.assert_array_equal(one.score_rows(*data[:3]), other.score_rows(*data[:3]))
    assert one.state.tobytes() == other.state.tobytes()
    assert one.counts.tolist() == other.counts.tolist()
    assert one.rejected == other.rejected > 0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_blocks_of_slots_give_the_bits_of_one_slot_after_another(dtype: str) -> None:
    one, other = (
        Learner(kind(l1=0.05), "logistic", HashingIndex(8), dtype=dtype)
        for kind in (FTRLProximal, OneByOne)
    )
    data = rows()
    same(one, other, data)
    # Buffers with nothing behind the row, and with something.
    indptr, slots, values, targets = rows(2)
    values = np.nan_to_num(values).astype(dtype)
    for row in range(100):
        part = slice(indptr[row], indptr[row + 1])
        size = part.stop - part.start
        longer = slice(part.start, min(part.stop + row % 12, len(slots)))
        tight = one.learn_row(slots[part].copy(), values[part].copy(), size, targets[row])
        wide = other.learn_row(slots[longer].copy(), values[longer].copy(), size, targets[row])
        assert tight == wide
    assert one.state.tobytes() == other.state.tobytes()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scale", [None, "rms"])
def test_lanes_at_once_give_the_bits_of_one_lane_after_another(
    dtype: str, scale: str | None
) -> None:
    one, other = (
        Learner(
            [kind(alpha, l1=0.1 * alpha) for alpha in (0.02, 0.1, 0.5, 1.0)], "logistic",
            HashingIndex(8), dtype=dtype, scale=scale,
        )
        for kind in (FTRLProximal, OneByOne)
    )  # fmt: skip
    same(one, other, rows())


def test_the_last_touch_of_a_block_is_kept_where_the_index_evicts() -> None:
    learners = []
    indptr, slots, values, targets = rows()
    for kind in (FTRLProximal, OneByOne):
        index = GrowingIndex(max_features=100, at_limit="evict")
        for name in range(60):
            index.add(name)
        learners.append(Learner(kind(l1=0.05), "logistic", index))
    same(*learners, (indptr, slots, values, targets))
    assert learners[0].state[:, learners[0].touched_column].any()

"""Columns of a CSR matrix become slots, however wide and however empty it is."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from streamlasso import GrowingIndex
from streamlasso.arrays import csr_slots


@pytest.mark.parametrize("width", [6, 10_000])
def test_entries_get_the_slots_of_their_columns_in_ascending_order(width: int) -> None:
    X = csr_array(([1.0, 2.0, 3.0, 4.0], [5, 0, 5, 2], [0, 2, 2, 4]), (3, width))
    index = GrowingIndex()
    slots = csr_slots(X, index.add)
    assert slots.dtype == np.uint32
    assert slots.tolist() == [index.find(column) for column in (5, 0, 5, 2)] == [4, 2, 4, 3]
    unknown = csr_array(([1.0, 1.0], [1, 2], [0, 2]), (1, width))
    assert csr_slots(unknown, index.find).tolist() == [1, 3]


@pytest.mark.parametrize("width", [0, 5])
def test_no_entries_have_no_slots(width: int) -> None:
    empty = csr_slots(csr_array((2, width)), GrowingIndex().add)
    assert empty.dtype == np.uint32
    assert empty.size == 0

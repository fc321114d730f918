"""Files of arrays, as the package safetensors writes and reads them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load, save

from streamlasso.tensors import TYPES, tensors_bytes

ARRAYS: dict[str, Any] = {
    "records": np.arange(12.0).reshape(4, 3),
    "a": np.arange(5, dtype=np.uint8),
    "slots": np.arange(3, dtype=np.uint32),
    "none": np.empty(0, np.uint32),
    "empty": np.empty((0, 3)),
    "counts": np.arange(8).reshape(2, 4),
    "half": np.arange(6, dtype=np.float32)[::2],
}


def test_they_are_read_back_by_the_package(tmp_path: Path) -> None:
    metadata = {"manifest": 'a "quoted" ☃ \ud83d', "digest": "x"}
    metadata["manifest"] = json.dumps(metadata["manifest"])
    (tmp_path / "m").write_bytes(tensors_bytes(ARRAYS, metadata))
    with safe_open(tmp_path / "m", framework="numpy") as file:
        assert file.metadata() == metadata
        assert set(file.keys()) == set(ARRAYS)
        for name, array in ARRAYS.items():
            found = file.get_tensor(name)
            assert found.dtype == array.dtype
            assert found.shape == array.shape
            assert (found == array).all()


def test_the_header_says_what_the_packages_does() -> None:
    ours, theirs = tensors_bytes(ARRAYS, {"k": "v"}), save(dict(ARRAYS), {"k": "v"})
    assert len(ours) == len(theirs)
    size = int.from_bytes(ours[:8], "little")
    assert size % 8 == 0
    assert json.loads(ours[8 : 8 + size]).keys() == json.loads(theirs[8 : 8 + size]).keys()


@pytest.mark.parametrize("dtype", TYPES)
def test_types_have_the_packages_names(dtype: str) -> None:
    array = np.arange(3).astype(dtype)
    (found,) = load(tensors_bytes({"x": array}, {})).values()
    assert found.dtype == array.dtype
    assert (found == array).all()

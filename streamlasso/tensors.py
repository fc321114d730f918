"""Writing arrays in the format of safetensors, with one copy of them instead of two.

8 bytes of the header's length, the header as JSON, padded with spaces to a multiple of 8, the
arrays. What is written is what the package ``safetensors`` writes, and it reads it.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["tensors_bytes"]

Array = npt.NDArray[Any]

TYPES = {"float64": "F64", "float32": "F32", "int64": "I64", "int32": "I32", "uint64": "U64",
         "uint32": "U32", "uint8": "U8", "int8": "I8", "bool": "BOOL"}  # fmt: skip


def tensors_bytes(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """The content of a file with these arrays and texts."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    parts = []
    at = 0
    # The widest first: each is aligned to its own size then.
    for name in sorted(arrays, key=lambda name: (-arrays[name].itemsize, name)):
        array = np.ascontiguousarray(arrays[name])
        header[name] = {
            "dtype": TYPES[array.dtype.name],
            "shape": list(arrays[name].shape),
            "data_offsets": [at, at + array.nbytes],
        }
        parts.append(array.reshape(-1).view(np.uint8).data)
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])

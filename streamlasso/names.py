"""What a feature may be called, and the hash of a name.

A name is a ``str``, an ``int`` or a tuple of them.
"""

from collections.abc import Hashable
from typing import Any

import numpy as np
import xxhash

__all__ = ["Name", "name_bytes", "name_hash", "plain_name"]

Name = str | int | tuple[Any, ...]


def plain_name(name: Hashable) -> Name:
    """The name with numpy's scalar types made plain; anything else that is no name is an error."""
    kind = type(name)
    if kind is str or kind is int:
        return name  # type: ignore[return-value]
    if isinstance(name, tuple):
        return tuple(plain_name(part) for part in name)
    if isinstance(name, str):
        return str.__str__(name)  # the text itself: str() of an Enum is its label
    if isinstance(name, int | np.integer):
        return int(name)
    raise TypeError(
        f"feature name {name!r} is of type {kind.__name__}; "
        "a name must be a str, an int or a tuple of them: convert it with str()"
    )


def name_bytes(name: Name) -> tuple[bytes, int]:
    """What stands for a name among bytes, and whether it is no str.

    >>> name_bytes("é"), name_bytes(7), name_bytes(("7",))
    ((b'\\xc3\\xa9', 0), (b'7', 1), (b"('7',)", 1))
    """
    if isinstance(name, str):
        return name.encode("utf-8", "surrogatepass"), 0
    return repr(name).encode(), 1


def name_hash(name: Name) -> int:
    """64 bits, the same in every process and on every machine."""
    content, other = name_bytes(name)
    return xxhash.xxh64_intdigest(content, seed=other)

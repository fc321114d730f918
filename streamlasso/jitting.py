"""How functions are compiled, and that they are kept on disk where they can be."""

import hashlib
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from numba import njit

__all__ = ["JIT", "PART", "compile_top", "digest_of"]

# ``_nrt=False`` compiles without numba's reference counting: no kernel allocates, and the atomic
# counts on a dozen arrays cost 135 ns a row, a fifth of a row of 39 features (measured).
# C code calls no kernel, and Python no part of one: their wrappers took 40 % of the compiling.
JIT = {"error_model": "numpy", "nogil": True, "_nrt": False, "no_cfunc_wrapper": True}
PART = {**JIT, "no_cpython_wrapper": True}


def digest_of(files: Iterable[str | Path]) -> str:
    """Of the sources that a kernel is made of, to stand in its name.

    numba files its cache by a function's own file and name only: without it, an edit of another
    source would be answered by what was compiled before.
    """
    content = b"".join(Path(file).read_bytes() for file in files)
    return hashlib.blake2b(content, digest_size=6).hexdigest()


def compile_top(
    function: Callable[..., Any], *, cached: bool = True, nogil: bool = True
) -> Callable[..., Any]:
    """Compile, on disk where a cache directory can be written."""
    options = {**JIT, "nogil": nogil}
    if cached:
        try:
            return njit(cache=True, **options)(function)  # type: ignore[no-any-return]
        except RuntimeError as error:
            warnings.warn(
                f"kernels are compiled anew in each process: {error}; "
                "set NUMBA_CACHE_DIR to a directory that can be written",
                RuntimeWarning,
                stacklevel=2,
            )
    return njit(**options)(function)  # type: ignore[no-any-return]

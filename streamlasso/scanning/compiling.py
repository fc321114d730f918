"""Compiling scanners, on disk too."""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlasso import hashing, memory
from streamlasso.jitting import compile_top, digest_of

__all__ = ["compile_scanner"]


def _digest(*modules: str) -> str:
    files = {str(sys.modules[name].__file__) for name in modules}
    files |= {str(memory.__file__), str(hashing.__file__)}
    files |= {str(path) for path in Path(__file__).parent.glob("*.py")}
    return digest_of(sorted(files))


def compile_scanner(function: Callable[..., Any], *modules: str) -> Callable[..., Any]:
    """Compile a function that calls those of this package, of `hashing` and of further modules.

    Its name holds a digest of all these sources.
    """
    name = f"{function.__name__}_{_digest(function.__module__, *modules)}"
    copy = types.FunctionType(function.__code__, function.__globals__, name)
    copy.__qualname__ = name
    return compile_top(copy)

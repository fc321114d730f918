"""The command ``streamlasso``."""

import gc
import sys


def main() -> None:
    """Run the command line, or say which extra it needs."""
    try:
        from streamlasso_service.cli import app
    except ModuleNotFoundError as error:
        sys.exit(
            f"streamlasso: the command needs {error.name!r}: pip install 'streamlasso[service]'"
        )
    try:
        app(prog_name="streamlasso")
    finally:
        # Python's last collection walks through the compiler: 0.15 s in which nothing is freed that
        # the end of the process does not free.
        gc.freeze()


if __name__ == "__main__":
    main()

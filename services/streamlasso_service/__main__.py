"""The command ``streamlasso``."""

import sys


def main() -> None:
    """Run the command line, or say which extra it needs."""
    try:
        from streamlasso_service.cli import app
    except ModuleNotFoundError as error:
        sys.exit(
            f"streamlasso: the command needs {error.name!r}: pip install 'streamlasso[service]'"
        )
    app(prog_name="streamlasso")


if __name__ == "__main__":
    main()

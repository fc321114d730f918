"""What the commands share: flags into settings, known faults into one message and an exit code."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

__all__ = ["errors", "fail", "log_to_stderr", "nested", "put"]


@contextmanager
def errors() -> Iterator[None]:
    """Known faults end in one clear message and an exit code, not in a traceback."""
    from streamlasso.snapshot import SnapshotError
    from streamlasso_service.loading import ConfigError
    from streamlasso_service.source import SourceError
    from streamlasso_service.store import StoreLockedError

    try:
        yield
    except ConfigError as error:
        fail(f"the configuration has faults:\n{error}", 2)
    except SourceError as error:
        fail(str(error), error.code)
    except BrokenPipeError:
        raise  # the reader of a pipeline has gone: click ends quietly
    except (SnapshotError, StoreLockedError, OSError) as error:
        fail(str(error), 1)


def fail(message: str, code: int) -> None:
    """End with one message on standard error."""
    typer.echo(f"streamlasso: {message}", err=True)
    raise typer.Exit(code)


def nested(overrides: list[str] | None) -> dict[str, Any]:
    """``a.b=1`` → ``{"a": {"b": 1}}``; the value as JSON if it is, as text otherwise."""
    tables: dict[str, Any] = {}
    for override in overrides or []:
        key, equals, text = override.partition("=")
        if not equals:
            fail(f"--set {override!r} must have the form section.key=value", 2)
        *sections, last = key.split(".")
        table = tables
        for section in sections:
            table = table.setdefault(section, {})
            if not isinstance(table, dict):
                fail(f"--set {override!r}: {section} has been given the value {table!r}", 2)
        try:
            table[last] = json.loads(text)
        except ValueError:
            table[last] = text
    return tables


def put(flags: dict[str, Any], section: str, key: str, value: Any) -> None:
    """Set a flag that was given; a section that is no table is left for validation to name."""
    if value is not None and isinstance(flags.setdefault(section, {}), dict):
        flags[section][key] = value


def log_to_stderr() -> None:
    """Log what an operator should see."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("kafka").setLevel(logging.WARNING)

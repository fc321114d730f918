"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["ConfigFile", "FormatName", "Names", "Overrides", "Snapshot"]

ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-c", help="TOML file; see docs/configuration.md.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="Any setting, as section.key=value; may be repeated."),
]
Snapshot = Annotated[
    Path, typer.Argument(help="A snapshot file, or a folder of which the newest is taken.")
]
FormatName = Annotated[
    str, typer.Option("--format", help="json, csv, svmlight or vw; auto goes by the file's name.")
]
Names = Annotated[
    str | None, typer.Option(help="A file whose i-th line names index i of a svmlight file.")
]

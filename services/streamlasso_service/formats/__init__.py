"""Formats of files, by name or by a file's ending."""

from pathlib import Path

from streamlasso_service.config import EventConfig
from streamlasso_service.files import open_bytes
from streamlasso_service.formats.base import Format, FormatError, JsonLines
from streamlasso_service.formats.svmlight import Svmlight
from streamlasso_service.formats.table import Csv
from streamlasso_service.formats.vowpal import VowpalText

__all__ = ["Format", "FormatError", "format_of", "kind_of"]

ENDINGS = {".csv": "csv", ".tsv": "tsv", ".svm": "svmlight", ".svmlight": "svmlight", ".vw": "vw"}


def kind_of(path: str, kind: str = "auto") -> str:
    """The format's name: as given, or by the file's ending; ``json`` otherwise."""
    if kind != "auto":
        return kind
    return ENDINGS.get(Path(path.removesuffix(".gz")).suffix, "json")


def format_of(
    path: str, kind: str = "auto", names: str | None = None, event: EventConfig | None = None
) -> Format:
    """The format by name, or by the file's ending; JSON lines otherwise."""
    kind = kind_of(path, kind)
    if kind == "svmlight":
        return Svmlight(None if names is None else _read_names(names), event or EventConfig())
    if kind in ("csv", "tsv"):
        return Csv("\t" if kind == "tsv" else ",")
    if kind == "vw":
        return VowpalText(event or EventConfig())
    return JsonLines()


def _read_names(path: str) -> list[str]:
    with open_bytes(path) as file:
        return file.read().decode().splitlines()

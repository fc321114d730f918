"""Reading the configuration: a TOML file, overridden by ``STREAMLASSO_*``, overridden by flags.

``STREAMLASSO_KAFKA__TOPIC=clicks`` sets ``topic`` in ``[kafka]``. All faults, of all three sources,
are reported together, each with field, value, constraint and remedy.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    TomlConfigSettingsSource,
)

from streamlasso_service.config import PREFIX, Settings

__all__ = ["ConfigError", "load_settings"]


class ConfigError(Exception):
    """One or more faults in the configuration; the text lists them all."""


def load_settings(path: Path | None = None, flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings from a file, the environment and flags (nested by section)."""
    unknown = _unknown_variables()
    faults = [*_toml_faults(path), *unknown.values()]
    if not any(fault.startswith("config file") for fault in faults):
        try:
            settings = _layered(path)(**dict(flags or {}))
        except ValidationError as error:
            known = [dict(item) for item in error.errors()]
            faults += [_fault(item) for item in known if _key(item) not in unknown]
    if faults:
        raise ConfigError("\n".join(f"  * {fault}" for fault in faults))
    return settings


class _Environment(EnvSettingsSource):
    """Text that is no JSON where JSON is due stays text: validation then names it as a fault."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def _layered(path: Path | None) -> type[Settings]:
    """`Settings` reading this file below the environment and the flags."""

    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            layers = [init_settings, _Environment(settings_cls)]
            if path is not None:
                layers.append(TomlConfigSettingsSource(settings_cls, toml_file=path))
            return tuple(layers)

    return Layered


def _toml_faults(path: Path | None) -> Iterator[str]:
    if path is None:
        return
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        yield f"config file {path}: {error.strerror}; give --config an existing file"
    except ValueError as error:
        yield f"config file {path} is not TOML: {error}"


def _known_keys(model: type[BaseModel] = Settings) -> dict[str, FieldInfo]:
    known = {}
    for name, field in model.model_fields.items():
        known[name] = field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            inner = _known_keys(field.annotation)
            known |= {f"{name}.{key}": value for key, value in inner.items()}
    return known


def _open_ended(key: str) -> bool:
    """Whether a key lies below a free table such as ``model.parameters``."""
    known = _known_keys()
    parents = [parent for parent in known if key.startswith(f"{parent}.")]
    return any(str(known[parent].annotation).startswith("dict") for parent in parents)


def _unknown_variables() -> dict[str, str]:
    """Key → fault. pydantic-settings passes over variables that match no section."""
    known = _known_keys()
    faults = {}
    for variable in sorted(os.environ):
        if not variable.startswith(PREFIX):
            continue
        key = variable.removeprefix(PREFIX).lower().replace("__", ".")
        if key not in known and not _open_ended(key):
            close = difflib.get_close_matches(key, known, 1)
            meant = (
                f"; did you mean {PREFIX}{close[0].replace('.', '__').upper()}?" if close else ""
            )
            faults[key] = f"environment variable {variable}: no such setting{meant or '; unset it'}"
    return faults


def _key(error: dict[str, Any]) -> str:
    return ".".join(str(part) for part in error["loc"])


def _fault(error: dict[str, Any]) -> str:
    """One fault: field = value, what is wrong, what to do."""
    key, value = _key(error), error["input"]
    known = _known_keys()
    if error["type"] == "extra_forbidden":
        slips = [name for name in known if name.endswith(f".{key}")]
        close = slips or difflib.get_close_matches(key, known, 1)
        meant = f"did you mean {close[0]}?" if close else "remove it"
        return f"{key} = {value!r}: no such setting; {meant}"
    problem = str(error["msg"]).removeprefix("Value error, ")
    if isinstance(value, str) and error["type"] in ("list_type", "dict_type", "model_type"):
        problem += ', as JSON where it comes from a variable or a flag, for one ["a"]'
    if isinstance(value, dict | BaseModel):
        return f"{key}: {problem}"  # not the value: a table may hold passwords
    field = known.get(key)
    remedy = ""
    if field is not None and "." in key:
        described = f" ({field.description})" if field.description else ""
        remedy = f"; the default is {field.get_default()!r}{described}"
    return f"{key} = {value!r}: {problem}{remedy}"

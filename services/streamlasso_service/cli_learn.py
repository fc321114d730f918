"""The command ``learn``. Nothing heavy is imported before it runs."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from streamlasso_service.flags import errors, fail, nested, put
from streamlasso_service.options import ConfigFile, FormatName, Names

__all__ = ["learn"]

INDEXES = ("growing", "hashing")


def learn(
    files: Annotated[list[str], typer.Argument(help="Files of events; - is standard input.")],
    config: ConfigFile = None,
    kind: FormatName = "auto",
    names: Names = None,
    rule: Annotated[str | None, typer.Option(help="Learning rule.")] = None,
    task: Annotated[str | None, typer.Option(help="classification or regression.")] = None,
    loss: Annotated[str | None, typer.Option(help="Loss; it says which task.")] = None,
    index: Annotated[
        str | None, typer.Option(help="growing, or hashing:BITS for 2^BITS slots.")
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="float64 or float32, of the state.")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", "-s", help="A parameter of the rule, l1=1, or any setting, section.key=value."
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=0, help="Threads that read ahead of the one that learns.")
    ] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the model to this file.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing of success.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Learn from files at once, without a service, and say how well."""
    from streamlasso_service.bad_share import BAD_SHARE_EXIT_CODE
    from streamlasso_service.learn import Learning, as_text
    from streamlasso_service.loading import load_settings

    flags = _flags(overrides or [])
    put(flags, "source", "kind", "file")
    put(flags, "source", "format", None if kind == "auto" else kind)
    put(flags, "file", "paths", files)
    put(flags, "file", "names", names)
    put(flags, "model", "rule", rule)
    put(flags, "model", "task", task or _task_of(loss))
    put(flags, "model", "loss", loss)
    put(flags, "model", "dtype", dtype)
    _put_index(flags, index)
    with errors():
        run = Learning(load_settings(config, flags), threads)
        run.run()
        if output is not None and run.learned:
            run.save(output)
    result = run.result()
    if as_json:
        typer.echo(json.dumps(result))
    elif not quiet:
        for line in as_text(result):
            typer.echo(line)
    if not run.learned:
        fail(_nothing(run.records, run.failed, result), BAD_SHARE_EXIT_CODE)


def _flags(overrides: list[str]) -> dict[str, Any]:
    """A key without a section is a parameter of the rule."""
    named = (text.partition("=")[0] for text in overrides)
    sections = ("" if "." in name else "model.parameters." for name in named)
    return nested([section + text for section, text in zip(sections, overrides, strict=True)])


def _task_of(loss: str | None) -> str | None:
    """The task that a loss is for, where there is one."""
    if loss is None:
        return None
    from streamlasso.losses import LOSSES
    from streamlasso_service.config import DOMAINS

    domain = LOSSES[loss].domain if loss in LOSSES else None
    return next((task for task, domains in DOMAINS.items() if domain in domains), None)


def _put_index(flags: dict[str, Any], index: str | None) -> None:
    if index is None:
        return
    kind, colon, bits = index.partition(":")
    if kind not in INDEXES or (colon and (kind != "hashing" or not bits.isdecimal())):
        fail(f"--index {index!r} must be growing, hashing or hashing:BITS", 2)
    put(flags, "model", "index", kind)
    put(flags, "model", "bits", int(bits) if colon else None)


def _nothing(records: int, failed: int, result: dict[str, Any]) -> str:
    """Why nothing was learned."""
    if not records:
        return "nothing was learned: the files hold no record"
    if failed == records:
        last = list(result["bad_records"].values())[-1]
        return f"nothing was learned: all {records} records were bad: {last['message']}"
    return (
        "nothing was learned: had any event a target and an importance above 0? It is looked for "
        "in --set event.target=NAME"
    )

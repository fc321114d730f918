"""The command line. Nothing heavy is imported before a command runs, so ``--help`` is quick."""

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamlasso_service.cli_learn import learn
from streamlasso_service.flags import errors, fail, log_to_stderr, nested, put
from streamlasso_service.options import ConfigFile, FormatName, Names, Overrides, Snapshot

if TYPE_CHECKING:
    from streamlasso_service.config import Settings
    from streamlasso_service.consumer import Consumer

app = typer.Typer(
    name="streamlasso",
    help="Learn sparse linear models from event streams.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def consume(
    config: ConfigFile = None,
    topic: Annotated[str | None, typer.Option(help="Kafka topic to learn from.")] = None,
    bootstrap: Annotated[str | None, typer.Option(help="Kafka broker, host:port.")] = None,
    file: Annotated[
        list[str] | None, typer.Option(help="File to learn from; - is standard input.")
    ] = None,
    follow: Annotated[bool | None, typer.Option(help="Wait for more at the file's end.")] = None,
    rule: Annotated[str | None, typer.Option(help="Learning rule.")] = None,
    snapshots: Annotated[Path | None, typer.Option(help="Folder of the snapshots.")] = None,
    predictions: Annotated[str | None, typer.Option(help="Topic or file for predictions.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of metrics and page.")] = None,
    init: Annotated[
        Path | None, typer.Option(help="Begin from this model where there is no snapshot yet.")
    ] = None,
    accept_gap: Annotated[
        bool | None, typer.Option("--accept-gap", help="Go on past records the broker lost.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show a live picture.")] = False,
    seconds: Annotated[float | None, typer.Option(help="With --watch: stop after so long.")] = None,
    overrides: Overrides = None,
) -> None:
    """Learn from a topic or files, with snapshots, metrics and dead letters."""
    from streamlasso_service.advice import all_bad, bad_records, remarks
    from streamlasso_service.bad_share import BAD_SHARE_EXIT_CODE
    from streamlasso_service.loading import load_settings
    from streamlasso_service.service import serve

    flags = nested(overrides)
    if topic is not None and file:
        fail("give either --topic or --file: a run has one source", 2)
    if topic is not None or bootstrap is not None:
        put(flags, "source", "kind", "kafka")
    if file:
        put(flags, "source", "kind", "file")
    put(flags, "file", "paths", file or None)
    put(flags, "file", "follow", follow)
    put(flags, "kafka", "topic", topic)
    put(flags, "kafka", "bootstrap", bootstrap)
    put(flags, "kafka", "accept_gap", accept_gap)
    put(flags, "model", "rule", rule)
    put(flags, "snapshot", "directory", snapshots)
    put(flags, "output", "predictions", predictions)
    put(flags, "http", "port", port)
    log_to_stderr()
    with errors():
        settings = load_settings(config, flags)
        if watch:
            if all_bad(_watch(settings, init, seconds)):
                raise typer.Exit(BAD_SHARE_EXIT_CODE)
            return
        log = logging.getLogger("streamlasso")
        consumer = serve(
            settings,
            initial=init,
            started=lambda _, address: log.info(
                "page and metrics: %s", f"{address}/" if address else "off"
            ),
        )
        status = consumer.reporter.status
        if all_bad(consumer):
            fail(f"nothing was learned: {bad_records(consumer)}", BAD_SHARE_EXIT_CODE)
        for reason in remarks(consumer):
            log.warning("%s", reason)
        log.info(
            "%d events learned, progressive loss %.5f (constant model %.5f), %d active features",
            status.events,
            status.loss,
            status.baseline,
            status.active,
        )


def _watch(settings: "Settings", init: Path | None, seconds: float | None) -> "Consumer":
    from streamlasso_service.service import serve
    from streamlasso_service.watch import Watch

    logging.getLogger().setLevel(logging.WARNING)
    kafka = "topic " if settings.source.kind == "kafka" else ""
    named = kafka + ", ".join(settings.streams)
    view = Watch(named, settings, seconds)
    try:
        consumer = serve(settings, initial=init, started=view.started, after_batch=view.after_batch)
    finally:
        view.close()
    view.summary(consumer, settings.snapshot.directory)
    return consumer


app.command()(learn)


@app.command()
def demo(
    seconds: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
    data: Annotated[str | None, typer.Option(help="Replay your own file.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="A set that river ships: shuttle, phishing or bananas.")
    ] = None,
    rate: Annotated[float, typer.Option(help="Events a second; 0 for as fast as it goes.")] = 10000,
    port: Annotated[int | None, typer.Option(help="Port of metrics and page.")] = None,
    overrides: Overrides = None,
) -> None:
    """Watch a sparse model learn, from an embedded stream; nothing else need be running."""
    from streamlasso_service.demo import run_demo
    from streamlasso_service.simulate import DATASETS

    if dataset is not None and dataset not in DATASETS:
        fail(f"--dataset {dataset!r} is unknown; choose one of {', '.join(DATASETS)}", 2)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    with errors():
        run_demo(seconds, data, dataset, rate, port, nested(overrides))


@app.command()
def predict(
    snapshot: Snapshot,
    file: Annotated[str, typer.Argument(help="Events; - is standard input.")],
    kind: FormatName = "auto",
    names: Names = None,
) -> None:
    """Print a prediction for each event of a file, as JSON lines."""
    from streamlasso_service.offline import open_snapshot, predict_file
    from streamlasso_service.records import Bad

    bad = 0
    with errors():
        _, model, manifest = open_snapshot(snapshot)
        for line in predict_file(model, manifest, file, kind, names):
            if isinstance(line, Bad):
                bad += 1
                typer.echo(f"streamlasso: {line.reason}: {line.message}", err=True)
            else:
                sys.stdout.buffer.write(line + b"\n")
    if bad:
        fail(f"{bad} records could not be predicted", 1)


@app.command()
def inspect(
    snapshot: Snapshot,
    top: Annotated[int, typer.Option(help="How many weights to show.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show what a snapshot holds: model, weights, positions, and how each field was read."""
    from streamlasso_service.offline import as_text, describe, open_snapshot

    with errors():
        content = describe(*open_snapshot(snapshot), top)
    if as_json:
        typer.echo(json.dumps(content, indent=1))
        return
    for line in as_text(content):
        typer.echo(line)


@app.command()
def export(
    snapshot: Snapshot,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A file that ends in .json or .csv.")
    ],
) -> None:
    """Write the active weights alone, usable anywhere."""
    from streamlasso_service.offline import open_snapshot

    with errors():
        _, model, _ = open_snapshot(snapshot)
        try:
            written = model.export(output)
        except ValueError as error:
            fail(str(error), 2)
    typer.echo(f"{model.active_features} active weights and the intercept: {written}")


@app.command()
def produce(
    file: Annotated[str | None, typer.Argument(help="Events; - is standard input.")] = None,
    simulated: Annotated[
        int | None, typer.Option(help="Send so many simulated clicks instead of a file.")
    ] = None,
    topic: Annotated[str, typer.Option(help="Topic to send to.")] = "events",
    bootstrap: Annotated[str, typer.Option(help="Kafka broker.")] = "localhost:9092",
    kind: FormatName = "auto",
    names: Names = None,
    rate: Annotated[float | None, typer.Option(help="Events a second at most.")] = None,
) -> None:
    """Send the events of a file to a topic, to have something to try with."""
    from streamlasso_service.produce import file_events, simulated_events
    from streamlasso_service.produce import produce as send

    if (file is None) == (simulated is None):
        fail("name a file of events, or --simulated COUNT", 2)
    with errors():
        made = simulated_events(simulated or 0) if file is None else file_events(file, kind, names)
        count, seconds = send(made, bootstrap, topic, rate)
    typer.echo(f"{count} events sent to {topic} in {seconds:.1f} s")


@app.command()
def warm(
    rule: Annotated[list[str] | None, typer.Option(help="Only these rules.")] = None,
    config: ConfigFile = None,
    overrides: Overrides = None,
) -> None:
    """Compile the kernels ahead and keep them in numba's cache (NUMBA_CACHE_DIR).

    With a configuration those of its model; otherwise those of every rule, as it is by default,
    with every loss.
    """
    from streamlasso_service.loading import load_settings
    from streamlasso_service.models import build_model
    from streamlasso_service.warming import CHOICES, warm_each, warm_one

    for name in rule or ():
        if name not in CHOICES:
            fail(f"--rule {name!r} is unknown; choose one of {', '.join(CHOICES)}", 2)
    if config is None and not overrides:
        for line in warm_each(rule or CHOICES):
            typer.echo(line)
        return
    if rule:
        fail("give either --rule, or --config and --set, which name a rule of their own", 2)
    flags = nested(overrides)
    put(flags, "file", "paths", ["-"])  # nothing is read
    with errors():
        settings = load_settings(config, flags)
        typer.echo(warm_one(build_model(settings.model, settings.features.interactions)))

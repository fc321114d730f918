"""Fixtures for what lies outside the library: a Kafka broker, a Prometheus, the data sets.

Each starts when the first test asks for it. Environment: TEST_KAFKA_BOOTSTRAP (use a running
broker), STREAM_DATA (folder of the data sets), REQUIRE_ALL=1 (a missing part is a failure).
"""

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import servers


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a broker that answers."""
    given = os.environ.get("TEST_KAFKA_BOOTSTRAP")
    if given:
        servers.check_metadata(given)
        yield given
        return
    with servers.kafka_broker(tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture
def kafka_topic(kafka_bootstrap: str) -> Iterator[Callable[..., str]]:
    """`make(name_prefix="events", partitions=1)` -> name of a new topic, deleted afterwards."""
    from kafka import KafkaAdminClient

    made: list[str] = []
    with KafkaAdminClient(bootstrap_servers=kafka_bootstrap) as admin:

        def make(name_prefix: str = "events", partitions: int = 1) -> str:
            name = f"{name_prefix}-{uuid.uuid4().hex[:12]}"
            admin.create_topics({name: {"num_partitions": partitions}}, wait_for_metadata=True)
            made.append(name)
            return name

        yield make
        if made:
            # A test may have deleted its topic itself.
            admin.delete_topics(made, raise_errors=False)


@pytest.fixture
def prometheus_server(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """`start(scrape_target)` -> address of a Prometheus that scrapes the target every second."""
    with ExitStack() as running:
        started = 0

        def start(scrape_target: str) -> str:
            nonlocal started
            started += 1
            folder = tmp_path / f"prometheus-{started}"
            return running.enter_context(servers.prometheus(folder, scrape_target))

        yield start


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the data sets."""
    folder = Path(os.environ.get("STREAM_DATA") or servers.REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        servers.unavailable(f"data sets: no folder {folder} (set STREAM_DATA)")
    return folder


def pytest_configure(config: pytest.Config) -> None:
    """Let kafka-python be imported although warnings are errors (Python 3.11 and 3.12)."""
    config.addinivalue_line(
        "filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not tested, so that a green run on a bare machine cannot mislead."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        # A skip is reported as (file, line, "Skipped: reason").
        _, marked, reason = str(report.longrepr[2]).partition(servers.MISSING_PART)
        if marked:
            reasons[reason] += 1
    terminalreporter.write_line(f"skipped for missing parts: {reasons.total()}")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"  {count} x {reason}")

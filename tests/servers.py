"""Real servers for tests: on free ports, in temporary folders, stopped however a test ends.

A test that needs a part this machine lacks goes through `unavailable`: it is skipped, counted
and named at the end of the run; with REQUIRE_ALL=1 it fails instead.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
KAFKA_SCRIPT = REPOSITORY / "services" / "kafka" / "run.sh"
MISSING_PART = "missing part: "

FETCH_TIMEOUT_S = 600.0
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0


def unavailable(reason: str) -> NoReturn:
    """Skip the test, or the module being collected; fail it when REQUIRE_ALL=1."""
    __tracebackhide__ = True
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(MISSING_PART + reason, pytrace=False)
    pytest.skip(MISSING_PART + reason, allow_module_level=True)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on at the moment, all different."""
    with ExitStack() as sockets:
        # All are held open together, else the same port could come twice.
        held = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]


@contextmanager
def kafka_broker(folder: Path, ports: list[int] | None = None) -> Iterator[str]:
    """One Kafka node; gives its `host:port` once it answers a metadata request."""
    _fetch_kafka()
    port, controller_port = ports or free_ports(2)
    bootstrap = f"localhost:{port}"
    settings = {
        "KAFKA_PORT": str(port),
        "KAFKA_CONTROLLER_PORT": str(controller_port),
        "KAFKA_DATA": str(folder / "data"),
    }
    with _running([str(KAFKA_SCRIPT)], folder / "kafka.log", settings) as check_alive:
        _wait_until(lambda: _connects(port), check_alive, "Kafka's port")
        check_metadata(bootstrap)
        yield bootstrap


def check_metadata(bootstrap: str) -> None:
    """Return once the broker answers; raises KafkaTimeoutError or the like when it does not."""
    try:
        from kafka import KafkaAdminClient
    except ImportError:
        unavailable("kafka-python is not installed (pip install 'streamlasso[service]')")
    limit_ms = int(START_TIMEOUT_S * 1000)
    with KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=limit_ms) as admin:
        admin.describe_cluster()


@contextmanager
def prometheus(folder: Path, scrape_target: str) -> Iterator[str]:
    """A Prometheus that scrapes `scrape_target` (host:port) every second; gives its address."""
    binary = shutil.which("prometheus")
    if binary is None:
        unavailable("prometheus is not installed (Debian: apt-get install prometheus)")
    [port] = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    folder.mkdir(parents=True)
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
        "scrape_configs:\n"
        "  - job_name: streamlasso\n"
        f"    static_configs: [{{targets: ['{scrape_target}']}}]\n"
    )
    command = [
        binary,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with _running(command, folder / "prometheus.log") as check_alive:
        _wait_until(lambda: _answers_ok(f"{address}/-/ready"), check_alive, "Prometheus")
        yield address


def _fetch_kafka() -> None:
    command = [str(KAFKA_SCRIPT), "--fetch"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S)
    if done.returncode != 0:
        unavailable(done.stderr.strip().splitlines()[-1])


@contextmanager
def _running(
    command: list[str], log: Path, settings: dict[str, str] | None = None
) -> Iterator[Callable[[], None]]:
    """Run a server; gives a function that raises, with the end of the log, once it has died."""
    # A session of its own: Ctrl-C reaches pytest only, which then stops the server in order.
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | (settings or {}),
            start_new_session=True,
        )

    def check_alive() -> None:
        if process.poll() is not None:
            end = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise RuntimeError(f"{command[0]} ended with code {process.returncode}:\n{end}")

    try:
        yield check_alive
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until(ready: Callable[[], bool], check_alive: Callable[[], None], what: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        check_alive()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not answer within {START_TIMEOUT_S:.0f} s")
        time.sleep(0.1)


def _connects(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True


def _answers_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        # It holds the open connection; left alone it warns when collected.
        error.close()
        return False
    except OSError:
        return False

"""The service as a process, as an operator runs it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import servers

WAIT_S = 60.0


def wait_for(what: str, true: Callable[[], Any], timeout_s: float = WAIT_S) -> Any:
    """Poll until the function gives something true; name what was awaited if it never does."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = true()
        if value:
            return value
        time.sleep(0.05)
    raise TimeoutError(f"{what} did not happen within {timeout_s:.0f} s")


class Service:
    """A running ``streamlasso consume``."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def get(self, path: str) -> tuple[int, str]:
        """Status code and body; 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def status(self) -> dict[str, Any]:
        """``/status``; empty while nobody listens."""
        code, body = self.get("/status")
        return json.loads(body) if code == 200 else {}

    def metrics(self) -> dict[str, float]:
        """Sample line up to its value → value."""
        _, body = self.get("/metrics")
        lines = [line for line in body.splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def wait_for_events(self, count: int) -> None:
        """Until so many events of the model's life are learned."""

        def reached() -> bool:
            if self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode}: {self.log.read_text()}")
            return self.status().get("events", 0) >= count

        wait_for(f"event {count}", reached)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def consume(tmp_path: Path, *arguments: str) -> Iterator[Service]:
    """``streamlasso consume`` on a free port with its snapshots below ``tmp_path``."""
    [port] = servers.free_ports(1)
    log = tmp_path / f"consume-{port}.log"
    command = [
        sys.executable, "-m", "streamlasso_service", "consume",
        "--snapshots", str(tmp_path / "snapshots"), "--port", str(port), *arguments,
    ]  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STREAMLASSO_")}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        yield Service(process, port, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()

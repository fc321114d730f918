"""The HTTP side: health, status, weights, the page; nobody is blocked."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import (
    BAD_RECORDS,
    Seen,
    mixed_stream,
)

from streamlasso_service.admin import AdminServer, build_app
from streamlasso_service.exporter import Metrics
from streamlasso_service.status import Status

NAME = "clicks"


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mixed_stream(tmp_path_factory.mktemp("stream") / "events.jsonl")


@pytest.fixture(scope="module", params=["stack", "ftrl"])
def seen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stream: Path
) -> Seen:
    return Seen(tmp_path_factory.mktemp("snapshots"), stream, rule=request.param)


def test_ready_while_learning_and_alive_throughout(seen: Seen) -> None:
    codes = {key: page.status_code for key, page in seen.pages.items()}
    assert codes["start", "/readyz"] == 503
    assert codes["end", "/readyz"] == 200
    assert seen.pages["end", "/readyz"].text == "learning\n"
    assert codes["start", "/livez"] == codes["end", "/livez"] == 200


def strict(page: httpx.Response) -> Any:
    """JSON without NaN, which browsers refuse."""
    return json.loads(page.text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_status_before_and_after_learning(seen: Seen) -> None:
    start, end = (strict(seen.pages[moment, "/status"]) for moment in ("start", "end"))
    assert start.keys() == end.keys()
    assert (start["phase"], start["events"], start["loss"]) == ("starting", 0, None)
    model = seen.consumer.model
    assert end["model"] == NAME
    assert end["events"] == model.learner.clock
    assert end["failed"] == len(BAD_RECORDS)
    assert end["active"] == model.active_features
    assert end["sparsity"] == pytest.approx(model.sparsity)
    assert end["loss"] == pytest.approx(seen.consumer.progress.mean_loss)
    assert end["loss"] < end["baseline"]
    assert end["served_loss"] == pytest.approx(end["loss"], rel=1e-12)
    stacked = seen.rule == "stack"
    assert start["full_loss"] is None
    assert end["full_loss"] == (model.learner.full_loss if stacked else None)
    assert end["worth"] == (model.learner.worth if stacked else 0)


def test_top_weights_are_the_largest_first(seen: Seen) -> None:
    page = strict(seen.pages["end", "/model/top?k=3"])
    sizes = [abs(each["weight"]) for each in page["top"]]
    assert len(sizes) == 3
    assert sizes == sorted(sizes, reverse=True)
    weights = seen.consumer.model.weights
    assert page["top"][0]["name"] in weights
    # After the last event, beyond which no page is shown.
    ordered = sorted(weights.items(), key=lambda item: -abs(item[1]))
    assert seen.consumer.reporter.status.top == ordered[:100]


def test_page_needs_nothing_from_elsewhere(seen: Seen) -> None:
    page = seen.pages["start", "/"]
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "<title>" in page.text
    assert (
        re.findall(r"""(?:src|href|url\(|import)\s*[=(]?\s*["']?(?:https?:)?//""", page.text) == []
    )


# The server alone


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any]]]:
    """Address, and a list whose last item is the status and the loop's last beat."""
    shown: list[Any] = [(Status(top=[("a", 2.0), (("b", 1), -1.0), ("c", 0.5)]), time.monotonic())]
    app = build_app(NAME, Metrics(NAME).registry, lambda: shown[-1][0], lambda: shown[-1][1])
    server = AdminServer(app, "127.0.0.1", 0)
    yield server.start(), shown
    server.stop()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["a", "('b', 1)", "c"]),
        ("?k=2", ["a", "('b', 1)"]),
        ("?k=0", []),
        ("?k=999", ["a", "('b', 1)", "c"]),
    ],
)
def test_top_k(server: tuple[str, list[Any]], query: str, names: list[str]) -> None:
    found = httpx.get(f"{server[0]}/model/top{query}").json()
    assert [each["name"] for each in found["top"]] == names


@pytest.mark.parametrize("k", ["x", "-1", "1.5", "", "1e3", "²", "9" * 5000])
def test_bad_k_is_a_clear_400(server: tuple[str, list[Any]], k: str) -> None:
    answer = httpx.get(f"{server[0]}/model/top", params={"k": k})
    assert answer.status_code == 400
    assert "must be a whole number" in answer.text


def test_loop_that_stands_still_is_not_alive(server: tuple[str, list[Any]]) -> None:
    address, shown = server
    assert httpx.get(f"{address}/livez").status_code == 200
    shown.append((Status(), time.monotonic() - 1000))
    answer = httpx.get(f"{address}/livez")
    assert answer.status_code == 503
    assert "stood still for 1000 s" in answer.text


@pytest.mark.parametrize(("path", "code"), [("/nothing", 404), ("/metrics/", 200)])
def test_paths(server: tuple[str, list[Any]], path: str, code: int) -> None:
    assert httpx.get(server[0] + path).status_code == code


def test_silent_clients_block_nobody(server: tuple[str, list[Any]]) -> None:
    address = httpx.URL(server[0])
    with ExitStack() as stack:
        for begun in (b"", b"GET /metr", b"\x16\x03\x01") * 10:
            silent = stack.enter_context(socket.create_connection((address.host, address.port)))
            silent.sendall(begun)
        began = time.monotonic()
        assert httpx.get(f"{server[0]}/metrics", timeout=2).status_code == 200
        assert httpx.get(f"{server[0]}/livez", timeout=2).status_code == 200
        assert time.monotonic() - began < 2


def test_taken_port_is_a_clear_error(server: tuple[str, list[Any]]) -> None:
    port = httpx.URL(server[0]).port
    second = AdminServer(
        build_app(NAME, Metrics(NAME).registry, Status, time.monotonic), "127.0.0.1", port
    )
    with pytest.raises(
        OSError, match=rf"http\.port = {port}: cannot listen .* or 0 for a free one"
    ):
        second.start()


def test_server_ends_when_told(server: tuple[str, list[Any]]) -> None:
    app = build_app(NAME, Metrics(NAME).registry, Status, time.monotonic)
    other = AdminServer(app, "127.0.0.1", 0)
    address = other.start()
    assert httpx.get(f"{address}/livez").status_code == 200
    other.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/livez")

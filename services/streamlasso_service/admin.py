"""The HTTP side: ``/metrics``, ``/livez``, ``/readyz``, ``/status``, ``/model/top`` and a page.

It runs in a thread of its own and reads one immutable record that the loop replaces; no request
touches the model or waits for the loop.
"""

import math
import threading
import time
from collections.abc import Callable
from importlib import resources
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry, make_asgi_app
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from streamlasso_service.status import Status

__all__ = ["AdminServer", "build_app"]

STALL_S = 60.0


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return value if math.isfinite(value) else None


def status_json(name: str, status: Status) -> dict[str, Any]:
    """The record as JSON, without the weights."""
    numbers = {
        key: _number(value) if isinstance(value, float) else value
        for key, value in vars(status).items()
        if key != "top"
    }
    return {"model": name, **numbers, "sparsity": status.sparsity}


def build_app(
    name: str,
    registry: CollectorRegistry,
    status: Callable[[], Status],
    beat: Callable[[], float],
) -> Starlette:
    """The ASGI application. ``beat`` is when the loop last went round (monotonic seconds)."""
    page = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")

    async def livez(request: Request) -> Response:
        """Alive while the loop goes round; the broker has no say in it."""
        silent = time.monotonic() - beat()
        if silent < STALL_S:
            return PlainTextResponse("ok\n")
        return PlainTextResponse(f"the loop has stood still for {silent:.0f} s\n", 503)

    async def readyz(request: Request) -> Response:
        """Ready once restored and reading its partitions."""
        now = status()
        return PlainTextResponse(f"{now.phase}\n", 200 if now.ready else 503)

    async def show_status(request: Request) -> Response:
        return JSONResponse(status_json(name, status()))

    async def top(request: Request) -> Response:
        """The k largest weights."""
        text = request.query_params.get("k", "20")
        if not (text.isdecimal() and len(text) < 10):
            return PlainTextResponse(f"k = {text[:20]!r} must be a whole number\n", 400)
        now = status()
        weights = [{"name": str(n), "weight": w} for n, w in now.top[: int(text)]]
        return JSONResponse(
            {
                "model": name,
                "as_of_event": now.top_as_of_event,
                "intercept": now.intercept,
                "top": weights,
            }
        )

    async def index(request: Request) -> Response:
        return HTMLResponse(page)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/status", show_status),
            Route("/model/top", top),
            Mount("/metrics", make_asgi_app(registry)),
        ]
    )


class AdminServer:
    """uvicorn in a thread; it has its own timeouts, so a silent client blocks nobody."""

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        self.host = host
        self._server = uvicorn.Server(
            uvicorn.Config(
                _without_redirect(app), host, port, log_level="warning", timeout_keep_alive=15
            )
        )
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._error: BaseException | None = None

    def _run(self) -> None:
        try:
            self._server.run()
        except BaseException as error:  # uvicorn exits when the port is taken
            self._error = error

    def start(self) -> str:
        """Begin to serve; return the address."""
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                config = self._server.config
                raise OSError(
                    f"http.port = {config.port}: cannot listen on {config.host}:{config.port}; "
                    "choose another port, or 0 for a free one"
                )
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://{self.host}:{port}"

    def stop(self) -> None:
        """Finish open requests and end."""
        self._server.should_exit = True
        self._thread.join(5)


def _without_redirect(app: Starlette) -> Any:
    """Serve ``/metrics`` as ``/metrics/``, where the mounted application stands."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/metrics":
            scope = {**scope, "path": "/metrics/", "raw_path": b"/metrics/"}
        await app(scope, receive, send)

    return wrapped

"""Every panel of the dashboard, asked of a real Prometheus that scrapes the live service."""

import json
import re
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from running import consume, wait_for
from servers import REPOSITORY
from test_kafka import events, send, streaming

DASHBOARD = REPOSITORY / "services" / "grafana" / "dashboards" / "streamlasso.json"
# Grafana's variables as they would be on a screen that shows the last minutes.
VARIABLES = {"$__rate_interval": "8s", "$model": "default"}


def queries() -> dict[str, str]:
    """Panel title and query letter → PromQL."""
    found = {}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            query = target["expr"]
            for variable, value in VARIABLES.items():
                query = query.replace(variable, value)
            found[f"{panel['title']} {target['refId']}"] = query
    return found


def ask(prometheus: str, query: str) -> list[dict[str, Any]]:
    address = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return [row for row in result if row["value"][1] != "NaN"]


def test_every_panel_shows_data_of_a_live_service(
    kafka_bootstrap: str,
    kafka_topic: Callable[..., str],
    prometheus_server: Callable[[str], str],
    tmp_path: Path,
) -> None:
    topic, over = kafka_topic(), threading.Event()

    def traffic() -> None:
        seed = 0
        while not over.is_set():
            seed += 1
            send(kafka_bootstrap, topic, [*events(200, seed), b"no event"])
            over.wait(0.2)

    sending = threading.Thread(target=traffic)
    sending.start()
    try:
        arguments = streaming(kafka_bootstrap, topic, "snapshot.interval_s=1")
        with consume(tmp_path, *arguments) as service:
            service.wait_for_events(200)
            prometheus = prometheus_server(f"127.0.0.1:{service.port}")
            empty = dict(queries())
            assert len(empty) >= 18

            def all_answer() -> bool:
                for name in [name for name, query in empty.items() if ask(prometheus, query)]:
                    del empty[name]
                return not empty

            try:
                wait_for("data in every panel", all_answer, 45)
            except TimeoutError:
                raise AssertionError(f"no data: {empty}") from None
            # And the numbers are the service's own.
            status = service.status()
            [active] = ask(prometheus, 'max(streamlasso_active_features{model="default"})')
            assert abs(float(active["value"][1]) - status["active"]) <= 50
            assert service.stop() == 0
    finally:
        over.set()
        sending.join()


def test_every_metric_in_a_panel_exists() -> None:
    from streamlasso_service.exporter import Metrics

    endings = {"counter": ["_total"], "gauge": [""], "histogram": ["_sum", "_count", "_bucket"]}
    exported = {
        metric.name + ending
        for metric in Metrics("default").registry.collect()
        for ending in endings[metric.type]
    }
    used = set(re.findall(r"streamlasso_\w+", " ".join(queries().values())))
    assert used
    assert used <= exported

"""The committed dashboard: generated, complete, and readable by an operator."""

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest
from servers import REPOSITORY, unavailable

GRAFANA = REPOSITORY / "services" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "streamlasso.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def test_file_equals_what_the_generator_produces() -> None:
    if find_spec("grafana_foundation_sdk") is None:
        unavailable("grafana-foundation-sdk is not installed (pip install 'streamlasso[dev]')")
    command = [sys.executable, str(GRAFANA / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"run services/grafana/generate.py\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_panel_is_complete(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    assert all(target["expr"] for target in panel["targets"])


def test_panel_ids_and_titles_are_unique() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    titles = [panel["title"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert len(set(titles)) == len(titles)


def test_every_query_is_about_the_chosen_model_and_data_source() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            metrics = target["expr"].count("streamlasso_")
            assert target["expr"].count('{model="$model"}') == metrics, panel["title"]
            assert target["datasource"]["uid"] == "${datasource}", panel["title"]

"""What reads records is compiled ahead: after it nothing is compiled at the first block."""

from pathlib import Path

import pytest
from serving import settings_for

from streamlasso.scanning import csv_scanner, json_scanner, svmlight_scanner, vw_scanner
from streamlasso_service.models import build_model
from streamlasso_service.warm_reading import SAMPLES, kinds_read, warm_reading

SCANNERS = {"json": json_scanner, "csv": csv_scanner, "svmlight": svmlight_scanner,
            "vw": vw_scanner}  # fmt: skip


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_block_of_the_format_is_scanned_and_learned(kind: str, tmp_path: Path) -> None:
    model = build_model(settings_for(tmp_path, tmp_path, model={"rule": "ftrl"}).model)
    warm_reading(model, [kind])
    assert model.learner.clock == 1
    assert len(SCANNERS[kind]._kernel().signatures) == 1


def test_formats_go_by_the_source(tmp_path: Path) -> None:
    files = [tmp_path / "a.tsv", tmp_path / "b.vw.gz", tmp_path / "c.jsonl"]
    assert kinds_read(settings_for(tmp_path, *files)) == {"csv", "vw", "json"}
    assert kinds_read(settings_for(tmp_path, *files, source={"format": "vw"})) == {"vw"}
    assert kinds_read(settings_for(tmp_path, source={"kind": "kafka"})) == {"json"}

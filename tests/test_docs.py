"""The documentation is tried: its Python runs, its settings and commands exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from servers import REPOSITORY

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_run(page: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(page, "python")):
        script = tmp_path / f"example_{number}.py"
        script.write_text(block)
        done = subprocess.run(
            [sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def test_the_readme_example_is_short_and_does_what_it_says(tmp_path: Path) -> None:
    block = blocks(REPOSITORY / "README.md", "python")[0]
    statements = [line for line in block.splitlines() if line.strip()]
    assert len(statements) <= 15
    (tmp_path / "example.py").write_text(block)
    subprocess.run([sys.executable, "example.py"], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "weights.csv").read_text().startswith("name,weight,centre\n")


def test_a_rule_made_as_documented_learns(tmp_path: Path) -> None:
    python = blocks(REPOSITORY / "docs" / "rules.md", "python")
    [block] = [block for block in python if "class Plain" in block]
    check = """
from streamlasso import SparseRegressor
model = SparseRegressor(rule=Plain(learning_rate=0.1))
for i in range(300):
    model.learn_one({"a": i % 3}, 2.0 * (i % 3) + 1.0)
assert abs(model.predict_one({"a": 2.0}) - 5.0) < 1e-3, model.predict_one({"a": 2.0})
"""
    (tmp_path / "plain.py").write_text(block + check)
    subprocess.run([sys.executable, "plain.py"], cwd=tmp_path, check=True)


def test_a_loss_is_made_as_documented() -> None:
    python = blocks(REPOSITORY / "docs" / "rules.md", "python")
    [block] = [block for block in python if "streamlasso.losses" in block]
    names: dict[str, Any] = {}
    exec(block, names)
    assert names["model"].learner.loss.tau == 0.9


def test_every_setting_is_documented_with_its_default() -> None:
    from streamlasso_service.config import Settings

    text = (REPOSITORY / "docs" / "configuration.md").read_text()
    documented = set(re.findall(r"^\| `(\w+\.\w+)` \|", text, re.MULTILINE))
    known = {
        f"{section}.{key}"
        for section, field in Settings.model_fields.items()
        for key in field.annotation.model_fields  # type: ignore[union-attr]
    }
    assert documented == known


def test_every_link_inside_the_repository_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_make_targets_in_the_documentation_exist() -> None:
    targets = re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    for page in PAGES:
        for target in re.findall(r"(?:^|`)make ([a-z][\w-]*)", page.read_text(), re.MULTILINE):
            assert target in targets, f"{page.name}: make {target}"

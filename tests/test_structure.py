"""The shape of the project: small files, cited rules, a clean package, no trace of a machine."""

import ast
import doctest
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import streamlasso
import streamlasso_service
from streamlasso import LOSSES, RULES

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = [ROOT / "streamlasso", ROOT / "services" / "streamlasso_service"]
SOURCES = sorted(path for folder in PACKAGES for path in folder.rglob("*.py"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# Not of the project: what tools leave behind.
LEFT_BEHIND = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info", "build", "dist",
    ".jars", ".data",
)  # fmt: skip


def modules() -> Iterator[ModuleType]:
    """Every module of both packages, imported."""
    for package in (streamlasso, streamlasso_service):
        yield package
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not info.name.endswith("__main__"):
                yield importlib.import_module(info.name)


MODULES = list(modules())
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_is_short_enough_to_be_read_at_once(path: Path) -> None:
    """The yardstick is 250 lines; 300 is the law."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_has_a_file_of_its_own_that_cites_its_papers(rule: Any) -> None:
    others = [other for other in RULES.values() if other is not rule]
    assert rule.__module__ not in {other.__module__ for other in others}
    assert rule.__doc__ is not None
    _, found, references = rule.__doc__.partition("References\n    ----------\n")
    assert found
    assert len(re.findall(r'"[^"]+", .*(?:19|20)\d\d', references)) >= 1


SMOOTH = {"squared", "logistic", "poisson", "softmax"}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_every_loss_states_its_domain_link_formula_and_kinks(loss: Any) -> None:
    for part in ("Domain:", "Link:", "Formula:"):
        assert part in loss.__doc__
    if loss.name not in SMOOTH:
        assert "Kink:" in loss.__doc__


@each_module
def test_every_name_in_all_exists(module: ModuleType) -> None:
    names = getattr(module, "__all__", [])
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(module, name)] == []


def test_the_package_exports_its_vocabulary() -> None:
    assert {"FTRLProximal", "TruncatedGradient", "SoftThreshold"} <= set(streamlasso.__all__)
    assert {"SparseClassifier", "SparseRegressor", "Learner", "load"} <= set(streamlasso.__all__)


@each_module
def test_the_examples_in_docstrings_are_true(module: ModuleType) -> None:
    failed, _ = doctest.testmod(module)
    assert failed == 0


def test_the_library_has_examples() -> None:
    finder = doctest.DocTestFinder()
    examples = [
        example
        for module in MODULES
        if module.__name__.startswith("streamlasso.")
        for test in finder.find(module)
        for example in test.examples
    ]
    assert len(examples) >= 10


# What is imported


def run(script: str, **environment: str) -> str:
    """The script's output, from a process of its own."""
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout


def test_importing_the_library_imports_neither_the_service_nor_what_only_it_needs() -> None:
    loaded = run("import sys, streamlasso; print(*{name.split('.')[0] for name in sys.modules})")
    unwanted = {"kafka", "prometheus_client", "pandas", "sklearn", "streamlasso_service"}
    unwanted |= {"starlette", "uvicorn", "pydantic", "typer", "msgspec", "matplotlib"}
    assert set(loaded.split()) & unwanted == set()
    assert "numba" in loaded.split()


def names_of(requirements: list[str]) -> set[str]:
    """The distributions that are required."""
    return {re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower() for requirement in requirements}


def test_the_base_requirements_hold_neither_kafka_nor_prometheus() -> None:
    base = names_of(PROJECT["project"]["dependencies"])
    assert base == {"numpy", "numba", "river", "safetensors", "xxhash"}
    service = names_of(PROJECT["project"]["optional-dependencies"]["service"])
    assert {"kafka-python", "prometheus-client"} <= service


def imported_at_the_top(path: Path) -> set[str]:
    """Packages imported when the module is, without those only for type checking."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_the_library_imports_only_what_it_requires() -> None:
    allowed = (
        names_of(PROJECT["project"]["dependencies"]) | {"streamlasso"} | sys.stdlib_module_names
    )
    allowed |= {"llvmlite"}  # numba is made of it and pins it
    for path in PACKAGES[0].rglob("*.py"):
        # Nothing else imports this folder: it is for those who have scikit-learn.
        extra = {"sklearn"} if path.parent == PACKAGES[0] / "sklearn" else set()
        assert imported_at_the_top(path) <= allowed | extra, path.name


# What is installed


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built offline in a copy of the whole project."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "project", ignore=LEFT_BEHIND)
    result = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist"],
        cwd=folder / "project",
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    (built,) = (folder / "dist").iterdir()
    return zipfile.ZipFile(built)


def test_the_wheel_holds_the_two_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    dist_info = f"streamlasso-{streamlasso.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {
        "streamlasso",
        "streamlasso_service",
        dist_info,
    }
    expected = {
        path.relative_to(folder.parent).as_posix()
        for folder in PACKAGES
        for path in folder.rglob("*.py")
    }
    held = {name for name in names if not name.startswith(dist_info)}
    assert held >= expected | {"streamlasso/py.typed", "streamlasso_service/py.typed"}
    assert {Path(name).suffix for name in held - expected} <= {".typed", ".html"}
    assert f"{dist_info}/licenses/LICENSE" in names


def test_the_wheel_requires_neither_kafka_nor_prometheus_by_itself(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"streamlasso-{streamlasso.__version__}.dist-info/METADATA").decode()
    requirements = re.findall(r"^Requires-Dist: (.*)$", metadata, re.MULTILINE)
    base = names_of([line for line in requirements if "extra ==" not in line])
    assert base == names_of(PROJECT["project"]["dependencies"])
    assert any("kafka" in line and "extra ==" in line for line in requirements)


def test_the_installed_library_works_alone(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Unpacked somewhere else, with the service's requirements out of reach."""
    wheel.extractall(tmp_path)
    script = """
import sys
for name in ("kafka", "prometheus_client", "pandas", "sklearn", "starlette", "streamlasso_service"):
    sys.modules[name] = None
from streamlasso import FTRLProximal, SparseClassifier, load
import streamlasso
model = SparseClassifier(FTRLProximal(l1=0.1))
for i in range(20):
    model.learn_one({"a": 1.0, "s": "xy"[i % 2]}, i % 2)
again = load(model.save("model"))
print(streamlasso.__file__, again.predict_one({"s": "y"}))
"""
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(tmp_path / "streamlasso" / "__init__.py"), "1"]


def test_the_version_is_one() -> None:
    assert PROJECT["project"]["version"] == streamlasso.__version__


# No trace of a machine


def project_files(folder: Path = ROOT) -> Iterator[Path]:
    """All files but what tools leave behind."""
    entries = sorted(folder.iterdir())
    ignored = LEFT_BEHIND(str(folder), [entry.name for entry in entries])
    for entry in entries:
        if entry.name in ignored or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from project_files(entry)
        else:
            yield entry


def test_no_file_of_the_project_names_a_path_of_this_machine() -> None:
    places = {f"{ROOT}/", "/".join(["", "work", ""]), f"{Path.home()}/"} - {"//"}
    found = [
        (path.relative_to(ROOT).as_posix(), place)
        for path in project_files()
        for place in places
        if place.encode() in path.read_bytes()
    ]
    assert found == []

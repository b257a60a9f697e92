"""The project's own files: versions, documents, and how quickly the command answers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
HEAVY = {"jupyter_client", "jupytext", "keras", "matplotlib", "nbclient", "nbformat", "nbgrader", "numpy", "pytest"}


def _pins() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def _canonical(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_constraints_hold_versions_and_no_addresses() -> None:
    """A pin is a name, a version and perhaps a marker, so that it works behind any mirror."""
    assert [pin for pin in _pins() if not re.fullmatch(r"[a-z0-9-]+==[\w.!+]+( ; [^/]+)?", pin)] == []


def test_every_dependency_is_pinned() -> None:
    """Nothing that pyproject.toml asks for is left to the day of the installation."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)
    project = settings["project"]
    asked = [*settings["build-system"]["requires"], *project["dependencies"]]
    asked += [one for extra in project["optional-dependencies"].values() for one in extra]
    pinned = {_canonical(pin) for pin in _pins()}
    assert {_canonical(one) for one in asked} - pinned == {"autograder"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """A relative link names a file that exists."""
    links = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf8"))
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


def test_help_imports_nothing_heavy() -> None:
    """``autograder --help`` answers at once, because no library of a single command is imported for it."""
    show_help = "from autograder.cli import app; app(['--help'], standalone_mode=False)"
    program = f"import sys; {show_help}; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"

"""An interpreter that every user of the machine can run, with everything that grading a NumPy assignment needs.

The interpreter of these tests may lie below somebody's private home folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import autograder


class NoPython(Exception):
    """There is none, and none could be made."""


@contextlib.contextmanager
def whole_python() -> Iterator[Path]:
    """This interpreter if everyone can read it and its packages, else one that is made of the system's and them.

    Raises:
        NoPython: the system has none of this version.
    """
    system, packages = Path(f"/usr/bin/python3.{sys.version_info.minor}"), Path(sysconfig.get_path("purelib"))
    if is_open(Path(sys.executable)) and is_open(Path(sys.executable).resolve()) and is_open(packages):
        yield Path(sys.executable)
        return
    if not system.exists():
        raise NoPython(f"{sys.executable} is private, and there is no {system} that an ordinary user could run")
    folder = Path(tempfile.mkdtemp(prefix="autograder-python-"))
    try:
        folder.chmod(0o755)
        heavy = shutil.ignore_patterns("tensorflow", "keras", "jupyterlab", "notebook", "clang", "grpc", "__pycache__")
        subprocess.run([system, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        place = folder / "venv" / "lib" / system.name / "site-packages"
        shutil.copytree(packages, place, symlinks=True, ignore=heavy, copy_function=_link, dirs_exist_ok=True)
        shutil.copytree(Path(autograder.__file__).parent, place / "autograder", ignore=heavy, dirs_exist_ok=True)
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o1777)
        yield folder / "venv" / "bin" / "python"
    finally:
        shutil.rmtree(folder)


def is_open(path: Path) -> bool:
    """Say whether everybody can reach and run or list what lies there."""
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (path, *path.parents))


def _link(source: str, target: str) -> None:
    """Copy a file without its bytes, where the file system allows it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)

"""What this interpreter needs to read in order to run: the smallest view of the machine that a subject can have."""

from __future__ import annotations

import site
import sys
import sysconfig
from pathlib import Path

import autograder
from autograder.subject.sandbox.walls import Box

_SYSTEM_PREFIXES = frozenset({"/", "/usr", "/usr/local"})
_PREFIX_PARTS = ("bin", "include", "lib", "lib64", "pyvenv.cfg", "share/fonts")
"""What of a prefix is bound: not the prefix itself, which may be the folder of a course (``python -m venv .``)."""

_SYSTEM_PARTS = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/fonts",
    "/usr/share/zoneinfo",
    "/sys/devices/system/cpu",
)
_SETTINGS = ("/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime")


def interpreter_box(masked_packages: tuple[str, ...] = ()) -> Box:
    """Return the box of this interpreter: its library, its packages without the masked ones, and this package."""
    folders = _package_folders()
    masked = {found for name in masked_packages for folder in folders for found in _package(folder, name)}
    wanted = [*map(Path, (*_SYSTEM_PARTS, *_SETTINGS)), *_prefixes(), *folders, *_executables(), _this_package()]
    return Box(tuple(_outermost(wanted)), tuple(sorted(masked)))


def _prefixes() -> list[Path]:
    """The parts of the interpreter's own folders, and of the one that a virtual environment was made from."""
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix} - _SYSTEM_PREFIXES
    return [Path(prefix) / part for prefix in sorted(prefixes) for part in _PREFIX_PARTS]


def _executables() -> list[Path]:
    """The interpreter itself, and every link on the way to it: that of a virtual environment leads out of it."""
    chain = [Path(sys.executable)]
    while chain[-1].is_symlink():
        chain.append(chain[-1].parent / chain[-1].readlink())
    return chain


def _package_folders() -> list[Path]:
    """Where packages are imported from: site-packages, and the user's where it is in use."""
    paths = sysconfig.get_paths()
    named = [paths[kind] for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    named += [entry for entry in site.getsitepackages() if entry in sys.path]
    if site.ENABLE_USER_SITE:
        named.append(site.getusersitepackages())
    return [path for path in map(Path, dict.fromkeys(named)) if path.is_dir()]


def _package(folder: Path, name: str) -> list[Path]:
    """Where a package lies in ``folder``: itself, a single module and its compiled forms, its shared libraries."""
    patterns = (name, f"{name}.py", f"{name}.*.so", f"__pycache__/{name}.*.pyc", f"{name}.libs")
    return [path for pattern in patterns for path in folder.glob(pattern)]


def _this_package() -> Path:
    return Path(autograder.__file__).parent


def _outermost(paths: list[Path]) -> list[Path]:
    """The paths that exist, and what they are links to, without those that lie below another one."""
    existing = sorted({way for path in paths if path.exists() for way in (path, path.resolve())})
    return [path for path in existing if not any(parent in existing for parent in path.parents)]

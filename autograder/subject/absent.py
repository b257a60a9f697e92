"""Packages that an assignment forbids, as its subject sees them: they import, and say so as soon as they are used.

A submission often imports TensorFlow out of habit, or compares with it in a scratch cell. Neither may cost points, so
the import itself succeeds. The real package is behind the sandbox's walls, which makes the rule enforce itself.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence


class ForbiddenPackage(RuntimeError):
    """Something of a forbidden package was used."""


class _Absent:
    """Any attribute of a forbidden package; what can be done with it ends in one clear error."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> _Absent:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent(f"{self._name}.{name}")

    def __call__(self, *args: object, **kwargs: object) -> object:
        package = self._name.partition(".")[0]
        raise ForbiddenPackage(
            f"{self._name} may not be used in this assignment: write it yourself, without {package}."
        )


class _AbsentModule(types.ModuleType):
    def __getattr__(self, name: str) -> _Absent:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent(f"{self.__name__}.{name}")


class AbsentFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the forbidden packages, and every module below them, before anyone else does."""

    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = frozenset(packages)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for a forbidden package or a module of one."""
        if fullname.partition(".")[0] in self.packages:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """Make the stand-in."""
        return _AbsentModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing to run."""


def install(packages: Sequence[str]) -> None:
    """Make ``packages`` absent for the rest of this process."""
    sys.meta_path.insert(0, AbsentFinder(packages))

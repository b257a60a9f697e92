"""``check("conv2d")`` in a notebook: the public tests, run at once against what the student has defined so far."""

# ruff: noqa: T201 - to print is what this module is for

from __future__ import annotations

import contextlib
import difflib
import os
import random
import sys
import textwrap
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from _pytest.runner import runtestprotocol

from autograder.checks import plugin
from autograder.checks.examination import EXAMINATION, Examination
from autograder.checks.plugin import check_outcome, task_of, title_of
from autograder.checks.results import Verdict
from autograder.checks.wording import plural
from autograder.errors import CheckFailure, MissingFunction
from autograder.model import Outcome
from autograder.subject.proxy import ModuleSubject

TEST_FILE = "test_public.py"

_MARKS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.SKIPPED: "-", Outcome.BROKEN: "?"}
_PLAIN_MARKS = {Outcome.PASSED: "ok  ", Outcome.FAILED: "no  ", Outcome.SKIPPED: "-   ", Outcome.BROKEN: "?   "}
_INDENT = " " * 6

_UNUSED_PLUGINS = (
    "cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "logging",
    "terminal", "threadexception", "unittest", "unraisableexception", "warnings",
)  # fmt: skip
"""Parts of pytest that would print, write files, or take time."""

_FOREIGN_OPTIONS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")


def check(task: str | None = None) -> None:
    """Run the public checks of one task, or of all, and print what they found. Never raises.

    The checks call the functions as they are in the notebook now: run a cell again after you have changed it.
    """
    try:
        _check(task)
    except KeyboardInterrupt:
        print("Stopped.")
    except Exception as error:  # noqa: BLE001 - a notebook goes on whatever is wrong with its checks
        print(f"The checks could not be run; it is not your fault. ({type(error).__name__}: {error})")


def _check(task: str | None) -> None:
    namespace = _namespace()
    test_file = _find(namespace)
    if test_file is None:
        print(f"There is no {TEST_FILE} in {Path.cwd()}.")
        print("It came with this notebook: put both into one folder (in Colab, upload it in the Files panel).")
        return
    sys.modules.pop(test_file.stem, None)  # the file may have changed
    run = _PublicRun(_Notebook(namespace), task)
    with _undisturbed():
        code = pytest.main(_arguments(test_file), plugins=[plugin, run])
    if code == pytest.ExitCode.INTERRUPTED and not run.problem:
        print("Stopped.")
    elif run.problem or code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        print(f"{TEST_FILE} could not be read; is it the file that came with this notebook?\n  {run.problem}".rstrip())


def _namespace() -> MutableMapping[str, Any]:
    """Return the notebook's own names, or those of the script that runs."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    names: MutableMapping[str, Any] = shell.user_ns if shell is not None else vars(sys.modules["__main__"])
    return names


def _find(namespace: Mapping[str, Any]) -> Path | None:
    """Look in the working directory, then beside the notebook where VS Code says which one runs."""
    folders = [Path.cwd(), Path(str(namespace.get("__vsc_ipynb_file__", ""))).parent]
    return next((folder / TEST_FILE for folder in folders if (folder / TEST_FILE).is_file()), None)


def _arguments(test_file: Path) -> list[str]:
    return [
        str(test_file),
        f"--rootdir={test_file.parent}",
        f"-c{os.devnull}",  # otherwise pytest looks for its configuration in the folders above
        "--import-mode=importlib",
        "--noconftest",
        "--assert=plain",
        "--capture=no",
        *(f"-pno:{name}" for name in _UNUSED_PLUGINS),
    ]


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep other people's pytest settings out, and leave the notebook's random numbers as they were."""
    settings = {name: os.environ.pop(name) for name in _FOREIGN_OPTIONS if name in os.environ}
    autoload = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - the notebook's, not ours
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update(settings if autoload is None else {**settings, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": autoload})


class _Notebook(ModuleSubject):
    """The notebook at hand: says what helps here when a function is missing or ends the program."""

    def call(self, function: str, args: Sequence[object], kwargs: Mapping[str, object], keep: bool, after: bool) -> Any:
        try:
            return super().call(function, args, kwargs, keep, after)
        except MissingFunction:
            raise CheckFailure(f"{function} is not defined: run the cell that defines it, then this one.") from None
        except SystemExit:
            raise CheckFailure(f"{function} ends the program: take out exit() or quit().") from None


class _PublicRun:
    """A pytest plugin that runs one task's checks and prints each as it ends."""

    def __init__(self, subject: ModuleSubject, task: str | None) -> None:
        self.examination = Examination(subject, None, "", "", None)
        self.task = task
        self.problem = ""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Put the notebook in the place of the subject."""
        config.stash[EXAMINATION] = self.examination

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the last line of what is wrong with the file."""
        if report.failed:
            self.problem = str(report.longrepr).strip().splitlines()[-1].removeprefix("E").strip()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the task's checks, or say which tasks there are."""
        if self.problem:
            return True
        tasks = list(dict.fromkeys(task_of(item) for item in session.items))
        if self.task is not None and self.task not in tasks:
            print(_unknown(self.task, tasks))
            return True
        for name in tasks if self.task is None else [self.task]:
            _run_task(name, [item for item in session.items if task_of(item) == name])
        return True


def _unknown(task: str, tasks: Sequence[str]) -> str:
    close = difflib.get_close_matches(str(task), tasks, 1)
    advice = f'did you mean check("{close[0]}")?' if close else f"there are {', '.join(tasks) or 'none'}."
    return f'There are no public checks for "{task}": {advice}'


def _run_task(task: str, items: Sequence[pytest.Item]) -> None:
    print(task)
    passed, told = 0, set[str]()
    for item in items:
        verdict = check_outcome(item, runtestprotocol(item, log=False))
        print(_text(title_of(item), replace(verdict, message="as above") if verdict.message in told else verdict))
        told.add(verdict.message)
        passed += verdict.outcome is Outcome.PASSED
    print(_summary(passed, len(items)))


def _text(title: str, verdict: Verdict) -> str:
    line = f"  {_marks()[verdict.outcome]} {title}"
    if verdict.outcome is Outcome.PASSED:
        return line if verdict.evidence is None else f"{line}\n{_INDENT}{verdict.evidence.text}"
    advice = "\nPlease tell your instructor." if verdict.outcome is Outcome.BROKEN else ""
    return line + "\n" + textwrap.indent(verdict.message + advice, _INDENT)


def _summary(passed: int, count: int) -> str:
    if passed == count:
        return f"  {'The check' if count == 1 else f'All {count} checks'} passed. Grading tries other inputs as well."
    return f"  {passed} of {plural(count, 'check')} passed."


def _marks() -> Mapping[Outcome, str]:
    try:
        "".join(_MARKS.values()).encode(sys.stdout.encoding or "utf8")
    except (UnicodeEncodeError, LookupError):
        return _PLAIN_MARKS
    return _MARKS

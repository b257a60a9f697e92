"""The fork server of examiners: the hidden tests collected once, a trusted process per submission.

Run as a program (``python -m autograder.examine.server CONTROL SUBJECTS CONFIG``). pytest starts, collects the hidden
tests, and stays in its run loop: each packet on the control socket brings a stream with one submission, and a fork of
this process examines it with everything already imported.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.examine.checks import Checks
from autograder.examine.examination import Examiner
from autograder.examine.protocol import MESSAGES, PACKET, ExaminerConfig
from autograder.examine.reports import Maker
from autograder.examine.session import Workshop
from autograder.model import Job, tasks_from_json
from autograder.subject.channel import Channel, ChannelClosed, DeadlinePassed
from autograder.subject.sandbox import linux, processes

if TYPE_CHECKING:
    from autograder.course import Assignment


class ExaminerServer:
    """A pytest plugin whose run loop serves submissions instead of running the tests once."""

    def __init__(self, control: socket.socket, subjects: socket.socket, config: ExaminerConfig) -> None:
        self.control = control
        self.subjects = subjects
        self.config = config
        self.assignment: Assignment = Course(Path(config.root)).assignment(config.slug)
        self.errors: list[str] = []

    def arguments(self) -> list[str]:
        """The command line of pytest: the hidden tests, and nothing that a folder around them could change."""
        return [
            str(self.assignment.hidden_tests),
            f"--rootdir={self.assignment.hidden_tests.parent}",
            f"-c{os.devnull}",
            "--import-mode=importlib",
            "--capture=no",
            "--noconftest",
            "-pautograder.checks.plugin",
            "-pno:cacheprovider",
            "-pno:terminal",
            "-pno:junitxml",
            "-pno:faulthandler",
        ]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember why a file could not be collected."""
        if report.failed:
            self.errors.append(str(report.longrepr).strip().splitlines()[-1])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve until the coordinator is gone."""
        if self.errors or not session.items:
            self._say({"failed": f"{self.assignment.hidden_tests}: {'; '.join(self.errors) or 'holds no tests'}"})
            return True
        try:
            checks = Checks(session, self.assignment)
            maker = Maker.of(self.assignment, self.config.sandbox)
            examiner = Examiner(checks, self.assignment, self._workshop(), maker)
        except AutograderError as error:
            self._say({"failed": str(error)})
            return True
        gc.collect()
        gc.freeze()
        self._say({"ready": True})
        _fall_silent()
        signal.signal(signal.SIGCHLD, _reap)
        while self._serve_one(examiner):
            pass
        return True

    def _workshop(self) -> Workshop:
        notebook = self.assignment.release_notebook
        released = (path for path in self.assignment.release.rglob("*") if path.is_file() and path != notebook)
        files = {path.relative_to(self.assignment.release).as_posix(): path.read_bytes() for path in released}
        return Workshop(self.subjects, Path(self.config.folder), files, self.assignment.rubric.limits)

    def _say(self, message: dict[str, object]) -> None:
        self.control.send(json.dumps(message).encode()[:PACKET])

    def _serve_one(self, examiner: Examiner) -> bool:
        packet, descriptors, _, _ = socket.recv_fds(self.control, PACKET, 1)
        if not packet:
            return False
        if os.fork() == 0:
            linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.control.close()
            os._exit(_examine(examiner, Channel(socket.socket(fileno=descriptors[0]), MESSAGES)))
        for descriptor in descriptors:
            os.close(descriptor)
        return True


def _examine(examiner: Examiner, stream: Channel) -> int:
    """Examine one submission in a process of its own."""
    try:
        request = stream.receive()
        assert isinstance(request, dict)
        kept = tasks_from_json(request["kept"])
        job = Job(request["assignment"], request["student"], request["notebook"], kept=kept)
        signal.alarm(int(3 * examiner.workshop.limits.total_s) + 60)
        graded = examiner.examine(job)
        stream.send({"report": graded.report.to_json(), "notebook": graded.notebook})
    except AutograderError as error:
        stream.send({"failed": str(error)})
    except (ChannelClosed, DeadlinePassed):
        return 1  # the coordinator is gone
    except Exception as error:  # noqa: BLE001 - a fault that one notebook brings out is told with its place
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name} line {last.lineno}"
        stream.send({"failed": f"the examiner broke: {type(error).__name__}: {error} ({where})"})
    return 0


def _fall_silent() -> None:
    """Lead stderr nowhere: the coordinator reads it only when this server does not start, and a full pipe blocks."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _reap(*_: object) -> None:
    """Bury the children that have ended; a signal handler."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main(arguments: list[str]) -> int:
    """Collect and serve."""
    control, subjects = (socket.socket(fileno=int(number)) for number in arguments[:2])
    config = ExaminerConfig.from_json(arguments[2])
    Path(config.folder).mkdir(mode=0o700)  # by whoever removes it, even when the coordinator is killed
    try:
        os.chdir(config.folder)
        sys.path[:] = [entry for entry in sys.path if entry not in ("", "/")]
        server = ExaminerServer(control, subjects, config)
        code = int(pytest.main(server.arguments(), plugins=[server]))
        if server.errors or code not in (0, 5):
            server._say({"failed": "; ".join(server.errors) or f"pytest ended with exit code {code}"})
        return code
    except AutograderError as error:
        control.send(json.dumps({"failed": str(error)}).encode()[:PACKET])
        return 1
    except (BrokenPipeError, ConnectionResetError):
        return 1  # the coordinator is gone
    finally:
        processes.kill_descendants(os.getpid())  # whoever still examines would make folders while they are removed
        shutil.rmtree(config.folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``LocalGrader``: one submission in, one record out, on this machine.

It owns the two fork servers, the clean one of subjects and the trusted one of examiners, and asks the second for a
process per submission. ``grade`` may be called from as many threads as submissions are to be graded at once.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

from autograder.course import Assignment
from autograder.errors import CourseError, GraderError
from autograder.examine.protocol import MESSAGES, PACKET, ExaminerConfig
from autograder.examine.reports import Maker
from autograder.model import Graded, Job, Report, tasks_to_json
from autograder.subject.channel import Channel, ChannelClosed, DeadlinePassed
from autograder.subject.process import START_S, SubjectServer
from autograder.subject.sandbox import Tier, best_tier
from autograder.subject.server import ENVIRONMENT, ServerConfig

_DYING_S = 1.0


class LocalGrader:
    """Grades submissions of one assignment; a context manager.

    ``sandbox`` None takes the best tier of this machine; ``Tier.NONE`` is for an instructor who asked for it.
    """

    def __init__(self, assignment: Assignment, *, sandbox: Tier | None = None) -> None:
        self.assignment = assignment
        self.sandbox = best_tier() if sandbox is None else sandbox
        self._maker = Maker.of(assignment, self.sandbox.value)
        self._subjects: SubjectServer | None = None
        self._lock = threading.Lock()
        self._generation = 0
        self._is_closed = False
        self._examiner: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> LocalGrader:
        """Start both servers.

        Raises:
            CourseError: the hidden tests cannot be collected, or the assignment was never built.
            GraderError: a server does not come up.
        """
        with self._lock:
            self._is_closed = False
            self._start()
        return self

    def _start(self) -> None:
        release = self.assignment.release_notebook
        if not release.is_file():
            raise CourseError(f"is missing: run `autograder build {self.assignment.slug}` first", path=release)
        forbidden = self.assignment.rubric.forbidden
        preload = () if "tensorflow" in forbidden else ("tensorflow", "autograder.subject.models")
        try:
            folder = Path(tempfile.gettempdir(), f"autograder-{secrets.token_hex(8)}")  # made by the examiners' server
            self._subjects = SubjectServer.launch(ServerConfig(self.sandbox, forbidden, preload), folder)
            self._start_examiner(self._subjects)
            self._subjects.wait_until_ready()
            self._wait_until_ready()
        except BaseException:
            self._end_servers()
            raise
        self._generation += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End both servers and everything that they started."""
        self.close()

    def grade(self, job: Job) -> Graded:
        """Grade one submission; once more if that failed by no fault of its own, with fresh servers if one died.

        Raises:
            GraderError: it could not be graded, by no fault of its own.
        """
        if job.notebook is None:
            return Graded(self._maker.ungradable(job, job.reason or "The file could not be read."), None)
        generation = self._generation
        try:
            return self._grade(job)
        except GraderError:
            self._revive(generation)
            if self._is_closed:
                raise
        return self._grade(job)

    def _revive(self, generation: int) -> None:
        """Replace servers that died, unless there are others by now than those of ``generation``."""
        with self._lock:
            if generation == self._generation and not self._is_closed and self._has_died():
                self._end_servers()
                self._start()

    def _has_died(self) -> bool:
        """Say whether a server ended by itself; one whose sockets are gone may take a moment to be seen dead."""
        examiner, subjects = self._examiner, self._subjects
        if examiner is None or subjects is None:
            return False
        deadline = time.monotonic() + _DYING_S
        while examiner.poll() is None and not subjects.has_died():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _grade(self, job: Job) -> Graded:
        ours, theirs = socket.socketpair()
        stream = Channel(ours, MESSAGES)
        try:
            with theirs:
                if self._control is None:
                    raise GraderError("the grader is not started: use it in a with statement")
                socket.send_fds(self._control, [b"1"], [theirs.fileno()])
            request = {"assignment": job.assignment, "student": job.student, "notebook": job.notebook}
            stream.send({**request, "kept": tasks_to_json(job.kept)})
            answer = stream.receive()
        except (OSError, ChannelClosed, DeadlinePassed) as error:
            raise GraderError(f"the examiner of {job.student} ended before it was done ({error})") from None
        finally:
            stream.close()
        if not isinstance(answer, dict) or "failed" in answer:
            raise GraderError(str(answer["failed"]) if isinstance(answer, dict) else "the examiner made no sense")
        return Graded(Report.from_json(answer["report"]), answer["notebook"])

    def close(self) -> None:
        """End both servers; safe to call twice. Whoever waits for a submission is told that it could not be graded."""
        self._is_closed = True  # before the lock: nobody is to replace servers that are about to be ended
        with self._lock:
            self._end_servers()

    def _end_servers(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._examiner is not None:
            _end(self._examiner)
            self._examiner = None
        if self._subjects is not None:
            self._subjects.close()
            shutil.rmtree(self._subjects.folder, ignore_errors=True)
            self._subjects = None

    def _start_examiner(self, subjects: SubjectServer) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        config = ExaminerConfig(
            root=os.fspath(self.assignment.course.root),
            slug=self.assignment.slug,
            sandbox=self.sandbox.value,
            folder=os.fspath(subjects.folder),
        )
        passed = (theirs.fileno(), subjects.control.fileno())
        with theirs:
            self._examiner = subprocess.Popen(
                [sys.executable, "-s", "-m", "autograder.examine.server", *map(str, passed), config.to_json()],
                env={**ENVIRONMENT, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "MPLCONFIGDIR": os.fspath(subjects.folder)},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=passed,
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        assert self._control is not None
        assert self._examiner is not None
        ready, _, _ = select.select([self._control], [], [], START_S)
        packet = self._control.recv(PACKET) if ready else b""
        answer = json.loads(packet) if packet else {}
        if answer.get("ready"):
            return
        if "failed" in answer:
            raise CourseError(f"the hidden tests cannot be used: {answer['failed']}")
        self._examiner.kill()
        said = self._examiner.communicate()[1].decode(errors="replace").strip().splitlines()
        raise GraderError(f"the examiner did not start: {said[-1][:500] if said else 'no answer'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    if process.stderr is not None:
        process.stderr.close()

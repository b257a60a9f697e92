"""Subjects from the outside: start their fork server, ask it for one, interrupt it, end it.

server = SubjectServer.launch(ServerConfig(best_tier()))
server.wait_until_ready()
subject = spawn_subject(server.control, walls, files, folder)
subject.agent            the channel to the student's functions
subject.connection       what a Jupyter client needs to reach the kernel
subject.interrupt(); subject.kill(); server.close()
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from autograder.errors import GraderError
from autograder.subject.channel import Channel, ChannelClosed, DeadlinePassed
from autograder.subject.sandbox import Walls
from autograder.subject.server import ENVIRONMENT, PACKET, ServerConfig

_CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
_SERVED = 3
"""The first three of these reach the kernel; nobody answers on the other two."""

START_S = 120.0
"""Seconds that a fork server may take to import its libraries from a cold disk."""

KILL_S = 20.0
"""Seconds that a keeper may take to end a tree of processes."""


class SubjectServer:
    """A running fork server; ``control`` may be used by any number of processes that inherit it."""

    def __init__(
        self, process: subprocess.Popen[bytes], control: socket.socket, folder: Path, config: ServerConfig
    ) -> None:
        self._process = process
        self.control = control
        self.folder = folder
        self.config = config

    @classmethod
    def launch(cls, config: ServerConfig, folder: Path | None = None) -> SubjectServer:
        """Start a server; it is of use after ``wait_until_ready``.

        ``folder`` is where the sockets of its subjects will lie, removed at the end. Without one it is made here; one
        that is given may be made later, by a process that outlives this one and removes it.

        Raises:
            GraderError: no process could be started.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder = folder or Path(tempfile.mkdtemp(prefix="autograder-"))
        try:
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-s", "-m", "autograder.subject.server", str(theirs.fileno()), config.to_json()],
                    env=ENVIRONMENT,
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise GraderError(f"the fork server could not be started ({error})") from None
        return cls(process, ours, folder, config)

    def wait_until_ready(self) -> None:
        """Wait until the server is warm.

        Raises:
            GraderError: it did not come up; the message says what it said.
        """
        ready, _, _ = select.select([self.control], [], [], START_S)
        packet = self.control.recv(PACKET) if ready else b""
        answer = json.loads(packet) if packet else {}
        if not answer.get("ready"):
            said = answer.get("failed") or self._stderr() or ("it died" if ready else f"no answer in {START_S:g} s")
            raise GraderError(f"the fork server of subjects did not start: {said}. Try `autograder doctor`.")

    def _stderr(self) -> str:
        self._process.kill()
        _, text = self._process.communicate()
        lines = text.decode(errors="replace").strip().splitlines()
        return lines[-1][:500] if lines else ""

    def has_died(self) -> bool:
        """Say whether the server ended by itself."""
        return self._process.poll() is not None

    def close(self) -> None:
        """End the server and every subject that it still has."""
        self.control.close()
        try:
            self._process.wait(KILL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class SubjectProcess:
    """One subject, alive or ended. ``connection`` is a Jupyter connection, ``agent`` the examiner's channel."""

    def __init__(self, keeper: Channel, agent: Channel, connection: dict[str, object], folder: Path) -> None:
        self._keeper = keeper
        self.agent = agent
        self.connection = connection
        self._folder = folder
        self._cause: str | None = None
        self.was_lost = False
        """True when the subject ended because its keeper did: by our fault, or the machine's."""

        self._unserved: list[socket.socket] = []
        self._entrance: int | None = None

    def fileno(self) -> int:
        """Becomes readable when the subject has ended."""
        return self._keeper.fileno()

    def poll(self) -> str | None:
        """Return None while the subject lives, then the cause of its end."""
        self._receive(time.monotonic())
        return self._cause

    def interrupt(self) -> None:
        """Send SIGINT to the subject."""
        self._order("interrupt")

    def kill(self) -> str:
        """End the subject; returns the cause once its whole tree is dead.

        Raises:
            GraderError: the keeper does not answer, so that nobody knows.
        """
        if self._cause is None:
            self._order("kill")
            self._receive(time.monotonic() + KILL_S)
        if self._cause is None:
            raise GraderError("a subject could not be ended: look for its processes with `ps`, and restart the grader")
        self._release()
        return self._cause

    def _order(self, what: str) -> None:
        with contextlib.suppress(ChannelClosed, DeadlinePassed):  # an ended subject has nothing to obey
            self._keeper.send({"do": what}, time.monotonic() + KILL_S)

    def _receive(self, deadline: float) -> None:
        if self._cause is not None:
            return
        try:
            message = self._keeper.receive(deadline)
            self._cause = str(message["ended"]) if isinstance(message, dict) else "its keeper made no sense"
        except DeadlinePassed:
            pass
        except ChannelClosed:
            self._cause, self.was_lost = "its keeper ended", True

    def _release(self) -> None:
        self.agent.close()
        self._keeper.close()
        for unserved in self._unserved:
            unserved.close()
        self._unserved.clear()
        if self._entrance is not None:
            os.close(self._entrance)
            self._entrance = None
        shutil.rmtree(self._folder, ignore_errors=True)


def spawn_subject(control: socket.socket, walls: Walls, files: Mapping[str, bytes], folder: Path) -> SubjectProcess:
    """Ask the server behind ``control`` for a subject whose work folder starts with ``files``.

    ``folder`` is the server's own; the kernel's sockets are made in a private folder below it.

    Raises:
        GraderError: the server is gone, or the machine has no descriptors or disk left.
    """
    private = Path(tempfile.mkdtemp(dir=folder))
    entrance = os.open(private, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    sockets = Path(f"/proc/self/fd/{entrance}")  # a socket's path has room for 107 bytes, a temporary folder's for more
    keeper, keeper_end = socket.socketpair()
    agent, agent_end = socket.socketpair()
    connection: dict[str, object] = {
        "transport": "ipc",
        "ip": str(sockets / "k"),
        "key": secrets.token_hex(16).encode(),
        "signature_scheme": "hmac-sha256",
        **{f"{name}_port": number for number, name in enumerate(_CHANNELS, 1)},
    }
    listening = [_listen(sockets / f"k-{number}") for number in range(1, len(_CHANNELS) + 1)]
    plain = {name: value for name, value in asdict(walls).items() if name != "files"}
    request = {"ip": connection["ip"], "key": connection["key"].decode(), "walls": plain}  # type: ignore[attr-defined]
    subject = SubjectProcess(Channel(keeper), Channel(agent), connection, private)
    subject._unserved, subject._entrance = listening[_SERVED:], entrance
    try:
        sent = (keeper_end, agent_end, *listening[:_SERVED])
        socket.send_fds(control, [json.dumps(request).encode()], [one.fileno() for one in sent])
        subject._keeper.send(dict(files), time.monotonic() + KILL_S)
    except (OSError, ChannelClosed, DeadlinePassed) as error:
        subject._release()
        raise GraderError(f"the fork server of subjects is gone ({error}): run the command again") from None
    finally:
        for one in (keeper_end, agent_end, *listening[:_SERVED]):
            one.close()
    return subject


def _listen(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(os.fspath(path))
    listening.listen(8)
    return listening

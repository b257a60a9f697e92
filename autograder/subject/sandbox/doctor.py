"""What this machine can isolate, found out by attacking it: in each tier a subject tries the real violations."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.subject.sandbox.attacks import Target
from autograder.subject.sandbox.interpreter import interpreter_box
from autograder.subject.sandbox.tiers import missing
from autograder.subject.sandbox.walls import Tier

_PROBE_S = 180.0
_STOPPED = "stopped"
_VICTIM = [sys.executable, "-S", "-E", "-c", "import sys; sys.stdin.read()"]


@dataclass(frozen=True)
class Finding:
    """One thing that was tried against one tier."""

    tier: Tier
    name: str
    expected: str
    got: str

    @property
    def ok(self) -> bool:
        """True when it came out as it should."""
        return self.got == self.expected


def examine_machine(private: tuple[Path, ...] = ()) -> list[Finding]:
    """Try every tier; ``private`` are folders that no subject may list, the home folder among them in any case.

    A tier that this machine cannot put up has one finding, which says why.
    """
    return [finding for tier in (Tier.NAMESPACES, Tier.LANDLOCK) for finding in examine(tier, private)]


def examine(tier: Tier, private: tuple[Path, ...] = ()) -> list[Finding]:
    """Try one tier. What is seen from outside afterwards counts too: whether what was aimed at is unhurt."""
    reason = missing(tier)
    if reason is not None:
        return [Finding(tier, "put up the walls", "works", reason)]
    with _targets(private) as (target, victim, listeners):
        observed = [Finding(tier, "put up the walls", "works", "works"), *_probe(tier, target)]
        return [*observed, *_look_afterwards(tier, target, victim, listeners)]


def _probe(tier: Tier, target: Target) -> Iterator[Finding]:
    command = [sys.executable, "-s", "-m", "autograder.subject.sandbox.probe", tier.value]
    try:
        probe = subprocess.run(
            command,
            env={},
            input=target.to_json(),
            capture_output=True,
            text=True,
            timeout=_PROBE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield Finding(tier, "end", "ends", f"it ran longer than {_PROBE_S:g} s")
        return
    for line in probe.stdout.splitlines():
        one = json.loads(line)
        yield Finding(tier, one["name"], _STOPPED, one["achieved"] or _STOPPED)
    if probe.returncode != 0:
        said = probe.stderr.strip().splitlines()
        yield Finding(tier, "try everything", "done", said[-1] if said else f"status {probe.returncode}")


def _look_afterwards(
    tier: Tier, target: Target, victim: subprocess.Popen[bytes], listeners: list[socket.socket]
) -> Iterator[Finding]:
    unhurt = victim.poll() is None
    yield Finding(tier, "end a process outside", _STOPPED, _STOPPED if unhurt else "it has ended")
    unchanged = Path(target.canary).read_text() == target.secret
    yield Finding(tier, "leave a changed file outside", _STOPPED, _STOPPED if unchanged else "it was changed")
    reached = [listener for listener in listeners if _was_reached(listener)]
    yield Finding(tier, "reach a socket outside", _STOPPED, f"{len(reached)} were reached" if reached else _STOPPED)


def _was_reached(listener: socket.socket) -> bool:
    listener.setblocking(False)
    try:
        if listener.type == socket.SOCK_STREAM:
            listener.accept()[0].close()
        else:
            listener.recv(1)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _targets(private: tuple[Path, ...]) -> Iterator[tuple[Target, subprocess.Popen[bytes], list[socket.socket]]]:
    """Plant what the attacks aim at: a process and a file with a secret, and sockets where somebody listens."""
    secret = secrets.token_hex(16)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="autograder-doctor-")))
        folder.chmod(0o755)  # what stops a subject is to be the walls, not the modes
        (folder / "canary").write_text(secret)
        (folder / "canary").chmod(0o666)
        listeners = [
            stack.enter_context(_listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))),
            stack.enter_context(_listen(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{secret}")),
            stack.enter_context(_listen(socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "stream"))),
            stack.enter_context(_listen(socket.AF_UNIX, socket.SOCK_DGRAM, str(folder / "datagram"))),
        ]
        for name in ("stream", "datagram"):
            (folder / name).chmod(0o777)
        environment = {"AUTOGRADER_DOCTOR": secret}
        victim = stack.enter_context(subprocess.Popen(_VICTIM, env=environment, stdin=subprocess.PIPE))
        private = (*private, Path.home(), folder)
        shown = {parent for path in interpreter_box().readable for parent in (path, *path.parents)}
        yield (
            Target(
                secret=secret,
                victim=victim.pid,
                canary=str(folder / "canary"),
                port=listeners[0].getsockname()[1],
                abstract=secret,
                stream=str(folder / "stream"),
                datagram=str(folder / "datagram"),
                private=tuple(map(str, private)),
                shown=tuple(map(str, shown)),
            ),
            victim,
            listeners,
        )


def _listen(family: int, kind: int, address: str | tuple[str, int]) -> socket.socket:
    listener = socket.socket(family, kind)
    listener.bind(address)
    if kind == socket.SOCK_STREAM:
        listener.listen()
    return listener

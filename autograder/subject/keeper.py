"""The keeper: one trusted process per subject, which puts it behind its walls, watches it, and ends it.

It is forked from the fork server and talks with whoever asked for the subject: ``{"do": "interrupt"}`` or
``{"do": "kill"}`` come in; ``{"ended": cause}`` goes out once, when the whole tree is dead. If the asker disappears, so
does the subject.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from typing import Any

from autograder.subject import kernel
from autograder.subject.channel import Channel, ChannelClosed, DeadlinePassed
from autograder.subject.sandbox import Cage, Tier, Usage, Walls, spawn

WATCH_S = 0.2
"""Seconds between two looks at the memory and the processes of a subject."""

_SEND_S = 5.0
"""Seconds that the asker may take to read the last message."""


def main(request: dict[str, Any], descriptors: list[int], tier: Tier) -> int:
    """Run one subject to its end. ``descriptors``: the asker's channel, the agent's, then the kernel's sockets."""
    asker = Channel(socket.socket(fileno=descriptors[0]))
    endpoints = kernel.Endpoints(request["ip"], request["key"].encode(), tuple(descriptors[2:]), descriptors[1])
    try:
        files = asker.receive(time.monotonic() + _SEND_S)
        walls = Walls(**request["walls"], files=files if isinstance(files, dict) else {})
        cage = spawn(tier, walls, tuple(descriptors[1:]), lambda: kernel.main(endpoints))
    except (ChannelClosed, DeadlinePassed):
        return 1
    except OSError as error:
        _tell(asker, f"the sandbox could not be put up ({error})")
        return 1
    cause = _watch(asker, cage, walls)
    cage.kill()
    _tell(asker, cause)
    return 0


def _watch(asker: Channel, cage: Cage, walls: Walls) -> str:
    """Wait for the end of the subject, or for a reason to end it; return the cause."""
    poller = select.poll()
    poller.register(asker, select.POLLIN)
    poller.register(cage.fileno(), select.POLLIN)
    look = time.monotonic() + WATCH_S
    while True:
        ready = {descriptor for descriptor, _ in poller.poll(max(0.0, look - time.monotonic()) * 1000)}
        if cage.fileno() in ready:
            return _status(cage.wait(0))
        if asker.fileno() in ready:
            try:
                order = asker.receive(time.monotonic() + _SEND_S)
            except (ChannelClosed, DeadlinePassed):
                return "the grader is gone"
            if order != {"do": "interrupt"}:
                return "it was ended by the grader"
            cage.interrupt()
        if time.monotonic() >= look:
            excess = _excess(cage.usage(), walls)
            if excess:
                return excess
            look = time.monotonic() + WATCH_S


def _excess(usage: Usage, walls: Walls) -> str | None:
    """Say what a subject has too much of."""
    if usage.memory_mib > walls.memory_mib:
        return f"it used more than {walls.memory_mib} MiB of memory"
    if usage.processes > walls.processes:
        return f"it started more than {walls.processes} processes"
    if usage.disk_mib > walls.disk_mib:
        return f"it wrote more than {walls.disk_mib} MiB to disk"
    return None


def _status(status: int | None) -> str:
    if status is None:
        return "it ended"
    return f"it was stopped by signal {-status}" if status < 0 else f"it exited with status {status}"


def _tell(asker: Channel, cause: str) -> None:
    with contextlib.suppress(ChannelClosed, DeadlinePassed):  # nobody may be left to tell
        asker.send({"ended": cause}, time.monotonic() + _SEND_S)

"""The subject's main program: an IPython kernel on sockets that are already open, with the agent on its event loop.

The kernel's listening sockets come as descriptors, so that a subject needs neither ``socket()`` nor ``bind()`` nor a
folder that it shares with anyone. What a grader does not use is left out: heartbeat, control channel, debugger,
history.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import zmq
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from matplotlib_inline.backend_inline import configure_inline_support
from zmq.eventloop.zmqstream import ZMQStream

from autograder.subject.agent import AgentServer
from autograder.subject.channel import Channel

BACKEND = "module://matplotlib_inline.backend_inline"
"""Where figures go: into the notebook."""

CHANNELS = ("shell", "iopub", "stdin")
"""The kernel's sockets that exist, in the order of their descriptors."""


@dataclass(frozen=True)
class Endpoints:
    """What a kernel listens on: ``sockets`` are listening Unix sockets, one for each of ``CHANNELS``."""

    ip: str
    key: bytes
    sockets: tuple[int, ...]
    agent: int


_PIECE, _PIECES = 1 << 20, 4
"""Characters of a message of printed text, and how many of them go out at a time, every fifth of a second."""


class Stream(OutStream):
    """What a cell prints, in messages that the examiner takes: a larger one would cost the connection and all after it.

    What is printed faster is left out, as it would be cut there anyway.
    """

    def _flush_buffers(self) -> Iterator[tuple[Any, str]]:
        for parent, text in super()._flush_buffers():  # type: ignore[no-untyped-call]
            for start in range(0, min(len(text), _PIECE * _PIECES), _PIECE):
                yield parent, text[start : start + _PIECE]


class SubjectKernel(IPythonKernel):
    """The IPython kernel without what belongs to a person at a keyboard."""

    def _input_request(self, *args: Any, **kwargs: Any) -> str:
        """Refuse ``input()``: nobody is there to answer."""
        raise EOFError("input() is not available while a notebook is graded: put the value into a variable instead.")

    raw_input = getpass = _input_request


class SubjectKernelApp(IPKernelApp):
    """IPKernelApp on open descriptors. The overridden steps are those of ipykernel 7."""

    def __init__(self, endpoints: Endpoints, **kwargs: Any) -> None:
        self._endpoints = endpoints
        super().__init__(  # type: ignore[no-untyped-call]
            transport="ipc",
            ip=endpoints.ip,
            kernel_class=SubjectKernel,
            outstream_class=f"{__name__}.{Stream.__name__}",
            quiet=True,
            capture_fd_output=False,
            log_level=logging.CRITICAL,
            parent_handle=0,
            **kwargs,
        )
        self.session.key = endpoints.key

    def _open(self, name: str, kind: int) -> zmq.Socket[bytes]:
        assert self.context is not None
        opened: zmq.Socket[bytes] = self.context.socket(kind)
        opened.linger = 0
        port = CHANNELS.index(name) + 1
        opened.setsockopt(zmq.USE_FD, self._endpoints.sockets[port - 1])
        opened.bind(f"ipc://{self.ip}-{port}")
        return opened

    def init_crash_handler(self) -> None:
        """Leave ``sys.excepthook`` alone."""

    def init_pdb(self) -> None:
        """There is no debugger."""

    def init_connection_file(self) -> None:
        """There is no file: whoever started the kernel made the endpoints."""

    def write_connection_file(self, **kwargs: Any) -> None:
        """There is no file."""

    def init_sockets(self) -> None:
        """Open shell, stdin and iopub on the given descriptors."""
        self.context = zmq.Context()
        self.shell_socket = self._open("shell", zmq.ROUTER)
        self.stdin_socket = self._open("stdin", zmq.ROUTER)
        self.configure_tornado_logger()  # type: ignore[no-untyped-call]
        self.iopub_thread = IOPubThread(self._open("iopub", zmq.XPUB), session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket

    def init_heartbeat(self) -> None:
        """There is none: the keeper knows whether the process lives."""

    def init_kernel(self) -> None:
        """Create the kernel on one thread, with no control channel."""
        self.kernel = SubjectKernel.instance(
            parent=self,
            session=self.session,
            shell_stream=ZMQStream(self.shell_socket),
            iopub_thread=self.iopub_thread,
            iopub_socket=self.iopub_socket,
            stdin_socket=self.stdin_socket,
            log=self.log,
            user_ns=self.user_ns,
        )
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count


def _stay() -> None:
    """Answer ``exit()``, which at home ends a session and here would end the grading."""
    sys.stderr.write("exit() is not needed while a notebook is graded: it is passed over.\n")


def main(endpoints: Endpoints) -> int:
    """Run the kernel until it is killed. Called in the subject, once, with every wall up."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - a cell that draws without a seed draws the same at each grading
    profile = Path.cwd() / ".ipython"
    os.environ.update(HOME=str(Path.cwd()), IPYTHONDIR=str(profile))
    readme = profile / "profile_default" / "startup" / "README"
    readme.parent.mkdir(parents=True)
    readme.touch()  # IPython would copy its own, and the file's mode, which not every tier allows
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = SubjectKernelApp(endpoints)
    app.config.HistoryManager.enabled = False
    app.initialize([])  # type: ignore[no-untyped-call]
    # The backend looks for a shell when it is imported, which the fork server did: so it is told here.
    mpl.interactive(True)
    configure_inline_support(app.kernel.shell, BACKEND)  # type: ignore[no-untyped-call]
    app.kernel.shell.ask_exit = _stay
    channel = Channel(socket.socket(fileno=endpoints.agent))
    agent = AgentServer(channel, app.kernel.shell.user_ns)

    def answer() -> None:
        if not agent.serve_one():
            loop.remove_reader(channel.fileno())

    loop.add_reader(channel.fileno(), answer)
    sys.stdout.flush()
    app.start()  # type: ignore[no-untyped-call]
    return 0

"""The fork server of subjects: warm libraries, no secrets.

Run as a program of its own (``python -m autograder.subject.server DESCRIPTOR CONFIG``) with an empty environment and
one descriptor, a sequenced-packet socket. It walls itself in, imports what subjects need, says it is ready, and forks a
keeper for each packet that brings the descriptors of a new subject. It ends when everyone who could ask it has gone.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.errors import GraderError
from autograder.subject import absent
from autograder.subject.sandbox import Tier, enter_box, interpreter_box

PACKET = 65536
"""Bytes of the largest request."""

_ALWAYS = (
    "IPython.core.completerlib",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "tornado.platform.asyncio",
    "tornado.queues",
    "autograder.subject.keeper",
)
"""What every kernel imports when it starts, or with its first cell."""

_HIDDEN_DATA = ("sklearn",)
"""Masked in every subject: scikit-learn brings the digits whose labels the hidden split hides."""


@dataclass(frozen=True)
class ServerConfig:
    """What one fork server serves: ``forbidden`` packages are absent in its subjects, ``preload`` is imported."""

    tier: Tier
    forbidden: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()

    @property
    def absent(self) -> tuple[str, ...]:
        """Every package that its subjects do not have."""
        return tuple(dict.fromkeys((*self.forbidden, *_HIDDEN_DATA)))

    def to_json(self) -> str:
        """Render for the command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ServerConfig:
        """Read what ``to_json`` wrote."""
        data = json.loads(text)
        return cls(Tier(data["tier"]), tuple(data["forbidden"]), tuple(data["preload"]))


ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "2",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}
"""The whole environment of a fork server: one thread per computation, and the same hash seed for everyone."""


def main(arguments: list[str]) -> int:
    """Serve until the last asker is gone."""
    control = socket.socket(fileno=int(arguments[0]))
    config = ServerConfig.from_json(arguments[1])
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry) != Path.cwd()]
    try:
        enter_box(config.tier, interpreter_box(config.absent))
        os.environ["MPLCONFIGDIR"] = str(Path.home() / "matplotlib")
        _preload(config)
    except (GraderError, OSError, ImportError) as error:
        control.send(json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode()[:PACKET])
        return 1
    control.send(b'{"ready": true}')
    _serve(control, config)
    return 0


def _preload(config: ServerConfig) -> None:
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # nobody debugs, and it takes a tenth of a second
    from autograder.subject import warmth  # behind the walls, as everything that a subject meets

    for module in (*_ALWAYS, *config.preload):
        importlib.import_module(module)
    warmth.warm_up()
    absent.install(config.absent)
    gc.collect()
    gc.freeze()  # the collector of a child would otherwise touch, and so copy, every page that is shared


def _serve(control: socket.socket, config: ServerConfig) -> None:
    from autograder.subject import keeper

    signal.signal(signal.SIGCHLD, _reap)
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, PACKET, 16)
        if not request:
            return
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            os._exit(keeper.main(json.loads(request), descriptors, config.tier))
        for descriptor in descriptors:
            os.close(descriptor)


def _reap(*_: object) -> None:
    """Bury the children that have ended; a signal handler."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

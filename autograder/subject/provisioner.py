"""The place where jupyter_client launches a kernel, filled with a subject."""

from __future__ import annotations

import asyncio
import signal
from typing import Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Instance

from autograder.subject.process import SubjectProcess


class SubjectProvisioner(KernelProvisionerBase):
    """Provisions the kernel of one subject that was spawned before."""

    subject = Instance(SubjectProcess)

    @property
    def has_process(self) -> bool:
        """True: a provisioner has its subject from the start."""
        return True

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Nothing is run by a command line."""
        return {"cmd": []}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Return the connection of the running subject."""
        self.connection_info = cast("KernelConnectionInfo", dict(self.subject.connection))
        return self.connection_info

    async def poll(self) -> int | None:
        """None while the subject lives."""
        return None if self.subject.poll() is None else 1

    async def wait(self) -> int | None:
        """Wait until the subject has ended."""
        while self.subject.poll() is None:
            await asyncio.sleep(0.02)
        return 1

    async def send_signal(self, signum: int) -> None:
        """Interrupt on SIGINT; every other signal ends the subject."""
        if signum == signal.SIGINT:
            self.subject.interrupt()
        elif signum != 0:
            self.subject.kill()

    async def kill(self, restart: bool = False) -> None:
        """End the subject and its whole tree."""
        self.subject.kill()

    async def terminate(self, restart: bool = False) -> None:
        """End the subject and its whole tree."""
        self.subject.kill()

    async def cleanup(self, restart: bool = False) -> None:
        """The subject cleans up after itself."""

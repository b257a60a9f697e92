"""What a hostile notebook would try, bounded and harmless: run inside a subject, each says what it achieved.

An attack that is stopped raises OSError, or finds nothing to report. None of it runs anywhere but in a subject that the
doctor made for it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import platform
import signal
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.subject.sandbox import linux

PATIENCE_S = 2
"""Seconds after which an attack that waits is stopped by a signal: nothing came of it."""


@dataclass(frozen=True)
class Target:
    """What the doctor set up outside, for the attacks to aim at.

    ``victim`` is a process of the grader's user with ``secret`` in its environment, ``canary`` a file with it.
    Somebody listens on ``port``, ``abstract``, ``stream`` and ``datagram``. The names in ``private`` folders are
    nobody's business, except those in ``shown``, which lie on the way to what the box shows.
    """

    secret: str
    victim: int
    canary: str
    port: int
    abstract: str
    stream: str
    datagram: str
    private: tuple[str, ...]
    shown: tuple[str, ...]

    def to_json(self) -> str:
        """Render for the process that attacks."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Target:
        """Read what ``to_json`` wrote."""
        fields = json.loads(text)
        return cls(**(fields | {name: tuple(fields[name]) for name in ("private", "shown")}))


@dataclass(frozen=True)
class Attack:
    """One thing to try, named by what it would do; ``run`` returns what it achieved, "" for nothing."""

    name: str
    run: Callable[[Target], str]


def _read_secret_file(target: Target) -> str:
    return Path(target.canary).read_text()


def _write_secret_file(target: Target) -> str:
    Path(target.canary).write_text("changed")
    return "it was changed"


def _change_mode(target: Target) -> str:
    Path(target.canary).chmod(0o777)
    return "it was changed"


def _read_shadow(_: Target) -> str:
    return f"{len(Path('/etc/shadow').read_bytes())} bytes"


def _list_private(target: Target) -> str:
    found = []
    for folder in target.private:
        with contextlib.suppress(OSError):
            found += [str(path) for path in Path(folder).iterdir() if str(path) not in target.shown]
    return ", ".join(found)


def _write_to_library(_: Target) -> str:
    place = Path(__file__).with_name("planted.py")
    place.write_text("")
    return f"{place} was written"


def _change_library_mode(_: Target) -> str:
    with Path(__file__).open("rb") as module:
        os.fchmod(module.fileno(), 0o777)
    return "it was changed"


def _see_processes(_: Target) -> str:
    """Those that are neither this one nor its parent, which may know that it has a child."""
    mine = {os.getpid(), os.getppid()}
    seen = [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in mine]  # noqa: PTH208 - names
    return f"{len(seen)} others" if seen else ""


def _read_environments(target: Target) -> str:
    """The environment of whoever can be found, by listing or by the victim's number."""
    names = {str(target.victim), str(os.getppid()), "1", "self"}
    with contextlib.suppress(OSError):
        names |= {entry for entry in os.listdir("/proc") if entry.isdigit()}  # noqa: PTH208 - names are wanted
    for name in names:
        with contextlib.suppress(OSError):
            if target.secret.encode() in Path("/proc", name, "environ").read_bytes():
                return f"found in process {name}"
    return ""


def _read_parent_memory(_: Target) -> str:
    with Path(f"/proc/{os.getppid()}/mem").open("rb") as memory:
        return f"descriptor {memory.fileno()}"


def _read_command_line(target: Target) -> str:
    return Path(f"/proc/{target.victim}/cmdline").read_text()


def _signal_victim(target: Target) -> str:
    os.kill(target.victim, signal.SIGTERM)
    return "it was sent"


def _signal_parent(_: Target) -> str:
    """Ask whether a signal could be sent to it; a subject may reach its own process 1, which just ends."""
    if os.getppid() == 1:
        return ""
    os.kill(os.getppid(), 0)
    return "it could be sent"


def _limit_victim(target: Target) -> str:
    import resource  # Windows, where the doctor is imported too, has none

    resource.prlimit(target.victim, resource.RLIMIT_CPU, (1, 1))
    return "its limits were changed"


def _trace_parent(_: Target) -> str:
    attach = 16
    _system_call("ptrace", attach, os.getppid(), 0, 0)
    return "attached"


def _connect_tcp(target: Target) -> str:
    return _connect(socket.AF_INET, ("127.0.0.1", target.port))


def _connect_abstract(target: Target) -> str:
    return _connect(socket.AF_UNIX, f"\0{target.abstract}")


def _connect_path(target: Target) -> str:
    return _connect(socket.AF_UNIX, target.stream)


def _connect(family: int, address: str | tuple[str, int]) -> str:
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        stream.settimeout(PATIENCE_S)
        stream.connect(address)
    return "connected"


def _send_datagram(target: Target) -> str:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        left.sendto(b"hello", target.datagram)
    return "sent"


def _make_uncounted_memory(_: Target) -> str:
    return f"descriptor {os.memfd_create('hidden')}"


def _take_address_space(_: Target) -> str:
    most = 1 << 42
    try:
        mmap.mmap(-1, most, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS).close()
    except (MemoryError, ValueError):
        return ""
    return "4 TiB"


def _hold_capabilities(_: Target) -> str:
    """The sets that count; the bounding set gives nothing to a process that may gain no privileges."""
    facts = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    held = [name for name in ("CapInh", "CapPrm", "CapEff", "CapAmb") if int(facts[name], 16)]
    open_doors = [
        f"{name} is {facts[name]}" for name, wanted in (("NoNewPrivs", "1"), ("Seccomp", "2")) if facts[name] != wanted
    ]
    return ", ".join(held + open_doors)


def _become_root(_: Target) -> str:
    os.setuid(0)
    return "uid 0"


def _make_namespace(_: Target) -> str:
    linux.unshare(linux.CLONE_NEWUSER)
    return "a user namespace"


def _mount_something(_: Target) -> str:
    linux.mount("none", Path.cwd(), "tmpfs", 0)
    return "mounted"


def _make_device(_: Target) -> str:
    os.mknod("disk", 0o60600, os.makedev(8, 0))
    return "a block device"


def _use_shared_memory(_: Target) -> str:
    private_key, create = 0, 0o1600
    return f"segment {_system_call('shmget', private_key, 4096, create)}"


def _use_keyring(_: Target) -> str:
    session, get_id = -3, 0
    return f"keyring {_system_call('keyctl', get_id, session, 1)}"


def _use_io_uring(_: Target) -> str:
    return f"ring {_system_call('io_uring_setup', 1, ctypes.byref(ctypes.create_string_buffer(120)))}"


def _find_descriptors(_: Target) -> str:
    """Those beyond the standard ones, the doctor's pipe, and the one that lists them."""
    expected = 5
    found = os.listdir("/proc/self/fd")  # noqa: PTH208 - names are wanted
    return f"{len(found) - expected} more" if len(found) > expected else ""


_NUMBERS = {
    "x86_64": {"ptrace": 101, "shmget": 29, "keyctl": 250, "io_uring_setup": 425},
    "aarch64": {"ptrace": 117, "shmget": 194, "keyctl": 219, "io_uring_setup": 425},
}


def _system_call(name: str, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    result = int(library.syscall(ctypes.c_long(_NUMBERS[platform.machine()][name]), *arguments))
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


ATTACKS = (
    Attack("read a file outside", _read_secret_file),
    Attack("change a file outside", _write_secret_file),
    Attack("change the mode of a file outside", _change_mode),
    Attack("read the password file", _read_shadow),
    Attack("list private folders", _list_private),
    Attack("write into the grader's package", _write_to_library),
    Attack("change the mode of the grader's package", _change_library_mode),
    Attack("see other processes", _see_processes),
    Attack("read the environment of a process", _read_environments),
    Attack("read the command line of a process", _read_command_line),
    Attack("read the memory of its parent", _read_parent_memory),
    Attack("trace its parent", _trace_parent),
    Attack("signal its parent", _signal_parent),
    Attack("signal a process outside", _signal_victim),
    Attack("limit a process outside", _limit_victim),
    Attack("connect to a TCP port", _connect_tcp),
    Attack("connect to an abstract socket", _connect_abstract),
    Attack("connect to a socket in a folder", _connect_path),
    Attack("send a datagram to a socket in a folder", _send_datagram),
    Attack("make memory that no limit counts", _make_uncounted_memory),
    Attack("take all the address space", _take_address_space),
    Attack("hold or gain privileges", _hold_capabilities),
    Attack("become root", _become_root),
    Attack("make a user namespace", _make_namespace),
    Attack("mount a file system", _mount_something),
    Attack("make a device", _make_device),
    Attack("use System V shared memory", _use_shared_memory),
    Attack("use a keyring", _use_keyring),
    Attack("use io_uring", _use_io_uring),
    Attack("find a descriptor left open", _find_descriptors),
)


def try_one(attack: Attack, target: Target) -> str:
    """Run one attack; returns what it achieved, "" when it was stopped."""
    signal.signal(signal.SIGALRM, _stop_waiting)
    signal.alarm(PATIENCE_S)
    try:
        return attack.run(target)
    except OSError:
        return ""
    finally:
        signal.alarm(0)


def _stop_waiting(_signal: int, _frame: object) -> None:
    raise TimeoutError

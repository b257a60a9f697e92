"""The strong tier: a machine of its own for the subject, made of Linux namespaces.

The box, one per fork server, is a root folder in memory that shows the interpreter and its libraries, read-only, and
nothing else. A cell, one per subject, is the box with fresh writable folders of a limited size and a fresh ``/proc``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from autograder.subject.sandbox import files, linux
from autograder.subject.sandbox.walls import Box, Walls

CELL = Path("/sandbox")
"""The writable file system: the fork server's own in the box, the subject's own in a cell."""

WORK = CELL / "work"
"""The subject's work folder."""

TEMPORARY = CELL / "tmp"
"""The subject's folder for temporary files, which is ``/tmp`` too."""

SHARED_MEMORY = CELL / "shm"
"""The subject's folder for shared memory, which is ``/dev/shm`` too."""

_ISOLATED = linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
_PASSWD = CELL / "passwd"
_USER = "student"
_USER_ID = 1000
_OLD = Path("/.old")
_MASK = Path("/.masked")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
_PLAIN = linux.MS_NOSUID | linux.MS_NODEV
_READ_ONLY = linux.MOUNT_ATTR_RDONLY | linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NODEV
_ABSENT = "raise ModuleNotFoundError(f'{__name__} is not available here', name=__name__)\n"


def leave_for_box(*, privileged: bool) -> None:
    """Leave every namespace for a new one; without privileges by way of a new user namespace, which gives them inside.

    The new pid namespace takes effect for the next fork.
    """
    if privileged:
        linux.unshare(_isolated() | linux.CLONE_NEWPID)
        return
    user, group = os.geteuid(), os.getegid()
    linux.unshare(_isolated() | linux.CLONE_NEWPID | linux.CLONE_NEWUSER)
    _map_ids(Path("/proc/self"), user, group)


@contextlib.contextmanager
def children_apart() -> Iterator[None]:
    """Have what is forked meanwhile start in a new pid namespace, as its first process."""
    present = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)  # no object that a child would close later
    try:
        linux.unshare(linux.CLONE_NEWPID)
        try:
            yield
        finally:
            linux.join_pid_namespace(present)
    finally:
        os.close(present)


def _isolated() -> int:
    return _ISOLATED | (linux.CLONE_NEWCGROUP if Path("/proc/self/ns/cgroup").exists() else 0)


def _map_ids(process: Path, user: int, group: int) -> None:
    """Give this process its ids in a new user namespace; ``user`` and ``group`` are what they are outside."""
    (process / "setgroups").write_text("deny")
    (process / "uid_map").write_text(f"{_USER_ID} {user} 1")
    (process / "gid_map").write_text(f"{_USER_ID} {group} 1")


def build_box(box: Box) -> None:
    """Make the box the root of this process, which is the first of a new pid namespace."""
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("box", "/tmp", "tmpfs", _PLAIN, "size=16m,mode=0755")
    os.chdir("/tmp")
    _OLD.relative_to("/").mkdir()
    linux.pivot_root(".", _OLD.name)
    os.chdir("/")
    for path in box.readable:
        _show(path)
    for path in box.masked:
        _mask(path)
    _make_devices()
    _make_settings()
    for folder in (Path("/proc"), Path("/tmp"), CELL):
        folder.mkdir(exist_ok=True)
    linux.mount("proc", "/proc", "proc", _PLAIN | linux.MS_NOEXEC)
    linux.mount("scratch", CELL, "tmpfs", _PLAIN | linux.MS_NOEXEC, "size=64m,mode=0700")
    linux.detach(_OLD)
    _OLD.rmdir()
    linux.set_mount_attributes("/", _READ_ONLY)
    linux.set_host_name("sandbox")


def _show(path: Path) -> None:
    """Bind ``path`` read-only where it was, with the symbolic links on the way to it."""
    shown = Path("/")
    for part in path.parts[1:]:
        shown /= part
        source = _old(shown)
        if source.is_symlink():
            _link(shown, source.readlink())
            _show(Path(os.path.normpath(shown.parent / source.readlink() / path.relative_to(shown))))
            return
    if not shown.exists():
        _bind(path, shown)


def _old(path: Path) -> Path:
    return _OLD / path.relative_to("/")


def _link(place: Path, target: Path) -> None:
    if not place.is_symlink():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)


def _bind(path: Path, place: Path, attributes: int = _READ_ONLY) -> None:
    _make_place(place, folder=_old(path).is_dir())
    linux.mount(str(_old(path)), place, None, linux.MS_BIND | linux.MS_REC)
    linux.set_mount_attributes(place, attributes, recursive=True)


def _make_place(place: Path, *, folder: bool) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if folder:
        place.mkdir()
    else:
        place.touch()


def _mask(path: Path) -> None:
    """Cover a module or a package by one whose import fails as that of an absent package does."""
    if not path.exists():
        return
    if not _MASK.exists():
        _MASK.mkdir()
        (_MASK / "__init__.py").write_text(_ABSENT)
    cover = _MASK if path.is_dir() else _MASK / "__init__.py"
    linux.mount(str(cover), path, None, linux.MS_BIND)
    linux.set_mount_attributes(path, _READ_ONLY)


def _make_devices() -> None:
    harmless = linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NOEXEC
    for name in _DEVICES:
        _bind(Path("/dev") / name, Path("/dev") / name, harmless)
    for name, target in _LINKS.items():
        Path("/dev", name).symlink_to(target)
    Path("/dev/shm").mkdir()
    linux.mount("shm", "/dev/shm", "tmpfs", _PLAIN | linux.MS_NOEXEC, "size=1m")  # libraries try it when imported


def _make_settings() -> None:
    etc = Path("/etc")
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text(_passwd(_USER_ID))
    (etc / "group").write_text(f"{_USER}:x:{_USER_ID}:\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
    (etc / "hosts").write_text("127.0.0.1 localhost sandbox\n")


def _passwd(user_id: int) -> str:
    return f"{_USER}:x:{user_id}:{user_id}::{WORK}:/bin/false\n"


def build_cell(walls: Walls, owner: int) -> int:
    """Give this process, the first of a new pid namespace in the box, the rest of its own namespaces.

    In them it has its own writable folders and ``/proc``, no network and no one to talk to. The folders share one file
    system in memory, whose size and number of files are limited. Returns a descriptor on it, by which its use can be
    asked for.
    """
    linux.unshare(_isolated())
    options = f"size={walls.disk_mib}m,nr_inodes={walls.inodes},mode=0755"
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("cell", CELL, "tmpfs", _PLAIN | linux.MS_NOEXEC, options)
    for folder in (WORK, TEMPORARY, SHARED_MEMORY):
        files.make_private(folder, owner)
    files.place(WORK, walls.files, owner)
    _PASSWD.write_text(_passwd(owner))
    _PASSWD.chmod(0o644)
    _cover(Path("/etc/passwd"), _PASSWD)
    _cover(Path("/dev/shm"), SHARED_MEMORY)
    if not any(Path("/tmp").iterdir()):  # part of the box lies there on a machine whose Python does
        _cover(Path("/tmp"), TEMPORARY)
    return os.open(WORK, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def mount_processes(*, privileged: bool) -> None:
    """Show the subject its own processes only; without privileges, also count them apart from those of other subjects.

    The kernel counts the processes of a user in each user namespace by themselves.
    """
    box_processes = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    linux.mount("proc", "/proc", "proc", linux.MS_RDONLY | _PLAIN | linux.MS_NOEXEC)
    if not privileged:
        user, group = os.geteuid(), os.getegid()
        linux.unshare(linux.CLONE_NEWUSER)
        _map_ids(Path(f"/proc/self/fd/{box_processes}/self"), user, group)  # the new /proc is read-only
    os.close(box_processes)


def _cover(place: Path, by: Path) -> None:
    linux.mount(str(by), place, None, linux.MS_BIND)

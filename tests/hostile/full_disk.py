"""Grade into a folder that is too small, make room, and grade again: ``python -m tests.hostile.full_disk COURSE ROOM``.

The folder is a file system in memory in a mount namespace of this process's own, so the kernel's answer is a real one
and nobody else sees any of it; no privileges are needed where there are user namespaces. Prints what happened as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from autograder.course import Course
from autograder.subject.sandbox import linux
from tests.hostile.classroom import Classroom

_MS_REMOUNT = 0x20
_ENOUGH = "16m"


def private_mounts() -> None:
    """Enter a mount namespace of our own; whoever is not root becomes its owner by a user namespace."""
    user, group = os.geteuid(), os.getegid()
    linux.unshare(linux.CLONE_NEWNS if user == 0 else linux.CLONE_NEWNS | linux.CLONE_NEWUSER)
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)


def main(root: str, room: str) -> None:
    """Grade twice, with ``room`` and with enough of it."""
    classroom = Classroom(Course(Path(root)).assignment("probe"), Path(tempfile.gettempdir()), ())
    folder = classroom.assignment.reports
    folder.mkdir(parents=True)
    private_mounts()
    linux.mount("none", folder, "tmpfs", 0, f"size={room}")
    code, said = classroom.grade()
    kept = {path.name: path.read_text() for path in folder.glob("*.json")}
    halves = [path.name for path in folder.glob(".*.tmp")]
    linux.mount("none", folder, None, _MS_REMOUNT, f"size={_ENOUGH}")
    again, said_again = classroom.grade()
    now = {path.name: path.read_text() for path in folder.glob("*.json")}
    sys.stdout.write(
        json.dumps(
            {
                "first": [code, said],
                "kept": sorted(kept),
                "halves": halves,
                "second": [again, said_again],
                "changed": sorted(name for name in kept if now.get(name) != kept[name]),
                "record": classroom.record(),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

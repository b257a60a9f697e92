"""The subject's own folders: made private, filled, measured, and removed whatever was done to them."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath


def make_private(folder: Path, owner: int) -> None:
    """Make a folder that only ``owner`` can enter."""
    folder.mkdir(stat.S_IRWXU)
    _give(folder, owner)


def _give(path: Path, owner: int) -> None:
    """Give a file to a private user, whose group has the same number; one's own needs no giving."""
    if owner != os.geteuid():
        os.chown(path, owner, owner)


def place(folder: Path, contents: Mapping[str, bytes], owner: int) -> None:
    """Write files below ``folder``, all of them the owner's.

    Raises:
        OSError: a name leads out of the folder, or there is no room.
    """
    for name, content in contents.items():
        parts = PurePosixPath(name).parts
        if not parts or parts[0] == "/" or ".." in parts:
            raise OSError(f"expected the name of a file inside the work folder, received {name!r}")
        target = folder
        for part in parts[:-1]:
            target /= part
            if not target.is_dir():
                make_private(target, owner)
        target /= parts[-1]
        target.write_bytes(content)
        _give(target, owner)


def remove(folder: Path) -> None:
    """Remove a folder and all that is in it, whatever its modes are.

    The folders inside are first moved beside it, so that no path and no recursion gets deep.
    """
    beside = (folder.parent / f"{folder.name}.{number}" for number in itertools.count())
    waiting = [folder]
    with contextlib.suppress(OSError):
        while waiting:
            emptied = waiting.pop()
            waiting += _empty(emptied, beside)
            emptied.rmdir()


def _empty(folder: Path, beside: Iterator[Path]) -> list[Path]:
    """Delete the files of a folder and move its folders away; returns where they are now."""
    folder.chmod(stat.S_IRWXU)
    with os.scandir(folder) as found:
        entries = list(found)
    moved = []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            Path(entry.path).chmod(stat.S_IRWXU)  # a folder that moves has to be writable: its ".." changes
            moved.append(Path(entry.path).rename(next(beside)))
        else:
            Path(entry.path).unlink()
    return moved

"""The journal of a calibration: one line of JSON for each training, appended whole and synced.

A line that a killed run left half written holds nothing, and its training is made again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder.audit.training import Trial
from autograder.errors import GraderError


class Trials:
    """What was measured, read once from the journal; made by ``hold``."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        text = _read(descriptor)
        self._values = dict(_known(text))
        self._between = b"\n" if text and not text.endswith(b"\n") else b""

    def __contains__(self, trial: Trial) -> bool:
        return _key(trial) in self._values

    def value(self, trial: Trial) -> float | None:
        """Return what a training gave; None when it gave no number."""
        return self._values[_key(trial)]

    def record(self, trial: Trial, value: float | None) -> None:
        """Append one training.

        Raises:
            GraderError: the disk takes no more.
        """
        line = self._between + json.dumps({"trial": _key(trial), "value": value}).encode() + b"\n"
        try:
            os.write(self._descriptor, line)
            os.fsync(self._descriptor)
        except OSError as error:
            raise GraderError(f"the journal cannot be written ({error.strerror}): free the disk, run again") from None
        self._between = b""
        self._values[_key(trial)] = value


@contextmanager
def hold(folder: Path, *, fresh: bool = False) -> Iterator[Trials]:
    """Hold the journal in ``folder``, making both if needed; ``fresh`` empties it.

    Raises:
        GraderError: somebody else is calibrating, or the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "journal.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise GraderError(f"cannot be written to ({error.strerror})", path=folder) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if fresh:
            os.ftruncate(descriptor, 0)
        yield Trials(descriptor)
    except BlockingIOError:
        raise GraderError("another `autograder calibrate` is writing here: wait for it", path=folder) from None
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0)


def _known(text: bytes) -> Iterator[tuple[str, float | None]]:
    for line in text.splitlines():
        try:
            record: Any = json.loads(line)
            yield str(record["trial"]), None if record["value"] is None else float(record["value"])
        except (ValueError, LookupError, TypeError):
            continue


def _key(trial: Trial) -> str:
    return f"{trial.measurement} {trial.design.name} {trial.seed} {trial.design.digest}"

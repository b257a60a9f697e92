"""Which walls there are on a machine, and what is said where there are none.

Every function that takes a tier is sent to a process of its own, see ``conftest.py``, and returns what was seen there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.errors import GraderError
from autograder.subject.sandbox import Tier, best_tier, linux, missing
from autograder.subject.sandbox.doctor import Finding
from tests.hostile.conftest import Grader


def test_this_machine_has_a_tier() -> None:
    """Where these tests run there are walls."""
    tier = best_tier()
    assert missing(tier) is None


def _forbid_namespaces(tier: Tier, landlock_too: bool) -> str:
    del tier
    user, group = os.geteuid(), os.getegid()
    linux.unshare(linux.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    if landlock_too:
        import pyseccomp

        rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
        rules.add_rule(pyseccomp.ERRNO(38), 444)
        rules.load()
    try:
        return best_tier().value
    except GraderError as error:
        return str(error)


def test_without_namespaces_the_tier_is_landlock(unwalled_grader: Grader) -> None:
    """A machine that forbids user namespaces still isolates."""
    if unwalled_grader.run(_version_of_landlock) < 6:
        pytest.skip("this kernel's Landlock knows no scopes")
    assert unwalled_grader.run(_forbid_namespaces, False) == "landlock"


def _version_of_landlock(tier: Tier) -> int:
    from autograder.subject.sandbox import landlock

    del tier
    return landlock.version()


def test_without_any_tier_the_refusal_names_the_next_step(unwalled_grader: Grader) -> None:
    """Both reasons, what an administrator can do, and the flag that goes on without."""
    said = unwalled_grader.run(_forbid_namespaces, True)
    for wanted in ("namespaces:", "landlock:", "user.max_user_namespaces", "Linux 6.12", "--unsafe-no-sandbox"):
        assert wanted in said


def _leave_scratch(tier: Tier) -> list[bool]:
    import tempfile

    from autograder.subject.sandbox import box

    del tier
    kept = box._make_scratch()
    abandoned, young = (Path(tempfile.mkdtemp(prefix="autograder-box-")) for _ in range(2))
    for old in (kept, abandoned):
        os.utime(old, (0, 0))
    box._make_scratch().rmdir()
    exist = [one.exists() for one in (kept, abandoned, young)]
    for left in (kept, young):
        left.rmdir()
    return exist


def test_folders_of_graders_that_were_killed_are_removed(unwalled_grader: Grader) -> None:
    """One that is in use stays, and so does one that may just have been made."""
    assert unwalled_grader.run(_leave_scratch) == [True, False, True]


def test_the_package_imports_where_there_are_no_walls() -> None:
    """A student on Windows imports the package that holds the sandbox; there is no fork, no SIGCHLD, no resource."""
    program = (
        "import os, shutil, signal, subprocess, sys, tempfile; "
        "sys.modules.update(dict.fromkeys(['resource', 'fcntl', 'termios', 'pwd'])); "
        "del os.fork, os.geteuid, signal.SIGCHLD, signal.SIGALRM, signal.SIGKILL; sys.platform = 'win32'; "
        "from autograder.subject.sandbox import Tier, doctor, missing; print(missing(Tier.NAMESPACES))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "Linux" in said


def test_a_finding_is_ok_when_it_is_as_expected() -> None:
    """The doctor's verdict is the comparison, nothing else."""
    assert Finding(Tier.LANDLOCK, "read", "stopped", "stopped").ok
    assert not Finding(Tier.LANDLOCK, "read", "stopped", "12 bytes").ok

"""Which walls this machine can put up. It is found out by trying in a throw-away process, not by reading versions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from autograder.errors import GraderError
from autograder.subject.sandbox.walls import Tier

_TRIAL_S = 60.0
_KERNEL_SAID = "[Errno"
"""In the text of an error that the kernel gave; our own errors name the next step themselves."""

_SWITCHES = {
    "/proc/sys/kernel/unprivileged_userns_clone": ("0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
        "1",
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    "/proc/sys/user/max_user_namespaces": ("0", "sysctl -w user.max_user_namespaces=10000"),
}
"""Where distributions forbid user namespaces: the value that does, and the command for an administrator."""

_ADVICE = {
    Tier.NAMESPACES: "allow user namespaces (a container needs to be told, for example by `docker run --privileged`)",
    Tier.LANDLOCK: "use Linux 6.12 or later with Landlock (`landlock` among the names in /sys/kernel/security/lsm)",
}


def best_tier() -> Tier:
    """Return the strongest tier that works here.

    Raises:
        GraderError: none does; the message has the reasons and the next step.
    """
    reasons = []
    for tier in (Tier.NAMESPACES, Tier.LANDLOCK):
        reason = missing(tier)
        if reason is None:
            return tier
        reasons.append(f"{tier.value}: {reason}")
    raise GraderError(
        f"this machine cannot isolate a student's code. {' '.join(reasons)} `autograder doctor` tells more; "
        "--unsafe-no-sandbox grades without isolation: a submission can then read and change whatever you can."
    )


def missing(tier: Tier) -> str | None:
    """Return None when this machine can put up the walls of ``tier``, else what is missing and how to get it."""
    if tier is Tier.NONE:
        return None
    if sys.platform != "linux":
        return f"the walls of the sandbox are Linux's, and this is {sys.platform}: grade in a Linux virtual machine."
    command = [sys.executable, "-s", "-m", "autograder.subject.sandbox.trial", tier.value]
    try:
        trial = subprocess.run(command, env={}, capture_output=True, text=True, timeout=_TRIAL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the trial did not end ({error}): try again when the machine is less busy."
    if trial.returncode == 0:
        return None
    lines = (trial.stdout or trial.stderr).strip().splitlines()
    said = lines[-1] if lines else f"the trial ended with status {trial.returncode}"
    return f"{said}; {_advice(tier)}." if _KERNEL_SAID in said else f"{said}."


def _advice(tier: Tier) -> str:
    """The next step: the switch that is off here, if one is."""
    for name, (off, command) in _SWITCHES.items() if tier is Tier.NAMESPACES else ():
        switch = Path(name)
        if switch.exists() and switch.read_text().strip() == off:
            return f"an administrator can allow it: {command}"
    return _ADVICE[tier]

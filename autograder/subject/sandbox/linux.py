"""The Linux system calls that Python's library lacks, by ctypes: a failure is an OSError that names the call.

Nothing here decides anything. The C library is loaded on first use, so that the package imports on every system.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
from pathlib import Path
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
MOUNT_ATTR_NOEXEC = 0x8

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECCOMP_MODE_FILTER = 2

_CLOSE_RANGE = 436
_MOUNT_SETATTR = 442
_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_ADD_RULE = 445
_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_CREATE_RULESET_VERSION = 1
_LANDLOCK_RULE_PATH_BENEATH = 1
_SECUREBITS_LOCKED = 0xEF
"""noroot, no_setuid_fixup, no_cap_ambient_raise and their locks, and keep_caps locked off (capabilities(7))."""

_CAPABILITY_VERSION_3 = 0x20080522
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("handled_access_fs", "handled_access_net", "scoped")]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


class _FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilitySets(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


@functools.cache
def _library() -> ctypes.CDLL:
    if platform.system() != "Linux":
        raise OSError(f"the walls of the sandbox are Linux's, this is {platform.system()}")
    if platform.machine() not in {"x86_64", "aarch64"}:
        raise OSError(f"the sandbox is for x86_64 and aarch64 processors, this is {platform.machine()}")
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> int:
    """Call a function of the C library that answers -1 for an error."""
    return _checked(name, getattr(_library(), name)(*arguments))


def _system_call(name: str, number: int, *arguments: Any) -> int:
    """Make a call by its number: those added since 2018 have the same one on every architecture."""
    return _checked(name, _library().syscall(ctypes.c_long(number), *arguments))


def _checked(name: str, result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces named by ``flags`` for new ones."""
    _call("unshare", ctypes.c_int(flags))


def join_pid_namespace(namespace: int) -> None:
    """Let the next fork be in the pid namespace that the descriptor is open on."""
    _call("setns", ctypes.c_int(namespace), ctypes.c_int(CLONE_NEWPID))


def mount(source: str, target: Path | str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount, bind, or change how mounts propagate."""
    encoded = None if kind is None else kind.encode()
    try:
        _call("mount", source.encode(), os.fsencode(target), encoded, ctypes.c_ulong(flags), options.encode() or None)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror} ({kind or source} on {target})") from None


def detach(target: Path | str) -> None:
    """Take a mount, and all that are below it, out of the tree."""
    _call("umount2", os.fsencode(target), ctypes.c_int(MNT_DETACH))


def set_mount_attributes(target: Path | str, attributes: int, *, recursive: bool = False) -> None:
    """Add attributes such as MOUNT_ATTR_RDONLY to a mount, or to all that are below it too."""
    wanted = _MountAttributes(attr_set=attributes)
    flags = ctypes.c_uint(_AT_RECURSIVE if recursive else 0)
    size = ctypes.c_size_t(ctypes.sizeof(wanted))
    place = ctypes.c_int(_AT_FDCWD)
    _system_call("mount_setattr", _MOUNT_SETATTR, place, os.fsencode(target), flags, ctypes.byref(wanted), size)


def pivot_root(new_root: str, put_old: str) -> None:
    """Make ``new_root`` the root, and the old one visible at ``put_old``."""
    _call("pivot_root", new_root.encode(), put_old.encode())


def set_host_name(name: str) -> None:
    """Name the machine, in its own UTS namespace."""
    _call("sethostname", name.encode(), ctypes.c_size_t(len(name)))


def prctl(option: int, argument: int = 0) -> int:
    """Change one property of this process."""
    rest = (ctypes.c_ulong(0),) * 3
    return _call("prctl", ctypes.c_int(option), ctypes.c_ulong(argument), *rest)


def close_descriptors(keep: frozenset[int]) -> None:
    """Close every descriptor from 3 up that is not in ``keep``."""
    start = 3
    for kept in sorted(one for one in keep if one >= start):
        _close_range(start, kept - 1)
        start = kept + 1
    _close_range(start, 0xFFFFFFFF)


def _close_range(first: int, last: int) -> None:
    if first <= last:
        _system_call("close_range", _CLOSE_RANGE, ctypes.c_uint(first), ctypes.c_uint(last), ctypes.c_uint(0))


def lock_securebits() -> None:
    """Make uid 0 mean nothing, and a change of uid give nothing, for good. Needs CAP_SETPCAP."""
    prctl(PR_SET_SECUREBITS, _SECUREBITS_LOCKED)


def drop_bounding_set() -> None:
    """Take every capability out of what a later exec could give. Needs CAP_SETPCAP."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_READ, capability)
        except OSError:
            return  # past the last one that this kernel has
        prctl(PR_CAPBSET_DROP, capability)


def drop_capabilities() -> None:
    """Give up every capability, for good once the bounding set is empty."""
    _call("prctl", ctypes.c_int(PR_CAP_AMBIENT), ctypes.c_ulong(PR_CAP_AMBIENT_CLEAR_ALL), *(ctypes.c_ulong(0),) * 3)
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    _call("capset", ctypes.byref(header), ctypes.byref((_CapabilitySets * 2)()))


def set_filter(program: bytes) -> None:
    """Install a seccomp filter, given as the kernel's instructions. Needs no_new_privs."""
    wanted = _FilterProgram(len(program) // 8, program)
    rest = (ctypes.c_ulong(0),) * 2
    _call("prctl", ctypes.c_int(PR_SET_SECCOMP), ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(wanted), *rest)


def landlock_abi() -> int:
    """Return the kernel's Landlock version; raises OSError where there is none."""
    version = ctypes.c_uint(_LANDLOCK_CREATE_RULESET_VERSION)
    return _system_call("landlock_create_ruleset", _LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), version)


def landlock_ruleset(files: int, network: int, scopes: int) -> int:
    """Return the descriptor of a ruleset that handles these rights; nothing that it handles is allowed yet."""
    wanted = _Ruleset(files, network, scopes)
    size = ctypes.c_size_t(ctypes.sizeof(wanted))  # an older kernel takes a longer record whose rest is zero
    return _system_call(
        "landlock_create_ruleset", _LANDLOCK_CREATE_RULESET, ctypes.byref(wanted), size, ctypes.c_uint(0)
    )


def landlock_allow(ruleset: int, access: int, path: int) -> None:
    """Allow ``access`` beneath the file or folder that the descriptor ``path`` is open on."""
    rule = _PathBeneath(access, path)
    kind = ctypes.c_int(_LANDLOCK_RULE_PATH_BENEATH)
    _system_call(
        "landlock_add_rule", _LANDLOCK_ADD_RULE, ctypes.c_int(ruleset), kind, ctypes.byref(rule), ctypes.c_uint(0)
    )


def landlock_restrict(ruleset: int) -> None:
    """Put this process and all that it will start under the ruleset. Needs no_new_privs."""
    _system_call("landlock_restrict_self", _LANDLOCK_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))

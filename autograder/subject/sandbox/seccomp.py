"""The system calls that a subject may make: a list of what is allowed; everything else does not exist.

The filter is compiled once by libseccomp and installed in each subject as the kernel's own instructions. An answer of
ENOSYS makes libraries take another way, as they do on an older kernel; EPERM says that the thing exists and is denied.
``socket`` is answered with EOPNOTSUPP, because libzmq aborts the process on EACCES.
"""

from __future__ import annotations

import errno
import functools
import os
import socket
from collections.abc import Iterable, Sequence
from typing import Any

from autograder.subject.sandbox import linux
from autograder.subject.sandbox.walls import Tier

_FILES = """
    access chdir close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate
    fchdir fdatasync fgetxattr flistxattr flock fstat fstatfs fsync ftruncate getcwd getdents getdents64 link linkat
    lseek lstat mkdir mkdirat newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev
    pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile splice stat statfs
    statx symlink symlinkat sync_file_range tee truncate umask unlink unlinkat write writev
"""
_OWNERSHIP = "chmod chown fchmod fchmodat fchmodat2 fchown fchownat futimesat lchown utime utimensat utimes"
"""Harmless on a file system of the subject's own. Landlock does not look at them, so its tier denies them: they would
reach every file of the grader's user."""

_LOOKING = """
    getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lgetxattr listxattr llistxattr
"""
"""Likewise: by a path that cannot be opened a folder could be watched, and what is attached to a file be read."""

_MEMORY = """
    brk get_mempolicy madvise membarrier mincore mlock mlock2 mmap mprotect mremap msync munlock munmap pkey_alloc
    pkey_free pkey_mprotect rseq
"""
_PROCESSES = """
    arch_prctl capget execve exit exit_group fork futex futex_waitv get_robust_list getcpu getegid geteuid getgid
    getgroups getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid
    gettid getuid kill pause pidfd_open pidfd_send_signal restart_syscall rt_sigaction rt_sigpending rt_sigprocmask
    rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
    sched_yield set_robust_list set_tid_address setpgid setrlimit setsid sigaltstack sysinfo tgkill times tkill
    uname vfork wait4 waitid
"""
_TIME_AND_EVENTS = """
    alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer time timer_create
    timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime
    epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 poll ppoll pselect6
    select signalfd signalfd4
"""
_OPEN_SOCKETS = """
    accept accept4 getpeername getsockname getsockopt recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt
    shutdown
"""
"""For descriptors that the subject was given: it can open none but a pair."""

_NO_SOCKETS = "bind connect listen socket"
_DENIED = """
    acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init fanotify_mark
    finit_module fremovexattr fsconfig fsetxattr fsmount fsopen fspick init_module ioperm iopl ioprio_set kcmp
    kexec_file_load kexec_load keyctl lremovexattr lsetxattr migrate_pages mount mount_setattr move_mount move_pages
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd
    name_to_handle_at open_by_handle_at open_tree perf_event_open personality pidfd_getfd pivot_root process_madvise
    process_mrelease process_vm_readv process_vm_writev ptrace quotactl reboot removexattr request_key sched_setattr
    sched_setparam semctl semget semop semtimedop setdomainname setfsgid setfsuid setgid setgroups sethostname setns
    setregid setresgid setresuid setreuid settimeofday setuid setxattr shmat shmctl shmdt shmget swapoff swapon sync
    syncfs syslog umount2 unshare userfaultfd vhangup vmsplice
"""
"""EPERM, so that a program that asks hears "no" and not "unknown". What is in no list is ENOSYS: ``memfd_create``
(memory that no limit counts), ``clone3`` (its flags cannot be looked at; libraries fall back to ``clone``),
``io_uring`` (calls that no filter sees), and whatever a later kernel brings."""

_NEW_NAMESPACES = (
    linux.CLONE_NEWNS
    | linux.CLONE_NEWCGROUP
    | linux.CLONE_NEWUTS
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWUSER
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWNET
)
_PRCTL = (1, 2, 3, 15, 16, 21, 23, 27, 29, 30, 38, 39, 40, 41, 42, 0x53564D41)
"""Death signal; dumpable, seccomp, bounding set and securebits (to read); name, timer slack, no_new_privs, thread id
address, huge pages, names of memory areas. To become undumpable is not among them: the watchdog could not look any
more."""

_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 9, 36, 37, 38, 1030, 1031, 1032, 1034)
"""Duplicates, flags, locks, pipe sizes. Not leases, which make other processes wait."""

_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. Not a file's attributes, which belong to its owner."""

_SOCKET_KIND = 0xF
_BINARY_TREE = 2


def install(tier: Tier) -> None:
    """Put this process, and all that it will start, behind the filter. Needs no_new_privs."""
    linux.set_filter(compiled(tier))


@functools.cache
def compiled(tier: Tier) -> bytes:
    """Return the filter as instructions of the kernel; compiled on first use, so that forks inherit it.

    Raises:
        OSError: libseccomp is missing.
    """
    try:
        import pyseccomp
    except (ImportError, RuntimeError) as error:
        raise OSError(f"{error}: install the system package libseccomp2 and the Python package pyseccomp") from None
    rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.ENOSYS))
    rules.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    rules.set_attr(pyseccomp.Attr.CTL_OPTIMIZE, _BINARY_TREE)
    own_files = tier is Tier.NAMESPACES
    by_path = f"{_OWNERSHIP} {_LOOKING}"
    plain = (_FILES, _MEMORY, _PROCESSES, _TIME_AND_EVENTS, _OPEN_SOCKETS, by_path if own_files else "")
    _add(rules, pyseccomp.ALLOW, plain)
    _add(rules, pyseccomp.ERRNO(errno.EPERM), (_DENIED, "" if own_files else _OWNERSHIP))
    _add(rules, pyseccomp.ERRNO(errno.EOPNOTSUPP), (_NO_SOCKETS, "" if own_files else _LOOKING))
    for name, conditions in _conditional():
        if _exists(name):
            rules.add_rule(pyseccomp.ALLOW, name, *(pyseccomp.Arg(*condition) for condition in conditions))
    return _export(rules)


def _conditional() -> Iterable[tuple[str, Sequence[tuple[int, ...]]]]:
    """Calls that are allowed with some arguments: the conditions are (argument, comparison, value or mask, value)."""
    from pyseccomp import EQ, MASKED_EQ

    yield "clone", [(0, MASKED_EQ, _NEW_NAMESPACES, 0)]
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        yield "socketpair", [(0, EQ, socket.AF_UNIX), (1, MASKED_EQ, _SOCKET_KIND, kind)]
    for option in _PRCTL:
        yield "prctl", [(0, EQ, option)]
    yield "prctl", [(0, EQ, linux.PR_SET_DUMPABLE), (1, EQ, 1)]
    for command in _FCNTL:
        yield "fcntl", [(1, EQ, command)]
    for request in _IOCTL:
        yield "ioctl", [(1, EQ, request)]
    yield "prlimit64", [(0, EQ, 0)]
    yield "sched_setaffinity", [(0, EQ, 0)]
    yield "sched_setscheduler", [(1, EQ, os.SCHED_OTHER)]  # libzmq aborts a process whose threads may not ask for it
    yield "setpriority", [(0, EQ, os.PRIO_PROCESS), (1, EQ, 0)]


def _add(rules: Any, action: int, lists: Iterable[str]) -> None:
    for name in (name for names in lists for name in names.split()):
        if _exists(name):
            rules.add_rule(action, name)


def _exists(name: str) -> bool:
    """True when this processor has the call, and this libseccomp knows it."""
    from pyseccomp import Arch, resolve_syscall

    number = resolve_syscall(Arch.NATIVE, name)
    return number is not None and int(number) >= 0


def _export(rules: Any) -> bytes:
    """Read the compiled filter out of libseccomp, which writes to descriptors only; it fits into a pipe's buffer."""
    source, sink = os.pipe()
    with os.fdopen(source, "rb") as reader:
        with os.fdopen(sink, "wb") as writer:
            rules.export_bpf(writer)
        return reader.read()

"""Hurting others: what a submission leaves for the next one, and what it does to whoever runs beside it.

The honest notebook that is graded afterwards looks for what the attack left.
"""

from __future__ import annotations

from tests.hostile.attacks.attack import Attack, full

LOOK = """\
import ctypes, fcntl, glob, os, signal, socket, subprocess, sys, time
from pathlib import Path

def call(number, *arguments):
    if os.uname().machine != "x86_64":
        return -1
    library = ctypes.CDLL(None, use_errno=True)
    return library.syscall(*map(ctypes.c_long, (number, *arguments)))

def attempt(name, action):
    try:
        result = action()
    except BaseException:
        return
    if result is not False:
        print("FOUND a way to", name)

grader, key = int("@GRADER@"), int("@KEY@")
"""


def _other(name: str, tries: str, source: str, after: str = "", bare: str = "") -> Attack:
    ends = f"{LOOK}{source}\nprint('did what it could')"
    return Attack(name, tries, full("did what it could"), first=ends, next=LOOK + after if after else "", bare=bare)


_PLACES = (
    "places = ['/tmp', '/var/tmp', '/dev/shm', '/dev/mqueue', '/run/lock', '/run', '.', '..', os.environ['HOME'], '@ROOT@', '@HOME@/tmp',\n"
    "          '/sandbox', '/sandbox/tmp', os.environ.get('MPLCONFIGDIR', '.'), os.environ.get('TMPDIR', '.'), sys.prefix, '/etc']\n"
)

LEFT = (
    _other(
        "shared-files",
        "leaves files wherever it may write",
        _PLACES
        + "for place in places:\n    try:\n        Path(place, '@TOKEN@').write_text('left')\n    except OSError:\n        pass",
        _PLACES + "for place in places:\n    if os.path.exists(place + '/@TOKEN@'):\n        print('FOUND', place)",
    ),
    _other(
        "library-files",
        "changes the libraries that the next one imports",
        "import numpy, autograder, IPython\nfor module in (numpy, autograder, IPython, os):\n    place = Path(module.__file__)\n"
        "    attempt('write a library', lambda: place.open('ab') and None)\n"
        "    attempt('rename a library', lambda: place.rename(place.with_suffix('.old')))\n"
        "    attempt('plant a module', (place.parent / '@TOKEN@.py').touch)\n"
        "    attempt('change modes', lambda: place.chmod(0o777))\n    attempt('change times', lambda: os.utime(place, (0, 0)))",
    ),
    _other(
        "daemons",
        "leaves daemons that would meddle with the next one",
        "for _ in range(3):\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork():\n            os._exit(0)\n"
        "        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:\n            signal.signal(number, signal.SIG_IGN)\n"
        "        ctypes.CDLL(None).prctl(15, b'@TOKEN@'[:15])\n        while True:\n            time.sleep(0.01)",
        "for name in glob.glob('/proc/[0-9]*/comm'):\n    try:\n        if '@TOKEN@'.startswith(Path(name).read_text().strip()):\n"
        "            print('FOUND a daemon')\n    except OSError:\n        pass",
    ),
    _other(
        "system-v",
        "leaves shared memory, semaphores and queues of System V",
        "made = [call(29, key, 4096, 0o1666), call(64, key, 1, 0o1666), call(68, key, 0o1666)]\n"
        "print('FOUND shared memory' if max(made) >= 0 else 'none')",
        "print('FOUND shared memory' if call(29, key, 4096, 0o666) >= 0 else 'none')",
    ),
    _other(
        "posix-memory",
        "leaves shared memory and locks that have a name",
        "from multiprocessing import shared_memory\ntry:\n    kept = shared_memory.SharedMemory('@TOKEN@', create=True, size=4096)\n"
        "    kept.buf[0] = 7\nexcept OSError:\n    pass\nprint('queue', call(240, id(b'@TOKEN@') + 32, 0o102, 0o666, 0))",
        "from multiprocessing import shared_memory\nattempt('open shared memory', lambda: shared_memory.SharedMemory('@TOKEN@'))",
    ),
    _other(
        "keyrings",
        "leaves keys in the kernel's keyrings",
        "kind, name = ctypes.create_string_buffer(b'user'), ctypes.create_string_buffer(b'@TOKEN@')\n"
        "for ring in (-1, -2, -3, -4, -5):\n    if call(248, ctypes.addressof(kind), ctypes.addressof(name), ctypes.addressof(name), 4, ring) >= 0:\n"
        "        print('FOUND a keyring', ring)",
    ),
    _other(
        "locks",
        "locks files that everybody reads, and does not let go",
        "held = []\nfor path in (sys.executable, os.__file__, '/etc/passwd', '/usr/lib/os-release'):\n    try:\n        held.append(open(path, 'rb'))\n"
        "        fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)\n    except OSError:\n        pass\n"
        "if os.fork() == 0:\n    os.setsid()\n    while True:\n        time.sleep(60)",
        "def free(path):\n    with open(path, 'rb') as file:\n        try:\n            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "        except BlockingIOError:\n            print('FOUND a lock on', path)\nfree(sys.executable)\nfree(os.__file__)",
    ),
    _other(
        "ports",
        "keeps ports and names of sockets, and a descriptor for the next one",
        "for family, address in ((socket.AF_INET, ('127.0.0.1', 0)), (socket.AF_UNIX, '\\0@TOKEN@'), (socket.AF_UNIX, './@TOKEN@.sock')):\n"
        "    def listen():\n        kept = socket.socket(family)\n        kept.bind(address)\n        kept.listen()\n"
        "    attempt('keep a socket', listen)\nfor number in range(100, 120):\n    os.dup2(0, number)\n    os.set_inheritable(number, True)",
        "attempt('reach a socket', lambda: socket.socket(socket.AF_UNIX).connect('\\0@TOKEN@'))\n"
        "kept = [number for number in range(100, 120) if os.path.exists(f'/proc/self/fd/{number}')]\nif kept:\n    print('FOUND descriptors', kept)",
    ),
    _other(
        "next-kernel",
        "plants start-up files and patches for the next one's kernel",
        "import builtins\nbuiltins.planted = np.planted = sys.planted = True\nos.environ['PLANTED'] = '1'\n"
        "for place in (Path.home() / '.ipython/profile_default/startup', Path('.ipython/profile_default/startup')):\n"
        "    place.mkdir(parents=True, exist_ok=True)\n    (place / '00.py').write_text('planted = True')",
        "import builtins\nif hasattr(builtins, 'planted') or hasattr(np, 'planted') or 'PLANTED' in os.environ or 'planted' in globals():\n"
        "    print('FOUND what was planted')\nif glob.glob('.ipython/profile_default/startup/*.py'):\n    print('FOUND start-up files')",
    ),
    Attack(
        "core-files",
        "dies so that its memory is written to a file",
        first=LOOK
        + "import resource\ntry:\n    resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))\nexcept (OSError, ValueError):\n    pass\n"
        "os.kill(os.getpid(), signal.SIGSEGV)",
        next=LOOK + "if glob.glob('core*') or glob.glob('/tmp/core*'):\n    print('FOUND a core file')",
    ),
)

BESIDE = (
    Attack("kill-everybody", "kills every process that it can reach", first=LOOK + "os.kill(-1, signal.SIGKILL)"),
    _other(
        "signals",
        "stops and ends the grader, its keeper and its warden",
        "for process in {grader, 1, os.getppid(), *range(grader - 20, grader + 60)} - {os.getpid()}:\n"
        "    for number in (0, signal.SIGSTOP, signal.SIGUSR1):\n        if process != 1 and process != os.getppid() or number == 0:\n"
        "            try:\n                os.kill(process, number)\n"
        "                if process == grader or process not in (1, os.getppid()):\n                    print('FOUND', process)\n"
        "            except OSError:\n                pass",
    ),
    _other(
        "limits-of-others",
        "slows the grader down: its priority, its processors, its limits",
        "import resource\nattempt('limit the grader', lambda: resource.prlimit(grader, resource.RLIMIT_CPU, (1, 1)))\n"
        "attempt('pin the grader', lambda: os.sched_setaffinity(grader, {0}))\n"
        "attempt('slow the grader', lambda: os.setpriority(os.PRIO_PROCESS, grader, 19))\n"
        "attempt('slow everybody', lambda: os.setpriority(os.PRIO_USER, 0, 19))\n"
        "attempt('go first', lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)))\nattempt('be nicer to itself', lambda: os.nice(-5))",
    ),
    _other(
        "privileges",
        "becomes somebody else, in another namespace, on another file system",
        "for number, name in ((165, 'mount'), (272, 'unshare'), (161, 'chroot'), (155, 'pivot_root'), (308, 'setns'), (321, 'bpf'), (425, 'io_uring'),\n"
        "                     (323, 'userfaultfd'), (298, 'perf_event_open'), (246, 'kexec_load'), (175, 'init_module'), (133, 'mknod'), (435, 'clone3')):\n"
        "    if call(number, 0x10000000, 0, 0, 0, 0) >= 0:\n        print('FOUND', name)\n"
        "for user in (0, 1, 65534, 1 << 30):\n    if user != os.getuid():\n        attempt('change its user', lambda: os.setuid(user))\n"
        "        attempt('change its group', lambda: os.setgid(user))\nattempt('change its groups', lambda: os.setgroups([0]))",
    ),
    _other(
        "machine-settings",
        "changes the machine: clock, name, settings, control groups",
        "attempt('set the clock', lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()))\n"
        "attempt('name the machine', lambda: call(170, id(b'x') + 32, 1) == 0)\n"
        "for name in ('/proc/sys/kernel/core_pattern', '/proc/sys/vm/drop_caches', f'/proc/{grader}/oom_score_adj', '/sys/fs/cgroup/cgroup.procs',\n"
        "             '/proc/sys/kernel/hostname', '/proc/self/oom_score_adj', '/sys/power/state'):\n"
        "    attempt(f'write {name}', lambda: os.open(name, os.O_WRONLY))\nattempt('make a control group', lambda: os.mkdir('/sys/fs/cgroup/@TOKEN@'))",
    ),
    _other(
        "fork-server",
        "asks the fork server for more subjects, by every socket that it holds",
        "import json\nfor number in range(3, 256):\n    try:\n        held = socket.socket(fileno=os.dup(number))\n"
        "        held.setblocking(False)\n        if held.type == socket.SOCK_SEQPACKET:\n            print('FOUND the server')\n    except OSError:\n        pass",
    ),
)

ATTACKS = (*LEFT, *BESIDE)

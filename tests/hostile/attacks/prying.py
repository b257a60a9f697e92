"""Reading what is hidden elsewhere: processes, memory, descriptors, frames, sockets, devices."""

from __future__ import annotations

from tests.hostile.attacks.attack import Attack, loses
from tests.hostile.attacks.reading import SPY, spy

PROCESSES = (
    spy(
        "environ",
        "reads the environment of every process",
        """
attempt(lambda: str(dict(os.environ)))
for name in {*os.listdir("/proc"), "1", grader, str(os.getppid())} if os.access("/proc", os.R_OK) else {"1", grader}:
    if name.isdigit() or name == "self":
        attempt(lambda: Path("/proc", name, "environ").read_bytes())""",
        bare="environment",
    ),
    spy(
        "own-memory",
        "searches all of its memory, with what it has of the fork server's",
        """
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
    for line in maps:
        span, modes, _, _, inode = line.split()[:5]
        start, end = (int(edge, 16) for edge in span.split("-"))
        if modes.startswith("rw") and inode == "0" and end - start < 1 << 27:
            try:
                memory.seek(start)
                tell(memory.read(end - start))
            except (OSError, ValueError, OverflowError):
                pass""",
    ),
    spy(
        "others-memory",
        "reads the memory of its parent and of the grader, through /proc and by system calls",
        """
class Span(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(4096)
for process in {1, os.getppid(), int(grader)} - {os.getpid()}:
    attempt(lambda: Path(f"/proc/{process}/maps").read_text() and print("FOUND the maps of", process))
    attempt(lambda: open(f"/proc/{process}/mem", "rb") and print("FOUND the memory of", process))
    here, there = Span(ctypes.addressof(buffer), 4096), Span(id(tell) & ~0xfff, 4096)
    read = call(310, process, ctypes.addressof(here), 1, ctypes.addressof(there), 1, 0)
    if read > 0 or call(101, 16, process, 0, 0) == 0:
        print("FOUND the memory of", process)""",
    ),
    spy(
        "others-descriptors",
        "opens what other processes have open, and asks the kernel for copies of it",
        """
for process in {1, os.getppid(), int(grader)}:
    for number in {"@DESCRIPTOR@", *map(str, range(3, 30))} if process != os.getpid() else ():
        attempt(lambda: os.read(os.open(f"/proc/{process}/fd/{number}", os.O_RDONLY | os.O_NONBLOCK), 4096))
        handle = call(434, process, 0)
        copied = call(438, handle, int(number), 0) if handle >= 0 else -1
        if copied >= 0:
            print("FOUND a copied descriptor", number, "of", process)
        if handle >= 0:
            os.close(handle)""",
        bare="descriptor",
    ),
    spy(
        "others-roots",
        "goes through the root and work folders of other processes",
        """
for process in {"1", str(os.getppid()), grader, "self"}:
    attempt(Path(f"/proc/{process}/root{root}/canary.txt").read_text)
    attempt(lambda: "\\n".join(os.listdir(f"/proc/{process}/cwd/..")))
    attempt(Path(f"/proc/{process}/cwd/../../course/canary.txt").read_text)
    attempt(Path(f"/proc/{process}/cmdline").read_text)""",
        bare="file",
    ),
    spy(
        "own-descriptors",
        "reads every descriptor that it was born with, and counts them",
        """
for number in range(3, 256):
    try:
        to = os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        continue
    if not to.startswith(("socket:", "pipe:", "anon_inode:", "/proc/self", f"/proc/{os.getpid()}/")):
        if to not in ("/dev/null", "/dev/urandom"):
            print("FOUND", to)
        attempt(lambda: os.pread(number, 4096, 0))""",
    ),
    spy(
        "frames",
        "climbs the frames of whoever runs it, and every object that the collector knows",
        """
frame = sys._getframe()
while frame:
    attempt(lambda: repr(list(frame.f_locals.values()))[:100_000])
    frame = frame.f_back
for thing in gc.get_objects():
    kind = type(thing)
    if kind is dict or kind is list or kind is tuple:
        for inner in (thing.values() if kind is dict else thing):
            if type(inner) is str or type(inner) is bytes:
                tell(inner)
print([name for name in sys.modules if "hidden" in name or name == "solution"] and "FOUND a hidden module" or "")""",
    ),
    Attack(
        "frames-in-a-check",
        "has its result's __array__, its descriptors and its exception look around while it is checked",
        loses("double", says="in the frames: nothing"),
        first=f"""{SPY}
def around():
    frame, found = sys._getframe(), set()
    while frame:
        for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
            try:
                found |= set(re.findall("canary-[a-z]+-[0-9a-f]{{16}}", repr(value)[:50_000]))
            except Exception:
                pass
        frame = frame.f_back
    return "in the frames: " + (", ".join(found) or "nothing")

class Spy:
    found = property(lambda self: around())
    def __array__(self, *args, **kwargs):
        return np.array([around()])
    def __get__(self, instance, owner):
        raise ValueError(around())
    def __len__(self):
        raise ValueError(around())

class Loud(Exception):
    def __str__(self):
        return around()""",
        tasks={"double": "def double(x, times=1):\n    if len(x) == 3:\n        return Spy()\n    raise Loud"},
    ),
)

SOCKETS = (
    spy(
        "tcp",
        "connects to a port of this machine",
        'attempt(lambda: socket.create_connection(("127.0.0.1", @PORT@), 1).recv(100))\n'
        'attempt(lambda: socket.create_connection(("localhost", @PORT@), 1).recv(100))',
        bare="tcp",
    ),
    spy(
        "abstract-socket",
        "connects to a socket that has a name and no file",
        'outside = socket.socket(socket.AF_UNIX)\nattempt(lambda: outside.connect("\\0@ABSTRACT@") or outside.recv(100))',
        bare="abstract",
    ),
    spy(
        "path-socket",
        "connects to a socket in a folder",
        'outside = socket.socket(socket.AF_UNIX)\nattempt(lambda: outside.connect("@SOCKET@") or outside.recv(100))',
        bare="path",
    ),
    spy(
        "any-socket",
        "opens a socket of any family, by any call",
        """
for family in range(46):
    for kind in (1, 2, 3, 5):
        made = call(41, family, kind, 0)
        if made >= 0:
            print("FOUND a socket of family", family)
attempt(lambda: socket.getaddrinfo("example.org", 80) and print("FOUND a name server"))
left, right = socket.socketpair()
for address in ("@SOCKET@", "\\0@ABSTRACT@"):
    attempt(lambda: left.sendto(b"x", address) and print("FOUND a way to", address))
    attempt(lambda: left.connect(address) or print("FOUND a way to", address))""",
    ),
    spy(
        "devices",
        "opens the terminal, the log and the memory of the machine",
        """
for name in ("tty", "console", "kmsg", "mem", "kmem", "port", "fuse", "kvm", "sda", "nvme0n1", "loop0", "ptmx", "vhost-net"):
    attempt(lambda: os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK) and print("FOUND the device", name))
for name in ("/proc/kcore", "/proc/sysrq-trigger", "/proc/timer_list", "/proc/sys/kernel/core_pattern"):
    attempt(lambda: os.open(name, os.O_RDONLY if "kcore" in name else os.O_WRONLY) and print("FOUND", name))
attempt(Path("/proc/keys").read_text)""",
    ),
    spy(
        "hidden-labels",
        "imports the package that has the hidden labels",
        """
def labels():
    for name in [name for name in sys.modules if name.startswith("sklearn")]:
        del sys.modules[name]
    sys.meta_path[:] = [one for one in sys.meta_path if "autograder" not in type(one).__module__]
    from sklearn.datasets import load_digits
    print("FOUND labels", load_digits().target[:3])
attempt(labels)
attempt(lambda: subprocess.run([sys.executable, "-c", "import sklearn; print('FOUND', sklearn)"],
                               capture_output=True, text=True).stdout.startswith("FOUND") and print("FOUND labels"))""",
    ),
)

ATTACKS = (*PROCESSES, *SOCKETS)

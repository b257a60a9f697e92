"""Reading what is hidden: files, processes, memory, descriptors, sockets, and whatever else a notebook can look into.

Everything that a cell gets hold of goes through ``tell``, which prints the canaries that it holds. A canary in anything
that the grader writes is a hole.
"""

from __future__ import annotations

from tests.hostile.attacks.attack import Attack, full, loses

SPY = """\
import ctypes, errno, gc, glob, os, re, socket, subprocess, sys
from pathlib import Path

def tell(thing):
    text = thing if isinstance(thing, str) else bytes(thing).decode("latin1")
    for canary in set(re.findall("canary-[a-z]+-[0-9a-f]{16}", text)):
        print("FOUND", canary)

def attempt(action):
    try:
        tell(action() or "")
    except BaseException as error:
        tell(str(error))

def call(number, *arguments):
    if os.uname().machine != "x86_64":
        return -1
    library = ctypes.CDLL(None, use_errno=True)
    return library.syscall(*map(ctypes.c_long, (number, *arguments)))

root, home, grader = Path("@ROOT@"), Path("@HOME@"), "@GRADER@"
"""

_LOOKED = full("looked everywhere")


def _spy(name: str, tries: str, source: str, bare: str = "") -> Attack:
    """A notebook with right answers and a cell that looks around."""
    return Attack(name, tries, _LOOKED, first=f"{SPY}{source}\nprint('looked everywhere')", bare=bare)


FILES = (
    _spy(
        "files-by-path",
        "reads the solution, the hidden tests and the salt where they lie",
        """
for name in ("solutions/probe/solution.py", "solutions/probe/test_hidden.py", "solutions/salt.txt",
             "solutions/probe/misconceptions.py", "canary.txt"):
    attempt((root / name).read_text)""",
        bare="tests",
    ),
    _spy(
        "files-by-walk",
        "walks down from every folder that it can name and reads what it meets",
        """
import time
end = time.time() + 1.5
for start in (str(root.parent), str(home), "/home", "/root", "/srv", "/mnt", "/etc", "/"):
    for folder, inner, names in os.walk(start):
        inner[:] = sorted(set(inner) - {"proc", "sys", "usr", "lib", "lib64", "include", "bin", "share", "program"})[:50]
        for name in names[:50]:
            attempt(lambda: Path(folder, name).read_bytes()[:4096])
        if time.time() > end:
            break""",
        bare="file",
    ),
    _spy(
        "files-by-parents",
        "climbs out of the work folder step by step, to parents and siblings",
        """
for steps in range(12):
    above = "/".join([".."] * steps) or "."
    attempt(lambda: "\\n".join(os.listdir(above)))
    attempt(lambda: Path(above + str(root), "solutions/salt.txt").read_text())
    for sibling in glob.glob(above + "/*/*/*.py")[:50] if steps < 4 else ():
        attempt(Path(sibling).read_text)""",
        bare="salt",
    ),
    _spy(
        "files-by-links",
        "reads through symbolic and hard links that it makes, and through open files of the system",
        """
attempt(lambda: os.symlink(root / "solutions/salt.txt", "soft") or Path("soft").read_text())
attempt(lambda: os.link(root / "solutions/salt.txt", "hard") or Path("hard").read_text())
attempt(lambda: os.symlink(root, "folder") or Path("folder/canary.txt").read_text())
nameless = None
try:
    nameless = os.open(root / "solutions/salt.txt", os.O_PATH)
except OSError:
    pass
attempt(lambda: Path(f"/proc/self/fd/{nameless}").read_text())
attempt(lambda: Path("/proc/self/root" + str(root), "solutions/salt.txt").read_text())""",
        bare="salt",
    ),
    _spy(
        "files-by-magic",
        "uses IPython's magics and a shell instead of Python",
        """
shell = get_ipython()
for line in ("sx cat @ROOT@/solutions/salt.txt", "sx ls -laR @ROOT@", "pycat @ROOT@/solutions/probe/solution.py"):
    attempt(lambda: str(shell.run_line_magic(*line.split(" ", 1))))
attempt(lambda: shell.run_cell_magic("bash", "", "cat @ROOT@/canary.txt"))
attempt(lambda: str(shell.getoutput("cat @ROOT@/solutions/salt.txt")))""",
        bare="salt",
    ),
    _spy(
        "files-by-import",
        "imports the solution and the hidden tests as modules",
        """
import importlib.util, linecache, runpy
sys.path[:0] = [str(root / "solutions/probe"), str(root)]
for name in ("solution", "misconceptions"):
    attempt(lambda: __import__(name).SECRET)
    attempt(lambda: runpy.run_path(str(root / f"solutions/probe/{name}.py"))["SECRET"])
attempt(lambda: "".join(linecache.getlines(str(root / "solutions/probe/test_hidden.py"))))
attempt(lambda: "".join(line for entry in linecache.cache.values() if len(entry) > 2 for line in entry[2]))""",
        bare="solution",
    ),
    _spy(
        "files-by-another-process",
        "starts programs that were not there when the walls were put up",
        """
reader = "import sys; print(open(sys.argv[1]).read())"
for name in ("solutions/salt.txt", "canary.txt"):
    for command in ([sys.executable, "-c", reader, root / name], ["cat", root / name], ["sh", "-c", f"cat {root / name}"]):
        attempt(lambda: subprocess.run(command, capture_output=True).stdout)""",
        bare="salt",
    ),
    _spy(
        "files-by-odd-calls",
        "has the kernel read a file: mmap, sendfile, a loader's error, execution as a script",
        """
import mmap
secret = str(root / "solutions/salt.txt")
def mapped():
    with open(secret, "rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)[:]
def sent():
    left, right = socket.socketpair()
    with open(secret, "rb") as file:
        os.sendfile(left.fileno(), file.fileno(), 0, 100)
    return right.recv(100)
def loaded():
    ctypes.CDLL(secret)
def renamed():
    os.rename(secret, "mine")
    return Path("mine").read_text()
for way in (mapped, sent, loaded):
    attempt(way)
if not os.access(secret, os.R_OK):
    attempt(renamed)
attempt(lambda: subprocess.run([sys.executable, secret], capture_output=True).stderr)""",
        bare="salt",
    ),
    _spy(
        "attributes",
        "reads what is attached to a file and not in it",
        'attempt(lambda: os.getxattr(root / "canary.txt", "user.canary"))\n'
        'attempt(lambda: str(os.listxattr(root / "canary.txt")))',
    ),
    _spy(
        "watching-folders",
        "has the kernel tell which files are made and opened in the grader's folders, and so who is graded",
        """
from ctypes.util import find_library
library = ctypes.CDLL(None, use_errno=True)
watch = library.inotify_init1(0o4000)
for folder in (root, root / "reports", home, home / "out"):
    if watch >= 0 and library.inotify_add_watch(watch, os.fsencode(folder), 0xfff) >= 0:
        print("FOUND a folder that can be watched:", folder.name)""",
    ),
    Attack(
        "names-of-files",
        "asks whether a file exists",
        full("not seen"),
        first=f"{SPY}print('seen' if (root / 'solutions/salt.txt').exists() else 'not seen')",
        where={"landlock": full("seen")},
    ),
)

OTHERS_WORK = (
    _spy(
        "other-submissions",
        "reads what another student handed in",
        'attempt((root / "submitted/victim/probe/probe.ipynb").read_text)\n'
        'for name in glob.glob(str(root.parent / "in/**/*.ipynb"), recursive=True):\n'
        "    attempt(Path(name).read_text)",
        bare="submission",
    ),
    _spy(
        "other-reports",
        "reads another student's grade",
        'attempt((root / "reports/probe/victim.json").read_text)\n'
        'for name in glob.glob(str(home / "out/**/*.json"), recursive=True):\n'
        "    print('FOUND', name)",
    ),
    _spy(
        "gradebook",
        "opens nbgrader's database",
        """
import sqlite3
attempt(lambda: str(sqlite3.connect(root / "gradebook.db").execute("SELECT * FROM secrets").fetchall()))
attempt((root / "gradebook.db").read_bytes)""",
        bare="gradebook",
    ),
    _spy(
        "history",
        "reads what the instructor typed, in IPython's history and by its magic",
        """
attempt((home / ".ipython/profile_default/history.sqlite").read_text)
attempt(lambda: str(list(get_ipython().history_manager.search("*"))))
get_ipython().run_line_magic("history", "-g canary")""",
        bare="history",
    ),
    _spy(
        "other-work-folders",
        "looks for the work folders and the kernels' sockets of whoever else is graded",
        """
for pattern in (str(home / "tmp/*/*"), str(home / "tmp/*/*/*"), "/tmp/autograder-*/*", "/sandbox/*"):
    for name in glob.glob(pattern):
        path = Path(name)
        if not Path.cwd().is_relative_to(path) and not path.is_relative_to(Path.cwd()) and "subject-" in name:
            print("FOUND", name)
        if path.is_socket():
            attempt(lambda: socket.socket(socket.AF_UNIX).connect(name) or print("FOUND a kernel"))""",
    ),
)

PROCESSES = (
    _spy(
        "environ",
        "reads the environment of every process",
        """
attempt(lambda: str(dict(os.environ)))
for name in {*os.listdir("/proc"), "1", grader, str(os.getppid())} if os.access("/proc", os.R_OK) else {"1", grader}:
    if name.isdigit() or name == "self":
        attempt(lambda: Path("/proc", name, "environ").read_bytes())""",
        bare="environment",
    ),
    _spy(
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
    _spy(
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
    _spy(
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
    _spy(
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
    _spy(
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
    _spy(
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
    _spy(
        "tcp",
        "connects to a port of this machine",
        'attempt(lambda: socket.create_connection(("127.0.0.1", @PORT@), 1).recv(100))\n'
        'attempt(lambda: socket.create_connection(("localhost", @PORT@), 1).recv(100))',
        bare="tcp",
    ),
    _spy(
        "abstract-socket",
        "connects to a socket that has a name and no file",
        'outside = socket.socket(socket.AF_UNIX)\nattempt(lambda: outside.connect("\\0@ABSTRACT@") or outside.recv(100))',
        bare="abstract",
    ),
    _spy(
        "path-socket",
        "connects to a socket in a folder",
        'outside = socket.socket(socket.AF_UNIX)\nattempt(lambda: outside.connect("@SOCKET@") or outside.recv(100))',
        bare="path",
    ),
    _spy(
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
    _spy(
        "devices",
        "opens the terminal, the log and the memory of the machine",
        """
for name in ("tty", "console", "kmsg", "mem", "kmem", "port", "fuse", "kvm", "sda", "nvme0n1", "loop0", "ptmx", "vhost-net"):
    attempt(lambda: os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK) and print("FOUND the device", name))
for name in ("/proc/kcore", "/proc/sysrq-trigger", "/proc/timer_list", "/proc/sys/kernel/core_pattern"):
    attempt(lambda: os.open(name, os.O_RDONLY if "kcore" in name else os.O_WRONLY) and print("FOUND", name))
attempt(Path("/proc/keys").read_text)""",
    ),
    _spy(
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

ATTACKS = (*FILES, *OTHERS_WORK, *PROCESSES, *SOCKETS)

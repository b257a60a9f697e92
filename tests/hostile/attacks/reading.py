"""Reading what is hidden in files: the author's, the instructor's, and those of others. ``prying`` looks elsewhere.

Everything that a cell gets hold of goes through ``tell``, which prints the canaries that it holds. A canary in anything
that the grader writes is a hole.
"""

from __future__ import annotations

from tests.hostile.attacks.attack import Attack, full

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


def spy(name: str, tries: str, source: str, bare: str = "") -> Attack:
    """A notebook with right answers and a cell that looks around."""
    return Attack(name, tries, _LOOKED, first=f"{SPY}{source}\nprint('looked everywhere')", bare=bare)


FILES = (
    spy(
        "files-by-path",
        "reads the solution, the hidden tests and the salt where they lie",
        """
for name in ("solutions/probe/solution.py", "solutions/probe/test_hidden.py", "solutions/salt.txt",
             "solutions/probe/misconceptions.py", "canary.txt"):
    attempt((root / name).read_text)""",
        bare="tests",
    ),
    spy(
        "files-by-walk",
        "walks down from every folder that it can name and reads what it meets",
        """
import time
end = time.time() + 1.5
for start in (str(root.parent), str(home), "/home", "/root", "/srv", "/mnt", "/etc", "/"):
    for folder, inner, names in os.walk(start):
        inner[:] = sorted(set(inner) - {"proc", "sys", "usr", "lib", "lib64", "include", "bin", "share", "program"})[:50]
        for name in names[:50]:
            attempt(lambda: open(os.path.join(folder, name), 'rb').read(4096))
        if time.time() > end:
            break""",
        bare="file",
    ),
    spy(
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
    spy(
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
    spy(
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
    spy(
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
    spy(
        "files-by-another-process",
        "starts programs that were not there when the walls were put up",
        """
reader = "import sys; print(open(sys.argv[1]).read())"
for name in ("solutions/salt.txt", "canary.txt"):
    for command in ([sys.executable, "-c", reader, root / name], ["cat", root / name], ["sh", "-c", f"cat {root / name}"]):
        attempt(lambda: subprocess.run(command, capture_output=True).stdout)""",
        bare="salt",
    ),
    spy(
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
    spy(
        "attributes",
        "reads what is attached to a file and not in it",
        'attempt(lambda: os.getxattr(root / "canary.txt", "user.canary"))\n'
        'attempt(lambda: str(os.listxattr(root / "canary.txt")))',
    ),
    spy(
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
    Attack(
        "names-of-sockets",
        "lists the sockets of the machine by their names",
        full("not seen"),
        first=f"{SPY}print('seen' if '@ABSTRACT@' in Path('/proc/self/net/unix').read_text() else 'not seen')",
        where={"landlock": full("seen")},
    ),
)

OTHERS_WORK = (
    spy(
        "other-submissions",
        "reads what another student handed in",
        'attempt((root / "submitted/victim/probe/probe.ipynb").read_text)\n'
        'for name in glob.glob(str(root.parent / "in/**/*.ipynb"), recursive=True):\n'
        "    attempt(Path(name).read_text)",
        bare="submission",
    ),
    spy(
        "other-reports",
        "reads another student's grade",
        'attempt((root / "reports/probe/victim.json").read_text)\n'
        'for name in glob.glob(str(home / "out/**/*.json"), recursive=True):\n'
        "    print('FOUND', name)",
    ),
    spy(
        "gradebook",
        "opens nbgrader's database",
        """
import sqlite3
attempt(lambda: str(sqlite3.connect(root / "gradebook.db").execute("SELECT * FROM secrets").fetchall()))
attempt((root / "gradebook.db").read_bytes)""",
        bare="gradebook",
    ),
    spy(
        "history",
        "reads what the instructor typed, in IPython's history and by its magic",
        """
attempt((home / ".ipython/profile_default/history.sqlite").read_text)
attempt(lambda: str(list(get_ipython().history_manager.search("*"))))
get_ipython().run_line_magic("history", "-g canary")""",
        bare="history",
    ),
    spy(
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

ATTACKS = (*FILES, *OTHERS_WORK)

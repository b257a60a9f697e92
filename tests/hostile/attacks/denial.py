"""Making grading slow or impossible: time, processes, memory, disk, output, and files that are made to be hard to read.

The limits are those of the small course: 3 s for a cell, 2 s for a check, 400 MiB, 64 processes, 32 MiB of disk. Each
attack takes a little more than it may, and stops there by itself if nothing stops it.
"""

from __future__ import annotations

import io
import json
import zipfile

from tests.hostile.attacks.attack import RIGHT, Attack, Notebook, Sparse, Verdict, code, full, loses, ungradable

_STUBBORN = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
_TIME = "did not return within"
_MEMORY = "MiB of memory|did not return within"  # whichever comes first on a busy machine


def _function(name: str, tries: str, body: str, says: str = "", setup: str = "import os, signal, sys, time") -> Attack:
    """A function that does not come back as it should from one check, and is wrong in the other."""
    body = f"if len(x) != 3:\n    return 0 * x\n{body}"
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    return Attack(
        name, tries, loses("double", says=says), tasks={"double": f"{setup}\ndef double(x, times=1):\n{indented}"}
    )


def _cell(name: str, tries: str, source: str, expected: Verdict | None = None) -> Attack:
    """A cell that does harm, before right answers."""
    return Attack(name, tries, expected or full(), first=f"import os, signal, sys, time\n{source}")


TIME = (
    _function("endless-loop", "never returns", "while True:\n    pass", _TIME),
    _function(
        "stubborn-loop",
        "never returns, ignores SIGINT and catches every exception",
        f"signal.signal(signal.SIGINT, signal.SIG_IGN)\n{_STUBBORN}",
        _TIME,
    ),
    _cell(
        "stubborn-cell", "has a cell that never ends and catches every exception", _STUBBORN, full("did not stop when")
    ),
    _function("sleep", "waits for a signal that does not come", "while True:\n    signal.pause()", _TIME),
    _function(
        "blocked-signals",
        "blocks every signal and waits",
        "signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))\ntime.sleep(600)",
        _TIME,
    ),
    _function("stopped-process", "stops its own process", "os.kill(os.getpid(), signal.SIGSTOP)", _TIME),
    _function(
        "pathological-regex",
        "searches with an expression that takes for ever",
        "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
        _TIME,
    ),
    _function("huge-integer", "computes a number of a billion digits", "return (9 ** 9 ** 9) % 7 + x", _TIME),
    _function(
        "huge-text",
        "converts a number of ten million digits",
        "sys.set_int_max_str_digits(0)\nreturn len(str(1 << 40_000_000)) + x",
        _TIME,
    ),
    _function(
        "deep-recursion", "calls itself until the stack is gone", "sys.setrecursionlimit(10**9)\nreturn double(x)"
    ),
    _function("endless-recursion", "calls itself without end", "return double(x)", "RecursionError"),
    _function("endless-iterator", "returns what has no end", "return iter(int, 1)"),
    _function(
        "slow-exception",
        "raises an exception whose text never comes",
        "raise Slow",
        setup="class Slow(Exception):\n    def __str__(self):\n        while True:\n            pass",
    ),
    Attack(
        "slow-deletion",
        "returns what never finishes being thrown away, which costs its next check too",
        loses("double", "shout"),
        tasks={
            "double": "class Slow:\n    def __del__(self):\n        while True:\n"
            "            pass\ndef double(x, times=1):\n    return Slow()"
        },
    ),
    Attack(
        "quit",
        "ends the kernel politely, in its first cell and in its last",
        full("is not needed"),
        first="exit()",
        last="quit()",
    ),
    _cell("closed-descriptors", "closes everything that it has open", "os.closerange(0, 256)"),
    _cell(
        "broken-loop",
        "stops the kernel's event loop",
        "import asyncio\nloop = asyncio.get_event_loop()\nloop.call_soon(loop.stop)",
        loses("double", "train", "shout", "learn"),
    ),
)

PROCESSES = (
    _function(
        "fork-bomb",
        "forks without end, in parent and child",
        "while True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
    ),
    _cell(
        "fork-once-each",
        "forks until it may not, and leaves the children behind",
        "try:\n    while True:\n        if os.fork() == 0:\n            signal.pause()\nexcept OSError:\n    pass",
        Verdict(at_risk=frozenset(RIGHT)),
    ),
    _cell(
        "threads",
        "starts threads that do not end, and are no daemons",
        "import threading\ndef stay():\n    while True:\n        time.sleep(60)\ntry:\n"
        "    for _ in range(200):\n        threading.Thread(target=stay, daemon=False).start()\n"
        "except RuntimeError:\n    print('no more')",
    ),
    _cell(
        "double-fork",
        "starts daemons that leave their session and their parent and heed no signal",
        "for _ in range(5):\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork():\n            os._exit(0)\n"
        "        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))\n        while True:\n            time.sleep(60)\n"
        "print('started')",
        full("started"),
    ),
    _cell(
        "stopped-children",
        "leaves children behind that are stopped",
        "for _ in range(5):\n    if os.fork() == 0:\n        os.kill(os.getpid(), signal.SIGSTOP)\n        os._exit(0)\nprint('stopped')",
        full("stopped"),
    ),
    _cell(
        "zombies",
        "leaves children behind that nobody buries",
        "for _ in range(15):\n    if os.fork() == 0:\n        os._exit(0)\nprint('dead')",
        full("dead"),
    ),
    _cell(
        "second-kernel",
        "forks a second kernel, on the same sockets and the same channel",
        "if os.fork() == 0:\n    pass\nprint('two')",
    ),
    _cell(
        "traced-child",
        "waits for a child that waits for it",
        "source, sink = os.pipe()\nif os.fork() == 0:\n    os.read(source, 1)\nelse:\n    os.wait()",
    ),
)

_KEEP = "held = []\n"
MEMORY = (
    _function(
        "memory",
        "takes memory in blocks",
        "held = [np.ones(1 << 20) for _ in range(200)]\nreturn len(held) * x",
        _MEMORY,
    ),
    _function(
        "one-large-array", "asks for more than there is at once", "return np.ones(1 << 34)[0] * x", "MemoryError"
    ),
    _function(
        "shared-memory",
        "takes memory that it shares with its children",
        "import mmap\nheld = []\nfor _ in range(30):\n    held.append(mmap.mmap(-1, 1 << 25))\n"
        "    held[-1].write(b'x' * (1 << 25))\ntime.sleep(5)\nreturn x",
        _MEMORY,
    ),
    _function(
        "memory-of-many",
        "takes memory in many processes, a little in each",
        "for _ in range(20):\n    if os.fork() == 0:\n        held = b'x' * (40 << 20)\n        time.sleep(60)\ntime.sleep(5)\nreturn x",
        _MEMORY,
    ),
    _function(
        "memfd",
        "takes memory in files without a name",
        "held = [os.memfd_create(str(number)) for number in range(30)]\nfor one in held:\n    os.write(one, bytes(1 << 25))\nreturn x",
        "OSError",
    ),
    _function(
        "shm",
        "takes memory in /dev/shm",
        "for number in range(200):\n    open(f'/dev/shm/{number}', 'wb').write(bytes(1 << 22))\nreturn x",
        "Error",
    ),
    _function(
        "socket-buffers",
        "takes memory in the buffers of sockets, which counts as nobody's",
        "import socket\nfor _ in range(12):\n    if os.fork() == 0:\n        held = [socket.socketpair() for _ in range(100)]\n"
        "        for pair in held:\n            for one in pair:\n                one.setblocking(False)\n                try:\n"
        "                    while True:\n                        one.send(bytes(1 << 14))\n"
        "                except OSError:\n                    pass\n        time.sleep(60)\ntime.sleep(5)\nreturn x",
    ),
    _function(
        "pipe-buffers",
        "takes memory in pipes that it makes as large as it may",
        "import fcntl\nheld = []\nfor _ in range(100):\n    source, sink = os.pipe()\n    held.append(source)\n"
        "    fcntl.fcntl(sink, 1031, 1 << 20)\n    os.set_blocking(sink, False)\n    os.write(sink, bytes(1 << 20))\n"
        "time.sleep(2)\nraise ValueError(len(held))",
    ),
    _function(
        "many-mappings",
        "makes its memory slow to be counted, and takes more meanwhile",
        "import mmap\nheld = []\nfor number in range(20_000):\n    held.append(mmap.mmap(-1, 8192, prot=1 + number % 2 * 2))\n"
        "for _ in range(30):\n    if os.fork() == 0:\n        while True:\n            time.sleep(60)\n"
        "more = [b'x' * (1 << 22) for _ in range(200)]\ntime.sleep(5)\nreturn x",
    ),
    _function(
        "npy-bomb",
        "loads an array that claims 74 GiB",
        "import io\nfrom numpy.lib import format\nfile = io.BytesIO()\n"
        "format.write_array_header_1_0(file, {'descr': '<f8', 'fortran_order': False, 'shape': (100_000, 100_000)})\n"
        "file.seek(0)\nreturn np.load(file)[0, :3] + x",
        "Error",
    ),
    _function(
        "npz-bomb",
        "loads an archive that grows a thousandfold",
        "import io, zipfile\nfile = io.BytesIO()\nwith zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:\n"
        "    with archive.open('a.npy', 'w') as inner:\n"
        "        np.lib.format.write_array_header_1_0(inner, {'descr': '|u1', 'fortran_order': False, 'shape': (1 << 29,)})\n"
        "        for _ in range(512):\n            inner.write(bytes(1 << 20))\nfile.seek(0)\n"
        "return np.load(file)['a'][:3] + np.load(file)['a'][:3]",
    ),
)

DISK = (
    _function(
        "disk-by-size",
        "writes one large file",
        "try:\n    with open('large', 'wb') as file:\n        for _ in range(100):\n            file.write(bytes(1 << 20))\nexcept OSError:\n    time.sleep(1)  # the watchdog may end it here\nreturn x * 3",
    ),
    _function(
        "disk-by-number",
        "writes many small files, more than there are inodes",
        "for number in range(20_000):\n    open(f'small-{number}', 'w').close()\ntime.sleep(2)\nreturn x",
    ),
    _function(
        "disk-unseen",
        "writes files and takes their names away",
        "held = []\nfor number in range(100):\n    held.append(open('x', 'wb'))\n    held[-1].write(bytes(1 << 20))\n"
        "    held[-1].flush()\n    os.unlink('x')\ntime.sleep(2)\nreturn x",
    ),
    _function(
        "disk-deep",
        "writes in a folder whose path is too long to be named",
        "for _ in range(300):\n    os.mkdir('deep-folder')\n    os.chdir('deep-folder')\n"
        "for number in range(100):\n    open(str(number), 'wb').write(bytes(1 << 20))\ntime.sleep(2)\nreturn x",
    ),
    _cell(
        "disk-sparse",
        "makes a file that claims a terabyte",
        "try:\n    with open('sparse', 'wb') as file:\n        file.truncate(1 << 40)\nexcept OSError as error:\n    print('refused', error)",
        full("refused"),
    ),
    _cell(
        "work-folder",
        "removes its work folder, with the released files",
        "import shutil\nshutil.rmtree('.', ignore_errors=True)\nshutil.rmtree(os.getcwd(), ignore_errors=True)\nos.chdir('/')",
    ),
)

_SIGINT = "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
OUTPUT = (
    _cell(
        "stdout-flood",
        "prints without end",
        "while True:\n    print('x' * 1000)",
        full("The output was cut|Interrupted after|did not stop when"),
    ),
    _cell(
        "display-flood",
        "displays without end, and does not stop when it is told to",
        f"{_SIGINT}from IPython.display import display\nwhile True:\n    display('x' * 1000)",
    ),
    _cell(
        "small-messages",
        "sends a million small messages",
        f"{_SIGINT}tell = get_ipython().kernel.send_response\nsocket = get_ipython().kernel.iopub_socket\n"
        "for _ in range(1_000_000):\n    tell(socket, 'stream', {'name': 'stdout', 'text': 'x'})",
    ),
    _cell("huge-message", "sends one message of 200 MB", "print('x' * 200_000_000)"),
    _cell(
        "large-messages",
        "sends messages of 25 MB without end, faster than anyone can read them",
        f"{_SIGINT}import json\nsession = get_ipython().kernel.session\nsocket = get_ipython().kernel.iopub_thread.socket\n"
        "parts = [session.pack(session.msg_header('stream')), b'{}', b'{}', b'{\"name\": \"stdout\", \"text\": \"' + b'x' * 25_000_000 + b'\"}']\n"
        "frames = [b'<IDS|MSG>', session.sign(parts), *parts]\nend = time.time() + 2.5\nwhile time.time() < end:\n"
        "    socket.send_multipart(frames, copy=False)\n    time.sleep(0.01)",
    ),
    _cell(
        "huge-exception",
        "raises an exception of fifty megabytes, in a class of a long name",
        "raise type('E' * 1_000_000, (Exception,), {})('x' * 50_000_000)",
    ),
    _cell(
        "slow-html",
        "displays HTML that takes long to clean",
        "from IPython.display import HTML, display\ndisplay(HTML('<b><i><a>' * 6_000))\ndisplay(HTML('<div>' * 10_000))",
    ),
    _cell(
        "slow-markup",
        "displays HTML of broken tags",
        "from IPython.display import HTML, display\ndisplay(HTML('<a<' * 20_000))\ndisplay(HTML('&' * 60_000))\n"
        "display(HTML('<table>' * 4000 + '<a>' * 4000))",
    ),
)


def _many_cells(number: int, source: str) -> bytes:
    cells = [code(source) for _ in range(number)]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def _deep() -> bytes:
    return b'{"nbformat": 4, "metadata": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b', "cells": []}'


def _bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../../../tmp/probe.ipynb", bytes(50 << 20))
    return file.getvalue()


def _talkative(notebook: Notebook) -> None:
    notebook["cells"] += [code("print('x' * 60_000)") for _ in range(150)]


def _deadly(notebook: Notebook) -> None:
    notebook["cells"][2:2] = [code("import os\nos._exit(0)") for _ in range(5)]


def _deep_program(notebook: Notebook) -> None:
    for nested in ("-" * 50_000 + "1", "+".join(["1"] * 30_000), "a" + ".b" * 30_000, "[" * 5_000 + "]" * 5_000):
        notebook["cells"].append(code(f"if False:\n    {nested}"))


def _long_program(notebook: Notebook) -> None:
    notebook["cells"].append(code("if False:\n" + "    a = b = c = [d for e in f]\n" * 30_000))


FILES = (
    Attack(
        "many-cells",
        "hands in a hundred thousand cells",
        ungradable("at most 2000 are run"),
        body=lambda: _many_cells(30_000, ""),
    ),
    Attack(
        "far-too-many-cells",
        "hands in cells beyond what is read",
        ungradable("MiB"),
        body=lambda: _many_cells(100_000, "x = 1"),
    ),
    Attack(
        "deep-notebook",
        "hands in JSON that is nested a hundred thousand levels deep",
        ungradable("nested too deeply"),
        body=_deep,
    ),
    Attack(
        "bomb", "hands in an archive that grows, with a path that leads out", ungradable("not a notebook"), body=_bomb
    ),
    Attack(
        "sparse-notebook",
        "hands in a file that claims a terabyte",
        ungradable("larger than"),
        beside={"probe.ipynb": Sparse(1 << 40)},
    ),
    Attack("empty-notebook", "hands in nothing", ungradable("empty"), body=lambda: b""),
    Attack("zeros", "hands in a hole", ungradable("not a notebook"), beside={"probe.ipynb": Sparse(1 << 21)}),
    Attack("talkative", "fills a notebook with output, cell by cell", edit=_talkative),
    Attack(
        "deadly-cells", "ends its process again and again", loses("double", "train", "shout", "learn"), edit=_deadly
    ),
    Attack("deep-program", "writes expressions that no parser can hold", edit=_deep_program),
    Attack("long-program", "writes a program that takes long to parse", edit=_long_program),
    Attack(
        "long-line",
        "gives a function a line of a megabyte",
        loses("double"),
        tasks={"double": "def double(x, times=1):\n    raise ValueError('" + "x" * 1_000_000 + "')"},
    ),
    Attack(
        "late-answer",
        "answers right after the clock has run out",
        loses("double"),
        tasks={"double": f"import time\n{RIGHT['double'].replace('x = x + x', 'x = x + x; time.sleep(2.5)')}"},
    ),
)

ATTACKS = (*TIME, *PROCESSES, *MEMORY, *DISK, *OUTPUT, *FILES)

"""Reaching whoever reads the grade: script and style in outputs, control characters, names, and files beside the notebook."""

from __future__ import annotations

import base64
import io
import json
import pickle
import zipfile

from tests.hostile.attacks.attack import Attack, Link, Notebook, Pipe, code, full, loses, markdown, ungradable

SCRIPT = "<script>alert('student')</script>"
PAYLOADS = {
    "script": f"{SCRIPT}<SCRIPT SRC=//example.org/x.js></SCRIPT><scr<script>ipt>alert(1)</script>",
    "events": "<img src=x onerror=alert(1)><body onload=alert(1)><b ONMOUSEOVER='alert(1)'>b</b><details open ontoggle=alert(1)>",
    "frames": "<iframe src='javascript:alert(1)'></iframe><object data='data:text/html,x'></object><embed src=//example.org>",
    "style": "<style>body{display:none}</style><p style='position:fixed;inset:0;background:url(//example.org)'>x</p>",
    "links": "<a href='javascript:alert(1)'>a</a><a href=' jav&#x09;ascript:alert(1)'>b</a><a href='data:text/html;base64,PHM+'>c</a>"
    "<form action=//example.org><button>d</button></form>",
    "pictures": "<img src='https://example.org/seen.png'><picture><source srcset='//example.org/x'></picture>"
    "<video poster=//example.org></video><link rel=stylesheet href=//example.org>",
    "redirects": "<meta http-equiv=refresh content='0;url=//example.org'><base href=//example.org>",
    "drawings": "<svg onload=alert(1)><script>alert(1)</script><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "mutations": "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>"
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'><svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
}
"""What an untrusting page must not carry; see ``show.active``."""


def _display(kind: str, name: str, payload: str) -> Attack:
    source = f"from IPython.display import display\ndisplay({{{kind!r}: {payload!r}, 'text/plain': 'plain'}}, raw=True, metadata={{'isolated': True}})"
    return Attack(f"output-{name}", f"displays {name} as {kind}", full(), first=source)


OUTPUTS = (
    *(_display("text/html", name, payload) for name, payload in PAYLOADS.items()),
    _display("text/markdown", "markdown", f"# x\n{SCRIPT}\n<img src=x onerror=alert(1)>\n[a](javascript:alert(1))"),
    _display("text/latex", "latex", f"$x$ {SCRIPT}<img src=x onerror=alert(1)>"),
    _display("image/svg+xml", "svg", PAYLOADS["drawings"]),
    _display("application/javascript", "javascript", "alert(1)"),
    _display("application/vnd.jupyter.widget-view+json", "a-widget", '{"model_id": "x"}'),
    _display("application/x-anything", "an-unknown-type", SCRIPT),
    _display("image/png", "a-false-picture", base64.b64encode(SCRIPT.encode()).decode()),
    Attack(
        "output-terminal",
        "prints what drives a terminal: titles, clipboards, links, cursor, bells, and text that runs backwards",
        full("plain"),
        first="print('\\x1b]0;title\\x07\\x1b]52;c;ZWNobw==\\x07\\x1b]8;;http://example.org\\x1b\\\\x\\x1b[2J\\x1b[6n\\x9b5n\\x07\\x08\\x1bc plain \\u202egnp.exe')",
    ),
)


def _says(name: str, tries: str, text: str) -> Attack:
    """A wrong answer whose exception's text, or whose own text, goes into report, pages and terminal."""
    raising = f"def double(x, times=1):\n    raise ValueError({text!r})"
    return Attack(
        f"text-{name}",
        f"puts {tries} into an exception and into a result",
        loses("double", "shout"),
        tasks={"double": raising, "shout": f"def shout(text):\n    return {text!r}"},
    )


TEXTS = (
    *(_says(name, name, payload) for name, payload in PAYLOADS.items() if name in {"script", "events", "mutations"}),
    _says("templates", "templates", "{{ 7*7 }}{% include '/etc/passwd' %}${7*7}<%= 7 %>#{7}%s%n{0.__class__}"),
    _says(
        "terminal",
        "what drives a terminal",
        "\x1b[2J\x1b]0;x\x07\x1b]52;c;eA==\x07\x1b]8;;//x\x1b\\y\x1bP+q\x1b\\\x9b\x08\x07\x1b[8m",
    ),
    _says(
        "backwards", "text that runs backwards", "0 of 30 \u202e03 fo 03\u202c\u2066\u2067\u200b\ufeff\u00ad\U000e0041"
    ),
    _says("markup", "the terminal's markup", "[bold red]x[/] [link=file:///etc/passwd]y[/link] [blink]"),
    _says(
        "feedback", "feedback that looks like ours", "no\n\ndouble: 30 of 30 points\n  ✓ doubles 3 numbers (15/15)\n"
    ),
    _says("formulas", "formulas", '=HYPERLINK("http://example.org","x")\n=cmd|\'/C calc\'!A0\n+1\n-1\n@SUM(A1)'),
    Attack(
        "text-names",
        "calls its exceptions, functions and lines by names that act",
        loses("double"),
        tasks={
            "double": f"kind = type({SCRIPT + chr(27) + '[2J' + chr(0x202E)!r}, (Exception,), {{}})\n"
            "def double(x, times=1):\n    raise kind('x')  # <img src=x onerror=alert(1)>"
        },
    ),
)


def _own_text(notebook: Notebook) -> None:
    notebook["cells"] += [markdown("\n".join(PAYLOADS.values()))]
    notebook["cells"] += [
        markdown(
            f"{payload}\n\n[x](javascript:alert(1)) [y]( <JaVa&#115;cript:alert(1)>) [z]\n\n[z]: javascript:alert(1)\n"
        )
        for payload in PAYLOADS.values()
    ]
    notebook["cells"] += [{"cell_type": "raw", "metadata": {"format": "text/html"}, "source": SCRIPT}]
    notebook["cells"] += [
        {**markdown("![a](attachment:a.svg)"), "attachments": {"a.svg": {"image/svg+xml": PAYLOADS["drawings"]}}}
    ]


def _own_metadata(notebook: Notebook) -> None:
    cell = code("1") | {
        "id": "x' onload='alert(1)",
        "metadata": {"tags": [SCRIPT], "slideshow": SCRIPT, "collapsed": SCRIPT},
    }
    notebook["cells"].append(cell)
    notebook["metadata"] |= {
        "title": SCRIPT,
        "authors": [{"name": SCRIPT}],
        "language_info": {"name": "python", "mimetype": SCRIPT},
    }


CELLS = (
    Attack("own-text", "writes HTML into cells of text, raw cells and attachments", edit=_own_text),
    Attack("own-metadata", "writes HTML into ids, tags and the notebook's metadata", edit=_own_metadata),
)

NAMES = {
    "shell": "$(touch @TOKEN@);&|`id`>x'\"",
    "lines": "ada\nbob\r\tcarl",
    "formula": '=HYPERLINK("http:%2F%2Fexample.org")',
    "minus": "-rf",
    "plus": "+1+cmd|' -C calc'!A0",
    "at": "@SUM(A1)",
    "home": "~root",
    "look-alike": "vi\u0441tim",
    "backwards": "ada\u202etxt.exe",
    "invisible": "ada\u200b\ufeff\u00ad",
    "html": "<img src=x onerror=alert(1)>",
    "template": "{{7*7}}{% x %}",
    "escape": "\x1b]0;x\x07ada\x1b[2J",
    "percent": "a..%2f..%2fetc%2fpasswd",
    "backslash": "a\\..\\..\\windows",
    "format": "%s%n{0}",
    "long": "a" * 250,
    "wide": "\u5b57" * 80,
    "spaces": "   ",
    "index": "index",
}
"""Names of students' folders."""

STUDENTS = tuple(
    Attack(f"name-{name}", f"has a folder whose name is meant for somebody else: {name}", student=text)
    for name, text in NAMES.items()
)

_MARK = b"open('/tmp/@TOKEN@', 'w').close()\n"
_PLANTED = {
    "conftest.py": _MARK,
    "numpy.py": _MARK,
    "sitecustomize.py": _MARK,
    "usercustomize.py": _MARK,
    "nbgrader_config.py": b"c = get_config()\n" + _MARK,
    "jupyter_config.py": _MARK,
    "test_hidden.py": _MARK,
    "solution.py": _MARK,
    "json.py": _MARK,
    "autograder/__init__.py": _MARK,
    "autograder.py": _MARK,
    "__init__.py": _MARK,
    "pytest.ini": b"[pytest]\naddopts = -p conftest\n",
    "pyproject.toml": b"[tool.pytest.ini_options]\naddopts = '-p conftest'\n",
    "setup.cfg": b"[tool:pytest]\naddopts = -p conftest\n",
    "rubric.toml": b"[[tasks]]\nname = 'double'\npoints = 100\n",
    ".env": b"PYTHONPATH=.\n",
    ".ipython/profile_default/startup/00.py": _MARK,
    "matplotlibrc": b"backend: module://conftest\n",
    "x.pth": b"import os; os.system('touch /tmp/@TOKEN@')\n",
}


class _Carrier:
    """Pickled, it is a program."""

    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("carried",))


def _keras_file() -> bytes:
    layer = {
        "class_name": "Lambda",
        "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}}))
        archive.writestr("../../../../../../tmp/@TOKEN@", "slipped")
        archive.writestr("model.weights.h5", pickle.dumps(_Carrier()))
    return file.getvalue()


BESIDE = (
    Attack("planted-files", "hands in files that Python, pytest, nbgrader and Jupyter would load", beside=_PLANTED),
    Attack(
        "planted-inside",
        "plants the same files where its own notebook runs, and shows that they act there",
        full("planted: acted"),
        first="import pathlib, subprocess, sys\npathlib.Path('numpy.py').write_text('print(\"acted\")')\n"
        "pathlib.Path('sitecustomize.py').write_text('print(\"acted\")')\n"
        "said = subprocess.run([sys.executable, '-c', 'import sys; sys.path.insert(0, \"\"); import numpy'], capture_output=True, text=True)\n"
        "print('planted:', said.stdout.split()[0])",
        next="import numpy\nif numpy.__file__.endswith('numpy.py'):\n    print('FOUND', numpy.__file__)",
    ),
    Attack(
        "carried-code",
        "hands in models and arrays that are programs",
        beside={
            "model.keras": _keras_file(),
            "model.h5": b"\x89HDF\r\n\x1a\n" + bytes(100),
            "weights.pkl": pickle.dumps(_Carrier()),
            "weights.npy": b"\x93NUMPY\x01\x00\x46\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }         \n"
            + pickle.dumps(_Carrier()),
        },
    ),
    Attack(
        "link-to-solution",
        "hands in a link to the solution",
        ungradable("symbolic link"),
        beside={"probe.ipynb": Link("@ROOT@/solutions/probe/solution.py")},
    ),
    Attack(
        "link-to-another",
        "hands in a link to another's notebook",
        ungradable("symbolic link"),
        beside={"probe.ipynb": Link("@ROOT@/submitted/victim/probe/probe.ipynb")},
    ),
    Attack(
        "link-to-device",
        "hands in a link to what never ends",
        ungradable("symbolic link"),
        beside={"probe.ipynb": Link("/dev/zero")},
    ),
    Attack(
        "link-to-itself",
        "hands in a link that leads to itself",
        ungradable("symbolic link"),
        beside={"probe.ipynb": Link("probe.ipynb")},
    ),
    Attack(
        "linked-folder",
        "hands in a link in the place of the folder",
        ungradable("symbolic link"),
        beside={".": Link("@ROOT@/submitted/victim/probe")},
    ),
    Attack(
        "linked-data",
        "hands in links beside the notebook",
        beside={"data": Link("@ROOT@/solutions"), "x.ipynb": Link("/etc/passwd")},
        first="import os\nif os.path.exists('data/salt.txt') or os.path.exists('x.ipynb'):\n    print('FOUND the links')",
    ),
    Attack(
        "pipe",
        "hands in a pipe that nobody writes to",
        ungradable("not a regular file"),
        beside={"probe.ipynb": Pipe()},
    ),
    Attack(
        "folder",
        "hands in a folder with the notebook's name",
        ungradable("not a regular file"),
        beside={"probe.ipynb/x": b""},
    ),
)

ATTACKS = (*OUTPUTS, *TEXTS, *CELLS, *STUDENTS, *BESIDE)

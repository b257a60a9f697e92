"""Forging the score from inside: patched comparisons, results that lie about themselves, made-up numbers and exits.

Most of these fool a grader that runs in the student's process, as nbgrader's own does. That one is part of the attack:
the last cell is such a grader, and the verdict demands that it was fooled while ours was not.
"""

from __future__ import annotations

from tests.hostile.attacks.attack import RIGHT, Attack, full, loses

NAIVE = """\
def graded():
    import numpy.testing
    from numpy import allclose
    x = np.arange(1.0, 4.0)
    expected = 2 * x
    result = double(x)
    @CHECK@
    return True
try:
    fooled = graded()
except BaseException as error:
    fooled = False
print("a grader in the kernel is", "fooled" if fooled else "right")
"""
_TESTING = "numpy.testing.assert_allclose(result, expected)"
_ALLCLOSE = "assert allclose(result, expected)"
_EQUAL = "assert (result == expected).all() if hasattr(result, 'all') else result == expected"
_SMALL = "assert not (abs(result - expected) > 1e-6).any()"


def _forgery(name: str, tries: str, check: str, double: str, first: str = "") -> Attack:
    """A wrong answer that a grader in the kernel, which compares by ``check``, takes for right."""
    return Attack(
        name,
        tries,
        loses("double", says="a grader in the kernel is fooled"),
        first=first,
        tasks={"double": double},
        last=NAIVE.replace("@CHECK@", check),
    )


_ZERO = "def double(x, times=1):\n    return 0 * np.asarray(x)"

MACHINERY = (
    _forgery(
        "patched-testing",
        "replaces numpy.testing's assertions",
        _TESTING,
        _ZERO,
        "import numpy.testing\nfor name in dir(numpy.testing):\n    if name.startswith('assert_'):\n"
        "        setattr(numpy.testing, name, lambda *a, **k: None)",
    ),
    _forgery(
        "patched-allclose",
        "replaces numpy's comparisons",
        _ALLCLOSE,
        _ZERO,
        "np.allclose = np.isclose = np.array_equal = np.array_equiv = lambda *a, **k: True",
    ),
    _forgery(
        "patched-machinery",
        "replaces what the assertions are made of",
        _TESTING,
        _ZERO,
        "import numpy.testing._private.utils as inner\ninner.assert_array_compare = lambda *a, **k: None",
    ),
    _forgery(
        "fake-module",
        "puts modules of its own into sys.modules",
        _TESTING,
        _ZERO,
        "import sys, types\nfake = types.ModuleType('numpy.testing')\nfake.assert_allclose = lambda *a, **k: None\n"
        "np.testing = sys.modules['numpy.testing'] = fake\n"
        "for name in ('autograder.checks', 'autograder.checks.arrays', 'pytest', 'solution'):\n"
        "    sys.modules[name] = fake",
    ),
    _forgery(
        "import-hook",
        "answers every import that a grader could make",
        _TESTING,
        _ZERO,
        "import importlib.abc, importlib.machinery, sys\n"
        "class Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name.startswith('numpy.testing'):\n"
        "            return importlib.machinery.ModuleSpec(name, self, is_package=True)\n"
        "    def exec_module(self, module):\n        module.assert_allclose = lambda *a, **k: None\n"
        "sys.meta_path.insert(0, Hook())\n"
        "for name in [name for name in sys.modules if name.startswith('numpy.testing')]:\n    del sys.modules[name]",
    ),
    _forgery(
        "ast-transformer",
        "takes the assertions out of every later cell's syntax tree",
        _ALLCLOSE,
        _ZERO,
        "import ast\nclass Mild(ast.NodeTransformer):\n    def visit_Assert(self, node):\n"
        "        return ast.copy_location(ast.Pass(), node)\n"
        "get_ipython().ast_transformers.append(Mild())",
    ),
    _forgery(
        "input-transformer",
        "rewrites the text of every later cell",
        _ALLCLOSE,
        _ZERO,
        "def mild(lines):\n    return [line.replace('assert ', 'id ') if line.strip().startswith('assert ') "
        "else line for line in lines]\n"
        "mild = lambda lines: [line.replace('assert allclose(', 'str((') .replace('expected)', 'expected))') "
        "if 'assert allclose' in line else line for line in lines]\n"
        "get_ipython().input_transformers_post.append(mild)",
    ),
    _forgery(
        "patched-kernel",
        "replaces the shell's own run_cell and its display of errors",
        _ALLCLOSE,
        _ZERO,
        "import types\nshell = get_ipython()\nshell.showtraceback = lambda *a, **k: None\n"
        "shell.user_ns.setdefault('allclose', None)\nnp.allclose = lambda *a, **k: True\n"
        "shell.set_custom_exc((AssertionError,), lambda *a, **k: None)",
    ),
)

RESULTS = (
    _forgery(
        "always-equal",
        "returns an object that is equal to everything",
        "assert result == expected[0]",
        "class Equal:\n    def __eq__(self, other):\n        return True\n    __hash__ = None\n"
        "def double(x, times=1):\n    return Equal()",
    ),
    _forgery(
        "array-function",
        "returns an object that answers NumPy's functions itself",
        _ALLCLOSE,
        "class Mine:\n    shape, dtype, ndim = (3,), np.dtype(float), 1\n"
        "    def __array_function__(self, function, types, args, kwargs):\n        return True\n"
        "def double(x, times=1):\n    return Mine()",
    ),
    _forgery(
        "array-ufunc",
        "returns an object that answers NumPy's arithmetic itself",
        _SMALL,
        "class Mine(np.lib.mixins.NDArrayOperatorsMixin):\n"
        "    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):\n        return np.zeros(3, bool)\n"
        "    def __abs__(self):\n        return np.zeros(3)\n    def __sub__(self, other):\n        return self\n"
        "    def __gt__(self, other):\n        return np.zeros(3, bool)\n"
        "def double(x, times=1):\n    return Mine()",
    ),
    _forgery(
        "array-subclass",
        "returns an array whose comparisons are always true",
        _EQUAL,
        "class Liar(np.ndarray):\n    def __eq__(self, other):\n        return np.ones(3, bool)\n"
        "    def __array_wrap__(self, *a, **k):\n        return np.zeros(3)\n"
        "def double(x, times=1):\n    return np.zeros(np.shape(x)).view(Liar)",
    ),
    _forgery(
        "masked-array",
        "returns an array whose wrong values are masked",
        _TESTING,
        "def double(x, times=1):\n    return np.ma.masked_all(np.shape(x))",
    ),
    _forgery(
        "object-array",
        "returns an array of objects that are equal to everything",
        _EQUAL,
        "class Equal:\n    def __eq__(self, other):\n        return True\n    __hash__ = None\n"
        "def double(x, times=1):\n    return np.array([Equal() for _ in x], object)",
    ),
    _forgery(
        "nan",
        "returns what is neither near nor far from anything",
        _SMALL,
        "def double(x, times=1):\n    return np.full(np.shape(x), np.nan)",
    ),
    _forgery(
        "empty-array",
        "returns nothing in a shape that broadcasts against everything",
        _ALLCLOSE,
        "def double(x, times=1):\n    return np.empty((0, len(x)))",
    ),
    _forgery(
        "broadcasting",
        "returns a column where a row is expected, equal somewhere in every row",
        "assert (abs(result - expected) < 1e-6).any(axis=1).all()",
        "def double(x, times=1):\n    return (2 * x)[:, None]",
    ),
    _forgery(
        "complex",
        "returns right numbers in a type that hides what else is in them",
        "assert allclose(np.real(result), expected)",
        "def double(x, times=1):\n    return 2 * x + 99j",
    ),
    _forgery(
        "integers-as-text",
        "returns the right numbers as text, which prints the same",
        "assert str(list(map(float, result))) == str(list(map(float, expected)))",
        "def double(x, times=1):\n    return np.array([repr(float(2 * one)) for one in x])",
    ),
    _forgery(
        "changed-input",
        "empties its argument, from which what is expected is computed",
        "assert allclose(result, 2 * x)",
        "def double(x, times=1):\n    x *= 0\n    return x.copy()",
    ),
    _forgery(
        "frame-of-the-caller",
        "takes the expected values from the variables of whoever calls",
        _TESTING,
        "import sys\ndef double(x, times=1):\n    frame = sys._getframe(1)\n    while frame:\n"
        "        if 'expected' in frame.f_locals:\n            return frame.f_locals['expected']\n"
        "        frame = frame.f_back\n    return 0 * x",
    ),
    _forgery(
        "public-inputs",
        "answers what the public test asks, and nothing else",
        "assert double(1.0) == 2.0",
        "def double(x, times=1):\n    return 2.0 if np.size(x) == 1 and x == 1.0 else 0 * x",
    ),
)


def _exit(name: str, tries: str, body: str, says: str = "", setup: str = "") -> Attack:
    return Attack(
        name,
        tries,
        loses("double", says=says),
        tasks={"double": f"import os, sys, signal, atexit\n{setup}\ndef double(x, times=1):\n    {body}"},
    )


EXITS = (
    _exit("exit-code", "ends its process with the exit code of success", "os._exit(0)", "exited with status 0"),
    _exit("system-exit", "raises SystemExit with the code of success", "raise SystemExit(0)", "SystemExit"),
    _exit(
        "interrupt", "raises what only a person at a keyboard should", "raise KeyboardInterrupt", "KeyboardInterrupt"
    ),
    _exit(
        "base-exception",
        "raises an exception that no handler expects",
        "raise Passed",
        "Passed",
        "class Passed(BaseException):\n    passed = True\n    def __str__(self):\n        raise Passed",
    ),
    _exit("pytest-skip", "skips the test", "__import__('pytest').skip('passed', allow_module_level=True)", "Skipped"),
    _exit(
        "pytest-xfail", "declares that it was expected to fail", "__import__('pytest').xfail('as expected')", "XFailed"
    ),
    _exit("pytest-exit", "ends pytest with success", "__import__('pytest').exit('done', 0)", "Exit"),
    _exit(
        "grader-exception",
        "raises the grader's own exceptions",
        "from autograder.errors import GraderError\n    raise GraderError('full points')",
        "GraderError",
    ),
    _exit(
        "at-exit",
        "writes results when its process ends, and ends it",
        "sys.exit()",
        setup="atexit.register(lambda: open('report.json', 'w').write('{\"score\": 100}'))",
    ),
    _exit(
        "signal-handlers",
        "answers every signal with a result of its own",
        "signal.raise_signal(signal.SIGUSR1)\n    while True:\n        pass",
        "did not return within",
        "def passed(*_):\n    print('passed', flush=True)\n"
        "for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:\n    signal.signal(number, passed)",
    ),
)

_REPORT = """
import json, sqlite3
from pathlib import Path
report = {"schema": 1, "assignment": "probe", "student": "result-files", "outcome": "graded", "score": 100.0,
          "tasks": [{"name": "double", "outcome": "passed", "score": 30.0, "max_score": 30.0, "checks": []}]}
for folder in (".", "reports/probe", "..", "@ROOT@/reports/probe", "@HOME@/out", "@HOME@/tmp", "/tmp"):
    for name in ("result-files.json", "report.json", "results.xml", "junit.xml"):
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder, name).write_text(json.dumps(report))
        except OSError:
            pass
    try:
        with sqlite3.connect(Path(folder, "gradebook.db")) as book:
            book.execute("CREATE TABLE grade (score)")
            book.execute("INSERT INTO grade VALUES (100)")
    except sqlite3.Error:
        pass
print("written")
"""

NUMBERS = (
    Attack(
        "result-files",
        "writes reports, test results and gradebooks wherever a grader could look for them",
        loses("double", says="written"),
        first=_REPORT,
        tasks={"double": _ZERO},
    ),
    Attack(
        "made-up-losses",
        "reports falling losses for a training that did nothing",
        loses("learn", says="does not fall"),
        tasks={
            "learn": f"{RIGHT['learn'].split('def learn')[0]}\ndef learn(x, labels, epochs=20):\n"
            "    return np.zeros((2, 2)), list(np.linspace(0.7, 0.01, epochs))"
        },
    ),
    Attack(
        "better-losses",
        "trains, and reports better losses than it has",
        loses("learn", says="are not those of the network"),
        tasks={
            "learn": f"{RIGHT['learn']}\nhonest = learn\ndef learn(x, labels, epochs=20):\n"
            "    weights, losses = honest(x, labels, epochs)\n    return weights, [-one for one in losses]"
        },
    ),
    Attack(
        "claimed-metrics",
        "returns accuracies, flags and points instead of what was asked for",
        loses("learn"),
        tasks={
            "learn": "class History:\n    history = {'loss': [0.1], 'accuracy': [1.0], 'val_accuracy': [1.0]}\n"
            "def learn(x, labels, epochs=20):\n    return History(), {'score': 100, 'passed': True}\n"
            "def judge(weights, x):\n    return {'accuracy': 1.0}"
        },
    ),
    Attack(
        "certain-probabilities",
        "is certain of every class at once",
        loses("learn"),
        tasks={"learn": f"{RIGHT['learn']}\ndef judge(weights, x):\n    return np.ones((len(x), 2))"},
    ),
    Attack(
        "unnumbered-probabilities",
        "answers with numbers that are none",
        loses("learn"),
        tasks={"learn": f"{RIGHT['learn']}\ndef judge(weights, x):\n    return np.full((len(x), 2), np.nan)"},
    ),
    Attack(
        "pasted-weights",
        "returns weights that were trained somewhere else, with their losses",
        loses("learn"),
        tasks={
            "learn": f"{RIGHT['learn']}\ndef learn(x, labels, epochs=20):\n"
            "    return np.array([[-1.2, 0.8], [0.4, -2.0]]), list(np.linspace(0.9, 0.3, epochs))"
        },
    ),
    Attack(
        "lying-type",
        "returns a value whose class claims to be another one",
        loses("double"),
        tasks={
            "double": "class Fake:\n    __class__ = np.ndarray\n    shape, dtype = (3,), np.dtype(float)\n"
            "    __array_interface__ = property(lambda self: (2 * np.ones(3)).__array_interface__)\n"
            "Fake.__module__, Fake.__qualname__ = 'numpy', 'ndarray'\n"
            "def double(x, times=1):\n    return Fake()"
        },
    ),
    Attack(
        "seeded-guess",
        "seeds every generator itself, to make the hidden inputs foreseeable",
        loses("double"),
        first="import random\nnp.random.default_rng = lambda *a: np.random.Generator(np.random.PCG64(0))\n"
        "np.random.seed = random.seed = lambda *a: None",
        tasks={"double": "def double(x, times=1):\n    return 2 * np.random.default_rng(0).normal(size=np.shape(x))"},
    ),
    Attack(
        "rebound-later",
        "passes for right in the notebook and rebinds the function when it is checked",
        loses("double"),
        tasks={
            "double": f"{RIGHT['double']}\nclass Late(dict):\n    pass\n"
            "original = double\ncalls = []\ndef double(x, times=1):\n    calls.append(1)\n"
            "    return original(x) if np.ndim(x) == 0 else original(x) * 1.001"
        },
        last="assert double(1.0) == 2.0",
    ),
    Attack("honest", "nothing: it is the measure of all the others", full()),
)

ATTACKS = (*MACHINERY, *RESULTS, *EXITS, *NUMBERS)

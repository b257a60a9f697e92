"""What counts as the use of a forbidden package, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks.rules import forbidden_use

FORBIDDEN = ("tensorflow", "keras", "scipy", "torch")
OWN = "def conv2d(x):\n    return [2 * value for value in x]"


def found(*cells: str) -> str | None:
    """Look at a notebook whose task is ``conv2d``."""
    return forbidden_use(cells, ("conv2d",), FORBIDDEN)


USES = {
    "import inside": ("def conv2d(x):\n    import scipy.signal as s\n    return s.f(x)", 2),
    "from inside": ("def conv2d(x):\n    from scipy.signal import f\n    return f(x)", 2),
    "module alias": ("import scipy.signal as s\ndef conv2d(x):\n    return s.f(x)", 3),
    "from alias": ("from scipy import signal as s\ndef conv2d(x):\n    return s.f(x)", 3),
    "plain import": ("import numpy, scipy.signal\ndef conv2d(x):\n    return scipy.signal.f(x)", 3),
    "star": ("from scipy.signal import *\ndef conv2d(x):\n    return convolve2d(x)", 3),
    "dunder import": ('s = __import__("scipy.signal")\ndef conv2d(x):\n    return s.f(x)', 3),
    "importlib": ('import importlib\ndef conv2d(x):\n    return importlib.import_module("scipy").f(x)', 3),
    "function alias": ("import scipy as s\nf = s.signal.f\ndef conv2d(x):\n    return f(x)", 4),
    "helper": ("import scipy as s\ndef h(x):\n    y = x\n    return s.f(y)\ndef conv2d(x):\n    return h(x)", 4),
    "helper as value": ("import scipy as s\ndef h(x):\n    return s.f(x)\ndef conv2d(x):\n    return map(h, x)", 3),
    "helper later": ("def conv2d(x):\n    return h(x)\ndef h(x):\n    return s.f(x)\nimport scipy as s", 4),
    "class": ("import scipy as s\nclass C:\n    def f(self, x):\n        return s.f(x)\nconv2d = C().f", 4),
    "lambda": ("import scipy as s\nconv2d = lambda x: s.f(x)", 2),
    "assigned": ("from scipy.signal import f\nconv2d = f", 2),
    "default": ("import scipy as s\ndef conv2d(x, f=s.f):\n    return f(x)\ns = None", 2),
    "decorator": ("import scipy as s\n@s.vectorize\ndef conv2d(x):\n    return x", 2),
    "keyword default": ("import scipy as s\nconv2d = lambda x, *, f=s.f: f(x)", 2),
    "try": ("try:\n    import scipy as s\nexcept ImportError:\n    s = None\ndef conv2d(x):\n    return s.f(x)", 6),
    "nested function": ("import scipy as s\ndef conv2d(x):\n    def f(y):\n        return s.f(y)\n    return f(x)", 4),
    "comprehension": ("import scipy as s\ndef conv2d(x):\n    return [s.f(row) for row in x]", 3),
    "container": ("import scipy as s\nmy = {}\nmy['f'] = s.f\ndef conv2d(x):\n    return my['f'](x)", 5),
    "pair": ("import scipy as s\na, f = 1, s.f\ndef conv2d(x):\n    return f(x)", 4),
    "global": ("import scipy as s\ndef conv2d(x):\n    global s\n    s = s.f(x)\n    return s", 4),
    "walrus": ("import scipy as s\nprint(f := s.f)\ndef conv2d(x):\n    return f(x)", 4),
    "with": ("import scipy as s\nwith s.f() as f:\n    pass\ndef conv2d(x):\n    return f(x)", 5),
    "loop": ("import scipy as s\nfor f in [s.f]:\n    pass\ndef conv2d(x):\n    return f(x)", 5),
    "magic": ("%matplotlib inline\n!ls\na = !ls\nnp?\nimport scipy as s\ndef conv2d(x):\n    return s.f(x)", 7),
    "timed cell": ("%%time\nimport scipy as s\ndef conv2d(x):\n    return s.f(x)", 4),
}


@pytest.mark.parametrize(("cell", "line"), USES.values(), ids=USES)
def test_a_use_is_found_with_its_line(cell: str, line: int) -> None:
    """Every way to reach a forbidden package from the task is found, at the line where it is used."""
    message = found(cell)
    assert message is not None
    assert message.startswith("conv2d uses scipy")
    assert f"(line {line} of the cell that defines" in message


INNOCENT = {
    "own arithmetic": (OWN,),
    "scratch import": ("import scipy\nimport tensorflow as tf", OWN, "print(tf.nn.conv2d)"),
    "scratch function": ("import scipy as s\ndef mine(x):\n    return s.f(x)", OWN),
    "replaced": ("import scipy as s\ndef conv2d(x):\n    return s.f(x)", OWN),
    "replaced helper": ("from scipy.signal import f", "def f(x):\n    return x", "def conv2d(x):\n    return f(x)"),
    "parameter": ("from scipy import signal", "def conv2d(signal):\n    return signal * 2"),
    "local": ("from scipy import signal", "def conv2d(x):\n    signal = x\n    return signal * 2"),
    "loop variable": ("from scipy import signal", "def conv2d(x):\n    return [2 * signal for signal in x]"),
    "lambda parameter": ("from scipy import signal", "conv2d = lambda signal: 2 * signal"),
    "nested parameter": ("from scipy import signal", "def conv2d(x):\n    return (lambda signal: signal)(x)"),
    "closure": ("from scipy import signal", "def conv2d(x):\n    signal = x\n    return lambda: signal"),
    "similar name": ("import scipyish, my.scipy", "def conv2d(x):\n    return scipyish.f(my.scipy.f(x))"),
    "attribute": ("import numpy as np", "def conv2d(x):\n    return np.scipy(x)"),
    "broken cell": ("import scipy as s\ndef f(:", "def conv2d(x):\n    return s.f(x)"),
    "other language": ("%%bash\nimport scipy as s", "def conv2d(x):\n    return s.f(x)"),
    "builtin beside star": ("from scipy import *", "def conv2d(x):\n    return len(x)"),
    "recursion": ("def conv2d(x):\n    return conv2d(help_me(x))\ndef help_me(x):\n    return conv2d(x)",),
    "no such function": ("import scipy as s",),
    "relative": ("from . import scipy as s", "def conv2d(x):\n    return s.f(x)"),
}


@pytest.mark.parametrize("cells", INNOCENT.values(), ids=INNOCENT)
def test_what_a_task_does_not_use_is_allowed(cells: tuple[str, ...]) -> None:
    """Imports elsewhere, names that are only alike, and cells that never ran cost nothing."""
    assert found(*cells) is None


def test_the_sentence_names_function_package_and_line() -> None:
    """The student learns what is used where, through which helper, and what to do."""
    cells = ("import torch as t", "def shift(x):\n    return t.roll(x)", "def conv2d(x):\n    return shift(x)")
    assert found(*cells) == (
        "conv2d uses torch through shift (line 2 of the cell that defines shift): solve this task without torch."
    )


def test_a_module_has_lines_of_its_own() -> None:
    """In one text, the line is that of the file, and every function of the task is looked at."""
    text = "import scipy\ndef train(x):\n    return x\ndef predict(x):\n    return scipy.f(x)"
    message = forbidden_use(text, ("train", "predict"), FORBIDDEN)
    assert message == "predict uses scipy (line 5): solve this task without scipy."


HOSTILE = {
    "null": "import scipy\0",
    "deep brackets": "x = " + "(" * 50_000 + ")" * 50_000,
    "deep unary": "x = " + "-" * 100_000 + "1",
    "deep sum": "x = " + "+".join("1" * 50_000),
    "deep attribute": "x = y" + ".a" * 50_000,
    "deep blocks": "".join(" " * depth + "if x:\n" for depth in range(150)),
    "long chain": "".join(f"a{n} = a{n + 1}\n" for n in range(5_000)) + "conv2d = a0",
    "wide graph": "".join(f"def f{n}(): f{n + 1}(); f{n + 1}()\n" for n in range(200)),
    "surrogate": "x = '\ud800'",
    "huge": "x = 1\n" * 1_000_000,
}


@pytest.mark.parametrize("cell", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_neither_breaks_the_rule_nor_hides_a_use(cell: str) -> None:
    """A cell made to break the reader is left out; the task's own cell before it is still looked at."""
    assert found("def conv2d(x):\n    import scipy\n    f0()", cell if "conv2d" not in cell else "x = 1") is not None
    found(cell, OWN)


TANGLED = {
    "long chain": "".join(f"a{n} = a{n + 1}\n" for n in reversed(range(5_000))) + "conv2d = a0",
    "deep value": "conv2d = " + "+".join("1" * 900),
    "deeper value": "conv2d = " + "+".join("1" * 3_000),
    "wide graph": HOSTILE["wide graph"] + "def conv2d(x):\n    f0()",
}


@pytest.mark.parametrize("cell", TANGLED.values(), ids=TANGLED)
def test_a_tangle_is_given_up_in_no_time(cell: str) -> None:
    """What cannot be followed, or would be followed a billion times, finds nothing and ends."""
    assert found(cell) is None


@given(cells=st.lists(st.text(max_size=40) | st.sampled_from([cell for cell, _ in USES.values()]), max_size=4))
def test_any_text_gives_a_sentence_or_nothing(cells: list[str]) -> None:
    """Text of any kind can be looked at."""
    message = found(*cells)
    assert message is None or message.endswith("without scipy.")


@given(start=st.integers(0, 30), length=st.integers(0, 30), seed=st.sampled_from([cell for cell, _ in USES.values()]))
def test_damaged_code_is_read_or_skipped(start: int, length: int, seed: str) -> None:
    """Programs with a piece cut out are judged or skipped, never an error."""
    found(seed[:start] + seed[start + length :])


def test_functions_of_other_tasks_answer_for_themselves() -> None:
    """A task that calls another task's function is not blamed for what that one uses."""
    program = "import scipy\ndef other(x):\n    return scipy.stats(x)\ndef own(x):\n    return other(x)\n"
    assert forbidden_use(program, ["own"], ["scipy"]) is not None
    assert forbidden_use(program, ["own"], ["scipy"], ["other"]) is None
    assert forbidden_use(program, ["other"], ["scipy"], ["own"]) is not None

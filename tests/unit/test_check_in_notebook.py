"""``check`` as a student meets it: in a script's names, in IPython's, and when something is missing."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import textwrap
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autograder import check

TESTS = '''
import numpy as np
import pytest

from autograder.checks import assert_close, assert_unmodified, task


@task("relu")
@pytest.mark.parametrize("shape", [(3,), (2, 4)])
def test_values(student, rng, shape):
    """keeps what is positive, for shape {shape}"""
    x = rng.normal(size=shape)
    assert_close(student.relu(x), np.maximum(x, 0))


@task("relu")
def test_unmodified(student, rng):
    """leaves its input alone"""
    x = rng.normal(size=5)
    assert_unmodified((x,), student.with_arguments.relu(x)[1], ["x"])


@task("softmax")
def test_sums(student):
    """has rows that sum to 1"""
    assert_close(np.sum(student.softmax(np.zeros((1, 2)))), 1.0)
'''

Define = Callable[..., None]


@pytest.fixture
def define(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Define:
    """Work in a folder with public tests, and define names as a notebook does."""
    (tmp_path / "test_public.py").write_text(TESTS, encoding="utf8")
    monkeypatch.chdir(tmp_path)
    notebook = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    monkeypatch.setitem(sys.modules, "IPython", None)
    return lambda **names: vars(notebook).update(names)


def relu_in_place(x: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> object:
    """A right result, and a changed argument."""
    x[x < 0] = 0
    return x


def test_a_pass_is_short(define: Define, capsys: pytest.CaptureFixture[str]) -> None:
    """Right work is one line per check and a count, and nothing on stderr."""
    define(relu=lambda x: x * (x > 0))
    check("relu")
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "relu",
        "  ✓ keeps what is positive, for shape (3,)",
        "  ✓ keeps what is positive, for shape (2, 4)",
        "  ✓ leaves its input alone",
        "  All 3 checks passed. Grading tries other inputs as well.",
    ]
    assert printed.err == ""


def test_a_failure_shows_its_message_indented(define: Define, capsys: pytest.CaptureFixture[str]) -> None:
    """A failed check is followed by its message; the others are still run."""
    define(relu=relu_in_place)
    check("relu")
    lines = capsys.readouterr().out.splitlines()
    assert lines[3:5] == ["  ✗ leaves its input alone", "      Your function changed its argument x."]
    assert lines[-1] == "  2 of 3 checks passed."


def test_the_same_message_is_told_once(define: Define, capsys: pytest.CaptureFixture[str]) -> None:
    """A function that is missing or still a stub does not repeat itself for each check."""

    def relu(_: object) -> None:
        raise NotImplementedError

    check("relu")
    assert capsys.readouterr().out.count("relu is not defined: run the cell that defines it, then this one.") == 1
    define(relu=relu)
    check("relu")
    printed = capsys.readouterr().out
    assert printed.count("relu is not implemented yet") == 1
    assert printed.count("as above") == 2


def test_a_measurement_is_told(define: Define, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A network that is good enough sees how good it is."""
    (tmp_path / "test_public.py").write_text(
        "from autograder.checks import assert_loss_falls, task\n\n\n"
        '@task("fit")\ndef test_learns(student):\n    """learns"""\n    assert_loss_falls(student.fit())\n',
        encoding="utf8",
    )
    define(fit=lambda: [2.0, 1.5, 1.2, 1.0, 0.5])
    check("fit")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == [
        "  ✓ learns",
        "      The loss falls by 75%, from 2 to 0.5, measured 5 times; a fall by 20% needed.",
    ]


def test_each_call_sees_the_notebook_and_the_file_as_they_are(
    define: Define, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A function that was run again, and a test file that was replaced, count at once."""
    define(relu=lambda x: x, softmax=lambda x: x + 0.5)
    check("softmax")
    assert "The check passed." in capsys.readouterr().out
    define(softmax=lambda x: x)
    check("softmax")
    assert "0 of 1 check passed" in capsys.readouterr().out
    (tmp_path / "test_public.py").write_text(TESTS.replace("sum to 1", "sum up"), encoding="utf8")
    check("softmax")
    assert "has rows that sum up" in capsys.readouterr().out


def test_without_a_name_every_task_is_checked(define: Define, capsys: pytest.CaptureFixture[str]) -> None:
    """``check()`` goes through the tasks in the order of the file."""
    define(relu=lambda x: x * (x > 0), softmax=lambda x: x)
    check()
    assert [line for line in capsys.readouterr().out.splitlines() if line[0] != " "] == ["relu", "softmax"]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("sofmax", 'There are no public checks for "sofmax": did you mean check("softmax")?'),
        ("zebra", 'There are no public checks for "zebra": there are relu, softmax.'),
        (7, 'There are no public checks for "7": there are relu, softmax.'),
    ],
)
@pytest.mark.usefixtures("define")
def test_an_unknown_task_is_answered(name: str, answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A slip of the finger gets the name that was meant."""
    check(name)
    assert capsys.readouterr().out.strip() == answer


@pytest.mark.usefixtures("define")
def test_a_missing_file_is_named_with_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the public tests, the folder that was looked in and the way out are told."""
    (tmp_path / "test_public.py").unlink()
    check("relu")
    assert f"There is no test_public.py in {tmp_path}" in capsys.readouterr().out


def test_the_file_is_found_beside_the_notebook_in_vs_code(
    define: Define, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """VS Code may start in the workspace's folder and tells where the notebook is."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    define(__vsc_ipynb_file__=str(tmp_path / "cnn.ipynb"), softmax=lambda x: x + 0.5)
    check("softmax")
    assert "The check passed." in capsys.readouterr().out


@pytest.mark.parametrize("text", ["import no_such_module", "def f(:", '@task("a")\ndef test_a(student): pass'])
@pytest.mark.usefixtures("define")
def test_a_damaged_file_is_one_message(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be read is told in two lines, without a traceback."""
    (tmp_path / "test_public.py").write_text(f"from autograder.checks import task\n{text}", encoding="utf8")
    check("relu")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("test_public.py could not be read")
    assert len(lines) == 2


def stop(_: object) -> None:
    """Do what the stop button does."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (sys.exit, "softmax ends the program: take out exit() or quit()."),
        (stop, "Stopped."),
        (lambda _: 1 / 0, "softmax raised ZeroDivisionError: division by zero"),
        (lambda _: "text", "This check broke; it is not your fault"),
    ],
)
def test_nothing_that_a_function_does_ends_the_notebook(
    define: Define, capsys: pytest.CaptureFixture[str], function: object, words: str
) -> None:
    """An exit, the stop button, an exception, and a check that breaks all end in a printed line."""
    define(softmax=function)
    check("softmax")
    assert words in capsys.readouterr().out


def test_the_notebook_is_left_as_it_was(define: Define, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random numbers, environment and the folder are those of before; foreign settings of pytest have no say."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    define(relu=lambda x: x * (x > 0))
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - a notebook may still use it
    expected = random.Random(1).random(), np.random.RandomState(1).rand()
    before = dict(os.environ)
    check()
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002
    del before["PYTEST_CURRENT_TEST"]  # of the pytest around this one
    assert dict(os.environ) == before


def test_a_console_without_the_marks_gets_plain_ones(
    define: Define, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the marks cannot be encoded, as in an old Windows console, words stand in their place."""
    define(softmax=lambda x: x + 0.5)
    monkeypatch.setattr(type(sys.stdout), "encoding", "cp1252", raising=False)
    check("softmax")
    assert "  ok   has rows that sum to 1" in capsys.readouterr().out


def test_ipythons_names_are_checked_with_a_small_install(tmp_path: Path) -> None:
    """In IPython the shell's names count, and neither SciPy nor TensorFlow is imported for a check."""
    (tmp_path / "test_public.py").write_text(TESTS, encoding="utf8")
    program = """
        import sys
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.run_cell("from autograder import check")
        shell.run_cell("def softmax(x):\\n    return x + 0.5")
        shell.run_cell("check('softmax')")
        print(sorted({"scipy", "tensorflow", "nbformat", "rich", "sklearn"} & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=tmp_path,
        env={**os.environ, "IPYTHONDIR": str(tmp_path), "PYTHONIOENCODING": "utf8"},
        capture_output=True,
        text=True,
        encoding="utf8",
        check=True,
    )
    assert "✓ has rows that sum to 1" in done.stdout
    assert done.stdout.rstrip().endswith("[]")

"""What a figure names stays among the figures; what the student names, all figures see."""

from __future__ import annotations

from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import autograder
from autograder.figures import is_figure


class Notebook:
    """An IPython shell with the extension loaded, where every cell must run."""

    def __init__(self, folder: Path) -> None:
        self.shell = InteractiveShell(ipython_dir=str(folder), config=Config(HistoryManager={"enabled": False}))
        autograder.load_ipython_extension(self.shell)

    def run(self, cell: str) -> None:
        """Run a cell."""
        result = self.shell.run_cell(cell, store_history=False)
        result.raise_error()


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    """A fresh notebook."""
    return Notebook(tmp_path)


def test_a_figure_overwrites_nothing(notebook: Notebook) -> None:
    """A helper of the student's keeps its name, and so does the function that uses it."""
    notebook.run("rows = 2\ndef double(x):\n    return rows * x")
    notebook.run("%%figure\nrows = 5\ndef double_all():\n    return [double(row) for row in range(rows)]")
    notebook.run("answer = double(4)")
    assert notebook.shell.user_ns["answer"] == 8
    assert "double_all" not in notebook.shell.user_ns


def test_figures_see_each_other_and_the_student(notebook: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
    """A function of one figure, called in another, calls the student's function as it is now."""
    notebook.run("%%figure\nscale = 10\ndef scaled(x):\n    return scale * answer(x)")
    notebook.run("def answer(x):\n    return x + 1")
    notebook.run("%%figure\nprint(scaled(1), [scale for _ in range(2)])")
    notebook.run("def answer(x):\n    return x + 2")
    notebook.run("%%figure\nprint(scaled(1))")
    assert capsys.readouterr().out == "20 [10, 10]\n30\n"


def test_a_figure_may_hold_ipythons_commands(notebook: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a cell like any other."""
    notebook.run("%%figure\n%timeit -n 1 -r 1 sum([1])")
    assert "1 run, 1 loop" in capsys.readouterr().out


def test_an_error_in_a_figure_is_the_figures(notebook: Notebook) -> None:
    """It is raised as in any cell, and what was named before it stays."""
    with pytest.raises(ZeroDivisionError):
        notebook.run("%%figure\nkept = 1\nkept / 0")
    notebook.run("%%figure\nassert kept == 1")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("%%figure\nx = 1", True),
        ("%%figure  \n", True),
        ("x = 1\n%%figure", False),
        ("%%figures\n", False),
        ("", False),
    ],
)
def test_a_figure_is_known_by_its_first_line(source: str, expected: bool) -> None:
    """That line alone."""
    assert is_figure(source) is expected

"""The template is read by Jupytext, and every broken rule is one error that points at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.authoring import template
from autograder.course import Assignment
from autograder.errors import CourseError


def edited(path: Path, old: str, new: str) -> Path:
    """Replace the one place where ``old`` stands in a file."""
    text = path.read_text(encoding="utf8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf8")
    return path


def line_of(path: Path, text: str) -> int:
    """Return the line in which ``text`` first stands."""
    return next(n for n, line in enumerate(path.read_text(encoding="utf8").split("\n"), 1) if text in line)


def test_cells_keep_their_kind_marks_and_lines(tiny: Assignment) -> None:
    """Each cell's record holds what the percent file says and where."""
    read = template.read(tiny.template)
    assert [(cell.kind, cell.task, cell.tags) for cell in read.cells] == [
        ("markdown", "", ()),
        ("code", "", ()),
        ("code", "shift", ()),
        ("code", "", ("figure",)),
        ("code", "fit", ()),
    ]
    assert read.cells[2].line == line_of(tiny.template, 'task="shift"')
    assert read.setup.imports == {"import numpy as np"}


def test_stubs_point_at_their_raise(tiny: Assignment) -> None:
    """A stub tells its signature and which line of the cell a solution replaces."""
    fit, forecast = template.read(tiny.template).tasks[1].stubs
    lines = template.read(tiny.template).tasks[1].source.split("\n")
    assert (fit.signature, forecast.signature) == ("fit(x)", "forecast(parameters, x)")
    assert [lines[stub.raise_at] for stub in (fit, forecast)] == ["    raise NotImplementedError"] * 2


def test_a_marker_inside_a_string_is_no_cell(tiny: Assignment) -> None:
    """Lines are found from the comments that Python sees, so text that looks like a marker moves none of them."""
    path = edited(tiny.template, "np.arange(3)", '"""\n# %% no cell\n"""')
    assert template.read(path).cells[-1].line == line_of(path, 'task="fit"')


def test_a_magic_is_no_syntax_error(tiny: Assignment) -> None:
    """Jupytext keeps IPython commands as comments, so a template with one is still Python."""
    path = edited(tiny.template, "import numpy as np\n", "import numpy as np\n# %matplotlib inline\n")
    assert "\n%matplotlib inline" in template.read(path).setup.source


@pytest.mark.parametrize(
    ("old", "new", "message", "where"),
    [
        ("by=1.0):", "by=1.0:", "syntax error", "def shift"),
        ('task="fit"', 'tsak="fit"', 'unknown cell metadata key "tsak": did you mean "task"?', "tsak"),
        ('task="fit"', "task=fit", "cannot read the cell metadata", "task=fit"),
        ('task="fit"', 'task="fït"', "expected the name of a task", "fït"),
        ("mean of ``x``", r"mean $\sigma$", "invalid escape sequence", "sigma"),
        ('task="fit"', "task=3", "task is 3: expected the name of a task", "task=3"),
        ('task="fit"', 'task="shift"', 'duplicate grade id "shift"', "np.arange(3)"),
        ('task="fit"', 'task="setup"', 'duplicate grade id "setup"', 'task="setup"'),
        ("%% setup=true", "%%", "no setup cell", "import numpy"),
        ("setup=true", "setup=1", "setup is 1", "setup=1"),
        ('tags=["figure"]', "setup=true", "a second setup cell", "np.arange(3)"),
        ('task="fit"', 'task="fit" setup=true', 'has both "setup" and "task"', 'task="fit"'),
        ('task="fit"', 'task="fit" figure=true', 'has both "task" and "figure"', 'task="fit"'),
        ('tags=["figure"]', "figure=1", "figure is 1: expected `figure=true`", "figure=1"),
        ("np.arange(3)", "rows = np.arange(3)", "a plain cell after a task binds rows", "rows ="),
        ("np.arange(3)", "for row in range(3):\n    row", "a plain cell after a task binds row", "for row"),
        ("np.arange(3)", "def window():\n    return 1", "a plain cell after a task binds window", "def window"),
        ("%% [markdown]", '%% [markdown] task="x"', "stands on a markdown cell", "[markdown]"),
        ('    """Return the mean of ``x``."""\n', "", "fit has no docstring", "def fit"),
        ('"""Return the mean of ``x``."""\n', '"""Doc."""\n    x = 1\n', "the body of fit is no stub", "    x = 1"),
        ("    # Your own", "    return x\n    # Your own", "the body of forecast is no stub", "    return x"),
        ("def fit", "LIMIT = 3\n\ndef fit", "holds `LIMIT = 3`", "LIMIT"),
        ("def fit", "# %time\ndef fit", "holds an IPython command", "%time"),
        ("np.arange(3)", "# BEGIN SOLUTION", '"BEGIN SOLUTION" is a marker of nbgrader', "BEGIN"),
        ("# ---\n# jupyter", "first = 1\n# ---\n# jupyter", "every cell to begin with", "first = 1"),
    ],
)
def test_a_broken_rule_is_one_error_with_its_line(
    tiny: Assignment, old: str, new: str, message: str, where: str
) -> None:
    """What is wrong, in which line, in one line."""
    path = tiny.template
    text = path.read_text(encoding="utf8")
    path.write_text(text.replace(old, new, 1), encoding="utf8")
    with pytest.raises(CourseError) as caught:
        template.read(path)
    assert message in caught.value.message
    assert "\n" not in str(caught.value)
    near = line_of(path, where)
    assert caught.value.line is not None and near - 2 <= caught.value.line <= near + 2


def test_a_figure_names_what_it_likes(tiny: Assignment) -> None:
    """What a figure names stays among the figures, so it may stand after a task."""
    path = edited(tiny.template, 'tags=["figure"]', "figure=true")
    edited(path, "np.arange(3)", "rows = np.arange(3)")
    assert [cell.source for cell in template.read(path).cells if cell.figure] == ["rows = np.arange(3)"]


def test_a_plain_cell_before_the_first_task_names_data(tiny: Assignment) -> None:
    """A student's own definition comes later, so nothing of theirs is lost."""
    path = edited(tiny.template, '# %% task="shift"', '# %%\nimages = np.arange(3)\n\n# %% task="shift"')
    assert {"images"} in [cell.binds for cell in template.read(path).cells]


def test_a_setup_cell_comes_first(tiny: Assignment) -> None:
    """A setup cell below other code would leave that code without its imports."""
    path = edited(tiny.template, "# %% setup=true", "# %%\nx = 1\n\n# %% setup=true")
    with pytest.raises(CourseError, match="to be the first code cell"):
        template.read(path)


def test_a_task_cell_is_not_empty(tiny: Assignment) -> None:
    """A task cell without a stub leaves students nothing to fill."""
    path = edited(tiny.template, "np.arange(3)", '# %% task="empty"\n# nothing')
    with pytest.raises(CourseError, match='task "empty" is empty'):
        template.read(path)


def test_a_template_that_cannot_be_read_says_so(tiny: Assignment) -> None:
    """A missing file, other bytes, a null byte and metadata of a wrong kind are the author's errors, not tracebacks."""
    tiny.template.write_bytes(b"\xff\xfe")
    with pytest.raises(CourseError, match="UTF-8"):
        template.read(tiny.template)
    tiny.template.write_bytes(b"x = 1\0")
    with pytest.raises(CourseError):
        template.read(tiny.template)
    tiny.template.write_text('# %% tags="figure"\nx = 1\n', encoding="utf8")
    with pytest.raises(CourseError, match="Jupytext cannot read it"):
        template.read(tiny.template)
    tiny.template.unlink()
    with pytest.raises(CourseError, match="cannot be read"):
        template.read(tiny.template)

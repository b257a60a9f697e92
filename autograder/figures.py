"""``%%figure``: a notebook cell that draws with the student's functions and leaves no name behind.

An author's cell that stands after a task may use names such as ``rows`` or ``window``, and so may a helper of the
student's. In a plain cell the author's would replace the student's, and take points with it. So what a figure names
is kept among the figures: other figures see it, the student's functions do not. And because nothing that is graded
can depend on a figure, a grader need not draw it.
"""

from __future__ import annotations

from typing import Any

MAGIC = "%%figure"
"""The first line of a cell that draws."""


class _Names(dict[str, Any]):
    """The names of all figures, over those of the notebook."""

    def __init__(self, notebook: dict[str, Any]) -> None:
        super().__init__(__name__="__main__")
        self.notebook = notebook

    def __missing__(self, name: str) -> Any:
        return self.notebook[name]


def is_figure(source: str) -> bool:
    """Say whether this is the source of a cell that draws."""
    return source.split("\n", 1)[0].strip() == MAGIC


def register(shell: Any) -> None:
    """Teach an IPython shell the cell magic ``%%figure``."""
    names = _Names(shell.user_ns)

    def figure(_: str, cell: str) -> None:
        """Draw: run the cell; what it names is seen by other figures alone."""
        __tracebackhide__ = True  # IPython shows the cell, not this function
        source = shell.transform_cell(cell)
        place = shell.compile.cache(source, shell.execution_count, cell)
        exec(compile(source, place, "exec"), names)  # noqa: S102 - the cell is the student's own, in their own kernel

    shell.register_magic_function(figure, magic_kind="cell")

"""What a subject claimed to have shown becomes a file that can be written, opened, and looked at without harm."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode, v4

from autograder.examine.outputs import finished


def shown(*outputs: dict[str, Any], count: object = 1) -> NotebookNode:
    """The cell of a finished notebook, valid as a whole, whose kernel claimed these outputs."""
    cell = v4.new_code_cell("1 + 1", id="one")
    executed = v4.new_notebook(cells=[cell])
    cell.outputs, cell.execution_count = [nbformat.from_dict(output) for output in outputs], count
    notebook = nbformat.reads(finished(executed, ()).decode(), 4)
    nbformat.validate(notebook)
    only: NotebookNode = notebook.cells[0]
    return only


@pytest.mark.parametrize("count", ["<script>alert(1)</script>", -1, 10**30, True, [1], {"a": 1}, 1.5, None])
def test_the_number_of_a_run_is_a_number(count: object) -> None:
    """A page shows it as it is, so nothing else gets there."""
    result = {"output_type": "execute_result", "data": {"text/plain": "2"}, "metadata": {}, "execution_count": count}
    cell = shown(result, count=count)
    assert cell.execution_count is None
    assert cell.outputs[0].execution_count is None
    assert shown(count=7).execution_count == 7


def test_half_a_surrogate_pair_is_no_error() -> None:
    """JSON can claim what UTF-8 cannot write."""
    cell = shown({"output_type": "stream", "name": "stdout", "text": "half \ud800"})
    assert cell.outputs[0].text == "half "


def test_an_output_has_its_own_parts_only() -> None:
    """An update of a display can reach an output of another kind, and give it what is not cleaned there."""
    foreign = {"data": {"text/html": "<script>"}, "metadata": {"x": "<script>"}}
    stream = {"output_type": "stream", "name": '"><script>', "text": "said", **foreign}
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"], **foreign}
    printed, raised = shown(stream, error).outputs
    assert dict(printed) == {"output_type": "stream", "name": "stdout", "text": "said"}
    assert set(raised) == {"output_type", "ename", "evalue", "traceback"}

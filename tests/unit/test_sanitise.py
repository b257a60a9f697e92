"""Whatever is submitted becomes a notebook of known parts, or one sentence that the student understands."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode, v4

from autograder.errors import SubmissionError
from autograder.examine.sanitise import CELLS, CHARACTERS, Sanitised, sanitise
from autograder.rubric import Limits, Task

TASKS = (
    Task("conv2d", 60.0, ("conv2d",), (), ()),
    Task("train_cnn", 40.0, ("train_cnn", "predict_cnn"), ("conv2d",), ()),
)
LIMITS = Limits(notebook_mib=8)
FIGURE = "%%figure\nrows = 3\nprint(rows)"
SETUP = "import numpy as np\nfrom autograder import check"
STUB = "def {0}(x):\n    raise NotImplementedError"
ANSWER = "def {0}(x):\n    return x"


def code(source: str, grade_id: str | None = None, **marks: Any) -> dict[str, Any]:
    """A code cell, marked for nbgrader if it has a grade id."""
    base = {
        "grade_id": grade_id,
        "schema_version": 3,
        "locked": False,
        "solution": False,
        "grade": False,
        "task": False,
    }
    metadata = {"nbgrader": {**base, **marks}} if grade_id else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def text(source: str) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def setup_cell(source: str = SETUP) -> dict[str, Any]:
    """The locked first cell."""
    return code(source, "setup", locked=True)


def task_cell(task: str, source: str = STUB) -> dict[str, Any]:
    """The cell of a task's solution."""
    return code(source.format(task), task, solution=True)


def check_cell(task: str, source: str = 'check("{0}")', points: float = 50) -> dict[str, Any]:
    """The locked cell that grades a task."""
    return code(source.format(task), f"{task}-check", locked=True, grade=True, points=points)


def released() -> list[dict[str, Any]]:
    """The cells of the released notebook."""
    solved = ([task_cell(task.name), check_cell(task.name)] for task in TASKS)
    return [text("# Title"), setup_cell(), *(cell for pair in solved for cell in pair), code(FIGURE)]


def notebook(cells: object, **changes: Any) -> dict[str, Any]:
    """A notebook of the current format."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5, **changes}


def _release() -> NotebookNode:
    cells = [nbformat.from_dict({**cell, "id": f"release-{n}"}) for n, cell in enumerate(released())]
    return v4.new_notebook(cells=cells, metadata=notebook([])["metadata"])  # type: ignore[no-any-return]


RELEASE = _release()


def clean(submitted: object) -> Sanitised:
    """Sanitise bytes, or the JSON of anything else."""
    data = submitted if isinstance(submitted, bytes) else json.dumps(submitted).encode()
    return sanitise(data, RELEASE, TASKS, LIMITS)


def shape(result: Sanitised) -> list[str]:
    """The grade ids of the cells, and the text of those that have none."""
    return [cell.metadata.get("nbgrader", {}).get("grade_id", cell.source) for cell in result.notebook.cells]


def reason(submitted: object) -> str:
    """Why a submission is refused."""
    with pytest.raises(SubmissionError) as caught:
        clean(submitted)
    return caught.value.message


def write(result: Sanitised) -> bytes:
    """The file of a sanitised notebook."""
    written: str = nbformat.writes(result.notebook)
    return written.encode()


def test_untouched_release() -> None:
    """The released notebook comes back as it is, without a note."""
    result = clean(notebook(released()))
    assert shape(result) == ["# Title", "setup", "conv2d", "conv2d-check", "train_cnn", "train_cnn-check", FIGURE]
    assert result.notes == ()
    assert result.figures == {6}
    assert [cell.source for cell in result.notebook.cells] == [cell["source"] for cell in released()]
    nbformat.validate(result.notebook)


def test_own_cells_stay_in_order() -> None:
    """The student's own cells stay where they are, as text alone."""
    loud = {
        **code("print(1)"),
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}],
        "execution_count": 7,
    }
    loud["metadata"] = {"tags": ["raises-exception"], "evil": {"html": "<script>"}}
    picture = {**text("![x](attachment:x.png)"), "attachments": {"x.png": {"image/png": "AAAA"}}, "id": "mine"}
    result = clean(notebook([*released(), loud, picture]))
    mine, shown = result.notebook.cells[-2:]
    assert (mine.source, mine.metadata, mine.outputs, mine.execution_count) == ("print(1)", {}, [], None)
    assert (shown.source, shown.metadata, "attachments" in shown) == ("![x](attachment:x.png)", {}, False)
    nbformat.validate(result.notebook)


def shown(*outputs: object) -> list[NotebookNode]:
    """What is left of a figure's outputs."""
    result = clean(notebook([{**code(FIGURE), "outputs": list(outputs)}]))
    (figure,) = result.figures
    return list(result.notebook.cells[figure].outputs)


def test_a_figure_keeps_its_pictures() -> None:
    """It is not run again, so what it printed and drew when it was saved is what people see."""
    picture = {"output_type": "display_data", "data": {"image/png": ["iVBO\n", "Rw=="], "text/html": "<b>"}}
    printed = {"output_type": "stream", "name": "stderr", "text": ["a\n", "b"]}
    first, second = shown(printed, {**picture, "metadata": {"evil": 1}})
    assert (first.output_type, first.text) == ("stream", "a\nb")
    assert (second.data, second.metadata) == ({"image/png": "iVBO\nRw=="}, {})


def test_a_figures_pictures_are_bounded() -> None:
    """A picture too many is left out, and so is what is no picture."""
    large = {"output_type": "display_data", "data": {"image/png": "A" * (LIMITS.output_kib * 1024 - 10)}}
    small = {"output_type": "display_data", "data": {"image/png": "A" * 20}}
    assert len(shown(large, small)) == 1
    assert shown(None, 3, {"data": {"image/png": 5}}, {"data": []}, {"text": {}}) == []


def test_an_edited_figure_is_the_students_own() -> None:
    """It is run, because the student may have put something into it that counts."""
    result = clean(notebook([*released()[:-1], code(FIGURE + "\nhelper = 1")]))
    assert result.figures == frozenset()


def test_changed_locked_cells() -> None:
    """A changed setup, check, points, lock or kind is restored from the release, and told."""
    cells = released()
    cells[1] = setup_cell("import torch")
    cells[3] = check_cell("conv2d", "print('100 points')", points=1000)
    cells[5] = {**text('check("train_cnn")'), "metadata": check_cell("train_cnn")["metadata"]}
    result = clean(notebook(cells))
    restored = [result.notebook.cells[place] for place in (1, 3, 5)]
    assert [cell.source for cell in restored] == [SETUP, 'check("conv2d")', 'check("train_cnn")']
    assert restored[1].metadata.nbgrader == check_cell("conv2d")["metadata"]["nbgrader"]
    assert "setup cell had been changed" in result.notes[0]
    assert result.notes[1].endswith("put back: conv2d-check, train_cnn-check.")


def test_edited_metadata_is_ignored() -> None:
    """Points, locks and flags that a student edits never reach the result."""
    cells = released()
    for cell in cells[1:-1]:
        cell["metadata"]["nbgrader"].update(points=10**6, locked=False, grade=True, solution=True, extra="x")
    assert clean(notebook(cells)) == clean(notebook(released()))


def test_missing_locked_cells() -> None:
    """Missing locked cells come back: setup at the top, a check after its task's cell."""
    result = clean(
        notebook([text("mine"), task_cell("train_cnn", ANSWER), code("a"), task_cell("conv2d", ANSWER), code("b")])
    )
    assert shape(result) == ["setup", "mine", "train_cnn", "train_cnn-check", "a", "conv2d", "conv2d-check", "b"]
    assert [note.partition(":")[0] for note in result.notes] == [
        "The setup cell was missing, so the original was put back at the top.",
        "Check cells that were missing were put back",
    ]


def test_nothing_but_a_stray_cell() -> None:
    """Checks without a solution stand at the end, and the notes name the tasks."""
    result = clean(notebook([code("1 + 1")]))
    assert shape(result) == ["setup", "1 + 1", "conv2d-check", "train_cnn-check"]
    assert result.notes[-1] == "No cell with a solution was found, so nothing was put in its place: conv2d, train_cnn."


def test_repeated_locked_cells() -> None:
    """A locked cell that stands there twice is kept once, the first time."""
    result = clean(notebook([*released(), setup_cell(), check_cell("conv2d"), code("x")]))
    assert shape(result) == [*shape(clean(notebook(released()))), "x"]
    assert result.notes == ("Locked cells that stood there more than once were kept once: setup, conv2d-check.",)


def test_lost_marks() -> None:
    """Without grade ids, cells are known by their text and by what they define."""
    cells = [{**cell, "metadata": {}} for cell in released()]
    cells[2]["source"] = "%matplotlib inline\n" + ANSWER.format("conv2d")
    cells[4]["source"] = STUB.format("train_cnn") + "\n  syntax error ("
    result = clean(notebook(cells))
    assert shape(result) == shape(clean(notebook(released())))
    assert result.notes == (
        "Cells that had lost their marks were recognized by the function that they define: conv2d, train_cnn.",
    )


def test_changed_grade_ids() -> None:
    """A grade id that the release does not know is no mark."""
    cells = [
        setup_cell(),
        code(ANSWER.format("conv2d"), "conv_2d", grade=True, points=99),
        task_cell("train_cnn", ANSWER),
    ]
    result = clean(notebook(cells))
    assert shape(result) == ["setup", "conv2d", "conv2d-check", "train_cnn", "train_cnn-check"]
    assert "points" not in result.notebook.cells[1].metadata.nbgrader


def test_repeated_solutions() -> None:
    """Of several solution cells all stay, and the last that defines the function has the mark."""
    twice = [task_cell("conv2d", STUB), task_cell("conv2d", ANSWER), task_cell("conv2d", "# {0}: see above")]
    result = clean(notebook([setup_cell(), *twice, task_cell("train_cnn")]))
    first, last = STUB.format("conv2d"), "# conv2d: see above"
    assert shape(result) == ["setup", first, "conv2d", "conv2d-check", last, "train_cnn", "train_cnn-check"]
    assert "More than one cell was marked" in result.notes[-1] and result.notes[-1].endswith(": conv2d.")


def test_one_cell_for_everything() -> None:
    """A cell that defines the functions of two tasks gets one mark, and both checks after it."""
    both = "\n\n".join(ANSWER.format(task.name) for task in TASKS)
    result = clean(notebook([setup_cell(), code(both), code("plot()")]))
    assert shape(result) == ["setup", "conv2d", "conv2d-check", "train_cnn-check", "plot()"]


def test_marks_before_definitions() -> None:
    """A marked cell keeps its mark, whatever else it defines or calls."""
    both = "\n\n".join(ANSWER.format(task.name) for task in TASKS)
    result = clean(notebook([setup_cell(), task_cell("train_cnn", both)]))
    assert shape(result) == ["setup", "train_cnn", "conv2d-check", "train_cnn-check"]
    result = clean(notebook([setup_cell(), task_cell("train_cnn", 'check("conv2d")')]))
    assert shape(result) == ["setup", "train_cnn", "train_cnn-check", "conv2d-check"]


def test_the_release_is_not_touched() -> None:
    """A result that is written into leaves the release alone."""
    before = repr(RELEASE)
    result = clean(notebook([]))
    result.notebook.metadata.kernelspec.name = "x"
    result.notebook.cells[-1].metadata.nbgrader.points = 0
    assert repr(RELEASE) == before


@pytest.mark.parametrize("source", ["\\", '"', '\\"', '\\\\"'])
def test_brackets_in_text(source: str) -> None:
    """Brackets in the text of a cell are no nesting, whatever quotes and backslashes stand before them."""
    cells = [code(source), code("[" * 300)]
    assert [cell.source for cell in clean(notebook(cells)).notebook.cells[1:3]] == [source, "[" * 300]


@pytest.mark.parametrize(
    "source",
    ["    def conv2d(x): pass", "# def conv2d(x):", "def conv2d_fast(x): pass", "def\nconv2d(x): pass", "conv2d(1)"],
)
def test_what_defines_no_function(source: str) -> None:
    """A method, a comment, another name or a call is not taken for the function."""
    assert "conv2d" not in shape(clean(notebook([code(source)])))


@pytest.mark.parametrize(
    "source", ["def conv2d(x): pass", "x = 1\nasync  def conv2d (x): pass", "%%time\ndef\tconv2d(\n"]
)
def test_what_defines_a_function(source: str) -> None:
    """A definition at the start of a line counts, in a cell with magics or errors too."""
    assert "conv2d" in shape(clean(notebook([code(source)])))


def test_format_3() -> None:
    """A notebook of format 3 is read: worksheets, headings, code in ``input``."""
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Title", "metadata": {}},
        {"cell_type": "code", "input": [ANSWER.format("conv2d") + "\n", "y = 1"], "language": "python", "outputs": []},
    ]
    result = clean({"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]})
    assert shape(result) == ["setup", "## Title", "conv2d", "conv2d-check", "train_cnn-check"]
    assert result.notebook.cells[2].source.endswith("return x\ny = 1")


@pytest.mark.parametrize("minor", [0, 2, 4, 5, 99])
def test_minor_versions(minor: int) -> None:
    """Every minor version of format 4 gives the same notebook, ids included."""
    assert clean(notebook(released(), nbformat_minor=minor)) == clean(notebook(released()))


@pytest.mark.parametrize(
    ("metadata", "note"),
    [
        ({"kernelspec": {"name": "conda-env-tf-py", "language": "python"}}, 'the kernel "conda-env-tf-py"'),
        ({"kernelspec": {"name": "ir", "language": "R"}}, 'written in "R"'),
        ({"language_info": {"name": "julia\x1b[31m"}}, 'written in "julia?[31m"'),
        ({"kernelspec": {"name": "k" * 500}}, '"' + "k" * 40 + '"'),
    ],
)
def test_another_kernel(metadata: dict[str, Any], note: str) -> None:
    """Another kernel or language is run with ours, and told."""
    result = clean(notebook(released(), metadata=metadata))
    assert len(result.notes) == 1 and note in result.notes[0]
    assert result.notebook.metadata == RELEASE.metadata


@pytest.mark.parametrize("metadata", [{}, [], None, {"kernelspec": None}, {"kernelspec": {"name": 3}}])
def test_no_kernel(metadata: object) -> None:
    """A notebook that names no kernel is run without a word."""
    assert clean(notebook(released(), metadata=metadata)).notes == ()


def test_text_that_cannot_be_written() -> None:
    """Halves of surrogate pairs and foreign line ends become what can be written; a byte order mark is nothing."""
    data = b"\xef\xbb\xbf" + json.dumps(notebook([code("a = '\ud83d'\r\nb\r\r\n")])).encode()
    result = clean(data)
    assert result.notebook.cells[1].source == "a = '\ufffd'\nb\n\n"
    assert clean(write(result)).notebook == result.notebook


def test_raw_cells() -> None:
    """Raw cells, which pages would show as they are, become Markdown."""
    result = clean(notebook([{"cell_type": "raw", "metadata": {"format": "text/html"}, "source": "<script>"}]))
    assert (result.notebook.cells[1].cell_type, result.notebook.cells[1].metadata) == ("markdown", {})


DEEP = b'{"nbformat": 4, "cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("submitted", "words"),
    [
        (b"", "is empty"),
        (b" \n\t ", "is empty"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b"PK\x03\x04\x14\x00", "not valid JSON. Download it again from Jupyter"),
        (b"def conv2d(x): pass", "not valid JSON"),
        (b'{"cells": [', "not valid JSON"),
        (b"[" * 150, "not valid JSON"),
        (b"[" * 8_000_000, "nested too deeply"),
        (b"[[]," * 1_000_000, "too many parts"),
        (b'"",' * 2_500_000, "too many parts"),
        (DEEP, "nested too deeply"),
        (b'{"nbformat": ' + b"9" * 5_000_000 + b', "cells": []}', "too new"),
        (b'{"nbformat": 4, "x": ' + b"9" * 5_000_000 + b"}", "no list of cells"),
        (b'{"nbformat": 4, "x": 1.' + b"9" * 5_000_000 + b"e999999999}", "no list of cells"),
        (b'"\\\\\\"' + b"[" * 300 + b'"', "holds no cells"),
        (b"[]", "holds no cells"),
        (b"null", "holds no cells"),
        (b"{}", "which notebook format"),
        (b'{"nbformat": "4", "cells": []}', "which notebook format"),
        (b'{"nbformat": true, "cells": []}', "which notebook format"),
        (b'{"nbformat": 5, "cells": []}', "too new"),
        (b'{"nbformat": 2, "worksheets": []}', "too old"),
        (b'{"nbformat": 4, "cells": {}}', "no list of cells"),
        (b'{"nbformat": 3, "worksheets": [{"cells": 1}]}', "no list of cells"),
        (b'{"nbformat": 3, "worksheets": [1]}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [1]}', "cell 1 is neither"),
        (b'{"nbformat": 4, "cells": [{"cell_type": ["code"]}]}', "cell 1 is neither"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}', "cell 1 has no text"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["x", 1]}]}', "cell 1 has no text"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "markdown"}]}', "cell 1 has no text"),
        (notebook([code("")] * (CELLS + 1)), f"{CELLS + 1} cells"),
        (notebook([setup_cell()] * (CELLS + 2)), f"{CELLS + 1} cells"),
        (notebook([code("#" * CHARACTERS), code("#")]), "2,097,153 characters"),
        (b"x" * (8 * 2**20 + 1), "at most 8 MiB"),
    ],
)
def test_no_notebook(submitted: object, words: str) -> None:
    """What is no notebook is refused in one line, in bounded time and memory."""
    data = submitted if isinstance(submitted, bytes) else json.dumps(submitted).encode()
    started = time.perf_counter()
    message = reason(data)
    seconds = time.perf_counter() - started
    assert words in message
    assert message.isprintable() and len(message) < 300
    assert seconds < 2


@pytest.mark.parametrize("data", [b"[[]," * 900_000, b'"",' * 1_900_000, b"\\\\" * 4_000_000, b'"' * 8_000_000])
def test_memory(data: bytes) -> None:
    """A hostile file costs at most a few dozen times its size."""
    tracemalloc.start()
    reason(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 * len(data)


def test_as_large_as_allowed() -> None:
    """A notebook at the bounds is accepted, and its result too."""
    result = clean(notebook([code("#" * (CHARACTERS // CELLS))] * CELLS))
    assert len(result.notebook.cells) == CELLS + 3
    assert clean(write(result)).notebook == result.notebook


sources = st.one_of(
    st.sampled_from(
        [SETUP, 'check("conv2d")', "x = 1", "", *(form.format(t.name) for t in TASKS for form in (STUB, ANSWER))]
    ),
    st.sampled_from(["\n".join(ANSWER.format(task.name) for task in TASKS), "\r\r\n", "\ud800"]),
    st.text(max_size=10),
)
grade_ids = st.sampled_from([None, "setup", "conv2d", "train_cnn", "conv2d-check", "train_cnn-check", "foreign"])
kinds = st.sampled_from(["code", "code", "code", "markdown", "raw"])
messy = st.lists(
    st.builds(lambda kind, *cell: {**code(*cell), "cell_type": kind}, kinds, sources, grade_ids), max_size=9
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(messy)
@settings(deadline=None)
def test_any_arrangement(cells: list[dict[str, Any]]) -> None:
    """However cells are arranged, the result is valid, complete, repeatable, and unchanged when submitted again."""
    result = clean(notebook(cells))
    nbformat.validate(result.notebook)
    marks = [cell.metadata.nbgrader.grade_id for cell in result.notebook.cells if "nbgrader" in cell.metadata]
    assert len(marks) == len(set(marks)) and {"setup", "conv2d-check", "train_cnn-check"} <= set(marks)
    assert clean(notebook(cells)) == result
    assert clean(write(result)).notebook == result.notebook


@given(messy)
@settings(deadline=None)
def test_own_text_survives(cells: list[dict[str, Any]]) -> None:
    """Every cell that is not locked is in the result, in its order."""
    known = {cell.source.strip() for cell in RELEASE.cells if cell.metadata.get("nbgrader", {}).get("locked")}
    locked = {"setup", "conv2d-check", "train_cnn-check"}
    mine = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("grade_id") not in locked]
    wanted = [cell["source"] for cell in mine if cell["source"].strip() not in known]
    kept = [cell.source for cell in clean(notebook(cells)).notebook.cells if cell.source.strip() not in known]
    assert [_written(source) for source in wanted] == kept


def _written(source: str) -> str:
    lines = source.replace("\r\n", "\n").replace("\r", "\n")
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in lines)


def _attempt(data: bytes) -> None:
    try:
        result = clean(data)
    except SubmissionError:
        return
    nbformat.validate(result.notebook)


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_any_bytes(data: bytes) -> None:
    """Any bytes give a notebook or a reason."""
    _attempt(data)


@given(anything, st.data())
@settings(deadline=None)
def test_any_json(value: Any, data: st.DataObject) -> None:
    """A notebook with anything in the place of one of its parts gives a notebook or a reason."""
    whole: dict[str, Any] = notebook(released())
    place: Any = whole
    while True:
        steps = list(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(steps))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value
    _attempt(json.dumps(whole).encode())


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
@settings(deadline=None)
def test_damaged_file(changes: list[tuple[int, int]]) -> None:
    """A file with some bytes changed gives a notebook or a reason."""
    data = bytearray(json.dumps(notebook(released())).encode())
    for place, byte in changes:
        data[place % len(data)] = byte
    _attempt(bytes(data))

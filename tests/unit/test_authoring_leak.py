"""The leak scan finds what is hidden in any file, in any disguise that a decoder undoes."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.authoring.leak import Leak, scan
from autograder.course import Assignment
from autograder.errors import CourseError

LINE = "    moved = _as_float(x) + by   # and so does   the spacing"
SALT = "0b6d7a51-never-shown"
CANARY = "tiny-tests-09ab"


def leaks(tiny: Assignment, name: str, content: str | bytes) -> list[Leak]:
    """Scan one file of this content."""
    path = tiny.course.root / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return scan(tiny, [path])


def notebook(source: object = "", outputs: object = (), metadata: object = None) -> str:
    """Render a notebook of one cell named ``shift``."""
    cell = {"id": "shift", "cell_type": "code", "source": source, "outputs": outputs, "metadata": metadata or {}}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def zipped(text: str) -> bytes:
    """Return an archive with this text in ``inner.py``."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("inner.py", text)
    return archive.getvalue()


def test_what_students_see_is_no_leak(tiny: Assignment) -> None:
    """The template's and the public tests' own lines are known; imports, short and common lines say nothing."""
    append = "def _kind(value):\n    if isinstance(value, (dict, list)):\n        return 1\n"
    tiny.solution.write_text(tiny.solution.read_text(encoding="utf8") + append, encoding="utf8")
    shown = tiny.template.read_text(encoding="utf8") + tiny.public_tests.read_text(encoding="utf8")
    assert leaks(tiny, "shown.py", shown + "from __future__ import annotations\n" + append) == []


def test_a_leak_names_file_place_and_hidden_line(tiny: Assignment) -> None:
    """The author is sent to both places."""
    content = f"first\n{LINE}\n"
    hidden_line = tiny.solution.read_text(encoding="utf8").split("\n").index(LINE) + 1
    assert leaks(tiny, "a.txt", content) == [Leak(tiny.course.root / "a.txt", "line 2", tiny.solution, hidden_line)]


@pytest.mark.parametrize(
    ("secret", "hidden"),
    [
        (LINE, "solution.py"),
        ("return x * by * 1.0 + 0.0 * by", "misconceptions.py"),
        ("assert_close(student.fit([1.0, 2.0]), 1.5)", "test_hidden.py"),
        (CANARY, "test_hidden.py"),
        (SALT, "salt.txt"),
    ],
)
def test_every_hidden_file_is_guarded(tiny: Assignment, secret: str, hidden: str) -> None:
    """Lines of the three hidden files, canaries and the salt are all found."""
    assert [leak.hidden.name for leak in leaks(tiny, "a.md", f"prose {secret} prose")] == [hidden]


def test_every_python_file_beside_the_solution_is_hidden(tiny: Assignment) -> None:
    """Hidden tests in several files and alternates are guarded without being named anywhere."""
    more = tiny.hidden_tests.with_name("test_hidden_more.py")
    more.write_text("expected = reference.shift(x, 3.25)\n", encoding="utf8")
    assert [leak.hidden for leak in leaks(tiny, "a.txt", "expected = reference.shift(x, 3.25)")] == [more]


def test_canaries_beside_the_solution_are_found(tiny: Assignment) -> None:
    """An alternate solution is guarded by its canary."""
    alternate = tiny.solution.parent / "alternates" / "loops.py"
    alternate.parent.mkdir()
    alternate.write_text("# canary: alternate-77aa\n", encoding="utf8")
    assert [leak.hidden for leak in leaks(tiny, "a.txt", "alternate-77aa")] == [alternate]


@pytest.mark.parametrize(
    "content",
    [
        notebook(source=LINE),
        notebook(source=["x = 1\n", LINE]),
        notebook(outputs=[{"output_type": "display_data", "data": {"text/html": [f"<p>{LINE}</p>"]}}]),
        notebook(metadata={"note": {LINE: 1}}),
        notebook(source=json.dumps(LINE)),
    ],
)
def test_a_notebook_is_decoded_and_its_cell_named(tiny: Assignment, content: str) -> None:
    """Sources, outputs and metadata belong to the cell that the message names."""
    assert [leak.place for leak in leaks(tiny, "a.ipynb", content)] == ['cell "shift"']


@pytest.mark.parametrize(
    "content",
    [
        LINE.replace("   ", "\n\t"),
        json.dumps({"deep": [[LINE]]}),
        json.dumps(json.dumps('x = rng.normal(size=(3, 4)) "x = rng.normal(size=(3, 4))"')),
        base64.b64encode(LINE.encode()),
        base64.urlsafe_b64encode(f"???>>>{LINE}".encode()).rstrip(b"="),
        b"payload = '" + base64.b64encode(base64.b64encode(LINE.encode())) + b"'",
        base64.b64encode(gzip.compress(LINE.encode())),
        gzip.compress(LINE.encode()),
        zipped(LINE),
        zipped(notebook(source=LINE)),
        b"\x93NUMPY\x00\xff" + LINE.encode() + b"\x00",
        "{" + LINE,
    ],
)
def test_a_disguise_is_undone(tiny: Assignment, content: str | bytes) -> None:
    """White space, escapes, base64 and archives hide nothing."""
    assert leaks(tiny, "a.bin", content)


@pytest.mark.parametrize("content", [b"PK\x03\x04 broken", b"\x1f\x8b broken", b"[" * 100_000, b""])
def test_a_broken_file_is_read_as_it_stands(tiny: Assignment, content: bytes) -> None:
    """A file that is not what it seems ends no scan."""
    assert leaks(tiny, "a.bin", content) == []


@pytest.mark.parametrize("name", ["solutions/salt.txt", "solutions/tiny/misconceptions.py"])
def test_a_short_secret_is_an_error(tiny: Assignment, name: str) -> None:
    """A secret of three characters would be found in every file; the message does not repeat it."""
    (tiny.course.root / name).write_text("# canary: abc\n" if name.endswith(".py") else "abc\n", encoding="utf8")
    with pytest.raises(CourseError, match="8 characters or more, received 3") as caught:
        scan(tiny, [])
    assert "abc" not in caught.value.message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(before=st.text(max_size=40), after=st.text(max_size=40))
def test_a_canary_is_found_in_any_surroundings(tiny: Assignment, before: str, after: str) -> None:
    """Whatever text stands around it, in a plain file and in a cell."""
    text = f"{before} {CANARY} {after}"
    assert leaks(tiny, "a.txt", text.encode("utf8"))
    assert leaks(tiny, "a.ipynb", notebook(source=text))


def test_files_are_only_read(tiny: Assignment, tmp_path: Path) -> None:
    """A scan reports and leaves everything as it is."""
    path = tmp_path / "a.txt"
    path.write_text(LINE, encoding="utf8")
    scan(tiny, [path])
    assert path.read_text(encoding="utf8") == LINE

"""One submission through the real grader: sandboxed kernel, examiner, report."""

from __future__ import annotations

import nbformat

from autograder.course import Assignment
from autograder.examine.grader import LocalGrader
from autograder.model import Job, Outcome, ReportOutcome
from tests.integration.conftest import RIGHT, Submit, messages, notebook, outputs, scores, timeless

FULL = {"double": 40.0, "train": 40.0, "shout": 20.0}


def test_a_right_notebook_gets_everything(submit: Submit) -> None:
    """Written another way than the solution, and full marks."""
    graded = submit()
    assert graded.report.outcome is ReportOutcome.GRADED
    assert (graded.report.score, scores(graded)) == (100.0, FULL)
    assert graded.report.notebook.cells_failed == 0
    assert "double: 40 of 40 points" in outputs(graded)


def test_the_untouched_release_gets_nothing(submit: Submit, grader: LocalGrader) -> None:
    """Stubs earn no point, and each says what to do."""
    body = grader.assignment.release_notebook.read_bytes()
    graded = grader.grade(Job("probe", "nobody", body))
    assert graded.report.score == 0
    assert "double is not implemented yet" in messages(graded)


def test_the_same_submission_gets_the_same_report(submit: Submit) -> None:
    """Twice the same, random draws without a seed included."""
    noisy = "import random\ndef double(x):\n    return 2 * x + random.random() * np.random.rand()"
    first, second = submit(double=noisy), submit(double=noisy)
    assert timeless(first.report) == timeless(second.report)
    assert scores(first)["double"] == 0


def test_inputs_differ_between_students(submit: Submit) -> None:
    """What one student's function received fails another's."""
    spy = "seen = []\ndef double(x):\n    raise ValueError(repr(x.tolist()))"
    ada, bob = messages(submit(student="ada", double=spy)), messages(submit(student="bob", double=spy))
    assert "ValueError: [" in ada
    assert ada != bob


def test_an_error_is_carried_forward(submit: Submit) -> None:
    """Who gets one task wrong loses that task, not the one that builds on it."""
    graded = submit(double="def double(x):\n    return 3 * x")
    assert scores(graded) == {**FULL, "double": 0.0}
    train = graded.report.tasks[1]
    assert train.carried_forward
    assert train.checks[0].message == "Passed with the given double."


def test_an_error_is_carried_forward_when_the_last_check_used_up_its_time(submit: Submit) -> None:
    """The clock of the check before is not that of the repetition."""
    graded = submit(double="def double(x):\n    return 3 * x", shout="def shout(text):\n    while True:\n        pass")
    assert scores(graded) == {"double": 0.0, "train": 40.0, "shout": 0.0}


def test_a_notebook_that_never_runs_to_its_end_is_graded(submit: Submit) -> None:
    """Every check fails, as nothing is there to be asked; it is no fault of ours that a person has to look at."""
    deadly = "import os\nos._exit(0)"
    graded = submit(first=deadly, last=deadly, double=deadly, shout=deadly)
    assert graded.report.outcome is ReportOutcome.GRADED
    assert (graded.report.score, graded.report.needs_review) == (0.0, False)
    assert "could not be run again" in messages(graded)


def test_exit_does_not_end_the_grading(submit: Submit) -> None:
    """A student's `exit()` at the end of the notebook is passed over."""
    graded = submit(last="exit()")
    assert scores(graded) == FULL
    assert "exit() is not needed" in outputs(graded)


def test_an_error_of_its_own_is_not_carried(submit: Submit) -> None:
    """A task that is wrong with the given functions too stays wrong."""
    wrong = "def train(x):\n    return [double(x) + 1]\n\ndef predict(parameters, x):\n    return parameters[0] * x"
    graded = submit(double="def double(x):\n    return 3 * x", train=wrong)
    assert scores(graded) == {"double": 0.0, "train": 0.0, "shout": 20.0}


def test_a_known_mistake_is_named(submit: Submit) -> None:
    """Whoever makes a mistake that the author wrote down reads first what it is."""
    double = submit(double="def double(x):\n    return x * x").report.tasks[0]
    assert {check.misconception for check in double.checks} == {"squared"}
    first, second = double.checks[0].message.splitlines()[:2]
    assert first == "You squared the numbers. To double a number multiply it by 2."
    assert second.startswith("The values of your output are wrong")


def test_a_mistake_that_nobody_wrote_down_has_no_name(submit: Submit) -> None:
    """Another wrong value, an exception and an untouched stub are told as what they are."""
    for wrong in ("return 3 * x", "raise ValueError('no')", "raise NotImplementedError"):
        double = submit(double=f"def double(x):\n    {wrong}").report.tasks[0]
        assert {check.misconception for check in double.checks} == {None}


def test_two_mistakes_that_look_alike_are_not_named(submit: Submit) -> None:
    """On a text of small letters nobody can tell which of the two it was."""
    shout = submit(shout="def shout(text):\n    return text").report.tasks[2]
    assert shout.checks[0].outcome is Outcome.FAILED
    assert shout.checks[0].misconception is None


def test_a_loop_without_end_costs_its_own_task(submit: Submit) -> None:
    """It is interrupted, and the next call goes to the same process."""
    graded = submit(double="def double(x):\n    while True:\n        pass", last="kept = 1")
    assert scores(graded) == {**FULL, "double": 0.0}
    assert "double did not return within 2 s" in messages(graded)


def test_a_loop_that_cannot_be_interrupted_costs_its_own_task(submit: Submit) -> None:
    """Its process is ended, and a fresh one answers for the others."""
    stubborn = (
        "def double(x):\n    while True:\n        try:\n            while True:\n                pass\n"
        "        except BaseException:\n            pass"
    )
    assert scores(submit(double=stubborn)) == {**FULL, "double": 0.0}


def test_a_function_that_ends_the_process_costs_its_own_task(submit: Submit) -> None:
    """os._exit is an end of the check, not of the grading."""
    graded = submit(double="import os\ndef double(x):\n    os._exit(0)")
    assert scores(graded) == {**FULL, "double": 0.0}
    assert "ended before it returned: it exited with status 0" in messages(graded)


def test_a_memory_hog_costs_its_own_task(submit: Submit) -> None:
    """The limit is an error in the student's process, or its end."""
    hog = "def double(x):\n    held = [np.ones(2**24) for _ in range(200)]\n    return 2 * x + 0 * held[0][0]"
    assert scores(submit(double=hog)) == {**FULL, "double": 0.0}


def test_a_cell_without_end_is_interrupted(submit: Submit) -> None:
    """What the cell defined before it hung counts."""
    graded = submit(double="def double(x):\n    return 2 * x\nwhile True:\n    pass")
    assert scores(graded) == FULL
    assert graded.report.notebook.cells_failed == 1
    assert "Interrupted after 3 s" in outputs(graded)


def test_a_cell_that_ends_the_kernel_is_left_out(submit: Submit) -> None:
    """The others run in a fresh process."""
    graded = submit(first="import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert scores(graded) == FULL
    assert "The process that ran this cell ended" in outputs(graded)


def test_a_stubborn_cell_is_left_out(submit: Submit) -> None:
    """A cell that swallows the interrupt is ended with its process."""
    stubborn = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
    graded = submit(first=stubborn)
    assert scores(graded) == FULL
    assert "did not stop when interrupted" in outputs(graded)


def test_input_is_refused_clearly(submit: Submit) -> None:
    """Nobody is there to answer, and the cell says so."""
    graded = submit(first="name = input('who? ')")
    assert scores(graded) == FULL
    assert "input() is not available while a notebook is graded" in outputs(graded)


def test_a_flood_of_output_is_cut(submit: Submit) -> None:
    """Lines without end neither fill the report nor hold up the grade."""
    graded = submit(first="while True:\n    print('x' * 1000)")
    assert scores(graded) == FULL
    assert graded.notebook is not None
    assert len(graded.notebook) < 400_000
    assert "The output was cut" in outputs(graded)


def test_one_huge_message_is_dropped(submit: Submit) -> None:
    """A display of 100 MB does not reach the examiner's memory."""
    graded = submit(first="print('x' * 100_000_000)", last="print('after')")
    assert scores(graded) == FULL
    assert "after" in outputs(graded)


def test_chatter_and_warnings_cost_nothing(submit: Submit) -> None:
    """What a function prints or warns of decides nothing."""
    loud = (
        "import sys, warnings\ndef double(x):\n    print('working', x)\n    print('oops', file=sys.stderr)\n"
        "    warnings.warn('deprecated')\n    return 2 * x"
    )
    assert scores(submit(double=loud)) == FULL


def test_a_printed_score_is_only_text(submit: Submit) -> None:
    """What looks like a result in the output is none."""
    graded = submit(double="def double(x):\n    print('score: 100 passed'); return 0", last="print('100/100')")
    assert scores(graded)["double"] == 0


def test_a_forbidden_package_imports_and_does_not_work(submit: Submit) -> None:
    """An import out of habit costs nothing; a use inside a task costs the task."""
    harmless = submit(first="import tensorflow as tf\nfrom scipy import signal")
    assert scores(harmless) == FULL
    used = submit(double="import tensorflow as tf\ndef double(x):\n    return tf.add(x, x).numpy()")
    assert scores(used) == {**FULL, "double": 0.0}
    assert "tensorflow" in messages(used)


def test_a_hidden_import_of_a_forbidden_package_fails_all_the_same(submit: Submit) -> None:
    """What the syntax tree does not show, the walls do."""
    sly = "def double(x):\n    tf = __import__('tensor' + 'flow')\n    return tf.add(x, x)"
    assert scores(submit(double=sly)) == {**FULL, "double": 0.0}


def test_a_check_that_breaks_is_flagged(submit: Submit) -> None:
    """A hidden test that stumbles over a result is our fault, and a person looks."""
    graded = submit(shout="def shout(text):\n    return None")
    assert graded.report.tasks[2].outcome is Outcome.BROKEN
    assert graded.report.needs_review
    assert "not your fault" in messages(graded)


def test_released_files_lie_in_the_work_folder(submit: Submit) -> None:
    """Data and public tests are where they are at home."""
    graded = submit(first="print(open('data/note.txt').read()); check('double')", last="check('double')")
    assert "released data" in outputs(graded)
    assert "doubles one" in outputs(graded)


def test_what_is_hidden_is_out_of_reach(submit: Submit, grader: LocalGrader) -> None:
    """Neither the course nor another process nor a canary can be found from a cell."""
    root = grader.assignment.course.root
    look = f"""
import os
from pathlib import Path
print("root seen:", os.path.exists({str(root)!r}), os.path.exists("/root"), sorted(os.listdir("/")))
print("processes:", sorted(int(name) for name in os.listdir("/proc") if name.isdigit()))
print("environment:", dict(os.environ))
found = []
for folder, _, names in os.walk("/"):
    if folder.startswith(("/proc", "/sys")):
        continue
    found += [os.path.join(folder, name) for name in names if "hidden" in name or name == "salt.txt"]
print("found:", [name for name in found if "site-packages" not in name and "/lib/python" not in name])
"""
    shown = outputs(submit(first=look))
    assert "root seen: False" in shown
    assert "processes: [1, 2" in shown
    assert "found: []" in shown
    assert str(root) not in shown.replace(look, "")


def test_a_result_that_is_no_data_fails_its_check(submit: Submit) -> None:
    """Objects that lie about themselves stay where they are."""
    liar = (
        "class Liar(np.ndarray):\n    def __eq__(self, other):\n        return True\n"
        "def double(x):\n    return np.asarray(x).view(Liar)"
    )
    assert scores(submit(double=liar)) == {**FULL, "double": 0.0}


def test_a_patched_numpy_decides_nothing(submit: Submit) -> None:
    """The examiner compares with its own."""
    patch = (
        "import numpy.testing\nnp.allclose = np.isclose = lambda *a, **k: True\n"
        "numpy.testing.assert_allclose = lambda *a, **k: None\n"
        "import builtins\nbuiltins.isinstance = lambda *a: True"
    )
    graded = submit(last=patch, double="def double(x):\n    return 0 * x")
    assert scores(graded)["double"] == 0


def test_figures_are_in_the_executed_notebook(submit: Submit) -> None:
    """What a student draws is what the instructor sees."""
    graded = submit(last="import matplotlib.pyplot as plt\nplt.figure(figsize=(2, 1))\nplt.plot([1, 2]);")
    assert "'image/png': 'iVBOR" in outputs(graded)


def test_a_figure_takes_no_name_from_the_student(submit: Submit) -> None:
    """The author's figure has a factor of its own, and the student's stays as it is, run or not."""
    own = "factor = 2\ndef double(x):\n    return factor * x"
    assert scores(submit(double=own)) == FULL
    graded = submit(double=own, last="%%figure\nfactor = 7\nprint(factor + double(factor))")
    assert scores(graded) == FULL
    assert "'text': '21\\n'" in outputs(graded)


def test_a_figure_of_the_release_is_not_run(submit: Submit) -> None:
    """Nothing that is graded can depend on it, so it shows what it showed when it was submitted."""
    graded = submit(double="def double(x):\n    print('called')\n    return 2 * x")
    assert "called" not in outputs(graded)


def test_a_stand_in_for_keras_disturbs_nothing(submit: Submit) -> None:
    """A NumPy notebook that imports what it may not use is graded like any other."""
    assert scores(submit(first="import keras, tensorflow.keras as tk\nfrom tensorflow import keras as k")) == FULL


def test_hidden_tests_that_talk_hold_nobody_up(copied: Assignment) -> None:
    """What they print goes nowhere, however much it is: a pipe that nobody reads would be full one day."""
    talk = '    import sys\n    print("x" * 200_000, file=sys.stderr, flush=True)\n    x = rng'
    hidden = copied.hidden_tests.read_text().replace("    x = rng", talk)
    copied.hidden_tests.write_text(hidden)
    body = notebook(copied.release_notebook, "", "", RIGHT)
    with LocalGrader(copied) as grader:
        assert grader.grade(Job("probe", "ada", body)).report.score == 100


CLAIM = """\
import json
def claim(kind, **content):
    kernel = get_ipython().kernel
    kernel.session.pack = lambda value: json.dumps(value, default=str).encode()
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent("shell"), ident=b"kernel")
"""


def test_a_message_that_cannot_be_written_breaks_nothing(submit: Submit) -> None:
    """Half of a surrogate pair, and a number of the run that is none: points and notebook are as if it were text."""
    graded = submit(
        first=CLAIM + "claim('stream', name='stdout', text='half \\ud800')\n"
        "claim('execute_input', code='', execution_count='<b>1</b>')"
    )
    assert graded.report.score == 100
    assert graded.notebook is not None
    cells = nbformat.reads(graded.notebook.decode(), 4).cells
    assert [cell.outputs[0].text for cell in cells if "claim(" in cell.source] == ["half "]
    assert all(cell.get("execution_count") is None or isinstance(cell.execution_count, int) for cell in cells)

"""The audit grades the grader: what it says of good checks, of weak ones, and of answers that are not what they say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from autograder import cli
from autograder.audit.candidates import Candidate, Kind, candidates, sample
from autograder.audit.equivalent import Equivalent
from autograder.audit.examination import examine
from autograder.audit.findings import Audit, Flaw, find
from autograder.audit.stability import repeat
from autograder.course import Assignment
from autograder.examine.grader import LocalGrader
from autograder.grading.engine import Event, Finished, Grader

RIGHT_TOO = """\
def double(x):
    return x + x
def train(x):
    return {"twice": double(x)}
def predict(parameters, x):
    return parameters["twice"] * x
def shout(text):
    return "".join(letter.upper() for letter in text)
"""


def _audited(assignment: Assignment, everyone: Sequence[Candidate], *equivalents: Equivalent) -> Audit:
    def hire() -> AbstractContextManager[Grader]:
        return LocalGrader(assignment)

    examined = examine(assignment, everyone, hire, lambda _: None, workers=2, fresh=False)
    return find(assignment, everyone, examined.reports, equivalents)


def test_good_checks_tell_right_from_wrong(copied: Assignment) -> None:
    """Right answers keep their points, wrong ones and the stub lose theirs, and known mistakes are known."""
    alternates = copied.solution.parent / "alternates"
    alternates.mkdir()
    (alternates / "other.py").write_text(RIGHT_TOO, encoding="utf8")
    found = _audited(copied, candidates(copied))
    assert found.findings == ()
    assert found.counts[Kind.ALTERNATE.value] == 1
    assert found.diagnosed == 2
    assert found.unknown == ("misconception-whispered", "misconception-unchanged")  # the same for small letters
    assert (found.survivors, found.mutation_score, found.idle) == ((), 1.0, ())


def test_answers_that_are_not_what_they_claim_are_named(copied: Assignment) -> None:
    """An alternate that is wrong, a misconception that is right, one that costs points elsewhere; the audit goes on."""
    alternates = copied.solution.parent / "alternates"
    alternates.mkdir()
    (alternates / "wrong.py").write_text(RIGHT_TOO.replace("x + x", "x + 1"), encoding="utf8")
    known = copied.misconceptions.read_text(encoding="utf8")
    extra = (
        '@misconception("double")\ndef right(x):\n    "You are right. Nothing is wrong here."\n    return x + x\n\nMISC'
    )
    copied.misconceptions.write_text(known.replace("MISC", extra, 1), encoding="utf8")
    found = _audited(copied, candidates(copied, with_mutants=False))
    flaws = {(one.flaw, one.candidate, one.task) for one in found.findings}
    assert (Flaw.FALSE_FAIL, "alternate-wrong", "double") in flaws
    assert (Flaw.FALSE_PASS, "misconception-right", "double") in flaws
    assert {one for _, one, _ in flaws} == {"alternate-wrong", "misconception-right"}


def test_a_weak_check_lets_mutants_live(copied: Assignment) -> None:
    """A check that asks for the shape alone is survived, and one that nobody fails is idle."""
    tests = copied.hidden_tests.read_text(encoding="utf8")
    weak = "    assert_shape(student.double(x), (n,))\n"
    strong = "    assert_close(student.double(x), reference.double(x))\n"
    copied.hidden_tests.write_text(tests.replace(strong, weak), encoding="utf8")
    found = _audited(copied, candidates(copied))
    assert found.mutation_score is not None
    assert found.mutation_score < 0.9
    assert "return 3 * x" in {one.after for one in found.survivors}
    assert (Flaw.FALSE_PASS, "misconception-squared") in {(one.flaw, one.candidate) for one in found.findings}


def test_an_equivalent_mutant_is_argued_away_and_a_stale_entry_is_named(copied: Assignment) -> None:
    """The score counts the others; an entry about nothing, or about a mutant that a check sees, has to go."""
    solution = copied.solution.read_text(encoding="utf8")
    copied.solution.write_text(solution.replace("2 * x", "2 * x + 0"), encoding="utf8")
    everyone = candidates(copied)
    first = _audited(copied, everyone)
    assert [one.after for one in first.survivors] == ["return 2 * x - 0"]
    argued = Equivalent("double", "return 2 * x + 0", "return 2 * x - 0", "nothing is added either way")
    gone = Equivalent("double", "return 4 * x", "return 5 * x", "it was there once")
    seen = Equivalent("double", "return 2 * x + 0", "return 3 * x + 0", "wishful thinking")
    found = _audited(copied, everyone, argued, gone, seen)
    assert {one.flaw for one in found.findings} == {Flaw.UNKNOWN_MUTANT, Flaw.NOT_EQUIVALENT}
    assert found.equivalent == 1
    assert (found.mutation_score or 0) > (first.mutation_score or 1)


def test_an_audit_goes_on_where_it_stopped(copied: Assignment) -> None:
    """What was examined is not examined again; a mended check has its own task examined again, and no other."""
    everyone = sample(candidates(copied))
    _audited(copied, everyone)
    graded: list[str] = []

    def watch(event: Event) -> None:
        if isinstance(event, Finished):
            graded.append(event.graded.report.student)

    examine(copied, everyone, lambda: LocalGrader(copied), watch, workers=2, fresh=False)
    assert graded == []


def test_the_command_writes_record_and_page(
    copied: Assignment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3 tells that something is to be mended."""
    monkeypatch.chdir(copied.course.root)
    with pytest.raises(SystemExit) as exited:
        cli.app(["audit", "probe", "--quick", "--workers", "2"])
    assert exited.value.code in (0, 3)
    shown = capsys.readouterr().out
    assert "misconceptions that lose points" in shown
    record = json.loads((copied.audit / "audit.json").read_text(encoding="utf8"))
    assert record["counts"]["solution"] == 1
    page = Path(copied.audit / "audit.html").read_text(encoding="utf8")
    assert "doubles 3 numbers" in page
    assert "<script" not in page


def test_an_honest_class_gets_the_same_reports_every_time(copied: Assignment) -> None:
    """Whatever the order, and with more at once than there are cores."""
    everyone = sample(candidates(copied))
    with LocalGrader(copied) as grader:
        found = repeat(copied, everyone, grader, lambda _: None, workers=2, times=3)
    assert (found.rounds, found.candidates, found.differences) == (3, len(everyone), ())


def test_a_grade_that_changes_is_named(copied: Assignment) -> None:
    """A submission that behaves one way or the other by chance is found, with the check that told."""
    answers = f"{copied.solution.read_text(encoding='utf8')}\nimport random\nSEED = random.SystemRandom().random()\n"
    fickle = answers + "def double(x):\n    return x * SEED\n"
    everyone = [Candidate("fickle", Kind.SOLUTION, fickle), *sample(candidates(copied))[:2]]
    with LocalGrader(copied) as grader:
        found = repeat(copied, everyone, grader, lambda _: None, workers=2, times=2)
    assert [(one.candidate, one.round) for one in found.differences] == [("fickle", 2)]

"""The error tree: who is wrong decides which branch, and the branches never mix.

AutograderError            a known error: the command line prints it as one line
├── CourseError            the author is wrong: a template, a rubric, a hidden test
├── SubmissionError        the file is wrong: the submission cannot be graded at all
└── GraderError            we are wrong, or the machine is: no isolation, no disk, a dead worker

CheckFailure               a check said no; not an error of anyone but the student's code
├── StudentRaised          the student's function raised an exception
├── NotImplementedYet      ... and it was the stub's own NotImplementedError
├── MissingFunction        the notebook defines no such function
├── TimedOut               the call ran past its time limit
└── SubjectDied            the process ended, or had to be ended, in the middle of the call
"""

from __future__ import annotations

from pathlib import Path


class AutograderError(Exception):
    """A known error, told in one line: where, what, and the next step."""

    def __init__(self, message: str, *, path: Path | str | None = None, line: int | None = None) -> None:
        self.message = message
        self.path = path
        self.line = line
        super().__init__(message)

    def __str__(self) -> str:
        if self.path is None:
            return self.message
        where = f"{self.path}:{self.line}" if self.line is not None else str(self.path)
        return f"{where}: {self.message}"


class CourseError(AutograderError):
    """The author's files contradict each other or the rules of a course."""


class SubmissionError(AutograderError):
    """A submission that cannot be graded; its message is the report's reason."""


class GraderError(AutograderError):
    """The grader or its machine cannot do what was asked."""


class CheckFailure(AssertionError):
    """A check failed. The text is what the student reads; the facts stay beside it.

    ``expected`` and ``received`` are short renderings, ``hint`` is where to look.
    """

    def __init__(
        self, message: str, *, expected: str | None = None, received: str | None = None, hint: str | None = None
    ) -> None:
        self.message = message
        self.expected = expected
        self.received = received
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        parts = [self.message]
        if self.expected is not None:
            parts.append(f"Expected: {self.expected}")
        if self.received is not None:
            parts.append(f"Received: {self.received}")
        if self.hint is not None:
            parts.append(self.hint)
        return "\n".join(parts)


class StudentRaised(CheckFailure):
    """The student's function raised.

    ``type_names`` are the names along the exception's MRO, most derived first, as the subject claims them.
    """

    def __init__(self, function: str, type_names: tuple[str, ...], text: str, where: str | None = None) -> None:
        self.function = function
        self.type_names = type_names
        self.text = text
        self.where = where
        kind = type_names[0] if type_names else "an exception"
        said = f"{kind}: {text}" if text else kind
        super().__init__(f"{function} raised {said}", hint=where)


class NotImplementedYet(StudentRaised):
    """The stub is still in place."""

    def __init__(self, function: str) -> None:
        super().__init__(function, ("NotImplementedError",), "")
        self.message = f"{function} is not implemented yet: replace `raise NotImplementedError` by your code."


class MissingFunction(CheckFailure):
    """The notebook ran and defines no function of that name."""

    def __init__(self, function: str) -> None:
        self.function = function
        super().__init__(
            f"Your notebook defines no function named {function}.",
            hint="Keep the name and the arguments of the template, and look for an error in the cell that defines it.",
        )


class TimedOut(CheckFailure):
    """A call ran past its limit."""

    def __init__(self, function: str, limit_s: float) -> None:
        self.function = function
        self.limit_s = limit_s
        super().__init__(
            f"{function} did not return within {limit_s:g} s.",
            hint="Look for a loop that never ends, or one over single pixels where an array operation would do.",
        )


class SubjectDied(CheckFailure):
    """The subject ended in the middle of a call; ``cause`` says why as far as it is known."""

    def __init__(self, function: str, cause: str) -> None:
        self.function = function
        self.cause = cause
        super().__init__(f"The process that ran {function} ended before it returned: {cause}.")

"""The proxies: one behavior, whether the functions live in this process or behind a channel."""

from __future__ import annotations

import contextlib
import socket
import threading
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from autograder.errors import CheckFailure, MissingFunction, NotImplementedYet, StudentRaised, SubjectDied
from autograder.subject.agent import AgentServer
from autograder.subject.channel import Channel
from autograder.subject.codec import Handle, Opaque
from autograder.subject.proxy import ModuleSubject, RemoteSubject, Subject

PROGRAM = """
import numpy as np

class Odd(ValueError):
    pass

def double(x):
    return 2 * x

def spoil(x):
    x[:] = 0
    return x

def stub(x):
    raise NotImplementedError

def refuse(x):
    raise Odd("no " + str(x))

def pair(x):
    return {"w": x}, [1.0, 2.0]

def unpack(parameters, x):
    return parameters["w"] + x

def composed(x):
    return double(x) + 1

def strange(x):
    return np.ma.masked_array(x)

def endless_text(x):
    class Loud(Exception):
        def __str__(self):
            raise RuntimeError("no text")
    raise Loud

constant = 3
"""


class OpenLink:
    """A link to a channel that nobody interrupts."""

    check_s = 5.0

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def channel(self) -> Channel:
        return self._channel

    def interrupt(self) -> None:
        """Nothing to interrupt."""

    def discard(self) -> str:
        return "it was ended"

    def time_left_s(self) -> float:
        return 5.0


def namespace() -> dict[str, Any]:
    """The program's functions."""
    module = types.ModuleType("student")
    exec(PROGRAM, module.__dict__)
    return module.__dict__


@pytest.fixture(params=["module", "remote"])
def student(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """The same functions in both places."""
    if request.param == "module":
        yield ModuleSubject(namespace(), source=(PROGRAM,))
        return
    ours, theirs = socket.socketpair()
    server = AgentServer(Channel(theirs), namespace())
    server.agent._guard = contextlib.nullcontext  # only a main thread may handle signals
    thread = threading.Thread(target=lambda: all(iter(server.serve_one, False)), daemon=True)
    thread.start()
    yield RemoteSubject(OpenLink(Channel(ours)), (PROGRAM,))
    ours.close()
    thread.join(5)
    theirs.close()


def test_results_come_back_as_data(student: Subject) -> None:
    """Arrays are copies, exact arrays, and the arguments of the caller stay as they were."""
    x = np.arange(3.0)
    result = student.spoil(x)
    assert type(result) is np.ndarray
    assert result.tolist() == [0, 0, 0]
    assert x.tolist() == [0, 1, 2]


def test_arguments_after_the_call_can_be_seen(student: Subject) -> None:
    """``with_arguments`` shows what the function did to its input."""
    result, after = student.with_arguments.spoil(np.arange(3.0))
    assert result.tolist() == [0, 0, 0]
    assert after[0].tolist() == [0, 0, 0]


def test_handles_stand_for_what_stays_there(student: Subject) -> None:
    """A tuple of results becomes a tuple of handles, which later calls take."""
    parameters, losses = student.handle.pair(np.ones(2))
    assert isinstance(parameters, Handle)
    assert student.value(losses) == [1.0, 2.0]
    assert student.unpack(parameters, 1.0).tolist() == [2, 2]


def test_exceptions_carry_their_kinds(student: Subject) -> None:
    """A subclass of ValueError counts as one, and the text is told."""
    with pytest.raises(StudentRaised, match=r"refuse raised Odd: no 3") as caught:
        student.refuse(3)
    assert caught.value.type_names[:2] == ("Odd", "ValueError")


def test_an_exception_without_text_is_still_told(student: Subject) -> None:
    """A ``__str__`` that raises is the student's too."""
    with pytest.raises(StudentRaised, match="Loud"):
        student.endless_text(1)


def test_a_stub_is_told_kindly(student: Subject) -> None:
    """NotImplementedError without words is the template's own."""
    with pytest.raises(NotImplementedYet, match="stub is not implemented yet"):
        student.stub(1)


@pytest.mark.parametrize("name", ["nothing", "constant"])
def test_a_missing_function_is_told(student: Subject, name: str) -> None:
    """No such name, or a name that is no function."""
    with pytest.raises(MissingFunction, match=f"no function named {name}"):
        getattr(student, name)(1)


def test_an_array_of_another_kind_is_opaque(student: Subject) -> None:
    """A subclass of ndarray crosses as its name alone."""
    assert isinstance(student.strange(np.ones(2)), Opaque)


def test_given_functions_answer_for_a_while(student: Subject) -> None:
    """The student's code calls the stand-in, and its own function again afterwards."""
    with student.given({"double": lambda x: 10 * x}):
        assert student.composed(2) == 21
    assert student.composed(2) == 5


def test_a_peer_that_is_gone_fails_the_check_only() -> None:
    """A subject that died in a call is a CheckFailure with the cause."""
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(SubjectDied, match="it was ended"):
        RemoteSubject(OpenLink(Channel(ours)), ()).double(1)


@pytest.mark.parametrize(
    "forged", [{"id": 1}, {"id": 1, "raised": 5, "text": [], "where": {}}, {"id": 1, "missing": 1}, [1], "no", None]
)
def test_forged_replies_are_check_failures(forged: object) -> None:
    """Whatever the subject's process sends, a CheckFailure is the worst that comes of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Channel(theirs).send(forged)
        with pytest.raises(CheckFailure):
            RemoteSubject(OpenLink(Channel(ours)), ()).double(1)

"""``student``: the student's functions as a test calls them, wherever they run.

    student.conv2d(x, kernels, bias)                    the result, as plain data
    student.handle.train_cnn(images, labels)            the result stays where it is; handles come back
    student.with_arguments.relu(x)                      (result, the positional arguments after the call)
    student.value(handle)                               one kept result, as plain data
    student.model("predict", handle, x, of="lenet5")    what autograder.subject.models answers about a kept model
    student.forget(handle)                              one kept result goes, with the memory that it holds
    student.source                                      the program, cell by cell

``RemoteSubject`` speaks to a subject over a channel, ``ModuleSubject`` calls a module in this process. Both send
arguments and results through the codec, so a test behaves the same for the solution, a misconception and a stranger's
notebook. Only CheckFailure and its kinds come out of a call, whatever the student's code did.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Protocol

from autograder.errors import CheckFailure, MissingFunction, NotImplementedYet, StudentRaised, SubjectDied, TimedOut
from autograder.subject.agent import Agent, as_data
from autograder.subject.channel import Channel, ChannelClosed, DeadlinePassed
from autograder.subject.codec import CodecError, Handle, decode, encode
from autograder.subject.errands import OutOfTime, errand

Call = Callable[..., Any]


class Subject:
    """The calling side. A kind of subject says how one request is answered."""

    source: tuple[str, ...] = ()

    def __getattr__(self, function: str) -> Call:
        if function.startswith("_"):
            raise AttributeError(function)
        return lambda *args, **kwargs: self.call(function, args, kwargs, keep=False, after=False)

    @property
    def handle(self) -> _Caller:
        """Calls whose result stays in the subject."""
        return _Caller(self, keep=True, after=False)

    @property
    def with_arguments(self) -> _Caller:
        """Calls that also return the positional arguments as they are afterwards."""
        return _Caller(self, keep=False, after=True)

    def call(self, function: str, args: Sequence[object], kwargs: Mapping[str, object], keep: bool, after: bool) -> Any:
        """Call once; with ``after`` return ``(result, arguments)``.

        Raises:
            CheckFailure: whatever went wrong on the student's side.
        """
        request: dict[str, object] = {"op": "call", "function": function, "args": list(args), "kwargs": dict(kwargs)}
        reply = _checked(self._ask({**request, "keep": keep, "after": after}, function), function)
        if not after:
            return reply["value"]
        arguments = reply.get("after")
        return reply["value"], tuple(arguments) if isinstance(arguments, list) else ()

    def call_through(
        self, action: str, function: str, args: Sequence[object], kwargs: Mapping[str, object], *, keep: bool = False
    ) -> Any:
        """Hand the student's function to one of :mod:`autograder.subject.models`, with these arguments.

        Raises:
            CheckFailure: whatever went wrong on the student's side.
        """
        request: dict[str, object] = {"op": "call", "function": function, "through": action}
        request |= {"args": list(args), "kwargs": dict(kwargs), "keep": keep, "after": False}
        return _checked(self._ask(request, function), function)["value"]

    def model(self, action: str, *args: object, of: str, keep: bool = False) -> Any:
        """Call a function of :mod:`autograder.subject.models`; ``of`` is the student's function that made the model.

        Raises:
            CheckFailure: whatever went wrong on the student's side.
        """
        request = {"op": "model", "function": action, "args": list(args), "kwargs": {}, "keep": keep, "after": False}
        return _checked(self._ask(request, of), of)["value"]

    def forget(self, handle: Handle) -> None:
        """Let a kept result go."""
        self._ask({"op": "forget", "handle": handle.number}, handle.type_name)

    def value(self, handle: Handle) -> Any:
        """Fetch a kept result as data; raises CheckFailure."""
        return _checked(self._ask({"op": "value", "handle": handle.number}, handle.type_name), handle.type_name)[
            "value"
        ]

    def begin(self, seed: int) -> None:
        """Start a new check: kept results go, and the global generators of ``random`` and NumPy are seeded."""
        self._ask({"op": "begin", "seed": seed}, "the notebook")

    @contextlib.contextmanager
    def given(self, functions: Mapping[str, Call]) -> Iterator[None]:
        """Answer the calls that the student's code makes of ``functions`` by these, for a while."""
        self._ask({"op": "give", "functions": list(functions)}, "the notebook")
        self._given = functions
        try:
            yield
        finally:
            self._given = {}
            with contextlib.suppress(CheckFailure):  # a subject that died has nothing to take back
                self._ask({"op": "give", "functions": []}, "the notebook")

    _given: Mapping[str, Call] = MappingProxyType({})

    def _ask(self, request: dict[str, object], function: str) -> dict[Any, Any]:
        raise NotImplementedError

    def _answer(self, question: dict[Any, Any]) -> dict[str, object]:
        """Answer what the student's code asked of a given function."""
        name, args, kwargs = question.get("ask"), question.get("args"), question.get("kwargs")
        function = self._given.get(name) if isinstance(name, str) else None
        if function is None or not isinstance(args, list) or not isinstance(kwargs, dict):
            return {"refused": "no such function is given"}
        try:
            result: object = function(*args, **kwargs)
            encode(result)
        except Exception as error:  # noqa: BLE001 - the arguments are the student's: any exception is about them
            return {"refused": f"{type(error).__name__}: {error}"[:500]}
        return {"value": result}


class _Caller:
    def __init__(self, subject: Subject, *, keep: bool, after: bool) -> None:
        self._subject, self._keep, self._after = subject, keep, after

    def __getattr__(self, function: str) -> Call:
        return lambda *args, **kwargs: self._subject.call(function, args, kwargs, self._keep, self._after)


class ModuleSubject(Subject):
    """A module, or a notebook's namespace, in this process: for our own code and for students at home."""

    def __init__(self, functions: ModuleType | MutableMapping[str, Any], source: tuple[str, ...] = ()) -> None:
        namespace = vars(functions) if isinstance(functions, ModuleType) else functions
        self.source = source or _module_source(functions)
        self._agent = Agent(namespace, lambda question: _through(self._answer(_through(question))))

    def _ask(self, request: dict[str, object], function: str) -> dict[Any, Any]:
        try:
            reply = _through(self._agent.answer(_through(request)))
        except CodecError as error:
            raise CheckFailure(f"What {function} returned is too large: {error}.") from None
        assert isinstance(reply, dict)
        return reply


class Link(Protocol):
    """What a remote subject needs of whoever owns its process."""

    check_s: float
    """The limit of one check, as it is told to students."""

    def channel(self) -> Channel:
        """Return the channel to a live subject that has run the notebook.

        Raises:
            CheckFailure: there is no time left, or no subject lives long enough.
        """

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the subject's main thread."""

    def discard(self) -> str:
        """End the subject, if it has not ended, and say why it did; the next ``channel`` is that of a fresh one."""

    def time_left_s(self) -> float:
        """Seconds that the check under way may still take."""


_GRACE_S = 1.0
"""How long an interrupted call may take to unwind before its process is ended."""


class RemoteSubject(Subject):
    """A subject behind a channel. Whatever arrives is hostile until it has been looked at."""

    def __init__(self, link: Link, source: tuple[str, ...]) -> None:
        self._link = link
        self.source = source
        self._ids = itertools.count(1)
        self._last: Channel | None = None
        self._was_asked = False

    def _ask(self, request: dict[str, object], function: str) -> dict[Any, Any]:
        channel = self._link.channel()
        if channel is not self._last:
            self._last = channel
            if self._given:  # a fresh subject knows nothing of what was given to the one before
                self._ask({"op": "give", "functions": list(self._given)}, function)
        number = next(self._ids)
        self._was_asked = False
        try:
            deadline = time.monotonic() + self._link.time_left_s()
            channel.send({"id": number, **request}, deadline)
            reply = self._reply(channel, number, deadline)
        except DeadlinePassed:
            self._stop(channel, number)
            raise TimedOut(function, self._link.check_s) from None
        except ChannelClosed as error:
            raise SubjectDied(function, self._link.discard() or str(error)) from None
        return reply

    def _stop(self, channel: Channel, number: int) -> None:
        """Interrupt the call; a subject that does not obey is ended.

        So is one that was asking something itself: the answer may lie unread where it expects the next request.
        """
        if self._was_asked:
            self._link.discard()
            return
        self._link.interrupt()
        try:
            self._reply(channel, number, time.monotonic() + _GRACE_S)
        except (DeadlinePassed, ChannelClosed):
            self._link.discard()

    def _reply(self, channel: Channel, number: int, deadline: float) -> dict[Any, Any]:
        """Wait for the reply to request ``number``; answer what the subject asks for meanwhile."""
        while True:
            message = channel.receive(deadline)
            if not isinstance(message, dict):
                raise ChannelClosed("what was sent is no reply")
            if "ask" in message:
                self._was_asked = True
                channel.send(self._bounded_answer(message, deadline), deadline)
            elif type(message.get("id")) is int and message["id"] == number:
                return message

    def _bounded_answer(self, question: dict[Any, Any], deadline: float) -> dict[str, object]:
        try:
            with errand(deadline):
                return self._answer(question)
        except OutOfTime as error:  # it came when the answer was done
            return {"refused": str(error)}


def _checked(reply: dict[Any, Any], function: str) -> dict[Any, Any]:
    """Return a reply that carries a value; raise the CheckFailure that any other one tells of."""
    if "missing" in reply:
        raise MissingFunction(function)
    if "raised" in reply:
        names, text, where = reply["raised"], reply.get("text"), reply.get("where")
        known = [name[:100] for name in names if isinstance(name, str)][:20] if isinstance(names, list) else []
        raise _raised(
            function,
            known,
            text[:2000] if isinstance(text, str) else "",
            where[:300] if isinstance(where, str) else None,
        )
    if "value" not in reply:
        raise CheckFailure(f"{function} gave no result.")
    return reply


def _raised(function: str, names: Sequence[str], text: str, where: str | None) -> StudentRaised:
    if names and names[0] == "NotImplementedError" and not text:
        return NotImplementedYet(function)
    return StudentRaised(function, tuple(name for name in names if name != "object"), text, where)


def _through(value: object) -> Any:
    """Send a value through the codec and back, as the channel would."""
    return decode(encode(value, convert=as_data))


def _module_source(functions: ModuleType | Mapping[str, Any]) -> tuple[str, ...]:
    path = getattr(functions, "__file__", None)
    return (Path(path).read_text(encoding="utf8"),) if path else ()

"""The end of the channel inside the subject: it calls the student's functions and sends back data.

Everything here runs in the student's process and may be forged by it, so nothing here is trusted: the agent only
makes an honest student's work reachable. What decides is on the other side.

A request is a dict, and so is its reply, joined by ``id``:

    {"id": 7, "op": "call", "function": "conv2d", "args": [...], "kwargs": {...}, "keep": False, "after": False}
    {"id": 7, "op": "call", "function": "vgg16", "through": "outline", ...}
    {"id": 7, "op": "model", "function": "predict", ...}
    {"id": 7, "value": ..., "after": [...]}      or      {"id": 7, "raised": [type names], "text": ..., "where": ...}

``keep`` leaves the result in the subject and answers with a handle; ``after`` sends the positional arguments back as
they are after the call. ``op: model`` calls a function of :mod:`autograder.subject.models` and not the student's, and
``through`` hands the student's function to one of them. While a call runs, a stand-in (``op: give``) may ask the other
side for the function that it stands for: {"ask": "conv2d", "args": ..., "kwargs": ...}.
"""

from __future__ import annotations

import contextlib
import gc
import io
import itertools
import random
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from functools import partial
from typing import Any

import numpy as np

from autograder.subject.channel import Channel, ChannelClosed
from autograder.subject.codec import CodecError, Handle, Opaque, type_name

_TEXT = 2000
"""Characters of an exception's text that are worth sending."""


class Agent:
    """Answers requests about one namespace.

    ``ask`` puts the question of a stand-in to the other side and returns the answer; ``guard`` surrounds every call of
    a student's function.
    """

    def __init__(
        self,
        namespace: MutableMapping[str, Any],
        ask: Callable[[dict[str, object]], Any],
        guard: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self.namespace = namespace
        self._ask = ask
        self._guard = guard
        self._kept: dict[int, object] = {}
        self._numbers = itertools.count()
        self._own: dict[str, object] = {}

    def answer(self, request: dict[Any, Any]) -> dict[str, object]:
        """Do what a request asks for; what a student's function raises is part of the answer."""
        operation = request["op"]
        if operation in ("call", "model"):
            return self._call(request)
        if operation == "value":
            return {"value": self._kept[request["handle"]]}
        if operation == "give":
            return self._give(request["functions"])
        if operation == "forget":
            self._forget(request["handle"])
            return {"value": None}
        self._begin(request["seed"])
        return {"value": None}

    def _begin(self, seed: int) -> None:
        has_keras = hasattr(sys.modules.get("keras"), "__version__")  # a stand-in for a forbidden package has none
        if has_keras and self._kept and gc.get_freeze_count():
            self._kept.clear()
            gc.collect()  # a model holds itself in circles; in a fork only what is its own is looked at
        self._kept.clear()
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - what students use without a seed has to repeat
        if has_keras:
            _models().seed_everything(seed)

    def _forget(self, number: int) -> None:
        self._kept.pop(number, None)
        gc.collect()  # a model holds itself in circles

    def _call(self, request: dict[Any, Any]) -> dict[str, object]:
        function = self._function(request)
        if not callable(function):
            return {"missing": True}
        try:
            args = [self._resolve(value) for value in request["args"]]
            kwargs = {name: self._resolve(value) for name, value in request["kwargs"].items()}
            with self._guard():
                result = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the boundary: a student's code may raise anything
            return raised(error)
        reply: dict[str, object] = {"value": self._keep(result) if request["keep"] else result}
        if request["after"]:
            reply["after"] = args
        return reply

    def _function(self, request: dict[Any, Any]) -> object:
        name, through = request["function"], request.get("through")
        if request["op"] == "model":
            return getattr(_models(), name)
        function = self.namespace.get(name)
        return partial(getattr(_models(), through), function) if through and callable(function) else function

    def _resolve(self, value: object) -> object:
        if isinstance(value, Handle):
            return self._kept[value.number]
        if isinstance(value, list):
            return [self._resolve(item) for item in value]
        if isinstance(value, tuple):
            return tuple(self._resolve(item) for item in value)
        if isinstance(value, dict):
            return {key: self._resolve(item) for key, item in value.items()}
        return value

    def _keep(self, value: object) -> object:
        if type(value) is tuple:
            return tuple(self._keep(item) for item in value)
        number = next(self._numbers)
        self._kept[number] = value
        return Handle(number, type_name(type(value)))

    def _give(self, functions: list[str]) -> dict[str, object]:
        for name, own in self._own.items():
            self.namespace[name] = own
        self._own = {name: self.namespace.get(name) for name in functions}
        for name in functions:
            self.namespace[name] = self._stand_in(name)
        return {"value": None}

    def _stand_in(self, name: str) -> Callable[..., object]:
        def given(*args: object, **kwargs: object) -> object:
            answer = self._ask({"ask": name, "args": list(args), "kwargs": kwargs})
            if "refused" in answer:
                raise ValueError(answer["refused"])
            return answer["value"]

        given.__name__ = given.__qualname__ = name
        return given


class AgentServer:
    """An agent behind a channel, in a process whose main thread it has."""

    def __init__(self, channel: Channel, namespace: MutableMapping[str, Any]) -> None:
        self.channel = channel
        self.agent = Agent(namespace, self._ask, _quiet_and_interruptible)

    def serve_one(self) -> bool:
        """Answer one request; False when the other side is gone."""
        try:
            request = self.channel.receive()
            assert isinstance(request, dict)
            try:
                reply = self.agent.answer(request)
            except BaseException as error:  # noqa: BLE001 - SystemExit, an interrupt: a student's code may raise anything
                reply = raised(error)
            self._reply({"id": request["id"], **reply})
        except ChannelClosed:
            return False
        except KeyboardInterrupt:  # one that came between two calls has nothing left to stop
            return True
        return True

    def _reply(self, reply: dict[str, object]) -> None:
        try:
            self.channel.send(reply, convert=as_data)
        except CodecError as error:
            text = f"the result is too large: {error}"
            self.channel.send({"id": reply["id"], "raised": ["OverflowError"], "text": text})

    def _ask(self, question: dict[str, object]) -> Any:
        self.channel.send(question, convert=as_data)
        return self.channel.receive()


def raised(error: BaseException) -> dict[str, object]:
    """Tell of an exception: the names along its MRO, its text, and the line it came from."""
    names = [kind.__name__ for kind in type(error).__mro__ if kind is not object]
    try:
        text = str(error)[:_TEXT].encode("utf8", "replace").decode()  # a lone surrogate could not be sent
    except BaseException:  # noqa: BLE001 - the exception's __str__ is the student's code too
        text = ""
    return {"raised": names, "text": text, "where": _where(error)}


def _where(error: BaseException) -> str | None:
    """Name the last line of the student's own code that the exception passed through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    cells = [frame for frame in frames if "ipykernel_" in frame.filename] or frames[1:]
    if not cells or not cells[-1].line:
        return None
    return f"in {cells[-1].name}, at: {cells[-1].line.strip()[:200]}"


def as_data(value: object) -> object:
    """Turn a framework's tensor into an array; anything else is told by its type alone."""
    if type(value).__module__.startswith(("tensorflow.python", "keras.src")) and hasattr(value, "numpy"):
        with contextlib.suppress(Exception):
            return np.asarray(value.numpy())
    return Opaque(type_name(type(value)))


def _models() -> Any:
    """Import what answers about models, which imports Keras."""
    from autograder.subject import models

    return models


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def _quiet_and_interruptible() -> Iterator[None]:
    """Drop what a checked function prints, and let SIGINT stop it; outside of a call the kernel ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with contextlib.redirect_stdout(_Nowhere()), contextlib.redirect_stderr(_Nowhere()):
            yield
    finally:
        signal.signal(signal.SIGINT, before)

"""Forging the score from outside of Python: on the channel to the examiner, and in the kernel's messages."""

from __future__ import annotations

from tests.hostile.attacks.attack import RIGHT, Attack, Verdict, full, loses

LINE = """\
import gc, os, socket, struct, sys, time
from autograder.subject.agent import AgentServer
from autograder.subject.codec import Handle, Opaque, encode
server = next(one for one in gc.get_objects() if isinstance(one, AgentServer))
channel, stream = server.channel, server.channel.stream
frame = lambda body: struct.pack("<Q", len(body)) + body

def send(data):
    data = memoryview(data)
    while data:
        try:
            data = data[stream.send(data):]
        except BlockingIOError:
            time.sleep(0.001)

def request():
    here = sys._getframe()
    while here:
        found = here.f_locals.get("request")
        if isinstance(found, dict) and "id" in found:
            return found
        here = here.f_back
"""
_ZERO = "def double(x, times=1):\n    return 0 * np.asarray(x)"


def _line(name: str, tries: str, expected: Verdict, double: str, setup: str = "", **tasks: str) -> Attack:
    """A function that writes to the channel itself."""
    return Attack(
        name, tries, expected, first=LINE + setup, tasks={"double": f"def double(x, times=1):\n{double}", **tasks}
    )


_NO_MESSAGE = loses("double", says="it was ended by the grader")
_RIGHT = "    for _ in range(times):\n        x = x + x\n    return x"

CHANNEL = (
    _line(
        "agent-claims",
        "replaces the agent by one that adds points and outcomes to its replies",
        loses("double"),
        "    return 0 * np.asarray(x)",
        "answer = server.agent.answer\nserver.agent.answer = lambda asked: {'passed': True, 'outcome': 'passed', "
        "'score': 100, 'verdict': {'outcome': 'passed'}, 'report': {'score': 100.0}, **answer(asked)}",
    ),
    _line(
        "early-replies",
        "answers every question before it is asked",
        loses("double", "train", "shout", "learn"),
        _RIGHT,
        "for number in range(200):\n    send(frame(encode({'id': number, 'value': 100.0, 'after': []})))",
    ),
    _line(
        "other-replies",
        "answers questions that nobody asked, under numbers that are none",
        full(),
        "    for number in (True, '7', 7.0, -1, 2**70, None, [1], {'a': 1}):\n"
        "        send(frame(encode({'id': number, 'value': 100.0})))\n"
        "    send(frame(encode({'value': 100.0})) + frame(encode({'id': 10**6, 'raised': ['Passed']})))\n" + _RIGHT,
    ),
    _line(
        "no-reply",
        "sends a list where a reply is expected",
        loses("double", says="it was ended by the grader"),
        "    send(frame(encode([1, 2, 3])))\n    return 2 * x",
    ),
    _line(
        "garbage",
        "sends bytes that are no message",
        _NO_MESSAGE,
        "    send(frame(bytes(range(256)) * 9))\n    return 2 * x",
    ),
    _line(
        "announced-size",
        "announces a message of eight exbibytes",
        loses("double", says="it was ended by the grader"),
        "    send(struct.pack('<Q', 2**63) + b'x' * 1000)\n    return 2 * x",
    ),
    _line(
        "half-a-message",
        "announces a message and sends a part of it",
        loses("double", says="did not return within"),
        "    send(struct.pack('<Q', 1 << 26) + b'AGD1' + bytes(1 << 20))\n    time.sleep(60)",
    ),
    _line(
        "lying-shape",
        "sends an array that claims 74 GiB in a hundred bytes",
        _NO_MESSAGE,
        "    body = b'AGD1D' + struct.pack('<I', 2) + b's' + struct.pack('<I', 2) + b'idi' + struct.pack('<q', request()['id'])\n"
        "    body += b's' + struct.pack('<I', 5) + b'valuead\\x02' + struct.pack('<QQ', 10**5, 10**5)\n"
        "    send(frame(body))\n    return 2 * x",
    ),
    _line(
        "lying-count",
        "sends a list that claims four billion items, and one that is nested without end",
        _NO_MESSAGE,
        "    send(frame(b'AGD1' + b'L\\x01\\x00\\x00\\x00' * 100_000) if len(x) == 3 else frame(b'AGD1L\\xff\\xff\\xff\\xff'))\n"
        "    return 2 * x",
    ),
    _line(
        "lying-dtype",
        "sends an array of truth values that are neither, one of letters beyond Unicode, one of objects",
        _NO_MESSAGE,
        "    head = b'AGD1D' + struct.pack('<I', 1) + b's' + struct.pack('<I', 5) + b'value'\n"
        "    send(frame(head + b'a?\\x01' + struct.pack('<Q', 3) + b'\\x07\\x08\\x09') if len(x) == 3 else\n"
        "         frame(head + b'aO\\x01' + struct.pack('<Q', 3) + bytes(24)))\n    return 2 * x",
    ),
    _line(
        "largest-reply",
        "returns as much as a message may hold, in every check",
        loses("double", says="The shape of your output is wrong"),
        "    return np.ones((1 << 23) - 100)",
    ),
    _line(
        "most-items",
        "returns as many small things as a message may hold",
        loses("double"),
        "    return {str(number): [number] for number in range(66_000)}",
    ),
    _line(
        "forged-exception",
        "tells of an exception with endless names, of every wrong type",
        loses("double", says="raised"),
        "    names = ['X' * 10**6] * 50 if len(x) == 3 else {'not': 'a list'}\n"
        "    send(frame(encode({'id': request()['id'], 'raised': names, 'text': b'x' if len(x) == 3 else 'y' * 10**6, "
        "'where': 5})))\n    return 2 * x",
    ),
    _line(
        "forged-stub",
        "tells of the stub's exception, and of what a test could expect",
        loses("double", says="double is not implemented yet"),
        "    send(frame(encode({'id': request()['id'], 'raised': ['NotImplementedError', 'Skipped', 'Passed'], 'text': ''})))\n"
        "    return 2 * x",
    ),
    _line(
        "forged-handles",
        "sends handles to things that it never made, of types with odd names",
        loses("double", "train"),
        "    return Handle(10**6, 'numpy.ndarray')",
        train="def train(x):\n    return Handle(0, 'x')\ndef predict(parameters, x):\n    return Opaque('numpy.ndarray')",
    ),
    _line(
        "passed-descriptors",
        "passes the examiner hundreds of descriptors with each reply",
        full(),
        "    for _ in range(20):\n        try:\n"
        "            socket.send_fds(stream, [frame(encode({'id': -1}))], [stream.fileno()] * 200)\n"
        "        except OSError:\n            pass\n" + _RIGHT,
    ),
    _line(
        "hung-up",
        "hangs up in the middle of a check",
        loses("double", says="ended before it returned"),
        "    stream.shutdown(socket.SHUT_RDWR)\n    return 2 * x",
    ),
    _line(
        "asks-for-the-answer",
        "asks the examiner for what it should compute",
        loses("double", says="no such function is given"),
        "    send(frame(encode({'ask': 'double', 'args': [x], 'kwargs': {}})))\n    answer = channel.receive()\n"
        "    if 'value' not in answer:\n        raise ValueError(str(answer))\n    return answer['value']",
    ),
    _line(
        "asks-for-everything",
        "asks for names that no task gives: private ones, the module's own, the salt",
        loses("double", says="[]"),
        "    found = []\n    for name in ('__globals__', 'SECRET', '__builtins__', 'np', 'exec', 'learn', 7, None, b'x', ['double']):\n"
        "        send(frame(encode({'ask': name, 'args': [], 'kwargs': {}})))\n        answer = channel.receive()\n"
        "        found += [answer] if 'value' in answer else []\n    raise ValueError(str(found))",
    ),
    _line(
        "asks-without-end",
        "asks the examiner again and again while the clock runs",
        loses("double"),
        "    while True:\n        send(frame(encode({'ask': 'double', 'args': [x], 'kwargs': {}})))\n        channel.receive()",
    ),
)

_WRONG_DOUBLE = "    raise ValueError('wrong, so that it is given')"


def _given(name: str, tries: str, ask: str, setup: str = "") -> Attack:
    """A task that is given the reference of an earlier one, and makes it work for itself."""
    train = f"def train(x):\n    {ask}\n    return [2 * x]\ndef predict(parameters, x):\n    return parameters[0] * x"
    return _line(name, tries, loses("double", "train"), _WRONG_DOUBLE, setup, train=train)


GIVEN = (
    _given("given-time", "has the reference compute for a million years", "double(0.0, 10**12)"),
    _given("given-memory", "has the reference fill the machine's memory", "double([0] * 100_000, 60)"),
    _given("given-result", "has the reference make what is too large to be sent", "double([0.0] * 100_000, 8)"),
    _given(
        "given-types", "hands the reference what it was not made for", "double(Opaque('x')); double({'a': b'x'}, 'y')"
    ),
)

WIRE = """\
import json, time
shell = get_ipython()
kernel, session = shell.kernel, shell.kernel.session
parent = kernel.get_parent()
from IPython.display import display
def tell(kind, content, parent=parent, **more):
    session.send(kernel.iopub_socket, kind, content, parent, **more)
def reply(content, kind="execute_reply"):
    session.send(kernel.shell_stream, kind, content, parent, ident=kernel._parent_ident["shell"])
"""


def _wire(name: str, tries: str, source: str, expected: Verdict | None = None, double: str = _ZERO) -> Attack:
    """A cell that writes to the kernel's sockets itself, and a wrong answer that it should make right."""
    return Attack(name, tries, expected or loses("double"), first=WIRE + source, tasks={"double": double})


MESSAGES = (
    _wire(
        "forged-reply",
        "tells that its cell is done, successful and worth all points, and goes on",
        "reply({'status': 'ok', 'execution_count': 1, 'user_expressions': {}, 'payload': [], 'score': 100})\n"
        "tell('status', {'execution_state': 'idle'})\ntime.sleep(0.3)\nprint('later')",
    ),
    _wire(
        "forged-idle",
        "tells a thousand times that it is idle, dead, or starting",
        "for state in ('idle', 'dead', 'restarting', 'starting', 'busy', 7, None) * 150:\n"
        "    tell('status', {'execution_state': state})",
    ),
    _wire(
        "forged-replies",
        "sends replies without a status, with pages and with cells to be inserted",
        "reply({})\nreply({'status': 'ok', 'payload': [{'source': 'set_next_input', 'text': 'x = 1', 'replace': True},\n"
        "  {'source': 'page', 'data': {'text/html': '<script>1</script>'}}, 7]})\nreply({'status': 7})\n"
        "reply([1], 'shutdown_reply')\nreply({'status': 'aborted'}, 'kernel_info_reply')",
    ),
    _wire(
        "forged-outputs",
        "sends outputs of impossible shapes, and for cells of others",
        "for kind in ('stream', 'display_data', 'update_display_data', 'execute_result', 'error', 'clear_output', 'execute_input'):\n"
        "    for content in ({}, [], None, 7, {'name': 7, 'text': 8}, {'name': 'stdout', 'text': ['a', 1]},\n"
        "        {'data': {'text/plain': {'a': 1}, 7: 8}, 'metadata': 5}, {'data': None, 'metadata': None},\n"
        "        {'data': {'image/png': 5}, 'metadata': {}, 'transient': {'display_id': ['x']}},\n"
        "        {'ename': 5, 'evalue': None, 'traceback': 7}, {'ename': 'E', 'evalue': 'v', 'traceback': [1, {}]},\n"
        "        {'wait': True}, {'code': 'x' * 1000, 'execution_count': 'many'}):\n        tell(kind, content)\n"
        "print('still here')",
        loses("double", says="still here"),
    ),
    _wire(
        "forged-feedback",
        "writes the feedback of its task itself, and updates it later",
        "text = 'double: 30 of 30 points'\ntell('display_data', {'data': {'text/plain': text}, 'metadata': {}, "
        "'transient': {'display_id': 'double-check'}})\ntell('update_display_data', {'data': {'text/plain': text + '!'}, "
        "'metadata': {}, 'transient': {'display_id': 'double-check'}})",
        loses("double", says="double: 0 of 30 points"),
    ),
    _wire(
        "forged-widgets",
        "opens widgets and leaves their state in the notebook",
        "tell('comm_open', {'comm_id': 'a', 'target_name': 'jupyter.widget', 'data': {'state': {'_model_name': 'HTMLModel', "
        "'value': '<script>1</script>'}}})\ntell('comm_msg', {'comm_id': 'a', 'data': {'method': 'update', 'state': {}}})\n"
        "tell('display_data', {'data': {'application/vnd.jupyter.widget-view+json': {'model_id': 'a'}}, 'metadata': {}})",
    ),
    _wire(
        "forged-input",
        "asks the person at the keyboard for a password",
        "session.send(kernel.stdin_socket, 'input_request', {'prompt': 'password: ', 'password': True}, parent, "
        "ident=kernel._parent_ident['shell'])",
    ),
    _wire(
        "raw-frames",
        "sends frames that are no messages, unsigned, and nested a hundred thousand levels deep",
        "print('sending', flush=True)\ntime.sleep(0.3)\nsocket = kernel.iopub_thread.socket\ndeep = b'[' * 100_000 + b']' * 100_000\n"
        "for frames in ([b''], [b'x'] * 50, [b'<IDS|MSG>'], [b'<IDS|MSG>', b'bad', b'{}', b'{}', b'{}', b'{}']):\n"
        "    socket.send_multipart(frames)\n    kernel.shell_stream.socket.send_multipart([kernel._parent_ident['shell'], *frames])\n"
        "head, about = session.pack(session.msg_header('display_data')), session.pack(parent['header'])\n"
        "body = [head, about, b'{}', deep]\nsocket.send_multipart([b'<IDS|MSG>', session.sign(body), *body])",
        loses("double", says="sending"),
    ),
    _wire(
        "no-answer",
        "closes the kernel's sockets, so that its cell never ends",
        "kernel.shell_stream.close()",
        full(),
        RIGHT["double"],
    ),
)

ATTACKS = (*CHANNEL, *GIVEN, *MESSAGES)

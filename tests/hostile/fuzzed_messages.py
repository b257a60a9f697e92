"""Targets that read what a subject sends: the codec's messages, the channel's stream, the kernel's claims."""

from __future__ import annotations

import itertools
import json
import random
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from typing import Any

import nbformat
from hypothesis import strategies as st
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode

from autograder.examine.notebook import _Client
from autograder.examine.outputs import finished
from autograder.rubric import Limits
from autograder.subject.channel import Channel, DeadlinePassed
from autograder.subject.codec import Bounds, CodecError, decode, encode
from tests.hostile.damage import damaged, json_values
from tests.strategies import anything

BOUNDS = Bounds(bytes=2**19, items=5000)
"""Smaller than the real ones, so that cases reach them."""

MAGIC = encode(None)[:-1]
_LENGTH = struct.Struct("<Q")
_EXTREMES = (
    b"\xff" * 4,
    b"\x00" * 8,
    b"\x7f\xff\xff\xff",
    *(struct.pack("<q", number) for number in (-1, 2**62, 2**40, 2**31, BOUNDS.bytes, BOUNDS.bytes // 8)),
    *(b"a" + bytes((code,)) + b"\x02" + b"\xff\xff\xff\x00" * 4 for code in b"?bhiqBHIQefdFDU"),
    *(bytes((tag,)) for tag in b"NTFiIdcswbgaLtDOH"),
    b"\xed\xa0\x80",
    b"D\2\0\0\0s\1\0\0\0aNs\1\0\0\0aN",
)

SAMPLE = encode([1, {"a": 2.0}])
values = anything()


def _written(value: object) -> bytes:
    try:
        return encode(value, BOUNDS)
    except CodecError:
        return encode(None)


_valid = values.map(_written)
_nested = st.builds(
    lambda head, count: MAGIC + head * count + b"N",
    st.sampled_from([b"L\1\0\0\0", b"t\1\0\0\0", b"L\2\0\0\0N", b"D\1\0\0\0s\1\0\0\0a"]),
    st.integers(1, 20_000),
)
encoded = st.one_of(
    st.binary(max_size=200).map(lambda body: MAGIC + body), damaged(_valid, _EXTREMES), damaged(_nested, _EXTREMES)
)


def read(message: bytes) -> object:
    """Decode within the bounds."""
    return decode(message, BOUNDS)


def confirm_read(value: Any) -> None:
    """What was read is written as one message, which is read as the same again."""
    again = encode(value, Bounds())
    assert encode(decode(again), Bounds()) == again


def write(value: Any) -> bytes:
    """Encode within the bounds, without a converter."""
    return encode(value, BOUNDS)


def confirm_written(message: bytes) -> None:
    """What was written is within the bounds, and can be read."""
    assert len(message) <= BOUNDS.bytes
    assert encode(decode(message, BOUNDS), BOUNDS) == message


def _framed(body: bytes) -> bytes:
    return _LENGTH.pack(len(body)) + body


STREAM = _framed(SAMPLE) * 2
_framings = st.lists(st.one_of(_valid, encoded).map(_framed), min_size=1, max_size=3).map(b"".join)
streams = st.one_of(st.binary(max_size=100), _framings, damaged(_framings, _EXTREMES)).map(lambda data: data[: 2**17])


def receive_all(stream: bytes) -> tuple[bytes, list[object]]:
    """Receive from a peer that sends the stream in pieces and goes; it returns when the stream ends between messages.

    Raises:
        ChannelClosed: the stream is no row of whole messages.
    """
    ours, theirs = socket.socketpair()
    channel = Channel(ours, BOUNDS)
    found: list[object] = []
    with ours, theirs:
        for piece in _pieces(stream):
            theirs.sendall(piece)
            found += _arrived(channel)
        theirs.close()
        if channel._received:
            channel.receive(time.monotonic() + 60)
            raise AssertionError("half a message at the end of the stream was taken for a whole one")
    return stream, found


def _arrived(channel: Channel) -> Iterator[object]:
    while True:
        try:
            yield channel.receive(time.monotonic())
        except DeadlinePassed:
            return


def _pieces(stream: bytes) -> Iterator[bytes]:
    """Cut a stream at up to four places, always the same ones for the same stream."""
    rng = random.Random(zlib.crc32(stream))  # repeatable, not secret
    cuts = sorted(rng.randrange(len(stream) + 1) for _ in range(rng.randrange(5)))
    for start, end in itertools.pairwise((0, *cuts, len(stream))):
        if start < end:
            yield stream[start:end]


def confirm_received(received: tuple[bytes, list[object]]) -> None:
    """The messages are those that stand in the stream, one after the other."""
    stream, found = received
    expected = []
    while stream:
        (length,) = _LENGTH.unpack_from(stream)
        expected.append(stream[_LENGTH.size : _LENGTH.size + length])
        stream = stream[_LENGTH.size + length :]
    assert [encode(value, Bounds()) for value in found] == [encode(decode(one), Bounds()) for one in expected]


_KINDS = ("stream", "display_data", "execute_result", "update_display_data", "error", "clear_output", "status")
_claimed = {
    "execution_state": "busy",
    "execution_count": 1,
    "name": "stdout",
    "text": "said\n",
    "data": {"text/plain": "1", "text/html": "<b>1</b>", "image/png": "iVBORw0KGgo="},
    "metadata": {},
    "transient": {"display_id": "d"},
    "ename": "ValueError",
    "evalue": "wrong",
    "traceback": ["\x1b[31mline\x1b[0m"],
    "wait": True,
}


@st.composite
def _message(draw: st.DrawFn) -> dict[str, Any]:
    """One message of the kernel's, with anything in the place of some of its parts, and others left out."""
    kind = draw(st.sampled_from(_KINDS) | st.text(max_size=6))
    content: Any = {name: value for name, value in _claimed.items() if draw(st.integers(0, 9))}
    for name in draw(st.lists(st.sampled_from(sorted(_claimed)), max_size=2)):
        content[name] = draw(json_values)
    content = draw(json_values) if draw(st.integers(0, 15)) == 0 else content
    return {"msg_type": kind, "header": {"msg_type": kind}, "parent_header": {"msg_id": "m"}, "content": content}


CLAIMS = [
    {"msg_type": kind, "header": {"msg_type": kind}, "parent_header": {"msg_id": "m"}, "content": _claimed}
    for kind in _KINDS
]
claims = st.lists(_message(), max_size=6)


def show(messages: list[dict[str, Any]]) -> bytes:
    """Take a kernel's messages into a cell, and return the executed notebook's file."""
    cell = nbformat.v4.new_code_cell("1 + 1", id="one")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = _Client(notebook, None, Limits(output_kib=64), lambda: None)  # type: ignore[arg-type]  # no kernel is needed for this
    client.begin_cell()
    client.clear_before_next_output, notebook.cells[0].metadata.execution = False, {}  # as async_execute_cell does
    for message in json.loads(json.dumps(messages)):
        try:
            client.process_message(message, notebook.cells[0], 0)
        except CellExecutionComplete:
            break
    return finished(notebook, ())


def confirm_shown(file: bytes) -> None:
    """What people open is a valid notebook, and nothing in it acts on a browser."""
    text = file.decode()
    found: NotebookNode = nbformat.reads(text, 4)
    nbformat.validate(found)
    assert "<script" not in text

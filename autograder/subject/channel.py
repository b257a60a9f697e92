"""Whole messages over a stream socket: a length, then that many bytes of :mod:`autograder.subject.codec`.

Both ends use it: the agent inside the subject and the proxy in the examiner. What the peer claims is never believed:
a length above the bound is an error before a byte of it is read, and every wait has a deadline.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable

from autograder.subject.codec import BOUNDS, Bounds, CodecError, decode, encode

_LENGTH = struct.Struct("<Q")


class ChannelClosed(Exception):
    """The peer is gone, or what it sent was no message: nothing more can be read from it."""


class DeadlinePassed(Exception):
    """The peer did not answer in time; what it sends later can still be read."""


class Channel:
    """One end of the conversation. Not thread-safe: it belongs to whoever waits for the answers."""

    def __init__(self, stream: socket.socket, bounds: Bounds = BOUNDS) -> None:
        stream.setblocking(False)
        self.stream = stream
        self.bounds = bounds
        self._received = bytearray()

    def fileno(self) -> int:
        """The descriptor, to be polled for input."""
        return self.stream.fileno()

    def send(
        self, message: object, deadline: float | None = None, convert: Callable[[object], object] | None = None
    ) -> None:
        """Send one message.

        Raises:
            CodecError: the message is out of bounds; nothing was sent.
            DeadlinePassed: the peer does not read; ``deadline`` is in seconds of ``time.monotonic``.
            ChannelClosed: the peer is gone.
        """
        body = encode(message, self.bounds, convert=convert)
        rest = memoryview(_LENGTH.pack(len(body)) + body)
        while rest:
            try:
                rest = rest[self.stream.send(rest) :]
            except BlockingIOError:
                self._wait(deadline, writing=True)
            except OSError as error:
                raise ChannelClosed(f"the other side is gone ({error.strerror})") from None

    def receive(self, deadline: float | None = None) -> object:
        """Wait for one message and return it decoded.

        Raises:
            DeadlinePassed: there is none yet; what has come of it is kept.
            ChannelClosed: the peer is gone, or sent something that is no message.
        """
        self._fill(_LENGTH.size, deadline)
        (length,) = _LENGTH.unpack_from(self._received)
        if length > self.bounds.bytes:
            raise ChannelClosed(f"a message of {length} bytes was announced, at most {self.bounds.bytes} are allowed")
        self._fill(_LENGTH.size + length, deadline)
        body = bytes(memoryview(self._received)[_LENGTH.size : _LENGTH.size + length])
        del self._received[: _LENGTH.size + length]
        try:
            return decode(body, self.bounds)
        except CodecError as error:
            raise ChannelClosed(f"what was sent is no message ({error})") from None

    def close(self) -> None:
        """Close this end; the peer reads the end of the stream."""
        self.stream.close()

    def _fill(self, size: int, deadline: float | None) -> None:
        while len(self._received) < size:
            try:
                chunk = self.stream.recv(max(65536, min(size - len(self._received), 1 << 20)))
            except BlockingIOError:
                self._wait(deadline, writing=False)
                continue
            except OSError as error:
                raise ChannelClosed(f"the other side is gone ({error.strerror})") from None
            if not chunk:
                raise ChannelClosed("the other side is gone")
            self._received += chunk

    def _wait(self, deadline: float | None, *, writing: bool) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise DeadlinePassed
        poller = select.poll()
        poller.register(self.stream, select.POLLOUT if writing else select.POLLIN)
        if not poller.poll(None if left is None else left * 1000 + 1):
            raise DeadlinePassed

"""The channel: whole messages, deadlines, and a peer that lies."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from autograder.subject.channel import Channel, ChannelClosed, DeadlinePassed
from autograder.subject.codec import Bounds, CodecError


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """A channel and the raw socket of its peer."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours, Bounds(bytes=32 << 20)), theirs


def soon() -> float:
    """A deadline that a test can wait for."""
    return time.monotonic() + 0.05


def test_messages_arrive_whole_and_in_order(ends: tuple[Channel, socket.socket]) -> None:
    """Two messages in one packet, one message in many packets: the same two messages."""
    channel, raw = ends
    sender = Channel(raw)
    large = np.arange(500_000.0)
    thread = threading.Thread(target=lambda: [*map(sender.send, ({"n": 1}, large, "end"))])
    thread.start()
    assert channel.receive() == {"n": 1}
    assert np.array_equal(np.asarray(channel.receive()), large)
    assert channel.receive() == "end"
    thread.join()


def test_silence_ends_at_the_deadline(ends: tuple[Channel, socket.socket]) -> None:
    """Half a message is kept, and completes later."""
    channel, raw = ends
    with pytest.raises(DeadlinePassed):
        channel.receive(soon())
    other, end = socket.socketpair()
    Channel(other).send("late")
    data = end.recv(100)
    other.close()
    end.close()
    raw.sendall(data[:5])
    with pytest.raises(DeadlinePassed):
        channel.receive(soon())
    raw.sendall(data[5:])
    assert channel.receive(soon()) == "late"


def test_a_peer_that_does_not_read_cannot_hold_the_sender(ends: tuple[Channel, socket.socket]) -> None:
    """Sending has a deadline too."""
    channel, _ = ends
    with pytest.raises(DeadlinePassed):
        channel.send(np.zeros(3_000_000), soon())


@pytest.mark.parametrize("length", [33 << 20, 2**63, 2**64 - 1])
def test_a_huge_length_is_refused_before_it_is_read(ends: tuple[Channel, socket.socket], length: int) -> None:
    """A claim of exabytes costs nothing."""
    channel, raw = ends
    raw.sendall(struct.pack("<Q", length))
    with pytest.raises(ChannelClosed, match="announced"):
        channel.receive(soon())


def test_noise_is_no_message(ends: tuple[Channel, socket.socket]) -> None:
    """Bytes that the codec does not know close the conversation."""
    channel, raw = ends
    raw.sendall(struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc")
    with pytest.raises(ChannelClosed, match="no message"):
        channel.receive(soon())


def test_the_end_of_the_stream_is_told(ends: tuple[Channel, socket.socket]) -> None:
    """A peer that is gone is not waited for."""
    channel, raw = ends
    raw.close()
    with pytest.raises(ChannelClosed, match="gone"):
        channel.receive()


def test_a_message_out_of_bounds_is_not_sent(ends: tuple[Channel, socket.socket]) -> None:
    """The codec's error comes before the first byte, so the conversation goes on."""
    channel, raw = ends
    with pytest.raises(CodecError):
        channel.send(np.zeros(5 << 20))
    channel.send("still here")
    assert Channel(raw).receive(soon()) == "still here"

"""Throw damaged messages at the codec: every one has to be an error of the codec or a value that can be sent again.

python bench/fuzz_codec.py --cases 100000 --seed 0
"""

from __future__ import annotations

import argparse
import random
import resource
import struct
import sys
import time

import numpy as np

from autograder.subject.codec import Bounds, CodecError, Handle, Opaque, decode, encode

BOUNDS = Bounds(bytes=2**20, items=5000)
DTYPES = ("?", "i1", "u2", "<i4", ">i8", "f2", "f4", ">f8", "c8", "c16", "U3")
EXTREMES = (b"\xff" * 4, b"\x00" * 4, b"\x7f\xff\xff\xff", struct.pack("<q", 2**62), struct.pack("<q", -1))
STRUCTURE = b"NTFiIdcswbgaLtDOH?bhiqBHIQefdFDU"


def leaf(rng: random.Random) -> object:
    """Draw one value that holds no other."""
    shape = [rng.randrange(4) for _ in range(rng.randrange(4))]
    array = np.zeros(shape, rng.choice(DTYPES))
    plain = (None, True, 2 ** rng.randrange(1000), -1.5, 2j, "naïve", b"raw", Opaque("module.Type"), Handle(7, "Model"))
    return rng.choice((array, np.float32(2.5), np.str_("text"), *plain))


def value(rng: random.Random, depth: int = 4) -> object:
    """Draw a nested value."""
    if depth == 0 or rng.random() < 0.3:
        return leaf(rng)
    items = [value(rng, depth - 1) for _ in range(rng.randrange(5))]
    kind = rng.randrange(3)
    if kind == 0:
        return items
    return tuple(items) if kind == 1 else {rng.choice((f"key{n}", n)): item for n, item in enumerate(items)}


def damage(message: bytes, rng: random.Random) -> bytes:
    """Change a message in one to four places: single bytes, tags, extreme numbers, pieces lost or repeated."""
    data = bytearray(message)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        end = at + rng.randrange(9)
        piece = rng.choice((rng.randbytes(1), bytes((rng.choice(STRUCTURE),)), rng.choice(EXTREMES)))
        if rng.random() < 0.7:
            data[at : at + len(piece)] = piece
        else:
            data[at:end] = rng.choice((b"", data[at:end] * 2, piece))
    return bytes(data)


def survive(message: bytes) -> bool:
    """Tell whether a message was accepted; anything but a value or a CodecError is raised."""
    try:
        received = decode(message, BOUNDS)
    except CodecError:
        return False
    again = encode(received, Bounds())
    if encode(decode(again)) != again:
        raise AssertionError(f"read and written again, {message!r} is another message")
    return True


def main() -> int:
    """Run the cases and print one closing line; the exit code is 1 if one of them got through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311 - the cases have to be repeatable, not secret
    accepted, slowest_s, start = 0, 0.0, time.perf_counter()
    for case in range(options.cases):
        message = damage(encode(value(rng)), rng)
        began = time.perf_counter()
        try:
            accepted += survive(message)
        except Exception as error:  # noqa: BLE001 - any other exception is what this program looks for
            print(f"case {case} of seed {options.seed}: {type(error).__name__}: {error} from {message!r}")
            return 1
        slowest_s = max(slowest_s, time.perf_counter() - began)
    seconds, peak_mib = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{options.cases} damaged messages in {seconds:.1f} s: {accepted} still values, "
        f"{options.cases - accepted} refused, no other exception; "
        f"slowest {slowest_s * 1000:.1f} ms, peak memory {peak_mib:.0f} MiB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

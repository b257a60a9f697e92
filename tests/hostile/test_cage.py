"""What a keeper does to a subject happens, and what it is told is so.

Every function that takes a tier is sent to a process of its own, see ``conftest.py``, and returns what was seen there.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from autograder.subject.sandbox import Tier, Walls, enter_box, interpreter_box, spawn
from tests.hostile.conftest import Grader

LEFT_BEHIND_S = 10.0
"""Seconds after which a process that should be dead has survived."""


def _what_is_there(tier: Tier) -> Any:
    enter_box(tier, interpreter_box())
    source, sink = os.pipe()

    def main() -> int:
        seen = {
            "work": sorted(str(path) for path in Path.cwd().rglob("*")),
            "content": Path("data/digits.csv").read_text(),
            "home": Path(os.environ["HOME"]) == Path.cwd(),
        }
        os.write(sink, json.dumps(seen).encode())
        return 0

    spawn(tier, Walls(files={"data/digits.csv": b"1,2"}), (sink,), main).wait(10)
    return json.loads(os.read(source, 65536))


def test_the_work_folder_starts_with_the_given_files(grader: Grader) -> None:
    """A subject starts in its home, which holds what it was given and nothing else."""
    seen = grader.run(_what_is_there)
    assert [Path(path).name for path in seen["work"]] == ["data", "digits.csv"]
    assert seen["content"] == "1,2"
    assert seen["home"]


def _name_a_file_outside(tier: Tier, name: str) -> str:
    enter_box(tier, interpreter_box())
    try:
        spawn(tier, Walls(files={name: b""}), (), lambda: 0)
    except OSError as error:
        return str(error)
    return "it was accepted"


@pytest.mark.parametrize("name", ["../escaped", "/etc/escaped", "a/../../escaped", ""])
def test_a_file_whose_name_leads_out_is_refused(grader: Grader, name: str) -> None:
    """What is placed in the work folder stays in it; a wall that cannot be put up is an error."""
    assert "inside the work folder" in grader.run(_name_a_file_outside, name)


def _exit_in_three_ways(tier: Tier) -> list[int | None]:
    enter_box(tier, interpreter_box())

    def crash() -> int:
        os.kill(os.getpid(), signal.SIGSEGV)
        return 0

    def fail() -> int:
        raise ValueError

    return [spawn(tier, Walls(), (), main).wait(10) for main in (lambda: 7, crash, fail)]


def test_the_status_says_how_a_subject_ended(any_grader: Grader) -> None:
    """A result, a signal and an exception are told apart."""
    assert any_grader.run(_exit_in_three_ways) == [7, -signal.SIGSEGV, 1]


def _interrupt_a_loop(tier: Tier) -> list[int | None]:
    enter_box(tier, interpreter_box())

    def main() -> int:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            return 42
        return 0

    cage = spawn(tier, Walls(), (), main)
    before = cage.wait(0.1)
    cage.interrupt()
    return [before, cage.wait(10)]


def test_an_interrupt_reaches_the_subject(any_grader: Grader) -> None:
    """It arrives as KeyboardInterrupt, and until then the subject runs."""
    assert any_grader.run(_interrupt_a_loop) == [None, 42]


def _kill_children_that_will_not_die(tier: Tier) -> bool:
    enter_box(tier, interpreter_box())
    source, sink = os.pipe()

    def main() -> int:
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
        os.write(sink, b"x")
        while True:
            time.sleep(60)

    cage = spawn(tier, Walls(), (sink,), main)
    os.close(sink)
    while len(os.read(source, 1)) < 1:
        pass
    time.sleep(0.2)
    cage.kill()
    os.set_blocking(source, False)
    while os.read(source, 16):  # what was written before; then the end, or an error when somebody still could write
        pass
    return True


def test_kill_returns_when_everything_is_dead(any_grader: Grader) -> None:
    """Children in sessions of their own that block every signal are gone when it returns: nobody holds the pipe."""
    assert any_grader.run(_kill_children_that_will_not_die)


def _linger(tier: Tier, held: int) -> None:
    enter_box(tier, interpreter_box())

    def main() -> int:
        if os.fork() == 0:
            os.setsid()
        while True:
            time.sleep(60)

    spawn(tier, Walls(), (held,), main)
    os.write(held, b"up")
    os.close(held)
    time.sleep(60)


def test_whoever_kills_the_grader_kills_the_subject(any_grader: Grader) -> None:
    """SIGKILL on the outermost process takes server, keeper and subject along: the pipe that they hold closes."""
    source, sink = os.pipe()
    with any_grader.start(_linger, sink, pass_fds=(sink,)) as process:
        os.close(sink)
        assert os.read(source, 2) == b"up"
        process.kill()
        assert select.select([source], [], [], LEFT_BEHIND_S)[0]
        assert os.read(source, 2) == b""
    os.close(source)


def _use_memory(tier: Tier) -> list[float]:
    enter_box(tier, interpreter_box())
    source, sink = os.pipe()

    def main() -> int:
        shared = mmap.mmap(-1, 40 << 20)
        shared.write(b"x" * len(shared))
        for _ in range(3):
            if os.fork() == 0:
                hash(shared[:])
                break
        else:
            Path("stored").write_bytes(bytes(20 << 20))
        os.write(sink, b"x")
        while True:
            time.sleep(60)

    cage = spawn(tier, Walls(), (sink,), main)
    for _ in range(4):
        os.read(source, 1)
    quick, exact = cage.usage(), cage.usage(exact=True)
    cage.kill()
    return [exact.memory_mib, quick.memory_mib, exact.disk_mib, exact.processes]


def test_memory_that_is_shared_counts_once(grader: Grader) -> None:
    """Forty MiB that four processes share are forty; the quick look may say more, never less; files are seen."""
    exact_mib, quick_mib, disk_mib, processes = grader.run(_use_memory)
    stored_mib = 20 if grader.tier is Tier.NAMESPACES else 0
    assert 40 + stored_mib <= exact_mib <= 40 + stored_mib + 60
    assert quick_mib >= exact_mib
    assert 20 <= disk_mib <= 21
    assert processes == 4


def _allocate(tier: Tier) -> list[int | None]:
    enter_box(tier, interpreter_box())

    def main() -> int:
        try:
            bytearray(4 << 30)
        except MemoryError:
            return 3
        return 0

    return [spawn(tier, Walls(memory_mib=256), (), main).wait(20)]


def test_too_large_an_allocation_is_a_memory_error(grader: Grader) -> None:
    """A student reads MemoryError instead of a dead kernel, where one array alone is too large."""
    assert grader.run(_allocate) == [3]


def _fill_two_subjects(tier: Tier) -> list[int]:
    enter_box(tier, interpreter_box())
    source, sink = os.pipe()

    def main() -> int:
        made = 0
        try:
            for _ in range(12):
                if os.fork() == 0:
                    signal.pause()
                made += 1
        except BlockingIOError:
            pass
        os.write(sink, bytes([made]))
        while True:
            time.sleep(60)

    cages = [spawn(tier, Walls(processes=10), (sink,), main) for _ in range(2)]
    made = [os.read(source, 1)[0] for _ in cages]
    for cage in cages:
        cage.kill()
    return made


def test_one_subject_does_not_use_up_the_processes_of_another(grader: Grader) -> None:
    """Each may have its own number, though the kernel counts by user."""
    if grader.tier is Tier.LANDLOCK and grader.user != 0:
        pytest.skip("without namespaces subjects of an ordinary user are one user's; the watchdog counts there")
    assert grader.run(_fill_two_subjects) == [8, 8]


def _leave_a_deep_folder(tier: Tier) -> int:
    enter_box(tier, interpreter_box())

    def main() -> int:
        for _ in range(1500):
            Path("d").mkdir(0o700)
            os.chdir("d")
        Path("closed").mkdir(0o000)
        return 0

    spawn(tier, Walls(), (), main).wait(20)
    return len(list(Path.cwd().iterdir()))


def test_whatever_a_subject_leaves_on_the_disk_is_removed(grader: Grader) -> None:
    """Paths that are too long for the kernel, and folders that nobody may enter."""
    assert grader.run(_leave_a_deep_folder) == 0


def _time_walls(tier: Tier) -> list[float]:
    enter_box(tier, interpreter_box())

    def main() -> int:
        time.sleep(60)
        return 0

    took = []
    for _ in range(10):
        start = time.perf_counter()
        cage = spawn(tier, Walls(), (), main)
        up = time.perf_counter()
        cage.kill()
        took.append([up - start, time.perf_counter() - up])
    return [min(one[0] for one in took), min(one[1] for one in took)]


def test_walls_cost_milliseconds(grader: Grader) -> None:
    """The best of ten, so that a busy machine does not decide."""
    up_s, down_s = grader.run(_time_walls)
    assert up_s < 0.1
    assert down_s < 0.1

"""bubblewrap as most people run it: by a user who may make no control groups."""

import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.base.files import remove_tree
from d4cbuild.sandbox.image import Image
from d4cbuild.sandbox.job import Job, Outcome, Runner

from .jobs import make_job, run
from .test_isolation import KERNEL, WRITING
from .test_limits import FILLING

NOBODY = 65534
Answer = tuple[Outcome, str]


@pytest.fixture
def run_as_nobody(image: Image, bubblewrap: Runner) -> Iterator[Callable[..., Answer]]:
    """Runs a job as another user, in a process of its own."""
    folder = Path(tempfile.mkdtemp(prefix="d4cbuild-test-"))

    def begin(program: str, **limits: Any) -> Answer:
        job = make_job(image, folder / "job", program, limits)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        return _in_child(bubblewrap, job)

    yield begin
    remove_tree(folder)


def _in_child(runner: Runner, job: Job) -> Answer:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            ran = run(runner, job)
            os.write(writer, pickle.dumps((ran.outcome, ran.log[-20_000:])))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        answer: Answer = pickle.loads(stream.read())  # noqa: S301 - of our own child
    os.waitpid(child, 0)
    return answer


def test_limits_that_are_only_watched_are_said_to_be(run_as_nobody: Callable[..., Answer]) -> None:
    outcome, log = run_as_nobody("import os; print(os.getuid())")
    assert (outcome.status, log) == (0, "1000\n")
    assert outcome.not_enforced == (
        "memory and processes are watched, not limited: no control group may be made",
    )


@pytest.mark.parametrize(
    "program",
    [
        "b = bytearray(2 << 30)\nfor i in range(0, 2 << 30, 4096): b[i] = 1\nimport time\n"
        "time.sleep(20)",
        "import mmap, time\nb = mmap.mmap(-1, 2 << 30)\n"
        "for i in range(0, 2 << 30, 4096): b[i] = 1\ntime.sleep(20)",
        "import os, time\nkept = [os.memfd_create(str(n)) for n in range(40)]\n"
        "for f in kept: os.write(f, bytes(32 << 20))\ntime.sleep(20)",
    ],
    ids=["private", "shared", "files-in-memory"],
)
def test_too_much_memory_is_seen_and_stopped(
    run_as_nobody: Callable[..., Answer], program: str
) -> None:
    outcome, _ = run_as_nobody(program, time_s=30)
    assert (outcome.status, outcome.stopped_by) == (137, "memory")


def test_too_many_processes_are_seen_and_stopped(run_as_nobody: Callable[..., Answer]) -> None:
    outcome, _ = run_as_nobody(
        "import os, time\n"
        "for _ in range(100):\n    if os.fork() == 0: os.setsid(); time.sleep(100)\n"
        "time.sleep(20)\n",
        processes=32,
        time_s=30,
    )
    assert outcome.stopped_by == "processes"


@pytest.mark.parametrize("way", FILLING)
def test_a_full_disk_is_seen_and_stopped(run_as_nobody: Callable[..., Answer], way: str) -> None:
    outcome, _ = run_as_nobody(
        "block = bytes(1 << 20)\nf = open('/d4c/out/f', 'wb')\n" + FILLING[way],
        memory=2 << 30,
        time_s=30,
    )
    assert outcome.stopped_by == "disk"


@pytest.mark.parametrize("program", [WRITING, KERNEL], ids=["writing", "kernel"])
def test_the_kernel_refuses_as_much(run_as_nobody: Callable[..., Answer], program: str) -> None:
    outcome, log = run_as_nobody(program)
    assert outcome.succeeded, log
    assert [line for line in log.splitlines() if line.endswith("DONE")] == []

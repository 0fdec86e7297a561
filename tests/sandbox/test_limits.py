"""Jobs that want more than they are given."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from d4cbuild.sandbox.watch import disk_usage

from .conftest import RunJob
from .jobs import MIB

OVERSHOOT = 512 * MIB  # what a disk may take between two looks


def _free() -> int:
    state = os.statvfs("/tmp")
    return state.f_bavail * state.f_frsize


def test_a_job_that_takes_more_memory_is_stopped(run_job: RunJob) -> None:
    ran = run_job("b = bytearray(2 << 30)\nfor i in range(0, 2 << 30, 4096): b[i] = 1")
    assert ran.outcome.stopped_by == "memory"
    assert ran.outcome.status == 137


def test_memory_is_counted_over_all_processes_together(run_job: RunJob) -> None:
    ran = run_job(
        "import os, time\n"
        "for _ in range(8):\n"
        "    if os.fork() == 0:\n"
        "        b = bytearray(100 << 20)\n"
        "        for i in range(0, len(b), 4096): b[i] = 1\n"
        "        time.sleep(30)\n"
        "time.sleep(3)\n"
        "raise SystemExit(1)\n"
    )
    assert ran.outcome.stopped_by == "memory"


def test_files_in_memory_count_as_memory(run_job: RunJob) -> None:
    ran = run_job(
        "import os\n"
        "for name in range(64):\n"
        "    f = os.memfd_create(str(name))\n"
        "    for _ in range(32): os.write(f, bytes(1 << 20))\n"
    )
    assert ran.outcome.stopped_by == "memory"


def test_a_child_that_dies_of_too_much_memory_fails_the_job(run_job: RunJob) -> None:
    ran = run_job(
        "import subprocess\n"
        "hog = 'b = bytearray(2 << 30)\\nfor i in range(0, 2 << 30, 4096): b[i] = 1'\n"
        "subprocess.run(['python3', '-c', hog])\n"
        "print('went on')\n"
    )
    assert ran.outcome.stopped_by == "memory"
    assert not ran.outcome.succeeded


def test_a_fork_bomb_is_contained(run_job: RunJob) -> None:
    before = len(list(Path("/proc").glob("[0-9]*")))
    ran = run_job(
        "import os, time\n"
        "made = 0\n"
        "try:\n"
        "    while True:\n"
        "        if os.fork() == 0: time.sleep(100)\n"
        "        made += 1\n"
        "except BlockingIOError:\n"
        "    print(made, flush=True)\n"
        "    raise SystemExit(9)\n",
        processes=32,
    )
    assert (ran.log, ran.outcome.status) == ("31\n", 9)
    assert not ran.outcome.succeeded
    assert len(list(Path("/proc").glob("[0-9]*"))) < before + 20


def test_a_shell_fork_bomb_is_over_when_its_time_is(run_job: RunJob) -> None:
    ran = run_job(("sh", "-c", "b() { b | b & b; }; b; sleep 30"), processes=64, time_s=3)
    assert not ran.outcome.succeeded
    assert subprocess.run(["true"], check=True, timeout=5).returncode == 0


def test_a_job_may_have_as_many_threads_as_it_was_given(run_job: RunJob) -> None:
    ran = run_job(
        "import threading, time\n"
        "for _ in range(31): threading.Thread(target=time.sleep, args=(0.3,)).start()\n",
        processes=32,
    )
    assert ran.outcome.succeeded, ran.log


FILLING = {
    "one-file": "while True: f.write(block)",
    "in-tmp": "f = open('/tmp/x', 'wb')\nwhile True: f.write(block)",
    "many-files": "i = 0\nwhile True:\n    open(f'/d4c/out/{i}', 'wb').write(block); i += 1",
    "unlinked": "import os\nkept = []\nwhile True:\n"
    "    g = open('/tmp/x', 'wb'); os.unlink('/tmp/x'); kept.append(g)\n"
    "    for _ in range(20): g.write(block)\n    g.flush()",
    "closed-folder": "import os\nos.mkdir('/tmp/d'); os.chmod('/tmp/d', 0o300); i = 0\n"
    "while True:\n    open(f'/tmp/d/{i}', 'wb').write(block); i += 1",
    "empty-files": "i = 0\nwhile True:\n    open(f'/tmp/{i}', 'w').close(); i += 1",
}


@pytest.mark.parametrize("way", FILLING)
def test_a_job_that_fills_the_disk_is_stopped(run_job: RunJob, way: str) -> None:
    free = _free()
    ran = run_job(
        "block = bytes(1 << 20)\nf = open('/d4c/out/f', 'wb')\n" + FILLING[way],
        memory=2 << 30,
        time_s=30,
    )
    assert ran.outcome.stopped_by == "disk"
    assert disk_usage(ran.job.scratch, 1 << 40) < 64 * MIB + OVERSHOOT
    assert _free() > free - 2 * OVERSHOOT


def test_disk_that_is_only_reserved_counts_too(run_job: RunJob) -> None:
    ran = run_job(
        "import os, time\n"
        "for i in range(9): os.posix_fallocate(os.open(f'/tmp/{i}', 65), 0, 32 << 20)\n"
        "time.sleep(9)\n"
    )
    assert ran.outcome.stopped_by == "disk"


def test_a_job_that_has_written_too_much_when_it_ends_is_not_a_success(run_job: RunJob) -> None:
    ran = run_job(
        "import os\nfor i in range(3): os.posix_fallocate(os.open(f'/tmp/{i}', 65), 0, 32 << 20)\n"
    )
    assert (ran.outcome.status, ran.outcome.stopped_by) in ((0, "disk"), (137, "disk"))
    assert not ran.outcome.succeeded


def test_no_file_is_longer_than_the_disk_even_if_it_is_empty(run_job: RunJob) -> None:
    ran = run_job(
        "import os\nfrom attempts import attempt\n"
        "attempt('sparse', lambda: os.truncate(os.open('/d4c/out/f', 66), 1 << 40))\n"
    )
    assert ran.answers == {"sparse": "EFBIG"}


def test_folders_too_deep_to_name_are_stopped(run_job: RunJob) -> None:
    ran = run_job(
        "import os, time\nos.chdir('/tmp')\n"
        "for _ in range(40):\n    os.mkdir('n' * 200); os.chdir('n' * 200)\n"
        "open('hidden', 'w').write('x'); time.sleep(20)\n"
    )
    assert ran.outcome.stopped_by == "disk"


def test_the_time_a_job_took_is_told(run_job: RunJob) -> None:
    started = time.monotonic()
    ran = run_job("import time; time.sleep(0.5)")
    assert 0.5 <= ran.outcome.seconds <= time.monotonic() - started

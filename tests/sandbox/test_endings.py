"""How jobs end, and that nothing they started outlives them."""

import time
from pathlib import Path

import pytest

from .conftest import RunJob
from .jobs import MIB

IN_TURN = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            with open("/d4c/out/beat", "a") as beat: beat.write("x")
            time.sleep(0.02)
    os._exit(0)
os.wait()
time.sleep(0.3)
"""


@pytest.mark.parametrize(
    ("program", "status"),
    [
        (("sh", "-c", "exit 77"), 77),
        (("sh", "-c", "sh -c 'kill -TERM $$'; exit $?"), 143),
        ("import ctypes; ctypes.string_at(0)", 139),
        ("import os; os.abort()", 139),
        ("raise SystemExit(3)", 3),
        (("/bin/true",), 0),
        (("no-such-program",), 127),
        (("/d4c/code/none",), 127),
        (("/etc/passwd",), 126),
    ],
    ids=str,
)
def test_a_job_ends_with_its_own_status(
    run_job: RunJob, program: str | tuple[str, ...], status: int
) -> None:
    outcome = run_job(program).outcome
    assert (outcome.status, outcome.stopped_by) == (status, None)
    assert outcome.succeeded is (status == 0)


def test_a_job_that_closes_its_output_early_keeps_its_own_status(run_job: RunJob) -> None:
    ran = run_job(
        "import os, time\n"
        "print('before', flush=True)\n"
        "os.close(1); os.close(2)\n"
        "time.sleep(0.5)\n"
        "open('/d4c/out/after', 'w').write('after')\n"
        "os._exit(7)\n"
    )
    assert (ran.outcome.status, ran.log) == (7, "before\n")
    assert (ran.out / "after").read_text() == "after"


def test_what_a_job_prints_is_kept_up_to_a_limit_and_the_rest_is_said_to_be_gone(
    run_job: RunJob,
) -> None:
    ran = run_job("import os\nfor _ in range(100): os.write(1, b'y' * (1 << 20))\nprint('end')")
    assert ran.outcome.succeeded
    assert ran.log.endswith("\n[the rest of the output was dropped: log is full]\n")
    assert len(ran.log) < 65 * MIB


def test_output_and_errors_both_reach_the_log(run_job: RunJob) -> None:
    ran = run_job(("sh", "-c", "echo one; echo two >&2"))
    assert sorted(ran.log.split()) == ["one", "two"]


def test_a_daemon_dies_with_the_job(run_job: RunJob) -> None:
    ran = run_job(IN_TURN)
    assert ran.outcome.succeeded
    assert _beats(ran.out) > 0
    assert _grows(ran.out) == 0


def test_a_job_that_ignores_every_signal_is_killed_with_its_children_at_its_time(
    run_job: RunJob,
) -> None:
    ran = run_job(
        "import signal, subprocess, sys\n"
        "for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        + IN_TURN.replace("time.sleep(0.3)", "time.sleep(1000)"),
        time_s=1,
    )
    assert (ran.outcome.status, ran.outcome.stopped_by) == (137, "time")
    assert 1 <= ran.outcome.seconds < 5
    assert _grows(ran.out) == 0


def _beats(out: Path) -> int:
    return (out / "beat").stat().st_size


def _grows(out: Path) -> int:
    before = _beats(out)
    time.sleep(0.3)
    return _beats(out) - before

"""System calls that the filter of the bubblewrap runner refuses."""

from collections.abc import Callable

import pytest

from d4cbuild.sandbox.job import Job, Runner
from d4cbuild.sandbox.seccomp import REFUSED, filter_program

from .conftest import RunJob
from .jobs import run

CALLS = f"""
import fcntl, socket
from attempts import attempt, call
for name, number in {REFUSED!r}.items():
    attempt(name, lambda: call(number, 0xffffffff, 0, 0, 0, 0))
attempt("clone3", lambda: call(435, 0, 0))
attempt("x32", lambda: call(0x40000000 | 39))
attempt("vsock", lambda: socket.socket(40, socket.SOCK_STREAM))
attempt("alg", lambda: socket.socket(38, socket.SOCK_SEQPACKET))
attempt("type", lambda: fcntl.ioctl(0, 0x5412, b"x"))
"""


def test_every_call_of_the_list_is_refused(bubblewrap: Runner, new_job: Callable[..., Job]) -> None:
    ran = run(bubblewrap, new_job(CALLS))
    assert ran.outcome.succeeded, ran.log
    others = {"clone3": "ENOSYS"}
    expected = dict.fromkeys((*REFUSED, "x32", "vsock", "alg", "type"), "EPERM") | others
    assert ran.answers == expected


def test_a_filter_is_on_in_both_runners(run_job: RunJob) -> None:
    ran = run_job("print(open('/proc/self/status').read())")
    assert "\nSeccomp:\t2\n" in ran.log


def test_threads_and_children_still_start(run_job: RunJob) -> None:
    ran = run_job(
        "import concurrent.futures as f, subprocess, socket\n"
        "print(list(f.ThreadPoolExecutor(4).map(abs, [-1, -2])))\n"
        "print(subprocess.run(['echo', 'child'], capture_output=True, text=True).stdout)\n"
        "socket.socketpair(); socket.socket(socket.AF_INET)\n"
    )
    assert ran.log == "[1, 2]\nchild\n\n"


def test_the_program_is_made_of_whole_instructions() -> None:
    assert len(filter_program()) % 8 == 0


@pytest.mark.engine
def test_an_engine_that_lets_jobs_speak_to_a_machines_host_is_said_to(
    docker: Runner, new_job: Callable[..., Job]
) -> None:
    ran = run(docker, new_job(CALLS))
    said = any("vsock" in note for note in ran.outcome.not_enforced)
    assert said or ran.answers["vsock"] == "EPERM"

"""The filter of system calls that both runners lay around a job."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from d4cbuild.sandbox.docker import DockerRunner
from d4cbuild.sandbox.job import Job, Runner
from d4cbuild.sandbox.seccomp import filter_program
from d4cbuild.sandbox.system_calls import ALLOWED, NEWEST

from .conftest import RunJob
from .jobs import run

# Looked at by their arguments; 336 to 423 are the numbers of no call.
BY_ARGUMENT = {"ioctl": 16, "socket": 41, "socketpair": 53, "clone": 56, "clone3": 435}
REFUSED = sorted(
    {*range(335), *range(424, NEWEST + 1)} - {*ALLOWED.values(), *BY_ARGUMENT.values()}
)

CALLS = f"""
from attempts import attempt, call
for number in {REFUSED!r}:
    attempt(number, lambda: call(number, 0xffffffff, 0, 0, 0, 0))
attempt("clone3", lambda: call(435, 0, 0))
attempt("of-tomorrow", lambda: call({NEWEST + 100}, 0, 0))
"""

SOCKETS = """
import errno, socket
opened = []
for family in range(46):
    for kind in range(8):
        for protocol in (0, 1, 6, 9, 17, 33, 132, 136, 255, 262):
            try:
                socket.socket(family, kind, protocol).close()
            except OSError as error:
                if error.errno == errno.EPERM: continue
            opened.append((family, kind, protocol))
print(opened)
"""

# Each in a child of its own: some calls never return, or end the process that makes them.
EACH_ALLOWED = f"""
import ctypes, errno, os, select, signal
libc = ctypes.CDLL(None, use_errno=True)
for number in {sorted(ALLOWED.values())!r}:
    child = os.fork()
    if child == 0:
        os.setsid()
        os.closerange(0, 3)
        signal.alarm(1)
        refused = libc.syscall(number, -1, -1, -1, -1, -1, -1) == -1
        os._exit(9 if refused and ctypes.get_errno() == errno.EPERM else 0)
    ended = select.select([os.pidfd_open(child)], [], [], 0.2)[0]
    if ended and os.waitpid(child, 0)[1] == 9 << 8:
        print("refused", number, flush=True)
"""


def test_every_call_that_is_not_allowed_is_refused(run_job: RunJob) -> None:
    ran = run_job(CALLS)
    assert ran.outcome.succeeded, ran.log
    assert len(ran.answers) == len(REFUSED) + 2
    # An engine's library takes the youngest calls it does not know for calls of tomorrow.
    assert {ran.answers[str(n)] for n in REFUSED if n < 451} == {"EPERM"}
    assert {ran.answers[str(n)] for n in REFUSED if n >= 451} <= {"EPERM", "ENOSYS"}
    assert (ran.answers["clone3"], ran.answers["of-tomorrow"]) == ("ENOSYS", "ENOSYS")


def test_only_sockets_of_the_usual_families_kinds_and_protocols_are_made(run_on_both: Any) -> None:
    ran = run_on_both(SOCKETS)
    assert ran[0].log == ran[1].log
    opened = {tuple(each) for each in ast.literal_eval(ran[0].log)}
    assert {family for family, _, _ in opened} == {1, 2, 10, 16}
    assert {each[1:] for each in opened if each[0] in (2, 10)} == {
        (kind, protocol) for kind in (1, 2) for protocol in (0, 6, 17)
    }
    assert {each[2] for each in opened if each[0] == 16} == {0}


@pytest.mark.parametrize("machine_code", ["b8270000400f05c3", "b814000000cd80c3"])
def test_calls_by_the_numbers_of_another_architecture_end_the_job(
    run_job: RunJob, machine_code: str
) -> None:
    ran = run_job(
        "import ctypes, mmap\n"
        f"code = bytes.fromhex({machine_code!r})\n"
        "page = mmap.mmap(-1, 4096, prot=7); page.write(code)\n"
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()\n"
        "print('returned')\n"
    )
    assert ran.log == ""
    assert ran.outcome.status == 128 + 31  # SIGSYS


@pytest.mark.parametrize("request_number", [0x5412, 0x541C, 1 << 32 | 0x5412])
def test_input_is_pushed_into_no_terminal_of_others(run_job: RunJob, request_number: int) -> None:
    ran = run_job(
        "import ctypes\n"
        "from attempts import attempt, call\n"
        "for number in (0, 1, 2):\n"
        f"    attempt(number, lambda: call(16, number, ctypes.c_long({request_number}), b'x'))\n"
        "attempt('tty', lambda: open('/dev/tty'))\n"
    )
    assert set(ran.answers) == {"0", "1", "2", "tty"}
    assert "DONE" not in ran.answers.values()


@dataclass
class _DefaultFilter:
    """A Docker engine with its own filter instead of ours."""

    runner: DockerRunner
    name: str = "docker"

    def run(self, job: Job, log: Any) -> Any:
        client = self.runner._client
        options = self.runner._host_config(job)
        options["SecurityOpt"] = ["no-new-privileges:true"]
        for folder in (job.out, job.temporary):
            folder.mkdir()
        made = client.api.create_container(
            self.runner._load(job.image),
            list(job.command),
            entrypoint=[],
            user="1000:1000",
            working_dir="/d4c/code",
            environment=job.environment,
            host_config=options,
        )
        stream = client.api.attach(made, stream=True)
        client.api.start(made)
        log.writelines(stream)
        client.api.remove_container(made, force=True)


@pytest.mark.engine
def test_the_filter_is_as_strong_as_the_engines_own(
    docker: Runner, new_job: Callable[..., Job]
) -> None:
    assert isinstance(docker, DockerRunner)
    ours = run(docker, new_job(EACH_ALLOWED))
    theirs = run(_DefaultFilter(docker), new_job(EACH_ALLOWED))  # type: ignore[arg-type]
    assert theirs.log == ours.log  # what we allow, they do not refuse
    assert "refused 116\n" in ours.log  # setgroups, by the kernel itself: the question works


def test_a_filter_is_on_in_both_runners(run_job: RunJob) -> None:
    ran = run_job("print(open('/proc/self/status').read())")
    assert "\nSeccomp:\t2\n" in ran.log


def test_threads_and_children_still_start(run_job: RunJob) -> None:
    ran = run_job(
        "import concurrent.futures as f, subprocess, socket\n"
        "print(list(f.ThreadPoolExecutor(4).map(abs, [-1, -2])))\n"
        "print(subprocess.run(['echo', 'child'], capture_output=True, text=True).stdout)\n"
        "socket.socketpair(); socket.socket(socket.AF_INET); socket.if_nameindex()\n"
    )
    assert ran.log == "[1, 2]\nchild\n\n"


def test_the_program_is_made_of_whole_instructions() -> None:
    assert len(filter_program()) % 8 == 0

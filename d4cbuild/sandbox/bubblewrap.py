"""The runner that needs no daemon and no root: bubblewrap."""

from __future__ import annotations

import json
import os
import re
import resource
import select
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from d4cbuild.base.ambient import usable_cpus, user_id
from d4cbuild.base.interruption import check_interruption, uninterrupted
from d4cbuild.base.sameness import SANDBOX_GID, SANDBOX_HOSTNAME, SANDBOX_UID
from d4cbuild.errors import Unavailable
from d4cbuild.sandbox.cgroup import ControlGroup, control_group
from d4cbuild.sandbox.circumstances import (
    folders_and_files,
    lay_out_files,
    relisted,
    set_personality,
)
from d4cbuild.sandbox.console import Console, Relay, Waiting, attended, new_terminal, set_size
from d4cbuild.sandbox.job import (
    CANNOT_START,
    CODE,
    HIDDEN,
    KILLED,
    NOT_FOUND,
    OUT,
    SOURCES,
    TEMPORARY,
    Job,
    Limits,
    Outcome,
)
from d4cbuild.sandbox.log import LogCopier
from d4cbuild.sandbox.seccomp import open_filter
from d4cbuild.sandbox.signals import default_signals
from d4cbuild.sandbox.watch import POLL_S, Watch, children

INSTALL_HINT = "install it (Debian, Ubuntu: apt install bubblewrap), or start a Docker engine"
OLDEST_VERSION = (0, 8)
CHUNK_BYTES = 1 << 16
NAMESPACES = (
    *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
    *("--unshare-cgroup-try", "--disable-userns"),
)


class BubblewrapRunner:
    """Runs jobs with ``bwrap`` in namespaces of their own."""

    name = "bubblewrap"

    def version(self) -> str:
        """The version of ``bwrap``; see :class:`~d4cbuild.sandbox.job.Runner`."""
        program = self._program
        answer = subprocess.run(  # noqa: S603 - a list, no shell
            [program, "--version"], capture_output=True, text=True, check=False
        )
        match = re.search(r"(\d+)\.(\d+)", answer.stdout)
        if match is None or (int(match[1]), int(match[2])) < OLDEST_VERSION:
            raise Unavailable(
                "this bubblewrap is too old",
                expected="0.8 or newer, which can forbid nested user namespaces",
                found=answer.stdout.strip() or answer.stderr.strip(),
                where=program,
                hint=INSTALL_HINT,
            )
        trial = [program, *NAMESPACES, "--ro-bind", "/", "/", "--proc", "/proc", "--", "/bin/true"]
        tried = subprocess.run(  # noqa: S603 - a list, no shell
            trial, capture_output=True, text=True, check=False
        )
        if tried.returncode != 0:
            raise _refused(tried.stderr)
        return answer.stdout.strip()

    def filters(self) -> bool:
        """Whether a filter of system calls can be laid around a job here."""
        with open_filter() as rules:
            trial = [self._program, *NAMESPACES, "--seccomp", str(rules.fileno()), "--ro-bind", "/"]
            command = [*trial, "/", "--proc", "/proc", "--", "/bin/cat", "/proc/self/status"]
            tried = subprocess.run(  # noqa: S603 - a list, no shell
                command, capture_output=True, text=True, check=False, pass_fds=[rules.fileno()]
            )
        return "\nSeccomp:\t2\n" in tried.stdout

    @cached_property
    def _program(self) -> str:
        program = shutil.which("bwrap")
        if program is None:
            raise Unavailable("bubblewrap is not installed", hint=INSTALL_HINT)
        return program

    def run(self, job: Job, log: BinaryIO) -> Outcome:
        """Run a job; see :class:`~d4cbuild.sandbox.job.Runner`."""
        streams = subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT
        with self._started(job, *streams) as started:
            stdout = started.process.stdout
            assert stdout is not None  # noqa: S101 - asked for above
            with stdout:
                return _follow(started, job, _Printing(LogCopier(_chunks(stdout), log)))

    def attend(self, job: Job, console: Console) -> Outcome:
        """Run a job for somebody; see :class:`~d4cbuild.sandbox.job.Runner`."""
        job = replace(job, command=attended(job.command))
        if not console.is_terminal:
            with self._started(job, None, console.output, None) as started:
                return _follow(started, job, Waiting(console))
        with new_terminal() as (ours, theirs), console.raw():
            relay = Relay(console, ours, partial(set_size, ours))
            slave = theirs.fileno()
            with self._started(job, slave, slave, slave) as started:
                theirs.close()  # so that the end of the job is the end of what can be read
                return _follow(started, job, relay)

    @contextmanager
    def _started(
        self, job: Job, stdin: int | None, stdout: int | None, stderr: int | None
    ) -> Iterator[_Started]:
        for folder in (job.out, job.temporary):
            folder.mkdir()
            folder.chmod(0o777)  # as in the other runner; the folder above is closed
        with (
            control_group(job.granted) as group,
            _pipe() as (reader, writer),
            open_filter() as rules,
        ):
            passed = (writer.fileno(), rules.fileno())
            process: subprocess.Popen[bytes] | None = None
            try:
                with uninterrupted():
                    process = subprocess.Popen(  # noqa: S603 - a list, no shell
                        [self._program, *_arguments(job, *passed)],
                        stdin=stdin,
                        stdout=stdout,
                        stderr=stderr,
                        env={},
                        pass_fds=passed,
                        # Only root may leave its groups.
                        extra_groups=[] if user_id() == 0 else None,
                        preexec_fn=_prepare(job, group),  # no thread of ours runs yet
                    )
                writer.close()
                yield _Started(process, group, reader)
            finally:
                if process is not None:
                    _end(process)


@dataclass(frozen=True)
class _Started:
    """A sandbox that runs, the group it is in, and where bwrap reports on it."""

    process: subprocess.Popen[bytes]
    group: ControlGroup | None
    reports: BinaryIO


class _Talk(Protocol):
    """What passes between a job and others while it runs; see :class:`Relay`."""

    @property
    def head(self) -> bytes: ...

    def turn(self, end: int, wait_s: float) -> bool: ...

    def finish(self) -> None: ...


class _Printing:
    """What a job prints goes to a log."""

    def __init__(self, copier: LogCopier) -> None:
        self._copier = copier

    @property
    def head(self) -> bytes:
        return self._copier.head

    def turn(self, end: int, wait_s: float) -> bool:
        return bool(select.select([end], [], [], wait_s)[0])

    def finish(self) -> None:
        self._copier.finish()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill bwrap, and with it the first process of the PID namespace, and all others there.

    That first process dies with bwrap only once it has asked for it. Before, it would wait for ever
    for the bwrap that made it, so it is killed too. Once bwrap is halted it makes no other.
    """
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    made = children(process.pid)
    process.kill()
    for child in made:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    process.wait()


def _follow(started: _Started, job: Job, talk: _Talk) -> Outcome:
    process, group = started.process, started.group
    watch = Watch(job.granted, job.scratch, process.pid, alone=group is None)
    stopped_by: str | None = None
    descriptor = os.pidfd_open(process.pid)
    try:
        while not talk.turn(descriptor, POLL_S):
            check_interruption()
            stopped_by = watch.exceeded()
            if stopped_by is not None:
                break
    finally:
        _end(process)
        os.close(descriptor)
        talk.finish()
    seconds = watch.seconds
    stopped_by = stopped_by or (group.exceeded() if group else None) or watch.exceeded_at_the_end()
    status = _status(started.reports.read(), talk.head, stopped_by)
    if stopped_by == "processes" and status == 0:
        stopped_by = None  # the job met the limit, and knew what to do
    return Outcome(status, stopped_by, seconds, _not_enforced(job.limits, group))


def _status(reports: bytes, printed: bytes, stopped_by: str | None) -> int:
    """The job's exit status, of what bwrap reports; it reports none of what it could not start."""
    for line in reports.decode().splitlines():
        report = json.loads(line)
        if "exit-code" in report:
            return int(report["exit-code"])
    if stopped_by is not None:
        return KILLED
    message = printed.decode(errors="replace").strip()
    if message.startswith("bwrap: execvp "):
        return CANNOT_START if message.endswith("Permission denied") else NOT_FOUND
    raise _refused(message)


def _refused(message: str) -> Unavailable:
    return Unavailable(
        "bubblewrap could not make the sandbox",
        found=message.strip() or "it ended without a word",
        hint="allow user namespaces (on Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns"
        "=0), or start a Docker engine and use --runner docker",
    )


def _not_enforced(limits: Limits, group: ControlGroup | None) -> tuple[str, ...]:
    notes = []
    if group is None:
        notes.append("memory and processes are watched, not limited: no control group may be made")
    if limits.cpus > len(usable_cpus()):
        notes.append(f"{limits.cpus} CPUs were asked for, this machine gives {len(usable_cpus())}")
    return tuple(notes)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := os.read(stream.fileno(), CHUNK_BYTES):
        yield chunk


@contextmanager
def _pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    reader, writer = os.pipe()
    with open(reader, "rb") as reading, open(writer, "wb") as writing:  # noqa: PTH123 - no path
        yield reading, writing


def _prepare(job: Job, group: ControlGroup | None) -> Callable[[], None]:
    limits, personality = job.limits, job.circumstances.personality
    cpus = set(usable_cpus()[: limits.cpus])
    entrances = () if group is None else group.entrances
    wanted = [
        (getattr(resource, f"RLIMIT_{name.upper()}"), value)
        for name, value in limits.per_process.items()
    ]

    reset_signals = default_signals()

    def in_child() -> None:
        reset_signals()
        os.umask(0o022)
        os.sched_setaffinity(0, cpus)
        if personality:
            set_personality(personality)
        for kind, value in wanted:
            most = resource.getrlimit(kind)[1]
            allowed = value if most == resource.RLIM_INFINITY else min(value, most)
            resource.setrlimit(kind, (allowed, allowed))
        for entrance in entrances:
            descriptor = os.open(entrance, os.O_WRONLY)
            os.write(descriptor, b"0")
            os.close(descriptor)

    return in_child


def _arguments(job: Job, report_to: int, rules_from: int) -> list[str]:
    arguments = [
        *NAMESPACES,
        *("--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL", "--clearenv"),
        *("--json-status-fd", str(report_to), "--seccomp", str(rules_from)),
        *("--uid", str(SANDBOX_UID), "--gid", str(SANDBOX_GID), "--hostname", SANDBOX_HOSTNAME),
        *("--ro-bind", str(job.image.root), "/", "--proc", "/proc"),
        *("--dev", "/dev", "--remount-ro", "/dev/pts", "--remount-ro", "/dev"),
        *_temporary(job),
        *("--bind", str(job.out), OUT),
    ]
    for path in map(Path, HIDDEN):
        if path.is_dir():
            arguments += ["--tmpfs", str(path), "--remount-ro", str(path)]
        elif path.exists():
            arguments += ["--dev-bind", "/dev/null", str(path)]
    # Where root runs us, the job's user is root to the kernel's settings in /proc/sys.
    arguments += ["--remount-ro", "/proc"]
    for path, target in lay_out_files(job.circumstances, job.shown):
        arguments += ["--ro-bind", str(path), target]
    arguments += _ingredients(job)
    for name, value in job.environment.items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--chdir", job.environment["D4C_CODE"], "--", *job.command]


def _temporary(job: Job) -> list[str]:
    if job.circumstances.temporary_in_memory:
        return ["--size", str(job.limits.disk), "--perms", "0777", "--tmpfs", TEMPORARY]
    return ["--bind", str(job.temporary), TEMPORARY]


def _ingredients(job: Job) -> list[str]:
    order = job.circumstances.order
    arguments: list[str] = []
    for mount in job.mounts:
        if mount.target == CODE and order != "usual":
            arguments += ["--tmpfs", CODE]
            for path, is_folder in folders_and_files(mount.source, order):
                inside = f"{CODE}/{path}"
                bound = ["--ro-bind", str(mount.source / path), inside]
                arguments += ["--dir", inside] if is_folder else bound
            arguments += ["--remount-ro", CODE]
        else:
            arguments += ["--ro-bind", str(mount.source), mount.target]
    arguments += ["--tmpfs", SOURCES]
    sources = dict(job.sources)
    # A tmpfs lists what was made last first.
    for name in reversed(relisted(list(reversed(sources)), order)):
        arguments += ["--ro-bind", str(sources[name]), f"{SOURCES}/{name}"]
    return [*arguments, "--remount-ro", SOURCES]

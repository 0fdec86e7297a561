"""The runner that needs no daemon and no root: bubblewrap."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import IO, BinaryIO

from d4cbuild.base.ambient import usable_cpus
from d4cbuild.base.sameness import SANDBOX_GID, SANDBOX_HOSTNAME, SANDBOX_UID
from d4cbuild.errors import Unavailable
from d4cbuild.sandbox.cgroup import ControlGroup, make_control_group
from d4cbuild.sandbox.job import OUT, SOURCES, TEMPORARY, Job, Limits, Outcome
from d4cbuild.sandbox.log import LogCopier
from d4cbuild.sandbox.watch import POLL_S, Watch

INSTALL_HINT = "install it (Debian, Ubuntu: apt install bubblewrap), or start a Docker engine"
OLDEST_VERSION = (0, 8)
CHUNK_BYTES = 1 << 16


class BubblewrapRunner:
    """Runs jobs with ``bwrap`` in namespaces of their own."""

    name = "bubblewrap"

    def version(self) -> str:
        """The version of ``bwrap``; see :class:`~d4cbuild.sandbox.job.Runner`."""
        program = self._program
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        match = re.search(r"(\d+)\.(\d+)", answer.stdout)
        if match is None or (int(match[1]), int(match[2])) < OLDEST_VERSION:
            raise Unavailable(
                "this bubblewrap is too old",
                expected="0.8 or newer, which can forbid nested user namespaces",
                found=answer.stdout.strip() or answer.stderr.strip(),
                where=program,
                hint=INSTALL_HINT,
            )
        return answer.stdout.strip()

    @cached_property
    def _program(self) -> str:
        program = shutil.which("bwrap")
        if program is None:
            raise Unavailable("bubblewrap is not installed", hint=INSTALL_HINT)
        return program

    def run(self, job: Job, log: BinaryIO) -> Outcome:
        """Run a job; see :class:`~d4cbuild.sandbox.job.Runner`."""
        for folder in (job.out, job.temporary):
            folder.mkdir(mode=0o700)
        group = make_control_group(job.limits)
        try:
            process = subprocess.Popen(
                [self._program, *_arguments(job)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={},
                preexec_fn=_prepare(job.limits, group),  # no thread of ours runs yet
            )
            return _follow(process, job, group, log)
        finally:
            if group is not None:
                group.remove()


def _follow(
    process: subprocess.Popen[bytes], job: Job, group: ControlGroup | None, log: BinaryIO
) -> Outcome:
    watch = Watch(job.limits, job.scratch, process.pid if group is None else None)
    assert process.stdout is not None  # opened as a pipe above
    copier = LogCopier(_chunks(process.stdout), log)
    stopped_by: str | None = None
    descriptor = os.pidfd_open(process.pid)
    try:
        while not select.select([descriptor], [], [], POLL_S)[0]:
            stopped_by = watch.exceeded()
            if stopped_by is not None:
                break
    finally:
        # Killing bwrap kills the first process of the PID namespace, and with it all others.
        process.kill()
        status = process.wait()
        os.close(descriptor)
        copier.finish()
        process.stdout.close()
    if stopped_by is None and group is not None and status != 0:
        stopped_by = group.exceeded()
    return Outcome(
        128 - status if status < 0 else status,
        stopped_by,
        watch.seconds,
        _not_enforced(job.limits, group),
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


def _prepare(limits: Limits, group: ControlGroup | None) -> Callable[[], None]:
    cpus = set(usable_cpus()[: limits.cpus])
    entrances = () if group is None else group.entrances

    def in_child() -> None:
        os.umask(0o022)
        os.sched_setaffinity(0, cpus)
        for entrance in entrances:
            descriptor = os.open(entrance, os.O_WRONLY)
            os.write(descriptor, b"0")
            os.close(descriptor)

    return in_child


def _arguments(job: Job) -> list[str]:
    arguments = [
        *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
        *("--unshare-cgroup-try", "--disable-userns", "--die-with-parent", "--new-session"),
        *("--as-pid-1", "--cap-drop", "ALL", "--clearenv"),
        *("--uid", str(SANDBOX_UID), "--gid", str(SANDBOX_GID), "--hostname", SANDBOX_HOSTNAME),
        *("--ro-bind", str(job.image.root), "/", "--proc", "/proc"),
        *("--dev", "/dev", "--remount-ro", "/dev"),
        *("--bind", str(job.temporary), TEMPORARY, "--bind", str(job.out), OUT),
    ]
    for mount in job.mounts:
        arguments += ["--ro-bind", str(mount.source), mount.target]
    arguments += ["--tmpfs", SOURCES]
    for name, path in job.sources:
        arguments += ["--ro-bind", str(path), f"{SOURCES}/{name}"]
    arguments += ["--remount-ro", SOURCES]
    for name, value in job.environment.items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--chdir", job.environment["D4C_CODE"], "--", *job.command]

"""What this machine can do to keep a job in its place, and what is weaker than it should be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from d4cbuild.base.ambient import usable_cpus, user_id
from d4cbuild.base.sameness import SANDBOX_UID
from d4cbuild.errors import D4CError
from d4cbuild.sandbox.bubblewrap import BubblewrapRunner
from d4cbuild.sandbox.cgroup import control_group
from d4cbuild.sandbox.docker import DockerRunner
from d4cbuild.sandbox.job import Limits

_FORBIDS_ITSELF_THE_NETWORK = """
import errno, socket
from d4cbuild.sandbox.offline import go_offline
go_offline()
try:
    socket.socket(socket.AF_INET)
except PermissionError:
    print("refused")
"""
_OFFLINE = "offline filter"


@dataclass(frozen=True)
class Ability:
    """Something that a promise rests on.

    Attributes:
        name: What it is.
        held: Whether this machine has it.
        found: What was found.
        weaker: What is weaker where it is missing; nothing where it is there.
    """

    name: str
    held: bool
    found: str
    weaker: str | None = None


def abilities() -> Iterator[Ability]:
    """Try out one after the other; none of them is needed to build."""
    yield from _of_bubblewrap()
    yield from _of_docker()
    yield _offline()
    cpus = len(usable_cpus())
    weaker = "recipes that ask for two CPUs have their threads share one, and take longer"
    yield _ability("two CPUs", cpus >= 2, f"{cpus} usable", weaker)


def _of_bubblewrap() -> Iterator[Ability]:
    try:
        runner = BubblewrapRunner()
        runner.version()
    except D4CError:
        return  # said elsewhere, with what to install
    name = "bubblewrap: system calls are filtered"
    yield _ability(name, runner.filters(), "tried", "jobs reach seldom used parts of the kernel")
    name, weaker = "bubblewrap: memory and processes are limited", "they are looked at every 50 ms"
    with control_group(Limits()) as group:
        found = f"control groups, version {group.version}" if group else "no control group"
        yield _ability(
            name, group is not None, found, f"{weaker}: a job can go beyond for a moment"
        )
    name = "bubblewrap: a job's user is nobody on this machine"
    weaker = "to the kernel a job owns what root owns; files are kept from it by mounts alone"
    yield _ability(name, user_id() != 0, "root" if user_id() == 0 else "a user", weaker)


def _of_docker() -> Iterator[Ability]:
    try:
        facts = DockerRunner().facts()
    except D4CError:
        return
    options = facts.get("SecurityOptions") or []
    name = "Docker engine: system calls can be filtered"
    filtered = any("seccomp" in option for option in options)
    yield _ability(name, filtered, ", ".join(options) or "nothing", "no job can be run with it")
    missing = [word for word in ("MemoryLimit", "PidsLimit", "CPUSet") if not facts.get(word)]
    name = "Docker engine: memory, processes and CPUs are limited"
    yield _ability(name, not missing, ", ".join(missing) or "all", "a job can take all there is")
    name = "Docker engine: a job's private files count as disk"
    seen = user_id() in (0, SANDBOX_UID)
    weaker = "a job can take more disk by closing folders to others"
    yield _ability(name, seen, f"user {user_id()}", weaker)


def _offline() -> Ability:
    command = [sys.executable, "-c", _FORBIDS_ITSELF_THE_NETWORK]
    done = subprocess.run(  # noqa: S603 - a list, no shell
        command, capture_output=True, text=True, check=False
    )
    held = done.stdout == "refused\n"
    found = "sockets are refused" if held else (done.stderr.strip().splitlines() or ["nothing"])[-1]
    return _ability(_OFFLINE, held, found, "verify --offline and fat bundles need --online")


def _ability(name: str, held: bool, found: str, weaker: str) -> Ability:
    return Ability(name, held, found, None if held else weaker)

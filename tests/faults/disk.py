"""Disks that are full, fail, or may not be written: at any call, and for real on small ones."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tests.faults import checks, interposer
from tests.faults.case import Settings, judged, sample
from tests.faults.interposer import Call, Moment
from tests.faults.kill import Killing
from tests.faults.worlds import VERBS, Verb, World
from tests.project import Answer
from tests.tally import Case

KIND = "disk"
EACH = 8
"""How many moments of each verb and trouble are tried."""
QUICK = 3
"""How many troubles of each verb the quick selection tries."""
REFUSALS = {
    "full": (errno.ENOSPC, True, True),
    "over quota": (errno.EDQUOT, True, True),
    "failing once": (errno.EIO, False, False),
    "read-only": (errno.EROFS, True, False),
}
"""Name: errno, whether it lasts, whether only calls that need room are refused."""
_DISK_VERBS = tuple(verb for verb in VERBS if verb.name != "build a table")


@dataclass(frozen=True)
class Disk:
    """A real file system in memory that is too small.

    Attributes:
        name: What is short there.
        options: Of the mount, of the bytes and files the world takes.
    """

    name: str
    options: Callable[[int, int, int], str]


_MARGIN = 16 << 20  # what the store wants to have free before it begins
DISKS = (
    Disk(
        "just enough bytes",
        lambda size, files, step: f"size={size + _MARGIN + (step << 13)},nr_inodes=0",
    ),
    Disk("too few bytes", lambda size, files, step: f"size={size + (step << 12)}"),
    Disk("too few files", lambda size, files, step: f"size=1g,nr_inodes={files + step}"),
)
STEPS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89)


def cases(settings: Settings) -> Iterator[Case]:
    """Run every verb on every kind of bad disk."""
    for verb in _DISK_VERBS:
        if settings.only is None or settings.only.startswith(f"{verb.name} "):
            yield from _cases_of(verb, settings)


def _cases_of(verb: Verb, settings: Settings) -> Iterator[Case]:
    whole = Killing.of(verb, settings)
    chosen = [*_refusals(whole, settings), *_small_disks(whole, settings)]
    if settings.quick:
        chosen = sample(settings.drawn(KIND, verb.name), chosen, QUICK)
    for row, name, work in chosen:
        if settings.wants(name):
            yield judged(settings, KIND, f"{KIND}: {row}", name, work)


_Work = tuple[str, str, Callable[[], None]]


def _refusals(whole: Killing, settings: Settings) -> Iterator[_Work]:
    for row, (number, lasts, only_room) in REFUSALS.items():
        drawn = settings.drawn(KIND, whole.verb.name, row)
        calls = [call for call in whole.calls if not only_room or _needs_room(call)]
        for at in sample(drawn, range(1, len(calls) + 1), 1 if settings.quick else EACH):
            moment = Moment(at, str(number), lasts, only_room)
            yield row, f"{whole.verb.name} {row} at {at}", partial(_refused, whole, moment)


def _small_disks(whole: Killing, settings: Settings) -> Iterator[_Work]:
    for disk in DISKS:
        for step in STEPS[3:4] if settings.quick else STEPS:
            name = f"{whole.verb.name} on a disk with {disk.name} +{step}"
            yield f"small, {disk.name}", name, partial(_small, whole, disk, step)
    row = "mounted read-only"
    yield row, f"{whole.verb.name} {row}", partial(_mounted_read_only, whole)


def _needs_room(call: Call) -> bool:
    return call.name.startswith(
        (
            *("write", "pwrite", "sendfile", "copy_file", "ftruncate", "fallocate", "mkdir"),
            *("creat", "rename", "link", "symlink", "open"),
        )
    )


def _refused(whole: Killing, moment: Moment) -> None:
    whole.world.restore()
    ended = interposer.run(whole.world, *whole.verb.arguments, moment=moment)
    _said(whole, ended.answer)
    _works_again(whole)


def _said(whole: Killing, answer: Answer) -> None:
    """Either it worked all the same, or it says what is wrong; nothing is half."""
    if answer.status == 0:
        checks.same_results(whole.verb.results(whole.world), whole.expected)
    else:
        checks.clear_error(answer)
    checks.no_half_files(whole.world)


def _works_again(whole: Killing) -> None:
    checks.whole_store(whole.world)
    again = whole.world.run(*whole.verb.arguments)
    checks.no_traceback(again)
    if again.status != 0:
        raise checks.Lost(f"with room again: {again.status}: {again.err}")
    checks.same_results(whole.verb.results(whole.world), whole.expected)
    checks.no_leftovers(whole.world)


def _small(whole: Killing, disk: Disk, step: int) -> None:
    world = whole.world
    world.restore()
    files = list(world.here.rglob("*"))
    size = sum(-(-path.lstat().st_size // 4096) * 4096 for path in files if path.is_file())
    with _mounted(world, disk.options(size, len(files) + 1, step)):
        answer = world.run(*whole.verb.arguments)
        _said(whole, answer)
        _remount(world, "size=2g,nr_inodes=0")
        _works_again(whole)


def _mounted_read_only(whole: Killing) -> None:
    world = whole.world
    world.restore()
    with _mounted(world, "size=2g"):
        _remount(world, "ro")
        answer = world.run(*whole.verb.arguments)
        if answer.status == 0:
            raise checks.Lost("it says that it worked")
        checks.clear_error(answer)
        _remount(world, "rw")
        _works_again(whole)


@contextmanager
def _mounted(world: World, options: str) -> Iterator[None]:
    """The world on a file system of its own."""
    aside = world.root / "aside"
    world.here.rename(aside)
    world.here.mkdir()
    _run("mount", "-t", "tmpfs", "-o", options, "faults", str(world.here))
    try:
        _run("cp", "-a", f"{aside}/.", str(world.here))
        yield
    finally:
        _run("umount", "--lazy", str(world.here))
        _run("rm", "-rf", str(aside))


def _remount(world: World, options: str) -> None:
    _run("mount", "-o", f"remount,{options}", str(world.here))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

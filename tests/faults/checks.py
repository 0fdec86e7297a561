"""What must be true after any fault: nothing half, nothing wrong, nothing left behind."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from d4cbuild.base.digest import digests_of_file
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import stored_image
from d4cbuild.environment.wholeness import fault_of
from d4cbuild.store import Store
from tests.faults.worlds import World
from tests.project import Answer

ENDING_S = 5
"""How long what was killed may take to be gone."""
_OURS = re.compile(r"\.tmp-[0-9a-f]{16}|\.d4cbuild-[0-9a-f]{16}")
_CONTROL_GROUPS = Path("/sys/fs/cgroup")


class Fault(Exception):
    """What is not as it must be."""


class Lost(Fault):
    """Something is gone, wrong, or does not work."""


class Left(Fault):
    """Something was left behind."""


class Unclear(Fault):
    """A message nobody can act upon."""


def no_half_files(world: World) -> None:
    """Everything under its final name is whole.

    Raises:
        Lost: naming what is not.
    """
    for folder in (world.store, world.shared):
        for path in sorted((folder / "objects").glob("??/*")):
            name = path.parent.name + path.name
            if digests_of_file(path).blake3.hex != name:
                raise Lost(f"an object is not what its name says: {path}")
    for path in (world.project.recipe / "recipe.lock", world.project.recipe / "manifest.json"):
        if path.exists():
            try:
                json.loads(path.read_bytes())
            except ValueError as error:
                raise Lost(f"a record is not whole: {path}: {error}") from error
    _whole_images(world)


def _whole_images(world: World) -> None:
    store = Store(world.store)
    try:
        for path in sorted((world.project.root / "environments").iterdir()):
            folder = EnvironmentFolder(path)
            image = stored_image(path.name, folder.lock(), store)
            if image is not None and not image.root.parent.is_symlink():
                fault = fault_of(image.root.parent)
                if fault is not None:
                    raise Lost(f"an image is not whole: {fault}")
    finally:
        store.database.close()


def whole_store(world: World) -> None:
    """``store verify`` finds nothing wrong.

    Raises:
        Lost: with what it found.
    """
    answer = world.run("store", "verify", "--json")
    no_traceback(answer)
    if answer.status != 0:
        raise Lost(f"store verify: {answer.status}: {answer.out} {answer.err}")


def same_results(found: dict[str, str], expected: dict[str, str]) -> None:
    """The verb made what it makes without faults.

    Raises:
        Lost: naming what is other, missing, or too much.
    """
    other = sorted(
        name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)
    )
    if other:
        raise Lost("other results: " + ", ".join(other))


def no_leftovers(world: World) -> None:
    """After ``store gc``: no temporary file, lock, mount or process of this world.

    Raises:
        Left: naming one.
    """
    swept = world.run("store", "gc")
    no_traceback(swept)
    if swept.status != 0:
        raise Lost(f"store gc: {swept.status}: {swept.err}")
    for path in world.here.rglob("*"):
        inside = path.relative_to(world.here)
        if _OURS.fullmatch(path.name):
            raise Left(f"a temporary file: {inside}")
        if path.suffix == ".lock" and ".git" in inside.parts:
            raise Left(f"a lock of git: {inside}")
    for folder in ("tmp", "quarantine"):
        for path in (world.store / folder).iterdir():
            raise Left(f"in {folder}/ of the store: {path.name}")
    if f"{world.here}/" in Path("/proc/self/mounts").read_text():
        raise Left("a mount")


def no_processes(world: World) -> None:
    """Soon after a run was killed: no process of it.

    Raises:
        Left: naming one.
    """
    deadline = time.monotonic() + ENDING_S
    while left := list(_processes(world)):
        if time.monotonic() > deadline:
            raise Left(f"processes: {left}")
        time.sleep(0.02)


def no_control_groups(pid: int) -> None:
    """No control group of a process that is gone.

    Raises:
        Left: naming it.
    """
    deadline = time.monotonic() + ENDING_S
    # In one of them for version 2 of control groups, in the others for version 1.
    folders = (_CONTROL_GROUPS, _CONTROL_GROUPS / "memory", _CONTROL_GROUPS / "pids")
    while left := [path for each in folders for path in each.glob(f"d4cbuild-{pid}-*")]:
        if time.monotonic() > deadline:
            raise Left(f"a control group: {left[0]}")
        time.sleep(0.05)


def _processes(world: World) -> Iterator[str]:
    mark = os.fsencode(world.here)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with suppress(OSError):
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                line = (folder / "cmdline").read_bytes()
                where = os.fsencode((folder / "cwd").readlink())
                if state not in "ZX" and (mark in line or where.startswith(mark)):
                    yield f"{folder.name} {line.replace(bytes(1), b' ')[:200]!r}"


def no_traceback(answer: Answer) -> None:
    """Whatever happened was said in words.

    Raises:
        Unclear: with what was said instead.
    """
    if "Traceback" in answer.err or "Traceback" in answer.out:
        raise Unclear(answer.err[-3000:])
    if answer.status == 124:
        raise Lost(answer.err[-1000:])


def clear_error(answer: Answer) -> None:
    """A failure says what is wrong and what to do next: as an error, or as a verdict's reason.

    Raises:
        Unclear: with what was said instead.
    """
    no_traceback(answer)
    is_verdict = ": unknown" in answer.out and "next:" in answer.out
    if not is_verdict and not ("error: " in answer.err and "next:" in answer.err):
        said = (answer.err + answer.out)[-2000:]
        raise Unclear(f"status {answer.status}, but no error with a next step:\n{said}")

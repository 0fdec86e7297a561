"""Many processes on one store at once, some of which are killed: each finishes or says why not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from tests.faults import checks
from tests.faults.case import Settings, judged
from tests.faults.worlds import RECIPE, World, verb_named
from tests.project import Answer, Project
from tests.tally import Case

KIND = "company"
TOGETHER = 8
"""How many work at once."""
SECONDS = 150
QUICK_SECONDS = 12
KILLED = 0.1
"""The share of runs that are killed while they work."""
_IN_USE = "another d4cbuild is using the store"
_RUNS = (
    ("build", "--force", RECIPE),
    ("build", RECIPE),
    ("verify", RECIPE),
    ("lock", RECIPE),
    ("bundle", "--replace", RECIPE),
    ("store", "gc"),
    ("store", "verify"),
    ("store", "ls"),
    ("store", "push", RECIPE, "--to", "../shared", "--key", "../ada.key"),
)


@dataclass(frozen=True)
class Done:
    """A run, and how it ended."""

    name: str
    arguments: tuple[str, ...]
    answer: Answer
    killed: bool


def cases(settings: Settings) -> Iterator[Case]:
    """Let them work for some time, then look at every run and at what is left."""
    if settings.part != 0 or settings.only is not None:
        return  # they need the machine for themselves, and are never the same twice
    settings = replace(settings, parts=1)
    world = verb_named("store push").world(settings.folder, settings.warm)
    world.ran("build", RECIPE)
    expected = _made(world.project)
    projects = [_project(world, number) for number in range(TOGETHER)]
    end = time.monotonic() + (QUICK_SECONDS if settings.quick else SECONDS)
    with ThreadPoolExecutor(TOGETHER) as pool:
        work = [
            pool.submit(_work, project, end, settings.drawn(KIND, str(number)), number)
            for number, project in enumerate(projects)
        ]
        done = [each for worker in work for each in worker.result()]
    for each in done:
        row = f"{KIND}: {' '.join(part for part in each.arguments[:2] if '/' not in part)}"
        yield judged(settings, KIND, row, each.name, lambda each=each: _ended_well(each))
    yield judged(settings, KIND, f"{KIND}: afterwards", "the store", lambda: _whole(world))
    for number, project in enumerate(projects):
        name = f"project {number}"
        yield judged(
            settings,
            KIND,
            f"{KIND}: afterwards",
            name,
            lambda project=project: _same(project, expected),
        )


def _project(world: World, number: int) -> Project:
    """A clone of the project, with what git does not keep; all share one store."""
    root = world.here / f"project-{number}"
    subprocess.run(["cp", "-a", str(world.project.root), str(root)], check=True)
    return Project(root, world.store)


def _work(project: Project, end: float, drawn: Random, number: int) -> list[Done]:
    done = []
    while time.monotonic() < end:
        arguments = drawn.choice(_RUNS)
        killed_after = drawn.uniform(0, 1.5) if drawn.random() < KILLED else None
        answer, killed = _run(project, arguments, killed_after)
        done.append(Done(f"{number}.{len(done)}", arguments, answer, killed))
    return done


def _run(
    project: Project, arguments: tuple[str, ...], killed_after: float | None
) -> tuple[Answer, bool]:
    process = subprocess.Popen(
        [sys.executable, "-m", "d4cbuild", *arguments],
        cwd=project.root,
        env=project.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=killed_after or 300)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        status = process.returncode if killed_after is not None else 124
        return Answer(status, out, err), killed_after is not None
    return Answer(process.returncode, out, err), False


def _ended_well(done: Done) -> None:
    checks.no_traceback(done.answer)
    if done.killed or done.answer.status == 0:
        return
    if done.arguments == ("store", "gc") and _IN_USE in done.answer.err:
        return
    checks.clear_error(done.answer)
    raise checks.Lost(f"{done.arguments}: {done.answer.status}: {done.answer.err[-2000:]}")


def _whole(world: World) -> None:
    checks.no_processes(world)
    checks.no_half_files(world)
    checks.whole_store(world)
    world.ran("build", RECIPE)
    checks.no_leftovers(world)


def _same(project: Project, expected: dict[str, bytes]) -> None:
    for arguments in (("lock", RECIPE), ("build", RECIPE)):
        answer = project.run(*arguments)
        if answer.status != 0:
            raise checks.Lost(f"{arguments}: {answer.status}: {answer.err}")
    if _made(project) != expected:
        raise checks.Lost("other bytes")


def _made(project: Project) -> dict[str, bytes]:
    paths: list[Path] = [*(project.root / "dist").glob("*.csv"), project.recipe / "manifest.json"]
    return {path.name: path.read_bytes() for path in paths}

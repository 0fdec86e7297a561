"""Hostile jobs are run one by one, and after each it is looked what became of host and runner."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from d4cbuild.base.files import remove_tree
from d4cbuild.base.progress import Silence
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import ensure_image
from d4cbuild.sandbox.choose import choose_runner
from d4cbuild.sandbox.image import Image
from d4cbuild.sandbox.job import Runner
from d4cbuild.store import Store
from tests.conftest import REPOSITORY
from tests.hostile import jobs_on_the_host, jobs_on_the_kernel, jobs_that_take
from tests.hostile.job_kinds import HostileJob
from tests.hostile.surroundings import Surroundings
from tests.sandbox.jobs import Ran, make_job, run
from tests.tally import Case, Fate

JOBS: tuple[HostileJob, ...] = (
    *jobs_on_the_host.JOBS,
    *jobs_on_the_kernel.JOBS,
    *jobs_that_take.JOBS,
)
RUNNERS = ("bubblewrap", "docker")
SLACK_S = 60  # what a runner may take beyond a job's time to end it and to clear up


def hostile_image() -> Image:
    """The root filesystem that hostile jobs find."""
    folder = EnvironmentFolder(REPOSITORY / "environments" / "geo")
    return ensure_image(folder, Store(REPOSITORY / ".cache" / "store"), Silence())


def run_jobs(around: Surroundings, only: str = "") -> Iterator[Case]:
    """Run every job on every runner, and a good one after them.

    Args:
        around: What they would like to reach.
        only: Part of the names of those to run.
    """
    image = hostile_image()
    for name in RUNNERS:
        runner = choose_runner(name)
        for hostile in JOBS:
            if only in hostile.name:
                yield run_one(around, image, runner, hostile)
        good = HostileJob("well-behaved", "a good job after all of them", "print('well')", _well)
        yield run_one(around, image, runner, good)


def run_one(around: Surroundings, image: Image, runner: Runner, hostile: HostileJob) -> Case:
    """Run one job.

    Returns:
        What became of it: lost if the runner failed or took too long, escaped if the job could do
        or reach what it must not, or left something behind.
    """
    folder = around.folder / "jobs" / "job"
    job = make_job(image, folder, around.constants + hostile.program, dict(hostile.limits))
    began_s = time.monotonic()
    left = ""
    try:
        ran = run(runner, job)
        left = _still_written(job.scratch)
    except Exception as failure:  # noqa: BLE001 - whatever it is, it must not happen
        return _case(runner, hostile, Fate.LOST, f"{type(failure).__name__}: {failure}")
    finally:
        remove_tree(folder)
    seconds = time.monotonic() - began_s
    if seconds > job.limits.time_s + SLACK_S:
        return _case(runner, hostile, Fate.LOST, f"it was over after {seconds:.0f} s")
    fault = _escape(around, runner, ran) or left
    if fault:
        return _case(runner, hostile, Fate.ESCAPED, fault)
    wrong = hostile.expected(ran)
    fate = Fate.ESCAPED if wrong.startswith("it could do") else Fate.LOST
    return _case(runner, hostile, fate if wrong else Fate.SURVIVED, wrong)


def _still_written(scratch: Path) -> str:
    beats = [scratch / place / "beat" for place in ("tmp", "out")]
    before = [beat.stat().st_size for beat in beats if beat.exists()]
    if before:
        time.sleep(0.2)
    same = before == [beat.stat().st_size for beat in beats if beat.exists()]
    return "" if same else "it still writes after its end"


def _escape(around: Surroundings, runner: Runner, ran: Ran) -> str:
    if around.secret in ran.log:
        return "it read a file of the host"
    return around.harm() or around.leftovers(runner)


def _well(ran: Ran) -> str:
    return "" if ran.log == "well\n" else ran.log


def _case(runner: Runner, hostile: HostileJob, fate: Fate, note: str) -> Case:
    again = f"python -m tests.hostile jobs --only {hostile.name!r}"
    return Case(f"{hostile.kind} ({runner.name})", hostile.name, fate, note, again)

"""The quick part of the hostile jobs; ``make hostile`` runs all of them."""

from collections.abc import Iterator

import pytest

from d4cbuild.sandbox.choose import choose_runner
from tests.hostile.job_kinds import HostileJob, refused
from tests.hostile.running_jobs import JOBS, RUNNERS, hostile_image, run_one
from tests.hostile.surroundings import Surroundings, surroundings
from tests.tally import Fate

QUICK = [job for job in JOBS if job.quick]


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    with surroundings() as made:
        yield made


@pytest.mark.parametrize("runner", [RUNNERS[0], pytest.param("docker", marks=pytest.mark.engine)])
@pytest.mark.parametrize("hostile", QUICK, ids=lambda job: job.name)
def test_a_hostile_job_neither_escapes_nor_breaks_anything(
    around: Surroundings, hostile: HostileJob, runner: str
) -> None:
    case = run_one(around, hostile_image(), choose_runner(runner), hostile)
    assert case.fate is Fate.SURVIVED, case.note


def test_there_are_enough_jobs_and_each_has_a_name_of_its_own() -> None:
    assert len(JOBS) >= 40
    assert len({job.name for job in JOBS}) == len(JOBS)


@pytest.mark.parametrize(
    ("program", "fate"),
    [
        ("attempt('write', lambda: open('/tmp/x', 'w').close())", Fate.ESCAPED),
        ("raise SystemExit(3)", Fate.LOST),
        ("attempt('write', lambda: open('/x', 'w'))", Fate.SURVIVED),
    ],
)
def test_a_job_that_could_do_something_is_told_from_one_that_could_not(
    around: Surroundings, program: str, fate: Fate
) -> None:
    hostile = HostileJob("kind", "name", program, refused)
    case = run_one(around, hostile_image(), choose_runner("bubblewrap"), hostile)
    assert case.fate is fate, case.note

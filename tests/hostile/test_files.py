"""The quick part of the hostile files; ``make hostile`` runs all of them."""

from collections.abc import Iterator

import pytest

from tests.hostile.file_kinds import HostileFile
from tests.hostile.running_files import FILES, run_file
from tests.hostile.surroundings import Surroundings, surroundings
from tests.tally import Fate

QUICK = [each for each in FILES if each.quick or each.target in ("wheel", "deb")]


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    with surroundings() as made:
        yield made


@pytest.mark.parametrize("hostile", QUICK, ids=lambda each: f"{each.kind}: {each.name}")
def test_a_hostile_file_is_refused_or_read_and_does_no_harm(
    around: Surroundings, hostile: HostileFile
) -> None:
    case = run_file(around, hostile)
    assert case.fate is Fate.SURVIVED, case.note


def test_there_are_enough_files() -> None:
    assert len(FILES) >= 150
    assert len({(each.kind, each.name) for each in FILES}) == len(FILES)

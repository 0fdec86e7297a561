"""The quick part of the builds with hostile code; ``make hostile`` runs all of them on both."""

import pytest

from tests.hostile.builds import BUILDS, run_build
from tests.hostile.surroundings import surroundings
from tests.tally import Fate

QUICK = {
    "gives its output setuid and execute bits",
    "goes on writing its output after its end",
    "leaves a link to a file of the host as its output",
    "leaves names that are no text",
    "writes a footer that is nested ten thousand times",
    "writes lines in our name",
}


@pytest.mark.parametrize("name", sorted(QUICK))
def test_a_build_with_hostile_code_fails_well_or_publishes_what_it_should(name: str) -> None:
    (build,) = (each for each in BUILDS if each.name == name)
    with surroundings() as around:
        case = run_build(around, "bubblewrap", build)
    assert case.fate is Fate.SURVIVED, case.note

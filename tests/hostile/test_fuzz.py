"""A short run of what ``python -m tests.hostile.fuzz`` does for long, and all it ever found."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.changes import changed
from tests.hostile.fuzz import fuzz, replay
from tests.hostile.fuzz_targets import TARGETS, Target, run_target

EXAMPLES = 40


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_was_once_found_is_refused_or_read(target: Target) -> None:
    replay(target.name)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_changed_input_is_refused_or_read(target: Target, tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    seeds = target.seeds(tmp_path / "seeds")

    @settings(max_examples=EXAMPLES)
    @given(st.one_of(changed(seeds), st.binary(max_size=500)))
    def look(data: bytes) -> None:
        run_target(target, data, tmp_path / "input")

    look()


def test_the_fuzzer_finds_its_way() -> None:
    tally = fuzz(["column-type", "wkb"], 8)
    assert tally.status == 0, tally.failures

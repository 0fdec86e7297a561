"""A small selection of what ``make faults`` does: each kind of fault, everywhere, a few times."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults.worlds import REPOSITORY


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["kill", "disk", "rot", "company", "servers", "engines"])
def test_nothing_is_lost_left_behind_or_unclear(kind: str) -> None:
    subprocess.run(["sh", str(REPOSITORY / ".ci" / "ensure_compiler")], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--quick", "--seed", "1", "--workers", "1", kind],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

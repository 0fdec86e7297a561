"""Which parts ``python -m tests.hostile`` runs."""

from __future__ import annotations

import pytest

from tests.hostile.__main__ import PARTS, read_command_line


def test_all_parts_are_run_if_none_is_named() -> None:
    assert read_command_line([]).parts == list(PARTS)
    assert read_command_line(["--only", "fork"]).parts == list(PARTS)


def test_parts_that_are_named_are_run_and_others_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert read_command_line(["secrets", "jobs"]).parts == ["secrets", "jobs"]
    with pytest.raises(SystemExit):
        read_command_line(["secret"])
    assert "no such part: secret" in capsys.readouterr().err

"""The one place of limits: each is explained, has a unit, and is kept by somebody."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import d4cbuild
from d4cbuild.base.limits import LIMITS, InputLimits

COUNTS = {
    *("signatures", "type_depth", "archive_members", "bundle_files", "history_objects"),
    *("code_entries", "inside_members", "compared_depth", "wkb_depth"),
}
NAMES = [each.name for each in dataclasses.fields(InputLimits)]
CODE = "".join(path.read_text() for path in Path(d4cbuild.__path__[0]).rglob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_has_a_unit_is_explained_and_is_kept(name: str) -> None:
    assert name.endswith("_bytes") or name in COUNTS
    assert f"        {name}: " in (InputLimits.__doc__ or "")
    assert f"LIMITS.{name}" in CODE
    assert getattr(LIMITS, name) > 0

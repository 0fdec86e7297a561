"""The page of the classes says what the program says."""

from __future__ import annotations

import re

from d4cbuild.difference.causes import causes_of
from d4cbuild.difference.classes import CLASSES
from d4cbuild.difference.record import Difference, Finding, Rows, Side
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "d4cbuild" / "spec" / "differences.md").read_text()


def named_in(text: str) -> set[str]:
    cells = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([a-z-]+)`", cell)}


def test_the_page_lists_every_class_and_no_other() -> None:
    assert named_in(PAGE.partition("## Classes")[2]) == set(CLASSES)


def test_the_page_marks_what_is_only_form() -> None:
    form = PAGE.partition("(*form*)")[2].partition("### ")[0]
    assert named_in(form) == {name for name, each in CLASSES.items() if not each.other_table}


def test_every_class_has_a_likely_cause() -> None:
    side = Side("a", "parquet", 1, None)
    plain = {"provenance", "member", "lines", "bytes"}
    for name in set(CLASSES) - plain:
        finding = Finding(name, 1, "cells", "")
        rows = Rows(2, 2, removed=1, cells=1)
        found = Difference(side, side, "different", findings=(finding,), rows=rows)
        assert causes_of(found), name

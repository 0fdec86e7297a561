"""The page of promises: every promise names a test that is there, and people find the page."""

from __future__ import annotations

import re

from tests.house.documents import REPOSITORY

PAGE = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")


def _promises() -> list[list[str]]:
    table = PAGE.partition("## What is promised")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [row.strip("|").split("|") for row in rows]


def test_every_promise_names_a_test_that_is_there() -> None:
    named = ""
    assert len(_promises()) >= 10
    for promise, shown_by in _promises():
        named = shown_by if "tests/" in shown_by else named
        paths = re.findall(r"`(tests/[\w/]+\.py)`", named)
        assert paths, promise
        missing = [path for path in paths if not (REPOSITORY / path).is_file()]
        assert missing == [], promise


def test_the_page_is_linked_from_where_people_start() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        assert "(SECURITY.md)" in (REPOSITORY / name).read_text(encoding="utf-8"), name


def test_the_page_fits_on_a_sheet_of_paper() -> None:
    assert len(PAGE.split()) < 1000

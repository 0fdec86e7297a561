"""What is found in code, and what is not."""

from __future__ import annotations

import pytest

from d4cbuild.hazards.catalogue import HAZARDS
from tests.hazards import other_snippets as other
from tests.hazards import python_snippets as python
from tests.hazards.snippets import found_in, found_places, marks

BAD = [
    *((f"python-{name}", text, "process.py") for name, text in python.BAD.items()),
    *((f"sql-{name}", text, "tables.sql") for name, text in other.BAD_SQL.items()),
    *((f"shell-{name}", text, "run.sh") for name, text in other.BAD_SHELL.items()),
]
GOOD = [
    *((f"python-{name}", text, "process.py") for name, text in python.GOOD.items()),
    *((f"sql-{name}", text, "tables.sql") for name, text in other.GOOD_SQL.items()),
    *((f"shell-{name}", text, "run.sh") for name, text in other.GOOD_SHELL.items()),
]
FROM_RECIPES_ALONE = {"moving-address", "plain-http", "sort-key"}


def _named(cases: list[tuple[str, str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("text", "name"), [case[1:] for case in cases], ids=[case[0] for case in cases]
    )


@_named(BAD)
def test_a_hazard_is_found_in_its_line_and_nothing_else(text: str, name: str) -> None:
    assert marks(text)
    assert found_places(text, name) == marks(text)


@_named(GOOD)
def test_what_only_looks_like_a_hazard_is_not_found(text: str, name: str) -> None:
    assert found_in(text, name) == []


@_named(BAD)
def test_a_comment_at_the_end_of_the_line_keeps_a_hazard(text: str, name: str) -> None:
    lines = text.splitlines()
    sign = "--" if name.endswith(".sql") else "#"
    expected = set()
    for number, hazard in sorted(marks(text)):
        expected.add((number, hazard))
        line, _, _ = lines[number - 1].partition("<- ")
        sign = "--" if line.rstrip().endswith("--") else "#"
        lines[number - 1] = f"{line.rstrip().removesuffix(sign)}{sign} d4c: allow {hazard}: tried"
    if len({number for number, _ in expected}) < len(expected):
        return  # two in one line: the last comment alone was kept
    found = found_in("\n".join(lines) + "\n", name)
    assert {(each.line, each.name) for each in found} >= expected
    assert {each.allowed for each in found} == {"tried"}


def test_a_variable_that_the_shell_fills_into_a_document_is_found() -> None:
    assert found_places("cat <<END > x\nmade by $USER\nEND\n", "run.sh") == {(2, "host")}


def test_there_is_an_example_of_every_hazard() -> None:
    shown = {hazard for _, text, _ in BAD for _, hazard in marks(text)}
    assert shown == set(HAZARDS) - FROM_RECIPES_ALONE

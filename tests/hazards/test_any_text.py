"""Whatever a file holds, there is an answer with places that are in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.hazards.code_files import file_findings
from tests.hazards import other_snippets as other
from tests.hazards import python_snippets as python

NAMES = ("a.py", "a.sql", "a.sh")
SNIPPETS = {
    "a.py": [*python.BAD.values(), *python.GOOD.values()],
    "a.sql": [*other.BAD_SQL.values(), *other.GOOD_SQL.values()],
    "a.sh": [*other.BAD_SHELL.values(), *other.GOOD_SHELL.values()],
}


def _look(data: bytes, name: str) -> None:
    lines = max(data.count(b"\n") + data.count(b"\r"), 0) + 1
    for finding in file_findings(name, data, name):
        assert 1 <= finding.line <= lines + 1
        assert finding.column >= 1
        assert finding.message
        assert finding.remedy
        assert "\n" not in finding.message


@given(st.binary(max_size=200), st.sampled_from(NAMES))
def test_any_bytes_are_answered(data: bytes, name: str) -> None:
    _look(data, name)


@given(st.text(max_size=200), st.sampled_from(NAMES))
def test_any_text_is_answered(text: str, name: str) -> None:
    _look(text.encode("utf-8", "surrogatepass"), name)


@settings(max_examples=400)
@given(st.data(), st.sampled_from(NAMES))
def test_any_damage_to_code_is_answered(data: st.DataObject, name: str) -> None:
    text = data.draw(st.sampled_from(SNIPPETS[name]))
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    between = data.draw(st.text(alphabet="()[]{}'\"\\\n#;$`:=,. fxé\0", max_size=6))
    _look((text[:first] + between + text[last:]).encode(), name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("(" * 3000, "a.py"),
        ("x = " + "-" * 3000 + "1", "a.py"),
        ("x = " + "+".join(["a"] * 5000), "a.py"),
        ("x = x\ny = z\nz = y\nprint(y())", "a.py"),
        ("a" * 100_000, "a.sql"),
        ("SELECT " + "(" * 3000, "a.sql"),
        ("SELECT 'a", "a.sql"),
        ("SELECT a FROM WHERE GROUP", "a.sql"),
        ("echo $(" * 200, "a.sh"),
        ("echo 'a", "a.sh"),
        ("\ufeffimport time\nx = time.time()", "a.py"),
        ("import time\r\nx = time.time()\r\n", "a.py"),
        ("x = 1\f\nimport time\ny = time.time()", "a.py"),
        ("x = '\u2028'\nimport time\ny = time.time()", "a.py"),
    ],
)
def test_hostile_text_is_answered(text: str, name: str) -> None:
    _look(text.encode(), name)


def test_code_that_is_no_code_is_told_with_its_place() -> None:
    (python_fault,) = file_findings("a.py", b"x = 1\ny = = 2\n", "a.py")
    assert (python_fault.line, python_fault.column, python_fault.name, python_fault.level) == (
        *(2, 5, "python-syntax", "error"),
    )
    (bytes_fault,) = file_findings("a.py", b"x = 1\ny = '\xe9'\n", "a.py")
    assert (bytes_fault.line, bytes_fault.column, bytes_fault.name) == (2, 6, "encoding")
    (sql_fault,) = file_findings("a.sql", b"SELECT 1;\n\nSELECT FROM WHERE (;\n", "a.sql")
    assert (sql_fault.line, sql_fault.name, sql_fault.level) == (3, "sql-syntax", "warning")


def test_columns_count_characters_after_accents() -> None:
    text = "import time\né = 'Trois-Rivières', time.time()\n"
    (finding,) = file_findings("a.py", text.encode(), "a.py")
    assert text.splitlines()[1][finding.column - 1 :].startswith("time.time")


def test_a_file_in_another_language_is_left_alone() -> None:
    assert file_findings("notes.txt", b"time.time() now() date", "notes.txt") == []
    (finding,) = file_findings("run", b"#!/bin/sh\ndate\n", "run")
    assert finding.name == "clock"

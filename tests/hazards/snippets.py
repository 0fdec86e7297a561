"""Pieces of code with marks: ``<- hazard`` at the end of a line says what is found in that line."""

from __future__ import annotations

import re

from d4cbuild.hazards.code_files import file_findings
from d4cbuild.hazards.finding import Finding

_MARK = re.compile(r"<- ([a-z -]+?)\s*$")


def marks(text: str) -> set[tuple[int, str]]:
    """Lines and hazards that are marked."""
    found = set()
    for number, line in enumerate(text.splitlines(), 1):
        match = _MARK.search(line)
        if match is not None:
            found |= {(number, name) for name in match[1].split()}
    return found


def found_in(text: str, name: str = "process.py") -> list[Finding]:
    """What is found in a file with this text."""
    return file_findings(name, text.encode(), name)


def found_places(text: str, name: str = "process.py") -> set[tuple[int, str]]:
    """Lines and names of what is found and not allowed."""
    return {(each.line, each.name) for each in found_in(text, name) if each.counts}

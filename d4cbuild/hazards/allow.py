"""``# d4c: allow <hazard>: reason``: a hazard that its author has thought about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from d4cbuild.hazards.catalogue import HAZARDS
from d4cbuild.hazards.finding import Finding

_MARK = re.compile(r"d4c:\s*allow\b(?P<rest>.*)", re.IGNORECASE)
_WHOLE = re.compile(r"\s+(?P<hazard>[\w-]+)\s*:\s*(?P<reason>\S.*)")
FORM = "# d4c: allow <hazard>: <reason>"


@dataclass(frozen=True)
class Comment:
    """A comment in a text.

    Attributes:
        line: Where it stands, counted from 1.
        column: Where it begins, counted from 1.
        text: Without the mark that begins it.
        alone: Whether nothing else stands on its line; it then speaks of what follows.
    """

    line: int
    column: int
    text: str
    alone: bool


@dataclass(frozen=True)
class Allowance:
    """What a comment allows.

    Attributes:
        comment: The comment.
        hazard: Name of the hazard.
        reason: Why.
        first: First line it speaks of.
        last: Last line it speaks of.
    """

    comment: Comment
    hazard: str
    reason: str
    first: int
    last: int


def allowances(
    comments: Iterable[Comment], spans: Mapping[int, tuple[int, int]], file: str
) -> tuple[list[Allowance], list[Finding]]:
    """Read the comments of a file.

    Args:
        comments: All comments, in order.
        spans: For a line, the first and last line of the statement it belongs to; a line that is
            not named stands for itself.
        file: How to name the file.

    Returns:
        What is allowed, and what is wrong with comments that mean to allow something.
    """
    found, faults = [], []
    listed = list(comments)
    alone = {comment.line for comment in listed if comment.alone}
    for comment in listed:
        mark = _MARK.search(comment.text)
        if mark is None:
            continue
        whole = _WHOLE.fullmatch(mark["rest"].rstrip())
        if whole is None or whole["hazard"].lower() not in HAZARDS:
            faults.append(_unreadable(comment, file, whole["hazard"] if whole else None))
            continue
        line = comment.line
        while line in alone:
            line += 1
        first, last = spans.get(line, (line, line))
        hazard, reason = whole["hazard"].lower(), whole["reason"]
        found.append(Allowance(comment, hazard, reason, first, last))
    return found, faults


def silenced(findings: Iterable[Finding], allowed: Iterable[Allowance], file: str) -> list[Finding]:
    """Mark the findings that are allowed, and add one for each allowance without a finding."""
    used: set[Allowance] = set()
    marked = []
    listed = list(allowed)
    for finding in findings:
        fitting = [
            a for a in listed if a.hazard == finding.name and a.first <= finding.line <= a.last
        ]
        used.update(fitting)
        marked.append(replace(finding, allowed=fitting[0].reason) if fitting else finding)
    return sorted([*marked, *(_unused(a, file) for a in listed if a not in used)])


def _unreadable(comment: Comment, file: str, hazard: str | None) -> Finding:
    message = (
        "this comment allows nothing: it has no hazard or no reason"
        if hazard is None
        else f"this comment allows nothing: there is no hazard {hazard!r}"
    )
    known = ", ".join(HAZARDS)
    remedy = f"write {FORM}; hazards are: {known}"
    return Finding(file, comment.line, comment.column, "bad-allow", message, remedy)


def _unused(allowance: Allowance, file: str) -> Finding:
    where = allowance.comment
    message = f"{allowance.hazard} is allowed here, but nothing of that kind was found"
    remedy = "take the comment away, so that it cannot hide a hazard that comes later"
    return Finding(file, where.line, where.column, "unused-allow", message, remedy)

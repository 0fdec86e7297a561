"""Edits of a text, made where they are meant and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable

from d4cbuild.hazards.finding import Edit, Finding


def mended(text: str, findings: Iterable[Finding]) -> tuple[str, list[Finding]]:
    """Make the edits of findings. All else stays as it is, character by character.

    Args:
        text: The file's characters, with a byte order mark if it has one.
        findings: Those without a fix are passed over, and so are those whose edits touch others'.

    Returns:
        The new text, and the findings that are mended in it.
    """
    taken: list[Edit] = []
    done = []
    for finding in findings:
        if finding.fix and not any(_touch(edit, other) for edit in finding.fix for other in taken):
            taken += finding.fix
            done.append(finding)
    pieces, offset = [], 0
    for edit in sorted(taken):
        pieces += [text[offset : edit.start], edit.text]
        offset = edit.end
    return "".join([*pieces, text[offset:]]), done


def _touch(one: Edit, other: Edit) -> bool:
    return one.start <= other.end and other.start <= one.end

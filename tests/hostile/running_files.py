"""Hostile files are put before d4cbuild, through the command line where there is a command."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator

from tests.hostile.archives import archives
from tests.hostile.builds import project
from tests.hostile.file_kinds import SLOWEST_S, HostileFile, ask_parser
from tests.hostile.surroundings import Surroundings
from tests.hostile.texts import texts
from tests.project import Answer
from tests.tally import Case, Fate

FILES: tuple[HostileFile, ...] = (*texts(), *archives())
_LONGEST_ANSWER = 40_000


def run_files(around: Surroundings, only: str = "") -> Iterator[Case]:
    """Put all before d4cbuild.

    Args:
        around: What they would like to reach.
        only: Part of the names of those to run.
    """
    for hostile in FILES:
        if only in hostile.name:
            yield run_file(around, hostile)


def run_file(around: Surroundings, hostile: HostileFile) -> Case:
    """Put one before d4cbuild, and look at the answer."""
    began_s = time.monotonic()
    fate, note = (_asked if hostile.target else _commanded)(around, hostile)
    seconds = time.monotonic() - began_s
    if fate is Fate.SURVIVED and seconds > SLOWEST_S:
        fate, note = Fate.LOST, f"it took {seconds:.0f} s"
    if fate is Fate.SURVIVED and around.harm():
        fate, note = Fate.ESCAPED, around.harm()
    again = f"python -m tests.hostile files --only {hostile.name!r}"
    return Case(hostile.kind, hostile.name, fate, note, again)


def _asked(around: Surroundings, hostile: HostileFile) -> tuple[Fate, str]:
    try:
        wrong = ask_parser(around, hostile)
    except Exception:  # noqa: BLE001 - the finding
        return Fate.UNCLEAR, traceback.format_exc(limit=-3)
    return (Fate.ESCAPED, wrong) if wrong else (Fate.SURVIVED, "")


def _commanded(around: Surroundings, hostile: HostileFile) -> tuple[Fate, str]:
    assert hostile.put is not None
    with project(around, "files") as made:
        command = hostile.put(made, hostile.content)
        before = {str(path) for path in around.folder.glob("*")}
        answer = made.run(*command)
        if {str(path) for path in around.folder.glob("*")} != before:
            return Fate.ESCAPED, "it made files elsewhere"
    return _judged(hostile, answer)


def _judged(hostile: HostileFile, answer: Answer) -> tuple[Fate, str]:
    told = answer.out + answer.err
    if "Traceback" in told or len(told) > _LONGEST_ANSWER:
        return Fate.UNCLEAR, told[-2000:]
    codes = {c for c in told if not c.isprintable() and c not in "\n\t"}
    if codes:
        return Fate.UNCLEAR, f"codes for a terminal: {codes!r}"
    if answer.status not in hostile.statuses:
        return Fate.LOST, f"status {answer.status}, expected {hostile.statuses}: {told[-1500:]}"
    if answer.status == 64 and not ("next:" in told or "expected:" in told or ": error:" in told):
        return Fate.UNCLEAR, f"it does not say what to do: {told[-1500:]}"
    return Fate.SURVIVED, ""

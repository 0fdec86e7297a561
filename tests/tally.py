"""What became of many cases, counted by kind: for tests that break, attack or starve d4cbuild."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


class Fate(StrEnum):
    """What became of one case. Only the first is as it should be."""

    SURVIVED = "survived"
    LOST = "lost"
    """Something is gone, wrong or half-written, or does not work again afterwards."""
    ESCAPED = "escaped"
    """Something got out or was left behind: a process, mount, lock, file, byte, or secret."""
    UNCLEAR = "unclear"
    """A traceback, or a message that does not say what is wrong and what to do."""


@dataclass(frozen=True)
class Case:
    """One case that was run.

    Attributes:
        kind: The row of the table it is counted in.
        name: Which one; with ``again`` somebody can run it alone.
        fate: What became of it.
        note: What was seen, where it did not survive.
        again: The command that runs it alone.
    """

    kind: str
    name: str
    fate: Fate = Fate.SURVIVED
    note: str = ""
    again: str = ""


@dataclass
class Tally:
    """Cases, counted.

    Attributes:
        title: What the table is about.
    """

    title: str
    _cases: list[Case] = field(default_factory=list)

    def add(self, case: Case) -> None:
        """Count a case."""
        self._cases.append(case)

    def add_all(self, cases: Iterable[Case]) -> None:
        """Count cases."""
        for case in cases:
            self.add(case)

    @property
    def failures(self) -> list[Case]:
        """Cases that did not survive."""
        return [case for case in self._cases if case.fate is not Fate.SURVIVED]

    @property
    def status(self) -> int:
        """Exit status: 0 if cases were run and every one survived, else 1."""
        return int(not self._cases or bool(self.failures))

    def count(self, fate: Fate | None = None) -> int:
        """How many cases were run, or had this fate."""
        return sum(fate in (None, case.fate) for case in self._cases)

    def print(self, console: Console | None = None) -> None:
        """Print a table with a row for each kind, then every case that did not survive."""
        console = console or Console(width=110, soft_wrap=True)
        table = Table(title=self.title, box=SIMPLE_HEAD, title_justify="left")
        table.add_column("cases", no_wrap=True)
        for heading in ("run", *Fate):
            table.add_column(heading, justify="right", no_wrap=True)
        for kind in dict.fromkeys(case.kind for case in self._cases):
            table.add_row(*_row(kind, [case for case in self._cases if case.kind == kind]))
        table.add_section()
        table.add_row(*_row("all", self._cases))
        console.print(table)
        for case in self.failures:
            console.print(f"{case.kind}, {case.name}: {case.fate}", markup=False, highlight=False)
            for line in case.note.splitlines():
                console.print(f"    {line}", markup=False, highlight=False)
            if case.again:
                console.print(f"    again: {case.again}", markup=False, highlight=False)


def _row(kind: str, cases: list[Case]) -> tuple[str, ...]:
    counted = Counter(case.fate for case in cases)
    return kind, f"{len(cases):,}", *(f"{counted[fate]:,}" for fate in Fate)

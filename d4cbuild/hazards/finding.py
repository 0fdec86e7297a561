"""One thing that is wrong, or may go wrong, at one place of one file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from d4cbuild.hazards.catalogue import HAZARDS

Level = Literal["error", "warning"]


@dataclass(frozen=True, order=True)
class Spot:
    """A hazard at a place of a text, before it is known which file the text is of.

    Attributes:
        line: Counted from 1.
        column: In characters, counted from 1.
        hazard: Its name in the catalogue.
        message: What was found there.
    """

    line: int
    column: int
    hazard: str
    message: str

    def moved(self, line: int, column: int) -> Spot:
        """The same at another place."""
        return replace(self, line=line, column=column)


@dataclass(frozen=True, order=True)
class Edit:
    """Some characters of a file, and what is to stand in their place.

    Attributes:
        start: Offset of the first, in characters from the beginning of the file.
        end: Offset behind the last.
        text: What comes there instead.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, order=True)
class Finding:
    """What ``check`` reports.

    Attributes:
        file: The file, as it is shown.
        line: Counted from 1.
        column: In characters, counted from 1.
        name: A hazard of the catalogue, or the name of a fault.
        message: What was found.
        remedy: What to do about it.
        level: ``error``: cannot be used as it is. ``warning``: works, but perhaps not the same
            everywhere.
        allowed: The reason its author gave for leaving it, or ``None``.
        fix: Edits that mend it, where there is one right answer; in order, and none over another.
    """

    file: str
    line: int
    column: int
    name: str
    message: str
    remedy: str
    level: Level = "warning"
    allowed: str | None = None
    fix: tuple[Edit, ...] = ()

    @property
    def is_hazard(self) -> bool:
        """Whether it is in the catalogue, and so can be allowed."""
        return self.name in HAZARDS

    @property
    def counts(self) -> bool:
        """Whether it still asks for something to be done."""
        return self.allowed is None

    def as_record(self) -> dict[str, Any]:
        """The finding for ``--json``."""
        return asdict(self)

    def __str__(self) -> str:
        level = self.level if self.allowed is None else "allowed"
        after = self.remedy if self.allowed is None else f"reason given: {self.allowed}"
        after += " (--fix mends this)" if self.fix else ""
        indented = after.replace("\n", "\n    ")
        head = f"{self.file}:{self.line}:{self.column}: {level}: {self.name}: {self.message}"
        return f"{head}\n    {indented}" if after else head


def findings_of(spots: Iterable[Spot], file: str) -> list[Finding]:
    """Spots of a file as findings, each once and in order of place."""
    return [
        Finding(file, s.line, s.column, s.hazard, s.message, HAZARDS[s.hazard].remedy)
        for s in sorted(set(spots))
    ]

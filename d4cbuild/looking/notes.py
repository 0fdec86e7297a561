"""What was noticed and could be otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

LONGEST = 400
_SHOWN = 5


class NotReadable(Exception):
    """A file, or a part of one, that no step can read as a table. The text says why."""


@dataclass(frozen=True)
class Note:
    """A guess, or something to decide.

    Attributes:
        about: The column, or the option of a step.
        text: What was taken, and why.
        confidence: How sure that is, in percent; ``None`` where nothing was taken and a person has
            to decide.
        write: What to write if it is otherwise.
    """

    about: str
    text: str
    confidence: int | None = None
    write: str = ""

    def as_json(self) -> dict[str, Any]:
        """The note for the facts."""
        record = asdict(self)
        record["text"] = plain(self.text)
        return {name: value for name, value in record.items() if value not in (None, "")}


def plain(text: str, longest: int = LONGEST) -> str:
    """A stranger's text as one line that can be shown: nothing in it moves a cursor."""
    kept = "".join(c if c.isprintable() else "\ufffd" for c in text.replace("\n", " "))
    kept = " ".join(kept.split())
    return kept if len(kept) <= longest else f"{kept[: longest - 1]}…"


def few(values: Iterable[object]) -> str:
    """The first few values, for a note."""
    every = list(values)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(plain(repr(value), 60) for value in every[:_SHOWN]) + more

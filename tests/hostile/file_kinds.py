"""What a hostile file is, and how it is put before d4cbuild."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.fuzz_targets import TARGETS, run_target
from tests.hostile.surroundings import Surroundings
from tests.project import Project

SLOWEST_S = 60
Put = Callable[[Project, bytes], tuple[str, ...]]


@dataclass(frozen=True)
class HostileFile:
    """Bytes that somebody made to do harm.

    Attributes:
        kind: The row of the table it is counted in.
        name: What is wrong with it.
        data: The bytes, or what makes them.
        put: Puts them into a project; returns the command that reads them. None for a parser that
            is asked directly.
        target: Name of the parser, where it is asked directly.
        statuses: Exit codes that are answers to it.
        quick: Whether it is in the quick selection.
    """

    kind: str
    name: str
    data: bytes | Callable[[], bytes]
    put: Put | None = None
    target: str = ""
    statuses: tuple[int, ...] = (64,)
    quick: bool = False

    @property
    def content(self) -> bytes:
        """The bytes."""
        return self.data if isinstance(self.data, bytes) else self.data()


def ask_parser(around: Surroundings, hostile: HostileFile) -> str:
    """Give it to its parser; returns what is wrong with the answer, or nothing.

    The parser may refuse it or read it, but raise nothing else, and write only where it may.
    """
    (target,) = (each for each in TARGETS if each.name == hostile.target)
    before = _files_below(around.folder)
    run_target(target, hostile.content, around.folder / "jobs" / "input")
    after = _files_below(around.folder)
    return f"it made {after - before}" if after != before else ""


def _files_below(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}


def as_file(path: str, *command: str) -> Put:
    """Put it at a path of the project, and give a command."""

    def put(project: Project, data: bytes) -> tuple[str, ...]:
        place = project.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return command

    return put

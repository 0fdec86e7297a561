"""Drafting a recipe of a real file, and building it without another word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.project import Project

_ABOUT = frozenset({"SOURCES.md", "sources.json"})


@dataclass(frozen=True)
class Drafted:
    """What became of a file.

    Attributes:
        name: The file's name.
        ended: ``built``, or where it ended: ``init`` or ``build``.
        unsure: How many guesses were listed.
        said: What was said where it did not build.
    """

    name: str
    ended: str
    unsure: int
    said: str

    @property
    def built(self) -> bool:
        """Whether it was built."""
        return self.ended == "built"

    @property
    def says_what_to_do(self) -> bool:
        """Whether what was said names what is wrong and what comes next."""
        return "found:" in self.said and "next:" in self.said


def is_data(path: Path) -> bool:
    """Whether a file is data; GDAL may have left notes of its own beside them."""
    return path.name not in _ABOUT and path.suffix != ".gfs"


def draft_and_build(project: Project, path: Path) -> Drafted:
    """Draft a recipe of a file and build it as it is."""
    name = "real-" + re.sub(r"[^a-z0-9]+", "-", path.name.lower())[:30].strip("-")
    answer = project.run("init", name, "--from", str(path), "--yes", "--json")
    if answer.status:
        return Drafted(path.name, "init", 0, answer.err)
    unsure = len(answer.json["unsure"])
    built = project.run("build", "--dirty", "--mirror", str(path.parent), f"recipes/{name}")
    return Drafted(path.name, "build" if built.status else "built", unsure, built.err)


def table_of(every: list[Drafted]) -> str:
    """One line for each file, and what was said where it did not build."""
    lines = [f"{each.name:45} {each.ended:6} {each.unsure:4} guesses" for each in every]
    lines += [f"\n{each.name}:\n{each.said}" for each in every if not each.built]
    return "\n".join([*lines, f"{sum(each.built for each in every)} of {len(every)} build"])

"""Running cases: each says what became of it, and how to run it alone."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.faults.checks import Fault, Left, Unclear
from tests.faults.warm import Warm
from tests.tally import Case, Fate

Item = TypeVar("Item")


@dataclass(frozen=True)
class Settings:
    """What a run of the harness is given.

    Attributes:
        folder: Where worlds are made.
        seed: Of everything that is drawn.
        quick: Whether a small selection is enough.
        warm: What runs ``d4cbuild``.
        only: The name of the one case to run, or ``None``.
        part: Which of ``parts`` shares of the cases is run here.
        parts: In how many processes they are run.
    """

    folder: Path
    seed: int
    quick: bool
    warm: Warm
    only: str | None = None
    part: int = 0
    parts: int = 1

    def drawn(self, *names: str) -> random.Random:
        """Randomness of its own for each purpose, so that a case is the same when run alone."""
        return random.Random(f"{self.seed}/{'/'.join(names)}")

    def wants(self, name: str) -> bool:
        """Whether a case is to be run."""
        if self.only is not None:
            return self.only == name
        return zlib.crc32(name.encode()) % self.parts == self.part


Kind = Callable[[Settings], Iterator[Case]]
"""Runs the cases of one kind of fault, one after the other."""


def sample(drawn: random.Random, items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of the items, in their order."""
    if len(items) <= most:
        return list(items)
    return [items[number] for number in sorted(drawn.sample(range(len(items)), most))]


def judged(settings: Settings, kind: str, row: str, name: str, work: Callable[[], object]) -> Case:
    """Run a case, and say what became of it.

    Args:
        settings: Of this run.
        kind: ``kill``, ``disk``…
        row: The row of the table.
        name: The case's name, by which it can be run alone.
        work: Runs it; raises :class:`~tests.faults.checks.Fault` if it did not survive.
    """
    again = f"python -m tests.faults --seed {settings.seed} --case '{name}' {kind}"
    try:
        work()
    except Left as fault:
        return Case(row, name, Fate.ESCAPED, str(fault), again)
    except Unclear as fault:
        return Case(row, name, Fate.UNCLEAR, str(fault), again)
    except Fault as fault:
        return Case(row, name, Fate.LOST, str(fault), again)
    return Case(row, name)

"""What ``diff`` answers, as plain values: rendered as text, JSON or HTML by others."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from d4cbuild.difference.classes import CLASSES
from d4cbuild.errors import Exit


@dataclass(frozen=True)
class Side:
    """One of the two things that are compared.

    Attributes:
        path: Where it is.
        kind: ``parquet``, ``manifest``, ``text``, ``zip`` and so on.
        size: Bytes; none for a folder.
        sha256: Digest of the bytes; none for a folder.
    """

    path: str
    kind: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Layer:
    """One question, from the outside in.

    Attributes:
        name: ``bytes``, ``footer``, ``pages``, ``schema``, ``rows``, ``order``, ``values`` …
        same: Its answer; none where it could not be asked.
        says: What was found, in words.
    """

    name: str
    same: bool | None
    says: str


@dataclass(frozen=True)
class Key:
    """What rows were told apart by.

    Attributes:
        columns: The columns; none if rows were compared as wholes.
        found_in: Where the key comes from, in words.
    """

    columns: tuple[str, ...]
    found_in: str


@dataclass(frozen=True)
class Rows:
    """Rows, counted exactly.

    Attributes:
        a: Rows of A.
        b: Rows of B.
        changed: Rows in both, with at least one other cell.
        removed: Rows only in A.
        added: Rows only in B.
        moved: Rows in both that stand elsewhere among those in both.
        cells: Cells that differ in rows that are in both.
    """

    a: int
    b: int
    changed: int = 0
    removed: int = 0
    added: int = 0
    moved: int = 0
    cells: int = 0


@dataclass(frozen=True)
class Example:
    """One thing that differs.

    Attributes:
        where: The key of its row, or a line or place, in words.
        before: What A has; none where it has nothing there.
        after: What B has; none where it has nothing there.
        row_a: Row number in A, counted from 0.
        row_b: Row number in B, counted from 0.
        note: What else is to be said, such as how many ULPs.
    """

    where: str
    before: str | None
    after: str | None
    row_a: int | None = None
    row_b: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """A class of difference that was found.

    Attributes:
        name: The class; see :data:`~d4cbuild.difference.classes.CLASSES`.
        count: How many cells, rows, members or fields; exact.
        of: What is counted: ``cells``, ``rows``, ``columns``, ``bytes`` …
        says: What was found, in words.
        column: The column, where it is in one.
        facts: Measured values, such as ``{"ulps_max": 2}``.
        examples: The first few; all, where there are no more than asked for.
    """

    name: str
    count: int
    of: str
    says: str
    column: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()

    @property
    def title(self) -> str:
        """What the class is called for people."""
        return CLASSES[self.name].title

    @property
    def untold(self) -> int:
        """How many more examples could be asked for."""
        # Of bytes, one example stands for all; a finding may also have none at all.
        told = len(self.examples)
        return self.count - told if told and self.of != "bytes" else 0

    @property
    def counted(self) -> str:
        """How many, with the word for them."""
        return f"{self.count:,} {self.of.removesuffix('s') if self.count == 1 else self.of}"


@dataclass(frozen=True)
class Difference:
    """What two files, or folders, have to do with each other.

    Attributes:
        a: The first.
        b: The second.
        verdict: ``identical``, ``equivalent`` or ``different``.
        layers: Questions and answers, from the outside in.
        findings: What differs, by class and column.
        key: What rows were told apart by; none where there are no rows.
        rows: Rows, counted.
        causes: One line for each likely cause.
        next: What to type or do next.
        inner: For folders, archives and manifests: what was compared one by one, as far as it is
            not identical.
    """

    a: Side
    b: Side
    verdict: str
    layers: tuple[Layer, ...] = ()
    findings: tuple[Finding, ...] = ()
    key: Key | None = None
    rows: Rows | None = None
    causes: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    inner: tuple[Difference, ...] = ()

    @property
    def exit_code(self) -> int:
        """Exit code of the command line, in bits: what is not even equivalent is not identical."""
        codes = {"identical": Exit.OK, "equivalent": Exit.NOT_IDENTICAL}
        return int(codes.get(self.verdict, Exit.NOT_IDENTICAL | Exit.NOT_EQUIVALENT))

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self) | {"exit_code": self.exit_code}


def verdict_of(findings: tuple[Finding, ...]) -> str:
    """What can be said of two files whose bytes differ: the worst of what was found."""
    other = any(CLASSES[finding.name].other_table for finding in findings)
    return "different" if other else "equivalent"

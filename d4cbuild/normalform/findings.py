"""What is wrong with a table, gathered while its rows go by."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

EXAMPLES = 5
EXAMPLE_CHARACTERS = 80


@dataclass(frozen=True)
class Violation:
    """One broken promise.

    Attributes:
        output: The output's name.
        column: The column's name; empty for the whole table.
        rule: The declaration's word for it: ``unique``, ``max`` and so on.
        message: What is wrong, in one sentence.
        count: How many rows break it.
        examples: The first few rows that do; rows are counted from 0, as the code wrote them.
    """

    output: str
    column: str
    rule: str
    message: str
    count: int = 1
    examples: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)


class DeclarationBroken(ValueError):
    """A table does not keep its declaration.

    Attributes:
        violations: Every broken promise.
    """

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__("; ".join(f"{v.column or v.output}: {v.message}" for v in violations))
        self.violations = violations


class Findings:
    """Violations of one output: those of the same rule and column, found piece by piece, are one.

    Args:
        output: The output's name.
        columns: Names of its columns, in order; the report follows it.
    """

    def __init__(self, output: str, columns: Iterable[str]) -> None:
        self.output = output
        self._places = {name: place for place, name in enumerate(columns)}
        self._found: dict[tuple[str, str], Violation] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def has(self, rule: str, column: str = "") -> bool:
        """Whether a rule was found broken."""
        return (column, rule) in self._found

    def add(
        self,
        column: str,
        rule: str,
        message: str,
        count: int = 1,
        examples: Iterable[str] = (),
    ) -> None:
        """Note a broken promise; ``column`` is empty for the whole table."""
        shown_now = tuple(examples)
        known = self._found.get((column, rule))
        if known is not None:
            count += known.count
            message = known.message
            shown_now = known.examples + shown_now
        self._found[column, rule] = Violation(
            self.output, column, rule, message, count, shown_now[:EXAMPLES]
        )

    def violations(self) -> list[Violation]:
        """Return all, those of the whole table first, then by column."""
        last = len(self._places)

        def place(violation: Violation) -> tuple[int, str, str]:
            at = self._places.get(violation.column, last) if violation.column else -1
            return at, violation.column, violation.rule

        return sorted(self._found.values(), key=place)

    def raise_if_any(self) -> None:
        """Raise what was found.

        Raises:
            DeclarationBroken: if something was.
        """
        if self._found:
            raise DeclarationBroken(self.violations())


def shown(value: Any) -> str:
    """A value as an error message shows it: quoted, escaped and not too long."""
    if isinstance(value, bytes):
        value = value.hex()
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= EXAMPLE_CHARACTERS else text[: EXAMPLE_CHARACTERS - 1] + "…"

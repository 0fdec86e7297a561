"""Stopping where the data are not as a step expects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

SHOWN = 8


def refuse(what: str, *, expected: str = "", found: str = "", hint: str = "") -> NoReturn:
    """End the build and say why; nothing is guessed.

    Args:
        what: What is wrong.
        expected: What should have been there.
        found: What was there.
        hint: What to write into ``recipe.toml``.
    """
    lines = [what]
    for name, text in (("expected", expected), ("found", found), ("next", hint)):
        if text:
            lines.append(f"  {name}: " + text.replace("\n", "\n    "))
    raise SystemExit("\n".join(lines))


def some(values: Iterable[object]) -> str:
    """The first few values, as they are, for a message."""
    every = list(values)
    more = f", and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(repr(value) for value in every[:SHOWN]) + more

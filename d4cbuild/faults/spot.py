"""A recipe's text with its meaning, and a fault at a place of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from d4cbuild.faults.completing import value_at
from d4cbuild.hazards.finding import Edit, Finding, Level
from d4cbuild.hazards.toml_places import TomlPlaces


@dataclass(frozen=True)
class RecipeText:
    """What a ``recipe.toml`` says, and where.

    Attributes:
        shown: How to name the file.
        folder: Name of the recipe's folder.
        text: The characters, without a byte order mark.
        value: What they mean.
        places: Where each key stands.
    """

    shown: str
    folder: str
    text: str
    value: dict[str, Any]
    places: TomlPlaces

    def at(self, path: str) -> Any:
        """What stands at a path; ``None`` if nothing does."""
        return value_at(self.value, path)

    def raw(self, path: str) -> str:
        """A value as it is written; empty for tables and what is not there."""
        return self.places.raw(path) or ""

    def finding(
        self,
        path: str,
        name: str,
        message: str,
        remedy: str,
        level: Level = "error",
        fix: tuple[Edit, ...] = (),
    ) -> Finding:
        """A finding at the place of a field, or of what it would stand in."""
        told = f"{path}: {message}" if path else message
        return Finding(self.shown, *self.places.of(path), name, told, remedy, level, None, fix)

    def replacing(self, path: str, toml: str | None) -> tuple[Edit, ...]:
        """The edit that writes another value; none if the value stands nowhere."""
        span = self.places.spans.get(path)
        if toml is None or span is None or span.value is None:
            return ()
        return (Edit(*span.value, toml),)

    def renaming(self, path: str, key: str) -> tuple[Edit, ...]:
        """The edit that writes another key; none if the key stands nowhere."""
        span = self.places.spans.get(path)
        return () if span is None or span.key is None else (Edit(*span.key, key),)


def quoted(text: str) -> str:
    """A text as TOML."""
    return json.dumps(text, ensure_ascii=False)

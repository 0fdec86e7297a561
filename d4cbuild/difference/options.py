"""What the user of ``diff`` can choose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MEMORY = 512 << 20
EXAMPLES = 20


@dataclass(frozen=True)
class DiffOptions:
    """What the user chose.

    Attributes:
        key: Columns that tell rows apart, instead of the key that is stated or found.
        manifest: A manifest that states the key.
        memory: Bytes that may be held at once, about, besides what the program itself takes.
        examples: How many examples are kept of each class and column.
        scratch: Where temporary files go; the system's place for them unless given.
    """

    key: tuple[str, ...] = ()
    manifest: Path | None = None
    memory: int = MEMORY
    examples: int = EXAMPLES
    scratch: Path | None = None

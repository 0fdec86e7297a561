"""What has to be said of a file before its table can be read."""

from __future__ import annotations

from dataclasses import dataclass, fields

from d4cbuild.errors import InputError


@dataclass(frozen=True)
class TableOptions:
    """How a file is to be read; ``None`` where the file says so itself.

    Attributes:
        layer: Which of several layers.
        encoding: The encoding of a text, by the name Python has for it; UTF-8 if none is given.
        skip_lines: How many lines come before the names of the columns.
        delimiter: What stands between fields, one character.
    """

    layer: str | None = None
    encoding: str | None = None
    skip_lines: int | None = None
    delimiter: str | None = None

    def refuse_all_but(self, *names: str, where: str) -> None:
        """Refuse what means nothing for a format.

        Args:
            names: What means something.
            where: The file.

        Raises:
            InputError: if anything else was given.
        """
        for field in fields(self):
            if field.name not in names and getattr(self, field.name) is not None:
                raise InputError(
                    f"--{field.name.replace('_', '-')} means nothing for this format", where=where
                )

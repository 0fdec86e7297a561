"""The archive of source artifacts as it was received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from d4cbuild.base.archive import TarEntry
from d4cbuild.bundle.archive import Member, read_archive
from d4cbuild.bundle.layout import (
    CODE,
    ENVIRONMENT,
    FORMATS,
    HISTORY,
    NAMES,
    NORMAL_FORM,
    NORMALISATION,
    OWN_SOURCE,
    PARAMETERS,
    RECIPE,
    SCRIPT,
)
from d4cbuild.errors import InputError

MAXIMUM_SMALL_BYTES: Final = 256 << 20
"""Of all its files together, without the history, which is never in memory."""

_FOLDERS: Final = (RECIPE, CODE, ENVIRONMENT, NORMAL_FORM, FORMATS, OWN_SOURCE)
_FILES: Final = (HISTORY, NAMES, NORMALISATION, PARAMETERS, SCRIPT)


@dataclass(frozen=True)
class Artifacts:
    """What is in the archive.

    Attributes:
        members: Its files by name.
    """

    members: Mapping[str, Member]

    @classmethod
    def read(cls, path: Path) -> Artifacts:
        """Read the archive.

        Raises:
            InputError: if it is not as d4cbuild writes it, is too large, or holds anything else.
        """
        members = {member.name: member for member in read_archive(path)}
        small = sum(member.size for name, member in members.items() if name != HISTORY)
        strange = [
            name
            for name in members
            if name not in _FILES and not name.startswith(tuple(f"{each}/" for each in _FOLDERS))
        ]
        if small > MAXIMUM_SMALL_BYTES or strange:
            raise InputError(
                "the source artifacts are not as d4cbuild writes them",
                expected=f"at most {MAXIMUM_SMALL_BYTES >> 20} MiB of known files",
                found=", ".join(strange[:10]) or f"{small >> 20} MiB",
                where=str(path),
                hint="take the bundle from another place",
            )
        return cls(members)

    def below(self, folder: str) -> tuple[TarEntry, ...]:
        """The files of a folder, named from there."""
        return tuple(
            TarEntry(name.removeprefix(f"{folder}/"), member.data(), member.executable)
            for name, member in self.members.items()
            if name.startswith(f"{folder}/")
        )

    def member(self, name: str) -> Member | None:
        """A file, if it is there."""
        return self.members.get(name)

    def data(self, name: str) -> bytes | None:
        """The bytes of a file, if it is there."""
        member = self.members.get(name)
        return None if member is None else member.data()

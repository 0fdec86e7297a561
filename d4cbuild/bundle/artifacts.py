"""The archive of source artifacts as it was received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from d4cbuild.base.archive import TarEntry
from d4cbuild.base.limits import LIMITS
from d4cbuild.build.folder import LOCK_FILE, MANIFEST_FILE
from d4cbuild.build.project import RECIPE_FILE
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
    README,
    RECIPE,
    SCRIPT,
)
from d4cbuild.code.folder import NOT_CODE
from d4cbuild.environment.definition import DEFINITION_FILE, DOCKERFILE
from d4cbuild.environment.definition import LOCK_FILE as ENVIRONMENT_LOCK
from d4cbuild.errors import InputError

MAXIMUM_SMALL_BYTES: Final = LIMITS.small_archive_bytes
"""Of all its files together, without the history, which is never in memory."""

_FOLDERS: Final = (CODE, NORMAL_FORM, FORMATS, OWN_SOURCE)
_FILES: Final = frozenset(
    {
        *(HISTORY, NAMES, NORMALISATION, PARAMETERS, SCRIPT),
        *(f"{RECIPE}/{name}" for name in (RECIPE_FILE, LOCK_FILE, MANIFEST_FILE, README)),
        *(f"{ENVIRONMENT}/{name}" for name in (DEFINITION_FILE, ENVIRONMENT_LOCK, DOCKERFILE)),
    }
)


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
        strange = [name for name in members if not _is_known(name)]
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


def _is_known(name: str) -> bool:
    if name in _FILES:
        return True
    folder = next((each for each in _FOLDERS if name.startswith(f"{each}/")), None)
    parts = name.split("/")
    # Nothing of a git repository's own is ever laid out, nor what would hide a file of the recipe.
    is_git = any(part.casefold() == ".git" for part in parts)
    hides = folder == CODE and parts[1] in NOT_CODE
    return folder is not None and not is_git and not hides

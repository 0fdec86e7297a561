"""Everything around a rebuild that may be other, as one record."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from d4cbuild.sandbox.circumstances import USUAL, Circumstances
from d4cbuild.sandbox.job import Limits


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What surrounds a rebuild. As it is made, nothing is other than in a build.

    Attributes:
        inside: What is other in the sandbox.
        cpus: CPUs instead of the recipe's.
        memory_times: By how much the recipe's memory is multiplied.
        modified_s: When sources and code were modified, in seconds since 1970.
        variables: Environment variables of the process that rebuilds; ``None`` takes one away.
        host_name: Name of the host, as that process sees it.
        user: User and group that process takes itself for.
        umask: Its umask.
        elsewhere: Whether recipe and store lie in other folders.
    """

    inside: Circumstances = USUAL
    cpus: int | None = None
    memory_times: int = 1
    modified_s: int | None = None
    variables: tuple[tuple[str, str | None], ...] = ()
    host_name: str | None = None
    user: int | None = None
    umask: int | None = None
    elsewhere: bool = False

    def limits(self, usual: Limits) -> Limits:
        """The limits of a job.

        Args:
            usual: Those it has by its recipe.
        """
        memory = usual.memory * self.memory_times
        return replace(usual, cpus=self.cpus or usual.cpus, memory=memory)

    def with_variables(self, *variables: tuple[str, str | None]) -> Surroundings:
        """The same with further variables of the process that rebuilds."""
        return replace(self, variables=(*self.variables, *variables))

    def with_files(self, *files: tuple[str, bytes]) -> Surroundings:
        """The same with further files shown in the sandbox."""
        return replace(self, inside=replace(self.inside, files=(*self.inside.files, *files)))

    def with_job_variables(self, *variables: tuple[str, str]) -> Surroundings:
        """The same with further variables in the sandbox."""
        together = (*self.inside.variables, *variables)
        return replace(self, inside=replace(self.inside, variables=together))

    def dated(
        self, code: Path, sources: tuple[tuple[str, Path], ...], folder: Path
    ) -> tuple[tuple[str, Path], ...]:
        """Give code and sources their times of modification.

        Args:
            code: The folder with the code; changed.
            sources: The sources, in the store, where nothing may be changed.
            folder: A new folder for copies of them.

        Returns:
            The sources to use.
        """
        if self.modified_s is None:
            return sources
        folder.mkdir()
        folder.chmod(0o755)  # whatever the umask
        copies = []
        for number, (name, path) in enumerate(sources):
            copy = folder / str(number)
            shutil.copyfile(path, copy)
            copy.chmod(0o444)
            copies.append((name, copy))
        for path in (*code.rglob("*"), code, *(copy for _, copy in copies)):
            os.utime(path, (self.modified_s, self.modified_s))
        return tuple(copies)


ORDINARY: Final = Surroundings()

"""An environment's folder: ``environment.toml`` (wanted) and ``environment.lock`` (found)."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from d4cbuild.errors import InputError, StaleLock
from d4cbuild.model.environment import Environment, EnvironmentLock
from d4cbuild.model.parse import record_from_json, record_from_toml

DEFINITION_FILE = "environment.toml"
LOCK_FILE = "environment.lock"
DOCKERFILE = "Dockerfile"


@dataclass(frozen=True, slots=True)
class EnvironmentFolder:
    """A folder such as ``environments/geo``.

    Attributes:
        path: The folder; its name is the environment's name.
    """

    path: Path

    @property
    def definition_path(self) -> Path:
        """The file written by hand."""
        return self.path / DEFINITION_FILE

    @property
    def lock_path(self) -> Path:
        """The file written by ``d4cbuild env lock``."""
        return self.path / LOCK_FILE

    @property
    def dockerfile_path(self) -> Path:
        """The file written by ``d4cbuild env lock``, for people to read."""
        return self.path / DOCKERFILE

    def environment(self) -> Environment:
        """Read what is wanted.

        Raises:
            InputError: if there is no such environment, or listing all that is wrong with it.
        """
        where = str(self.definition_path)
        try:
            data = self.definition_path.read_bytes()
        except OSError as error:
            raise InputError(
                f"there is no environment {self.path.name!r}",
                expected=f"a file {DEFINITION_FILE}",
                found=str(error.strerror),
                where=where,
                hint="d4cbuild env show, to list the environments that are there",
            ) from error
        environment = record_from_toml(Environment, data, where)
        folder = self.path.resolve().name
        if environment.name != folder:
            raise InputError(
                "an environment is named as its folder",
                expected=folder,
                found=environment.name,
                where=where,
                hint=f"rename the folder, or set name = {folder!r}",
            )
        return environment

    def lock(self) -> EnvironmentLock:
        """Read what was found, and check that it belongs to what is wanted.

        Raises:
            StaleLock: if there is no lock, or ``environment.toml`` means something else by now.
            InputError: if either file is not readable.
        """
        environment = self.environment()
        hint = f"d4cbuild env lock {environment.name}"
        where = str(self.lock_path)
        try:
            data = self.lock_path.read_bytes()
        except FileNotFoundError as error:
            raise StaleLock(
                f"environment {environment.name!r} is not locked yet", where=where, hint=hint
            ) from error
        lock = _read_lock(data, where)
        if lock.environment != environment.digest:
            raise StaleLock(
                f"{LOCK_FILE} was made from another {DEFINITION_FILE}",
                expected=f"a lock of {environment.digest}",
                found=f"a lock of {lock.environment}",
                where=where,
                hint=hint,
            )
        return lock


@lru_cache(maxsize=4)
def _read_lock(data: bytes, where: str) -> EnvironmentLock:
    # One command asks for the same lock several times, and it names thousands of things.
    return record_from_json(EnvironmentLock, data, where)

"""A recipe's folder: the three records in it, and the environments above it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.archive import TarEntry
from d4cbuild.base.files import write_atomically
from d4cbuild.build.carried import CarriedCode
from d4cbuild.build.project import RECIPE_FILE, project_root
from d4cbuild.build.stepping import code_of_steps
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.errors import InputError, StaleLock
from d4cbuild.model.lock import Lock
from d4cbuild.model.manifest import Manifest
from d4cbuild.model.parse import record_from_json, record_from_toml, record_to_json
from d4cbuild.model.recipe import Recipe

LOCK_FILE = "recipe.lock"
MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True)
class RecipeFolder:
    """A folder such as ``recipes/statcan-odhf``.

    Attributes:
        path: The folder, as the user named it.
        normal_form: The writer of its outputs, where that is not the one of this version.
        steps: What its steps are written as, where that is not as this version writes them.
    """

    path: Path
    normal_form: CarriedCode | None = None
    steps: tuple[TarEntry, ...] | None = None

    def code_of_steps(self, recipe: Recipe) -> tuple[TarEntry, ...]:
        """What the recipe's steps are written as; nothing where it has code."""
        return code_of_steps(recipe) if self.steps is None else self.steps

    @property
    def where(self) -> str:
        """The folder as it is shown in messages and commands."""
        return str(self.path)

    def recipe(self) -> Recipe:
        """Read what is wanted.

        Raises:
            InputError: listing everything that is wrong.
        """
        path = self.path / RECIPE_FILE
        recipe = record_from_toml(Recipe, self._read(path), str(path))
        if recipe.dataset.id != self.path.resolve().name:
            raise InputError(
                "a recipe's folder has the name of its dataset",
                expected=recipe.dataset.id,
                found=self.path.resolve().name,
                where=str(path),
                hint="rename the folder, or change dataset.id",
            )
        return recipe

    def lock(self) -> Lock | None:
        """Read what was found, or ``None`` where the recipe was never locked."""
        path = self.path / LOCK_FILE
        if not path.exists():
            return None
        return record_from_json(Lock, path.read_bytes(), str(path))

    def sealed_lock(self, recipe: Recipe) -> Lock:
        """Read the lock and make sure that it belongs to the recipe and its environment.

        Raises:
            StaleLock: if it does not, or is missing.
        """
        lock = self.lock()
        hint = f"d4cbuild lock {self.where}"
        where = str(self.path / LOCK_FILE)
        if lock is None:
            raise StaleLock("the recipe is not locked", where=where, hint=hint)
        reasons = self.stale_because(recipe, lock)
        if reasons:
            raise StaleLock(
                "the lock no longer matches the recipe",
                found="\n".join(reasons),
                where=where,
                hint=hint,
            )
        return lock

    def stale_because(self, recipe: Recipe, lock: Lock) -> list[str]:
        """Why a lock does not belong to this recipe; empty if it does."""
        reasons = []
        if lock.recipe != recipe.digest:
            reasons.append("recipe.toml has changed since it was locked")
        if [s.name for s in lock.sources] != [s.name for s in recipe.sources]:
            reasons.append("the sources are others")
        environment = self.environment(recipe).lock()
        if (lock.environment.config, lock.environment.name) != (
            environment.config,
            recipe.build.environment,
        ):
            reasons.append(
                f"environment {recipe.build.environment} is now {environment.config},"
                f" locked was {lock.environment.config}"
            )
        return reasons

    def manifest(self) -> Manifest:
        """Read what was made.

        Raises:
            InputError: if there is no manifest, or it cannot be read.
        """
        path = self.path / MANIFEST_FILE
        if not path.exists():
            raise InputError(
                "there is no manifest to compare with",
                expected="the record of an accepted build",
                where=str(path),
                hint=f"d4cbuild build {self.where}",
            )
        return record_from_json(Manifest, path.read_bytes(), str(path))

    def write_lock(self, lock: Lock) -> None:
        """Write ``recipe.lock``."""
        write_atomically(self.path / LOCK_FILE, record_to_json(lock))

    def write_manifest(self, manifest: Manifest) -> None:
        """Write ``manifest.json``."""
        write_atomically(self.path / MANIFEST_FILE, record_to_json(manifest))

    def environment(self, recipe: Recipe) -> EnvironmentFolder:
        """The environment the recipe is built in."""
        name = recipe.build.environment
        return EnvironmentFolder(project_root(self.path) / "environments" / name)

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InputError(
                "there is no recipe here",
                expected=f"a file {RECIPE_FILE}",
                found="nothing",
                where=str(path),
                hint="name the recipe's folder, such as recipes/statcan-odhf",
            ) from error
        except OSError as error:
            raise InputError(
                "the recipe cannot be read", found=str(error.strerror), where=str(path)
            ) from error

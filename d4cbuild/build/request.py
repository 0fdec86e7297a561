"""One build as it is asked for, on the command line or from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from d4cbuild.base.progress import Progress
from d4cbuild.build.fresh import fingerprint, last_result
from d4cbuild.build.project import dist_folder
from d4cbuild.build.result import BuildResult
from d4cbuild.store import Store

if TYPE_CHECKING:
    from d4cbuild.model.lock import LockedSource
    from d4cbuild.sharing.substituters import Substituters


@dataclass(frozen=True)
class BuildRequest:
    """What is to be built, and how.

    Attributes:
        recipe: The recipe's folder.
        shared: Gives the shared stores that outputs may be taken from; called if they are needed.
        dist: Where data files go; ``dist/`` of the project unless given.
        mirrors: Further places that hold copies of sources.
        runner: Name of what runs the sandbox.
        cpus: CPUs to use instead of the recipe's.
        dirty: Build uncommitted files.
        explain: Say why it must be built.
        force: Build also what the store already knows.
        seen: What earlier answers found of sources that no lock names, so that a request may be
            repeated without fetching them again.
    """

    recipe: Path
    shared: Callable[[], Substituters]
    dist: Path | None = None
    mirrors: Sequence[str] = ()
    runner: str = "auto"
    cpus: int | None = None
    dirty: bool = False
    explain: bool = False
    force: bool = False
    seen: dict[str, LockedSource] = field(default_factory=dict)

    def answer(self, store: Store, progress: Progress) -> BuildResult:
        """Build, unless everything is as the last build left it.

        Raises:
            D4CError: saying what is wrong and what to do.
        """
        dist = dist_folder(self.dist, self.recipe)
        if not (self.dirty or self.explain or self.force):
            known = last_result(store, fingerprint(self.recipe, dist))
            if known is not None:
                for warning in known.warnings:
                    progress.warn(warning)
                return known
        # Imported late: a build with nothing to do must not cost more than looking.
        from d4cbuild.build.folder import RecipeFolder
        from d4cbuild.build.pipeline import BuildOptions, build_recipe
        from d4cbuild.sandbox.choose import choose_runner

        options = BuildOptions(
            dist,
            self.mirrors,
            self.dirty,
            self.explain,
            self.force,
            self.cpus,
            self.shared(),
            self.seen,
        )
        return build_recipe(
            RecipeFolder(self.recipe), store, lambda: choose_runner(self.runner), options, progress
        )

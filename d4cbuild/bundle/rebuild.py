"""One rebuild as it is asked for, on the command line or from Python: of a recipe, or a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.progress import Progress
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.project import dist_folder
from d4cbuild.build.result import VerifyResult
from d4cbuild.build.vary.varying import VaryOptions, verify_varied
from d4cbuild.build.verify import VerifyOptions, could_not_verify, verify_recipe
from d4cbuild.bundle.folder import is_bundle
from d4cbuild.bundle.unpacking import unpacked
from d4cbuild.errors import D4CError
from d4cbuild.sandbox.choose import choose_runner
from d4cbuild.sandbox.job import Runner
from d4cbuild.sharing.substituters import Substituters
from d4cbuild.store import Store

BOTH_RUNNERS = "all"


@dataclass(frozen=True)
class RebuildRequest:
    """What is to be rebuilt and compared, and how.

    Attributes:
        target: A recipe's folder, or a bundle's.
        shared: Gives the shared stores that sources may come from.
        dist: Where rebuilt files are kept that are not identical; ``dist/`` of the project unless
            given, and never in a bundle.
        mirrors: Further places that hold copies of sources.
        runner: Name of what runs the sandbox, or ``all``.
        cpus: CPUs to use instead of the recipe's.
        varying: What is to be other than usual.
    """

    target: Path
    shared: Callable[[], Substituters]
    dist: Path | None = None
    mirrors: Sequence[str] = ()
    runner: str = "auto"
    cpus: int | None = None
    varying: VaryOptions | None = None

    @contextmanager
    def opened(self, store: Store, progress: Progress) -> Iterator[RecipeFolder]:
        """The recipe of the target; one that comes from a bundle is gone afterwards.

        Raises:
            InputError: if a bundle is not made as bundles are.
            HashMismatch: if parts of it do not belong together.
        """
        if not is_bundle(self.target):
            yield RecipeFolder(self.target)
            return
        with unpacked(self.target, self.mirrors, store, progress) as bundle:
            yield bundle.recipe

    def answer(self, folder: RecipeFolder, store: Store, progress: Progress) -> VerifyResult:
        """Rebuild what was opened. What keeps it from being checked makes it ``unknown``.

        Raises:
            InputError: if the recipe cannot be read.
        """
        folder.recipe()  # nothing is known of what cannot be read, not even what it is
        if is_bundle(self.target):
            kept = self.dist or Path("dist")
        else:
            kept = dist_folder(self.dist, self.target)
        options = VerifyOptions(kept, self.mirrors, self.cpus, self.shared())
        try:
            runners = _runners(self.runner)
            if self.varying is None:
                return verify_recipe(folder, store, runners, options, progress)
            return verify_varied(folder, store, runners[0], options, self.varying, progress)
        except D4CError as error:
            return could_not_verify(folder, error)


def _runners(name: str) -> list[Runner]:
    if name == BOTH_RUNNERS:
        return [choose_runner("bubblewrap"), choose_runner("docker")]
    return [choose_runner(name)]

"""What ``verify`` does with one target: a recipe, or a bundle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from d4cbuild.base.progress import Progress
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.result import VerifyResult
from d4cbuild.build.vary.varying import VaryOptions, verify_varied
from d4cbuild.build.verify import VerifyOptions, could_not_verify, verify_recipe
from d4cbuild.bundle.folder import is_bundle, is_fat
from d4cbuild.bundle.unpacking import unpacked
from d4cbuild.cli import common
from d4cbuild.cli.sharing import Shared
from d4cbuild.cli.trusting import Trusting
from d4cbuild.errors import D4CError
from d4cbuild.sandbox.choose import choose_runner
from d4cbuild.sandbox.job import Runner
from d4cbuild.store import Store


@dataclass(frozen=True)
class Verifier:
    """What the user chose.

    Attributes:
        mirrors: Further places that hold copies of sources.
        dist: Where data files are, where that was chosen.
        cpus: CPUs to use instead of the recipe's.
        runner: Name of what runs the sandbox, or ``all``.
        shared: Gives the shared stores that sources may come from.
        varying: What is to be other than usual.
        trusting: Keys and policy.
        progress: Whom to tell.
    """

    mirrors: tuple[str, ...]
    dist: Path | None
    cpus: int | None
    runner: str
    shared: Shared
    varying: VaryOptions | None
    trusting: Trusting
    progress: Progress

    @cached_property
    def store(self) -> Store:
        """The store; not touched where only signatures are looked at."""
        return Store()

    def verify(self, target: Path) -> tuple[dict[str, Any], int]:
        """Rebuild a target, sign and judge as was asked."""
        with self._opened(target) as (folder, dist, trusting):
            folder.recipe()  # nothing is known of what cannot be read, not even what it is
            options = VerifyOptions(self._kept(target), self.mirrors, self.cpus, self.shared())
            try:
                result = self._rebuilt(folder, options)
            except D4CError as error:
                result = could_not_verify(folder, error)
            record = trusting.after(folder, dist, result)
            return record, record["exit_code"]

    def judge(self, target: Path) -> tuple[dict[str, Any], int]:
        """Judge a target by what others signed; nothing is rebuilt."""
        with self._opened(target) as (folder, dist, trusting):
            return trusting.judged(folder, dist)

    @contextmanager
    def _opened(self, target: Path) -> Iterator[tuple[RecipeFolder, Path, Trusting]]:
        """The recipe of a target, where its data files are, and whose word counts for it."""
        if not is_bundle(target):
            yield RecipeFolder(target), common.dist_folder(self.dist, target), self.trusting
            return
        with unpacked(target, self.mirrors, self.store, self.progress) as bundle:
            yield bundle.recipe, target, replace(self.trusting, bundle=target)

    def _kept(self, target: Path) -> Path:
        """Where rebuilt files are kept that are not identical: never in a bundle."""
        if is_bundle(target):
            return self.dist or Path("dist")
        return common.dist_folder(self.dist, target)

    def _rebuilt(self, folder: RecipeFolder, options: VerifyOptions) -> VerifyResult:
        runners = _runners(self.runner)
        if self.varying is None:
            return verify_recipe(folder, self.store, runners, options, self.progress)
        return verify_varied(folder, self.store, runners[0], options, self.varying, self.progress)


def wants_no_network(targets: list[Path], chosen: bool | None) -> bool:
    """Whether the network is to be forbidden: as chosen, else where all targets are fat bundles."""
    if chosen is not None:
        return chosen
    return bool(targets) and all(is_bundle(target) and is_fat(target) for target in targets)


def _runners(name: str) -> list[Runner]:
    if name == "all":
        return [choose_runner("bubblewrap"), choose_runner("docker")]
    return [choose_runner(name)]

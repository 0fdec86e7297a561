"""What ``verify`` does with one target: a recipe, or a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from d4cbuild.base.progress import Progress
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.project import dist_folder
from d4cbuild.bundle.folder import is_bundle, is_fat
from d4cbuild.bundle.rebuild import RebuildRequest
from d4cbuild.cli.trusting import Trusting
from d4cbuild.store import Store


@dataclass(frozen=True)
class Verifier:
    """What the user chose.

    Attributes:
        request: Makes the request of a rebuild of one target.
        dist: Where data files are, where that was chosen.
        trusting: Keys and policy.
        progress: Whom to tell.
    """

    request: Callable[[Path], RebuildRequest]
    dist: Path | None
    trusting: Trusting
    progress: Progress

    @cached_property
    def store(self) -> Store:
        """The store; not touched where only signatures are looked at."""
        return Store()

    def verify(self, target: Path) -> tuple[dict[str, Any], int]:
        """Rebuild a target, sign and judge as was asked."""
        with self._opened(target) as (folder, dist, trusting):
            result = self.request(target).answer(folder, self.store, self.progress)
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
            yield RecipeFolder(target), dist_folder(self.dist, target), self.trusting
            return
        with self.request(target).opened(self.store, self.progress) as folder:
            yield folder, target, replace(self.trusting, bundle=target)


def wants_no_network(targets: list[Path], chosen: bool | None) -> bool:
    """Whether the network is to be forbidden: as chosen, else where all targets are fat bundles."""
    if chosen is not None:
        return chosen
    return bool(targets) and all(is_bundle(target) and is_fat(target) for target in targets)

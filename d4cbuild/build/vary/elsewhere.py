"""Another copy of the recipe, and another store, in other folders."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.archive import read_canonical_tar
from d4cbuild.build.carried import lay_out
from d4cbuild.build.folder import LOCK_FILE
from d4cbuild.build.make import Making
from d4cbuild.build.plan import Plan
from d4cbuild.build.project import RECIPE_FILE, project_root
from d4cbuild.store import Store

_PROJECT = "une autre copie, très loin"
_STORE = "un autre dépôt à côté"


@dataclass(frozen=True)
class Elsewhere:
    """Where a recipe is rebuilt when it is rebuilt elsewhere.

    Attributes:
        recipe: Its folder.
        store: The store's folder.
    """

    recipe: Path
    store: Path


def lay_out_elsewhere(
    plan: Plan, sources: tuple[tuple[str, Path], ...], store: Store, folder: Path
) -> Elsewhere:
    """Make a copy of a recipe, and a store with its sources, below a folder.

    The images stay where they are, and logs go where they always go.

    Args:
        plan: What is built; its locked code is laid out.
        sources: Name and path of each source.
        store: The store they come from.
        folder: An empty folder on the store's file system.
    """
    project = folder / _PROJECT
    recipe = project / "recipes" / plan.folder.path.resolve().name
    recipe.parent.mkdir(parents=True)
    lay_out(recipe, read_canonical_tar(plan.own_code.tar))
    for name in (RECIPE_FILE, LOCK_FILE):
        shutil.copyfile(plan.folder.path / name, recipe / name)
    (project / "environments").symlink_to(project_root(plan.folder.path) / "environments")
    root = folder / _STORE
    root.mkdir()
    for shared in (store.images, store.logs):
        (root / shared.name).symlink_to(shared)
    for _, path in sources:
        copy = root / path.relative_to(store.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists():  # two sources may hold the same bytes
            _link(path, copy)
    return Elsewhere(recipe, root)


def bring_home(making: Making, elsewhere: Elsewhere, store: Store) -> None:
    """Copy what was made elsewhere into the store."""
    for made in making.outputs:
        inside = store.path_of(made.digests.blake3).relative_to(store.root)
        store.put_file(elsewhere.store / inside)


def _link(path: Path, copy: Path) -> None:
    try:
        os.link(path, copy)
    except OSError:  # another file system, or one without links
        shutil.copyfile(path, copy)

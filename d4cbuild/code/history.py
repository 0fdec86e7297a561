"""The code as git knows it: what is committed, since when, and where locked code is found again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d4cbuild.base.archive import TarEntry
from d4cbuild.base.digest import Digest
from d4cbuild.code.folder import Code, entry_of, files_below, text_name
from d4cbuild.code.repository import (
    code_of_tree,
    first_parents,
    is_ignored,
    name_of,
    open_repository,
    place_inside,
    repository_of,
    subtree,
    tree_at_commit,
    tree_at_head,
    tree_by_id,
)
from d4cbuild.errors import InputError

if TYPE_CHECKING:
    import pygit2

GENERATED = frozenset({"recipe.lock", "manifest.json"})
# GIT_STATUS_WT_NEW, MODIFIED, DELETED, TYPECHANGE, RENAMED, UNREADABLE
_CHANGED_IN_FOLDER = 0b1_1111_1000_0000


@dataclass(frozen=True)
class Provenance:
    """Where a code was found in git.

    Attributes:
        commit: The latest commit that changed it.
        tree: The git tree of the recipe's folder at that commit.
        time_s: That commit's time, seconds since 1970.
    """

    commit: str
    tree: str
    time_s: int


def working_code(folder: Path) -> Code:
    """The code as it lies in the folder now, without what git ignores.

    Raises:
        InputError: for a symlink or a file that is too large.
    """
    repository = open_repository(folder)
    entries = []
    for path in sorted(files_below(folder)):
        text_name(os.fsencode(path.relative_to(folder).as_posix()))
        if repository is None:
            entries.append(entry_of(folder, path))
        elif not is_ignored(repository, path):
            entries.append(_as_committed(repository, folder, path) or entry_of(folder, path))
    return Code.of(entries)


def _as_committed(repository: pygit2.Repository, folder: Path, path: Path) -> TarEntry | None:
    """The file as git holds it, where git sees no change in it; else ``None``.

    Git may write other line ends (``core.autocrlf``) or modes (``core.fileMode``) into the folder
    than it holds; what is committed must not depend on such settings.
    """
    import pygit2

    name = name_of(repository, path)
    if name not in repository.index or repository.status_file(name) & _CHANGED_IN_FOLDER:
        return None
    held = repository.index[name]
    blob = repository.get(held.id)
    if not isinstance(blob, pygit2.Blob) or held.mode == pygit2.enums.FileMode.LINK:
        return None
    executable = held.mode == pygit2.enums.FileMode.BLOB_EXECUTABLE
    return TarEntry(path.relative_to(folder).as_posix(), blob.data, executable)


def uncommitted(folder: Path) -> list[str]:
    """Files of a recipe's folder that differ from git's HEAD, without what d4cbuild generates.

    Raises:
        InputError: if the folder is not in a git repository, or nothing was ever committed.
    """
    import pygit2

    repository = repository_of(folder)
    prefix = place_inside(repository, folder)
    clean = {pygit2.enums.FileStatus.CURRENT, pygit2.enums.FileStatus.IGNORED}
    above = f"{prefix}/" if prefix else ""
    status = repository.status(untracked_files="all")
    changed = {path for path, state in status.items() if state not in clean}
    found = {path.removeprefix(above) for path in changed if path.startswith(above)}
    return sorted(found - GENERATED)


def provenance(folder: Path, wanted: Digest) -> Provenance | None:
    """Find the latest commit that changed the code, if HEAD has the code that is wanted.

    Args:
        folder: The recipe's folder.
        wanted: The code's digest.

    Raises:
        InputError: if the folder is not in a git repository, or nothing was ever committed.
    """
    repository = repository_of(folder)
    prefix = place_inside(repository, folder)
    latest: Provenance | None = None
    known: dict[str, bool] = {}
    for commit in first_parents(repository):
        tree = subtree(commit.tree, prefix)
        if tree is None:
            break
        identity = str(tree.id)
        if identity not in known:
            known[identity] = code_of_tree(repository, tree).digest == wanted
        if not known[identity]:
            break
        latest = Provenance(str(commit.id), identity, commit.commit_time)
    return latest


def has_commit(folder: Path, commit: str) -> bool:
    """Whether a commit is in the folder's repository."""
    repository = open_repository(folder)
    return repository is not None and commit in repository


def committed_code(folder: Path, commit: str, tree: str, wanted: Digest) -> tuple[Code, str | None]:
    """Find locked code: at its commit, else at its tree, else wherever the same bytes are.

    Args:
        folder: The recipe's folder.
        commit: The locked commit.
        tree: The locked tree.
        wanted: The code's digest.

    Returns:
        The code, and a warning where the commit itself is gone.

    Raises:
        InputError: if the code is nowhere to be found.
    """
    if (repository := open_repository(folder)) is not None:
        prefix = place_inside(repository, folder)
        for place, warning in (
            (tree_at_commit(repository, commit, prefix), None),
            (
                tree_by_id(repository, tree),
                f"commit {commit[:12]} is gone; its tree is still there",
            ),
            (
                tree_at_head(repository, prefix),
                f"commit {commit[:12]} is gone; HEAD has the same code",
            ),
        ):
            if place is not None:
                code = code_of_tree(repository, place)
                if code.digest == wanted:
                    return code, warning
    code = working_code(folder)
    if code.digest == wanted:
        return code, f"commit {commit[:12]} is not here; the folder has the same code"
    raise InputError(
        "the locked code is nowhere to be found",
        expected=f"{wanted} (commit {commit})",
        found=f"{code.digest} in the folder",
        where=str(folder),
        hint=f"git fetch, or d4cbuild lock {folder} to lock the code that is there",
    )

"""Finding a recipe's folder in a git repository's trees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d4cbuild.base.archive import TarEntry
from d4cbuild.base.limits import LIMITS
from d4cbuild.code.folder import CACHE, NOT_CODE, Code, not_plain, text_name
from d4cbuild.errors import InputError

if TYPE_CHECKING:
    import pygit2

MAXIMUM_ENTRIES = LIMITS.code_entries
MAXIMUM_CODE_BYTES = LIMITS.code_bytes
MAXIMUM_PATH = LIMITS.path_bytes


def open_repository(folder: Path) -> pygit2.Repository | None:
    """The git repository a folder lies in, if any."""
    import pygit2

    # A recipe may lie in a clone owned by another user (a container, a CI runner). Git's ownership
    # check guards against configuration that runs programs; libgit2 runs none.
    pygit2.option(pygit2.enums.Option.SET_OWNER_VALIDATION, False)
    found = pygit2.discover_repository(str(folder))
    return None if found is None else pygit2.Repository(found)


def repository_of(folder: Path) -> pygit2.Repository:
    """The git repository a folder lies in.

    Raises:
        InputError: if there is none, or nothing was ever committed to it.
    """
    repository = open_repository(folder)
    if repository is None:
        raise InputError(
            "the recipe's folder is not in a git repository",
            where=str(folder),
            hint="git init, then git add and git commit the recipe",
        )
    if repository.head_is_unborn:
        raise InputError(
            "nothing was committed yet", where=str(folder), hint=f"git add {folder} && git commit"
        )
    return repository


def place_inside(repository: pygit2.Repository, folder: Path) -> str:
    """A folder's path in its repository, POSIX style; empty for the repository's own folder."""
    if repository.workdir is None:
        raise InputError("the git repository has no working copy", where=str(folder))
    name = folder.resolve().relative_to(Path(repository.workdir).resolve()).as_posix()
    return "" if name == "." else name


def name_of(repository: pygit2.Repository, path: Path) -> str:
    """A file's path in its repository, POSIX style. Links in it are not followed."""
    # Only the folder above is resolved: a link in the code is to be met as a link.
    above = place_inside(repository, path.parent)
    return f"{above}/{path.name}" if above else path.name


def is_ignored(repository: pygit2.Repository, path: Path) -> bool:
    """Whether git ignores a file and does not track it all the same."""
    name = name_of(repository, path.parent if path.name == ".git" else path)
    return name not in repository.index and repository.path_is_ignored(name)


def first_parents(repository: pygit2.Repository) -> Iterator[pygit2.Commit]:
    """Yield HEAD and its first parents, down to the first commit or the edge of a shallow clone."""
    import pygit2

    commit = repository.head.peel(pygit2.Commit)
    while True:
        yield commit
        if not commit.parent_ids or commit.parent_ids[0] not in repository:
            return  # the first commit, or the edge of a shallow clone
        commit = commit.parents[0]


def subtree(tree: pygit2.Tree, prefix: str) -> pygit2.Tree | None:
    """The tree at a path inside a tree, if there is one."""
    import pygit2

    if not prefix:
        return tree
    if prefix not in tree:
        return None
    found = tree[prefix]
    return found if isinstance(found, pygit2.Tree) else None


def tree_at_commit(repository: pygit2.Repository, commit: str, prefix: str) -> pygit2.Tree | None:
    """The tree at a path in a commit, if both are there."""
    import pygit2

    found = repository.get(commit)
    return subtree(found.tree, prefix) if isinstance(found, pygit2.Commit) else None


def tree_by_id(repository: pygit2.Repository, tree: str) -> pygit2.Tree | None:
    """The tree of an object id, if it is there."""
    import pygit2

    found = repository.get(tree)
    return found if isinstance(found, pygit2.Tree) else None


def tree_at_head(repository: pygit2.Repository, prefix: str) -> pygit2.Tree | None:
    """The tree at a path in HEAD, if it is there."""
    import pygit2

    if repository.head_is_unborn:
        return None
    return subtree(repository.head.peel(pygit2.Commit).tree, prefix)


def code_of_tree(repository: pygit2.Repository, tree: pygit2.Tree) -> Code:
    """The code in a recipe's git tree.

    Raises:
        InputError: for anything in it that is no plain file.
    """
    return Code.of(list(_entries(repository, tree, "", _Bounds())))


@dataclass
class _Bounds:
    """What was met so far: few trees that hold each other often name more than any disk has."""

    entries: int = 0
    size: int = 0

    def meet(self, above: str, size: int) -> None:
        self.entries += 1
        self.size += size
        if (
            self.entries > MAXIMUM_ENTRIES
            or self.size > MAXIMUM_CODE_BYTES
            or len(above) > MAXIMUM_PATH
        ):
            raise InputError(
                "the recipe's code is too large",
                expected=f"at most {MAXIMUM_ENTRIES} files, {MAXIMUM_CODE_BYTES >> 20} MiB,"
                f" and paths of {MAXIMUM_PATH} characters",
                found=f"{self.entries} files, {self.size >> 20} MiB",
                where=above[:80],
                hint="data belong into [[sources]], not into the code",
            )


def _entries(
    repository: pygit2.Repository, tree: pygit2.Tree, above: str, bounds: _Bounds
) -> Iterator[TarEntry]:
    import pygit2

    for item in tree:
        bounds.meet(above, item.size if isinstance(item, pygit2.Blob) else 0)
        name = f"{above}{text_name(item.raw_name or b'')}"
        if not above and item.name in NOT_CODE:
            continue
        if isinstance(item, pygit2.Tree):
            if item.name == CACHE:
                continue
            yield from _entries(repository, item, f"{name}/", bounds)
        elif isinstance(item, pygit2.Blob) and item.filemode != pygit2.enums.FileMode.LINK:
            executable = item.filemode == pygit2.enums.FileMode.BLOB_EXECUTABLE
            yield TarEntry(name, item.data, executable)
        else:
            raise not_plain("a symbolic link or submodule", name)


def is_committed(folder: Path, path: Path) -> bool:
    """Whether a file, as it lies there, is in HEAD of its repository, so that clones have it.

    Args:
        folder: A folder of the repository.
        path: The file.
    """
    import pygit2

    repository = open_repository(folder)
    if repository is None or repository.workdir is None or not path.is_file():
        return False
    real = path.resolve()
    if not real.is_relative_to(Path(repository.workdir).resolve()):
        return False
    name = name_of(repository, real)
    states = (pygit2.enums.FileStatus.CURRENT,)
    return name in repository.index and repository.status_file(name) in states

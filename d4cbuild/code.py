"""A recipe's code: its folder at a git tree, as a canonical tar.

The tar's BLAKE3 is the code's identity, so a squash-merge or an unrelated commit changes nothing.
Commit and tree say where it was found.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d4cbuild.base.archive import TarEntry, canonical_tar
from d4cbuild.base.digest import Digest, blake3_of
from d4cbuild.errors import InputError

if TYPE_CHECKING:
    import pygit2

# What lies in the folder beside the code. If these counted, writing a lock would change what it
# locks, and a better title would change the build key.
NOT_CODE = frozenset(
    {
        "recipe.toml",
        "recipe.lock",
        "manifest.json",
        "README.md",
        "sources",
        ".gitattributes",
        ".gitignore",
    }
)
GENERATED = frozenset({"recipe.lock", "manifest.json"})
MAXIMUM_FILE_BYTES = 64 << 20


@dataclass(frozen=True)
class Code:
    """A recipe's code.

    Attributes:
        tar: The canonical tar.
        digest: Its BLAKE3.
    """

    tar: bytes
    digest: Digest

    @classmethod
    def of(cls, entries: list[TarEntry]) -> Code:
        """Make the tar of some files."""
        tar = b"".join(canonical_tar(entries))
        return cls(tar, blake3_of(tar))


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
    for path in sorted(_files_below(folder)):
        name = path.relative_to(folder).as_posix()
        if repository is None or not _is_ignored(repository, path):
            entries.append(TarEntry(name, _read(path), bool(path.stat().st_mode & stat.S_IXUSR)))
    return Code.of(entries)


def plain_code(folder: Path) -> Code:
    """The code as it lies in the folder, whatever git says; needs no git and is fast."""
    return Code.of(
        [
            TarEntry(
                path.relative_to(folder).as_posix(),
                _read(path),
                bool(path.stat().st_mode & stat.S_IXUSR),
            )
            for path in _files_below(folder)
        ]
    )


def _files_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        top = Path(place) == folder
        folders[:] = [name for name in folders if not (top and name in NOT_CODE)]
        folders[:] = [name for name in folders if name not in ("__pycache__", ".git")]
        for name in names:
            if not (top and name in NOT_CODE):
                yield Path(place, name)


def _read(path: Path) -> bytes:
    state = path.lstat()
    if not stat.S_ISREG(state.st_mode):
        raise InputError(
            "a recipe's code is made of plain files",
            found="a symbolic link" if stat.S_ISLNK(state.st_mode) else "another kind of file",
            where=str(path),
            hint="replace it with a copy of the file",
        )
    if state.st_size > MAXIMUM_FILE_BYTES:
        raise InputError(
            "a file of the recipe's code is too large",
            expected=f"at most {MAXIMUM_FILE_BYTES >> 20} MiB",
            found=f"{state.st_size >> 20} MiB",
            where=str(path),
            hint="data belong into [[sources]], not into the code",
        )
    return path.read_bytes()


def open_repository(folder: Path) -> pygit2.Repository | None:
    """The git repository a folder lies in, if any."""
    import pygit2

    # A recipe may lie in a clone owned by another user (a container, a CI runner). Git's ownership
    # check guards against configuration that runs programs; libgit2 runs none.
    pygit2.option(pygit2.enums.Option.SET_OWNER_VALIDATION, False)
    found = pygit2.discover_repository(str(folder))
    return None if found is None else pygit2.Repository(found)


def uncommitted(folder: Path) -> list[str]:
    """Files of a recipe's folder that differ from git's HEAD, without what d4cbuild generates.

    Raises:
        InputError: if the folder is not in a git repository, or nothing was ever committed.
    """
    import pygit2

    repository = _repository(folder)
    prefix = _inside(repository, folder)
    clean = {pygit2.enums.FileStatus.CURRENT, pygit2.enums.FileStatus.IGNORED}
    found = []
    for path, status in repository.status(untracked_files="all").items():
        name = path.removeprefix(f"{prefix}/") if prefix else path
        if (name != path or not prefix) and name not in GENERATED and status not in clean:
            found.append(name)
    return sorted(found)


def provenance(folder: Path, wanted: Digest) -> Provenance | None:
    """Find the latest commit that changed the code, if HEAD has the code that is wanted.

    Args:
        folder: The recipe's folder.
        wanted: The code's digest.

    Raises:
        InputError: if the folder is not in a git repository, or nothing was ever committed.
    """
    repository = _repository(folder)
    prefix = _inside(repository, folder)
    latest: Provenance | None = None
    known: dict[str, bool] = {}
    for commit in _first_parents(repository):
        tree = _subtree(commit.tree, prefix)
        if tree is None:
            break
        identity = str(tree.id)
        if identity not in known:
            known[identity] = _code_of_tree(repository, tree).digest == wanted
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
    repository = open_repository(folder)
    if repository is not None:
        prefix = _inside(repository, folder)
        for place, warning in (
            (_at_commit(repository, commit, prefix), None),
            (_tree(repository, tree), f"commit {commit[:12]} is gone; its tree is still there"),
            (_head(repository, prefix), f"commit {commit[:12]} is gone; HEAD has the same code"),
        ):
            if place is not None:
                code = _code_of_tree(repository, place)
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


def _repository(folder: Path) -> pygit2.Repository:
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


def _inside(repository: pygit2.Repository, folder: Path) -> str:
    if repository.workdir is None:
        raise InputError("the git repository has no working copy", where=str(folder))
    return folder.resolve().relative_to(Path(repository.workdir).resolve()).as_posix().lstrip(".")


def _is_ignored(repository: pygit2.Repository, path: Path) -> bool:
    # Only the folders are resolved: a link in the code is to be met as a link.
    top = Path(repository.workdir or "/").resolve()
    name = (path.parent.resolve() / path.name).relative_to(top).as_posix()
    return name not in repository.index and repository.path_is_ignored(name)


def _first_parents(repository: pygit2.Repository) -> Iterator[pygit2.Commit]:
    import pygit2

    commit = repository.head.peel(pygit2.Commit)
    while True:
        yield commit
        if not commit.parent_ids or commit.parent_ids[0] not in repository:
            return  # the first commit, or the edge of a shallow clone
        commit = commit.parents[0]


def _subtree(tree: pygit2.Tree, prefix: str) -> pygit2.Tree | None:
    import pygit2

    if not prefix:
        return tree
    if prefix not in tree:
        return None
    found = tree[prefix]
    return found if isinstance(found, pygit2.Tree) else None


def _at_commit(repository: pygit2.Repository, commit: str, prefix: str) -> pygit2.Tree | None:
    import pygit2

    found = repository.get(commit)
    return _subtree(found.tree, prefix) if isinstance(found, pygit2.Commit) else None


def _tree(repository: pygit2.Repository, tree: str) -> pygit2.Tree | None:
    import pygit2

    found = repository.get(tree)
    return found if isinstance(found, pygit2.Tree) else None


def _head(repository: pygit2.Repository, prefix: str) -> pygit2.Tree | None:
    import pygit2

    if repository.head_is_unborn:
        return None
    return _subtree(repository.head.peel(pygit2.Commit).tree, prefix)


def _code_of_tree(repository: pygit2.Repository, tree: pygit2.Tree) -> Code:
    return Code.of(list(_entries(repository, tree, "")))


def _entries(repository: pygit2.Repository, tree: pygit2.Tree, above: str) -> Iterator[TarEntry]:
    import pygit2

    for item in tree:
        name = f"{above}{item.name}"
        if not above and item.name in NOT_CODE:
            continue
        if isinstance(item, pygit2.Tree):
            yield from _entries(repository, item, f"{name}/")
        elif isinstance(item, pygit2.Blob) and item.filemode != pygit2.enums.FileMode.LINK:
            executable = item.filemode == pygit2.enums.FileMode.BLOB_EXECUTABLE
            yield TarEntry(name, item.data, executable)
        else:
            raise InputError(
                "a recipe's code is made of plain files",
                found="a symbolic link or submodule",
                where=name,
                hint="replace it with a copy of the file",
            )

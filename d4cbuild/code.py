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
from d4cbuild.base.digest import Digest, blake3_of, blake3_of_file, blake3_of_stream
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
CACHE = "__pycache__"
GENERATED = frozenset({"recipe.lock", "manifest.json"})
MAXIMUM_FILE_BYTES = 64 << 20
# GIT_STATUS_WT_NEW, MODIFIED, DELETED, TYPECHANGE, RENAMED, UNREADABLE
_CHANGED_IN_FOLDER = 0b1_1111_1000_0000


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
        _text_name(os.fsencode(path.relative_to(folder).as_posix()))
        if repository is None:
            entries.append(_entry(folder, path))
        elif not _is_ignored(repository, path):
            entries.append(_as_committed(repository, folder, path) or _entry(folder, path))
    return Code.of(entries)


def plain_code(folder: Path) -> Code | None:
    """The code as it lies in the folder, whatever git says; needs no git and is fast.

    ``None`` if something in the folder cannot be code. Git may ignore it, so that is no error yet.
    """
    try:
        return Code.of([_entry(folder, path) for path in _files_below(folder)])
    except InputError:
        return None


def folder_state(folder: Path) -> Digest:
    """A digest that changes whenever the code in a folder may have changed; no code's identity."""
    return blake3_of_stream(
        f"{path.relative_to(folder)}\0{_state(path)}\0".encode(errors="surrogateescape")
        for path in sorted(_files_below(folder))
    )


def _state(path: Path) -> str:
    state = path.lstat()
    if not stat.S_ISREG(state.st_mode) or state.st_size > MAXIMUM_FILE_BYTES:
        # Perhaps ignored by git; if it is not, what comes next refuses it by name.
        return f"{state.st_mode} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}"
    return f"{state.st_mode & stat.S_IXUSR} {blake3_of_file(path)}"


def _entry(folder: Path, path: Path) -> TarEntry:
    data = _read(path)
    name = _text_name(os.fsencode(path.relative_to(folder).as_posix()))
    return TarEntry(name, data, bool(path.stat().st_mode & stat.S_IXUSR))


def _as_committed(repository: pygit2.Repository, folder: Path, path: Path) -> TarEntry | None:
    """The file as git holds it, where git sees no change in it; else ``None``.

    Git may write other line ends (``core.autocrlf``) or modes (``core.fileMode``) into the folder
    than it holds; what is committed must not depend on such settings.
    """
    import pygit2

    name = _name_of(repository, path)
    if name not in repository.index or repository.status_file(name) & _CHANGED_IN_FOLDER:
        return None
    held = repository.index[name]
    blob = repository.get(held.id)
    if not isinstance(blob, pygit2.Blob) or held.mode == pygit2.enums.FileMode.LINK:
        return None
    executable = held.mode == pygit2.enums.FileMode.BLOB_EXECUTABLE
    return TarEntry(path.relative_to(folder).as_posix(), blob.data, executable)


def _text_name(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            "a file of the recipe's code has a name that is not UTF-8",
            found=repr(name),
            hint="rename it",
        ) from error


def _files_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        top = Path(place) == folder
        if not top and ".git" in (*folders, *names):
            # A repository or submodule: not walked into, but to be met as what it is.
            yield Path(place, ".git")
            folders.clear()
            continue
        if top:
            folders[:] = [name for name in folders if name not in (*NOT_CODE, ".git")]
            names = [name for name in names if name not in (*NOT_CODE, ".git")]
        folders[:] = [name for name in folders if name != CACHE]
        for name in names:
            yield Path(place, name)
        for name in folders:
            if Path(place, name).is_symlink():
                yield Path(place, name)  # not walked into, but to be met as a link


def _read(path: Path) -> bytes:
    state = path.lstat()
    if path.name == ".git":
        raise _not_plain("a git repository or submodule", str(path.parent))
    if not stat.S_ISREG(state.st_mode):
        raise _not_plain(
            "a symbolic link" if stat.S_ISLNK(state.st_mode) else "another kind of file", str(path)
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
    if (repository := open_repository(folder)) is not None:
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


def _not_plain(found: str, where: str) -> InputError:
    return InputError(
        "a recipe's code is made of plain files",
        found=found,
        where=where,
        hint="replace it with a copy of the files",
    )


def _inside(repository: pygit2.Repository, folder: Path) -> str:
    if repository.workdir is None:
        raise InputError("the git repository has no working copy", where=str(folder))
    name = folder.resolve().relative_to(Path(repository.workdir).resolve()).as_posix()
    return "" if name == "." else name


def _name_of(repository: pygit2.Repository, path: Path) -> str:
    # Only the folder above is resolved: a link in the code is to be met as a link.
    above = _inside(repository, path.parent)
    return f"{above}/{path.name}" if above else path.name


def _is_ignored(repository: pygit2.Repository, path: Path) -> bool:
    name = _name_of(repository, path.parent if path.name == ".git" else path)
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
        name = f"{above}{_text_name(item.raw_name or b'')}"
        if not above and item.name in NOT_CODE:
            continue
        if isinstance(item, pygit2.Tree):
            if item.name == CACHE:
                continue
            yield from _entries(repository, item, f"{name}/")
        elif isinstance(item, pygit2.Blob) and item.filemode != pygit2.enums.FileMode.LINK:
            executable = item.filemode == pygit2.enums.FileMode.BLOB_EXECUTABLE
            yield TarEntry(name, item.data, executable)
        else:
            raise _not_plain("a symbolic link or submodule", name)

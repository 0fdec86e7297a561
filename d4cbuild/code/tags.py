"""Tags of releases in the repository that holds a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from d4cbuild.code.repository import place_inside, repository_of, subtree
from d4cbuild.errors import InputError

_REFS = "refs/tags/"


@dataclass(frozen=True)
class Tagged:
    """A tag.

    Attributes:
        name: Its name.
        commit: The commit it marks.
        message: What was written; empty for a tag that is a name alone.
        manifest: The bytes of the recipe's ``manifest.json`` at that commit, if it is there.
    """

    name: str
    commit: str
    message: str
    manifest: bytes | None


def tags_of(folder: Path, prefix: str, file: str) -> list[Tagged]:
    """List the tags whose names begin in one way.

    Args:
        folder: The recipe's folder.
        prefix: How the names begin.
        file: Name of the manifest in the folder.

    Raises:
        InputError: if the folder is not in a git repository.
    """
    import pygit2

    repository = repository_of(folder)
    place = place_inside(repository, folder)
    found = []
    for name in repository.references:
        if not name.startswith(f"{_REFS}{prefix}"):
            continue
        target = repository[repository.references[name].target]
        message = target.message if isinstance(target, pygit2.Tag) else ""
        commit = repository.references[name].peel(pygit2.Commit)
        tree = subtree(commit.tree, place)
        blob = None if tree is None or file not in tree else tree[file]
        manifest = blob.data if isinstance(blob, pygit2.Blob) else None
        found.append(Tagged(name.removeprefix(_REFS), str(commit.id), message, manifest))
    return found


def tag_head(folder: Path, name: str, message: str) -> str:
    """Mark the commit that is checked out with an annotated tag; returns the commit.

    Raises:
        InputError: if git does not know who does it, or the tag is there already.
    """
    import pygit2

    repository = repository_of(folder)
    try:
        who = repository.default_signature
    except KeyError as error:
        raise InputError(
            "git does not know who makes the tag",
            hint="git config user.name NAME, and git config user.email ADDRESS",
        ) from error
    commit = repository.head.peel(pygit2.Commit).id
    try:
        repository.create_tag(name, commit, pygit2.enums.ObjectType.COMMIT, who, message)
    except ValueError as error:
        raise InputError(
            "the tag is there already", found=name, where=str(folder), hint=f"git show {name}"
        ) from error
    return str(commit)


def differs_from_head(folder: Path, names: tuple[str, ...]) -> list[str]:
    """Which files of a folder are not as they are in the commit that is checked out."""
    import pygit2

    repository = repository_of(folder)
    tree = subtree(repository.head.peel(pygit2.Commit).tree, place_inside(repository, folder))
    found = []
    for name in names:
        blob = None if tree is None or name not in tree else tree[name]
        committed = blob.data if isinstance(blob, pygit2.Blob) else None
        path = folder / name
        if committed != (path.read_bytes() if path.is_file() else None):
            found.append(name)
    return found

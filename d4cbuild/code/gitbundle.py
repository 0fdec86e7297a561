"""A commit with all its history as one git bundle: the same bytes from every clone and every git.

``git bundle`` packs objects as it finds them, so that its bytes depend on git's version and on what
the clone went through. Here objects are sorted and stored without deltas and without compression;
``git clone`` reads it like any other.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d4cbuild.base.limits import LIMITS
from d4cbuild.code.repository import open_repository
from d4cbuild.errors import InputError

if TYPE_CHECKING:
    import pygit2

SIGNATURE = "# v2 git bundle\n"
BRANCH = "refs/heads/main"
MAXIMUM_OBJECTS = LIMITS.history_objects
MAXIMUM_OBJECT_BYTES = LIMITS.object_bytes
_KINDS = {"commit": 1, "tree": 2, "blob": 3}
_PACK_VERSION = 2
_STORED_BLOCK = 0xFFFF
_ZLIB_HEADER = b"\x78\x01"
_SHA1_BYTES = 20


@dataclass(frozen=True)
class History:
    """A commit and everything below it.

    Attributes:
        commit: Its name.
        objects: Kind, name and size in bytes of every object, in the order of the pack.
        repository: Where they are read from.
    """

    commit: str
    objects: tuple[tuple[str, str, int], ...]
    repository: pygit2.Repository

    @property
    def size(self) -> int:
        """Bytes of all objects together."""
        return sum(size for _, _, size in self.objects)

    @property
    def is_bounded(self) -> bool:
        """Whether readers will take it: not with too many objects, or too large ones."""
        largest = max(size for _, _, size in self.objects)
        return len(self.objects) <= MAXIMUM_OBJECTS and largest <= MAXIMUM_OBJECT_BYTES

    @property
    def bundle_size(self) -> int:
        """Bytes of the git bundle."""
        objects = sum(
            len(_object_header(_KINDS[kind], size)) + stored_size(size)
            for kind, _, size in self.objects
        )
        return len(self._start()) + len(b"PACK") + 8 + objects + _SHA1_BYTES

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the git bundle."""
        yield self._start()
        hasher = hashlib.sha1(usedforsecurity=False)  # as git's format asks
        for chunk in self._pack():
            hasher.update(chunk)
            yield chunk
        yield hasher.digest()

    def _start(self) -> bytes:
        return f"{SIGNATURE}{self.commit} {BRANCH}\n{self.commit} HEAD\n\n".encode()

    def _pack(self) -> Iterator[bytes]:
        yield b"PACK" + _PACK_VERSION.to_bytes(4) + len(self.objects).to_bytes(4)
        for kind, name, size in self.objects:
            _, data = self.repository.read(name)
            yield _object_header(_KINDS[kind], size)
            yield _stored(data)


def history_of(folder: Path, commit: str) -> History | None:
    """Find a commit of a folder's repository with all its history; ``None`` if it is not there.

    Raises:
        InputError: if the clone has only a part of the history.
    """
    repository = open_repository(folder)
    if repository is None or commit not in repository:
        return None
    if repository.is_shallow:
        raise InputError(
            "this clone does not have the whole history",
            expected=f"commit {commit[:12]} with everything before it",
            found="a shallow clone",
            where=str(folder),
            hint="git fetch --unshallow",
        )
    return History(commit, tuple(_closure(repository, commit)), repository)


def history_in(repository: pygit2.Repository, commit: str) -> Iterator[bytes]:
    """Yield the bytes of the git bundle of a commit that is in a repository.

    Raises:
        KeyError: if something that the commit needs is not there.
    """
    yield from History(commit, tuple(_closure(repository, commit)), repository).chunks()


def _closure(repository: pygit2.Repository, commit: str) -> list[tuple[str, str, int]]:
    """Every object that a commit needs, by kind and then by name."""
    import pygit2

    seen: dict[str, dict[str, int]] = {kind: {} for kind in _KINDS}
    commits = [repository[commit].peel(pygit2.Commit)]
    while commits:
        here = commits.pop()
        if str(here.id) in seen["commit"]:
            continue
        seen["commit"][str(here.id)] = _size(repository, str(here.id))
        _below(repository, here.tree, seen)
        commits += here.parents
    return [
        (kind, name, size) for kind, names in seen.items() for name, size in sorted(names.items())
    ]


def _below(
    repository: pygit2.Repository, tree: pygit2.Tree, seen: dict[str, dict[str, int]]
) -> None:
    import pygit2

    trees = [tree]
    while trees:
        here = trees.pop()
        if str(here.id) in seen["tree"]:
            continue
        seen["tree"][str(here.id)] = _size(repository, str(here.id))
        for item in here:
            # A submodule is a commit of another repository: git keeps its name alone.
            if item.filemode == pygit2.enums.FileMode.COMMIT:
                continue
            if isinstance(item, pygit2.Tree):
                trees.append(item)
            elif str(item.id) not in seen["blob"]:
                seen["blob"][str(item.id)] = _size(repository, str(item.id))


def _size(repository: pygit2.Repository, name: str) -> int:
    return len(repository.read(name)[1])


def _object_header(kind: int, size: int) -> bytes:
    first, rest = (kind << 4) | (size & 0x0F), size >> 4
    header = bytearray()
    while rest:
        header.append(first | 0x80)
        first, rest = rest & 0x7F, rest >> 7
    header.append(first)
    return bytes(header)


def stored_size(size: int) -> int:
    """Bytes of an object of some size in the pack, without its header."""
    blocks = max(1, -(-size // _STORED_BLOCK))
    return len(_ZLIB_HEADER) + size + 5 * blocks + 4


def _stored(data: bytes) -> bytes:
    """A zlib stream without compression, cut as no library of another version would cut it else."""
    parts = [_ZLIB_HEADER]
    starts = range(0, len(data), _STORED_BLOCK) if data else (0,)
    for start in starts:
        block = data[start : start + _STORED_BLOCK]
        is_last = start + _STORED_BLOCK >= len(data)
        length = len(block)
        parts.append(bytes([is_last]) + length.to_bytes(2, "little"))
        parts.append((length ^ 0xFFFF).to_bytes(2, "little") + block)
    parts.append(zlib.adler32(data).to_bytes(4))
    return b"".join(parts)

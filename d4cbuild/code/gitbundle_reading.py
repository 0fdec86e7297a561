"""Git bundles of strangers, read with suspicion: what is in one, object by object, checked."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from d4cbuild.code.folder import Code
from d4cbuild.code.gitbundle import (
    MAXIMUM_OBJECT_BYTES,
    MAXIMUM_OBJECTS,
    SIGNATURE,
    history_in,
    stored_size,
)
from d4cbuild.code.repository import code_of_tree, tree_by_id
from d4cbuild.errors import InputError

if TYPE_CHECKING:
    import pygit2

_KINDS = {1: "commit", 2: "tree", 3: "blob"}
_TRAILER_BYTES = 20
_LONGEST_LINE = 1024
_CHUNK_BYTES = 1 << 16


def code_in_bundle(path: Path, commit: str, tree: str, scratch: Path) -> Code:
    """Take a recipe's code out of a git bundle.

    Every object is read and named anew, so the code is that of the commit if git's hashes say so.

    Args:
        path: The git bundle, as :mod:`~d4cbuild.code.gitbundle` writes it.
        commit: The commit that must be its head.
        tree: The git tree of the recipe's folder, which must be in it.
        scratch: An empty folder, for the objects.

    Raises:
        InputError: if it is no such bundle, is cut, or has not what it should have.
    """
    import pygit2

    repository = pygit2.init_repository(str(scratch), bare=True)
    with path.open("rb") as stream:
        head = _head(stream, str(path))
        if head != commit:
            raise _wrong(str(path), "another commit", f"commit {commit}", f"commit {head}")
        start = stream.tell()
        _check_trailer(stream, start, path.stat().st_size, str(path))
        stream.seek(start)
        _read_objects(stream, repository, str(path))
    try:
        _refuse_other(path, repository, commit)
        found = tree_by_id(repository, tree)
    except (pygit2.GitError, KeyError, ValueError) as error:
        # What git's library says of objects that are missing, or are not what they should be.
        raise _wrong(str(path), "incomplete", f"all that commit {commit} needs", str(error)) from (
            error
        )
    if found is None:
        raise _wrong(str(path), "incomplete", f"tree {tree}", "it is not in the pack")
    return code_of_tree(repository, found)


def _refuse_other(path: Path, repository: pygit2.Repository, commit: str) -> None:
    """Write the bundle again from its objects: no form but ours is left, and nothing besides."""
    with path.open("rb") as stream:
        same = all(stream.read(len(chunk)) == chunk for chunk in history_in(repository, commit))
        if not same or stream.read(1):
            raise _wrong(
                str(path), "not as we write it", f"commit {commit} and what it needs", "other bytes"
            )


def _head(stream: BinaryIO, where: str) -> str:
    if stream.readline(_LONGEST_LINE) != SIGNATURE.encode():
        raise _wrong(where, "no git bundle", repr(SIGNATURE), "another first line")
    head = ""
    while (line := stream.readline(_LONGEST_LINE)) != b"\n":
        name, _, reference = line.decode("ascii", "replace").rstrip("\n").partition(" ")
        if not line.endswith(b"\n") or not reference:
            raise _wrong(where, "no git bundle", "lines of a name and a reference", repr(line[:80]))
        head = name if reference == "HEAD" else head
    return head


def _check_trailer(stream: BinaryIO, start: int, size: int, where: str) -> None:
    hasher = hashlib.sha1(usedforsecurity=False)
    left = size - start - _TRAILER_BYTES
    while left > 0 and (chunk := stream.read(min(left, _CHUNK_BYTES))):
        hasher.update(chunk)
        left -= len(chunk)
    if left != 0 or stream.read() != hasher.digest():
        raise _wrong(where, "cut or changed", "the SHA-1 at its end", "other bytes")


def _read_objects(stream: BinaryIO, repository: pygit2.Repository, where: str) -> None:
    start = stream.read(12)
    count = int.from_bytes(start[8:12])
    if start[:8] != b"PACK\0\0\0\2" or count > MAXIMUM_OBJECTS:
        raise _wrong(where, "no git bundle", "a pack of version 2", repr(start))
    for _ in range(count):
        kind, size = _object_header(stream)
        if kind not in _KINDS or size > MAXIMUM_OBJECT_BYTES:
            raise _wrong(where, "not as we write it", "whole objects", f"kind {kind}, {size} bytes")
        repository.write(kind, _inflate(stream, size, where))


def _object_header(stream: BinaryIO) -> tuple[int, int]:
    byte = _byte(stream)
    kind, size, shift = (byte >> 4) & 0x07, byte & 0x0F, 4
    while byte & 0x80 and shift < 64:
        byte = _byte(stream)
        size |= (byte & 0x7F) << shift
        shift += 7
    return kind, size


def _byte(stream: BinaryIO) -> int:
    return int.from_bytes(stream.read(1))


def _inflate(stream: BinaryIO, size: int, where: str) -> bytes:
    """An object's bytes. They are stored, so all of them together are no larger than the file."""
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(stream.read(stored_size(size)), size + 1)
    except zlib.error as error:
        raise _wrong(where, "damaged", "a zlib stream", str(error)) from error
    if not inflater.eof or inflater.unused_data or len(data) != size:
        raise _wrong(where, "damaged", f"an object of {size} bytes", f"{len(data)} bytes")
    return data


def _wrong(where: str, what: str, expected: str, found: str) -> InputError:
    return InputError(
        f"the history is {what}",
        expected=expected,
        found=found,
        where=where,
        hint="take the bundle from another place",
    )

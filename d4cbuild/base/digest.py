"""Digests as values, and all of a file's digests in one pass over its bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

CHUNK_BYTES = 1 << 20
_HEX_LENGTH = {"blake3": 64, "sha256": 64, "md5": 32, "sha1": 40}
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A named hash value. Written as ``algorithm:hex``, for example ``blake3:af13…``."""

    algorithm: str
    hex: str

    def __post_init__(self) -> None:
        length = _HEX_LENGTH.get(self.algorithm)
        if length is None:
            raise ValueError(f"unknown digest algorithm {self.algorithm!r}")
        if len(self.hex) != length or _HEX.fullmatch(self.hex) is None:
            raise ValueError(f"a {self.algorithm} digest has {length} lower-case hex digits")

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``algorithm:hex``.

        Raises:
            ValueError: if the text is not of that form.
        """
        algorithm, separator, value = text.partition(":")
        if not separator:
            raise ValueError(f"a digest is written algorithm:hex, not {text[:80]!r}")
        return cls(algorithm, value)

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"

    @property
    def short(self) -> str:
        """The first twelve hex digits, for people's eyes only."""
        return self.hex[:12]


@dataclass(frozen=True, slots=True)
class FileDigests:
    """Size in bytes and every digest of one file."""

    size: int
    blake3: Digest
    sha256: Digest
    md5: Digest


class MultiHasher:
    """Feeds the same bytes to BLAKE3, SHA-256 and MD5."""

    def __init__(self) -> None:
        self._blake3 = blake3()
        self._sha256 = hashlib.sha256()
        # MD5 only because some archives report nothing better; it secures nothing here.
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._size = 0

    def update(self, data: bytes) -> None:
        """Add bytes."""
        self._blake3.update(data)
        self._sha256.update(data)
        self._md5.update(data)
        self._size += len(data)

    @property
    def size(self) -> int:
        """Bytes seen so far."""
        return self._size

    def result(self) -> FileDigests:
        """Return the digests of all bytes seen so far."""
        return FileDigests(
            self._size,
            Digest("blake3", self._blake3.hexdigest()),
            Digest("sha256", self._sha256.hexdigest()),
            Digest("md5", self._md5.hexdigest()),
        )


def blake3_of(data: bytes) -> Digest:
    """BLAKE3 of bytes in memory."""
    return Digest("blake3", blake3(data).hexdigest())


def blake3_of_stream(chunks: Iterable[bytes]) -> Digest:
    """BLAKE3 of chunks in order."""
    hasher = blake3()
    for chunk in chunks:
        hasher.update(chunk)
    return Digest("blake3", hasher.hexdigest())


def blake3_of_file(path: Path) -> Digest:
    """BLAKE3 of a file's bytes."""
    with path.open("rb") as stream:
        return blake3_of_stream(iter(lambda: stream.read(CHUNK_BYTES), b""))


def sha256_of_file(path: Path) -> Digest:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return Digest("sha256", hashlib.file_digest(stream, "sha256").hexdigest())


def digests_of_stream(stream: BinaryIO) -> FileDigests:
    """All digests of a binary stream, read once from where it stands."""
    hasher = MultiHasher()
    for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
        hasher.update(chunk)
    return hasher.result()


def digests_of_file(path: Path) -> FileDigests:
    """All digests of a file, read once."""
    with path.open("rb") as stream:
        return digests_of_stream(stream)

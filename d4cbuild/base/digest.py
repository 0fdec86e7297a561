"""Digests as values, and all of a file's digests in one pass over its bytes."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import BinaryIO, Protocol, Self

from blake3 import blake3

CHUNK_BYTES = 1 << 20
THREADS_FROM_BYTES = 4 * CHUNK_BYTES
"""Below this, starting threads takes longer than they save."""
WAITING_CHUNKS = 4
"""How far the fast digests may be ahead of the slowest, which bounds memory."""
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


@dataclass(frozen=True, slots=True)
class SizeAndSha256:
    """Size in bytes and SHA-256 of one file."""

    size: int
    sha256: Digest


class MultiHasher:
    """Feeds the same bytes to BLAKE3, SHA-256 and MD5.

    Within ``with``, large inputs are hashed by three threads at a time, so that all digests take
    as long as the slowest of them; the threads end with the ``with``. Without it, no thread is
    started.
    """

    def __init__(self) -> None:
        self._blake3 = blake3()
        self._sha256 = hashlib.sha256()
        # MD5 only because some archives report nothing better; it secures nothing here.
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._size = 0
        self._entered = False
        self._lanes: tuple[_Lane, ...] = ()

    def __enter__(self) -> Self:
        self._entered = True
        return self

    def __exit__(self, *error: object) -> None:
        self._entered = False
        lanes, self._lanes = self._lanes, ()
        for lane in lanes:
            lane.end()

    def update(self, data: bytes) -> None:
        """Add bytes. They may be read for some time after this returns, so must not change."""
        self._size += len(data)
        if self._entered and not self._lanes and self._size >= THREADS_FROM_BYTES:
            self._lanes = _Lane(self._md5), _Lane(self._sha256)
        if not self._lanes:
            for hasher in (self._md5, self._sha256, self._blake3):
                hasher.update(data)
            return
        view = memoryview(data)
        for start in range(0, len(view), CHUNK_BYTES):
            chunk = view[start : start + CHUNK_BYTES]
            for lane in self._lanes:
                lane.add(chunk)
            # BLAKE3 is the fastest on every machine: this thread reads the file as well.
            self._blake3.update(chunk)

    @property
    def size(self) -> int:
        """Bytes seen so far."""
        return self._size

    def result(self) -> FileDigests:
        """Return the digests of all bytes seen so far."""
        for lane in self._lanes:
            lane.catch_up()
        return FileDigests(
            self._size,
            Digest("blake3", self._blake3.hexdigest()),
            Digest("sha256", self._sha256.hexdigest()),
            Digest("md5", self._md5.hexdigest()),
        )


class Sha256Hasher:
    """SHA-256 alone, in a thread of its own within ``with``, beside whoever reads and writes."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._size = 0

    def __enter__(self) -> Self:
        self._lane = _Lane(self._sha256)
        return self

    def __exit__(self, *error: object) -> None:
        self._lane.end()

    def update(self, data: bytes) -> None:
        """Add bytes. They may be read for some time after this returns, so must not change."""
        self._size += len(data)
        self._lane.add(memoryview(data))

    def result(self) -> SizeAndSha256:
        """Return the digest of all bytes seen so far."""
        self._lane.catch_up()
        return SizeAndSha256(self._size, Digest("sha256", self._sha256.hexdigest()))


class _Updated(Protocol):
    def update(self, data: memoryview, /) -> object: ...


class _Lane:
    """One digest in a thread of its own. Hashing lets go of the interpreter's lock."""

    def __init__(self, hasher: _Updated) -> None:
        self._hasher = hasher
        self._waiting: Queue[memoryview | None] = Queue(WAITING_CHUNKS)
        # Should the end be missed after all (a second Ctrl-C), the process can still leave.
        self._thread = threading.Thread(target=self._run, name="digest", daemon=True)
        self._thread.start()

    def add(self, chunk: memoryview) -> None:
        self._waiting.put(chunk)

    def catch_up(self) -> None:
        self._waiting.join()

    def end(self) -> None:
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (chunk := self._waiting.get()) is not None:
            self._hasher.update(chunk)
            self._waiting.task_done()


def blake3_of(data: bytes) -> Digest:
    """BLAKE3 of bytes in memory."""
    return Digest("blake3", blake3(data).hexdigest())


def blake3_of_stream(chunks: Iterable[bytes]) -> Digest:
    """BLAKE3 of chunks in order."""
    hasher = blake3()
    for chunk in chunks:
        hasher.update(chunk)
    return Digest("blake3", hasher.hexdigest())


def sha256_of_stream(chunks: Iterable[bytes]) -> Digest:
    """SHA-256 of chunks in order."""
    hasher = hashlib.sha256()
    for chunk in chunks:
        hasher.update(chunk)
    return Digest("sha256", hasher.hexdigest())


def blake3_of_file(path: Path) -> Digest:
    """BLAKE3 of a file's bytes."""
    with path.open("rb") as stream:
        return blake3_of_stream(iter(lambda: stream.read(CHUNK_BYTES), b""))


def digests_of_stream(stream: BinaryIO) -> FileDigests:
    """All digests of a binary stream, read once from where it stands."""
    with MultiHasher() as hasher:
        for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
            hasher.update(chunk)
        return hasher.result()


def digests_of_file(path: Path) -> FileDigests:
    """All digests of a file, read once."""
    with path.open("rb") as stream:
        return digests_of_stream(stream)

"""Writing the files of a bundle: hashed as they are written, cut where one is too large."""

from __future__ import annotations

import hashlib
import io
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from d4cbuild.base.digest import CHUNK_BYTES, WAITING_CHUNKS, MultiHasher, Sha256Hasher
from d4cbuild.base.files import begin_sync
from d4cbuild.bundle.facts import BundledFile, Role
from d4cbuild.bundle.layout import PART, SUMS
from d4cbuild.errors import InputError

MAXIMUM_PARTS = 999
BEGIN_BYTES = 16 << 20
"""So much is on its way to the disk while the next part is read and hashed."""
SMALLEST_PART = 1 << 20
HEAVY: frozenset[Role] = frozenset({"sources", "packages", "image"})


@dataclass
class BundleWriter:
    """Writes files into one flat folder, and knows the sums of what lies there.

    Within ``with``, files are written and brought to the disk in threads, beside whoever reads and
    hashes. At its end they are all on the disk.

    Attributes:
        folder: The folder, empty at first.
        split: Most bytes a file may have; larger ones are cut. ``None`` for no limit.
    """

    folder: Path
    split: int | None = None
    _sums: dict[str, str] = field(default_factory=dict)
    _writing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _syncing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _synced: list[Future[None]] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._writing.shutdown(cancel_futures=True)
        self._syncing.shutdown()

    def write(self, name: str, role: Role, chunks: Iterable[bytes]) -> BundledFile:
        """Write a file, in parts if it is too large.

        Args:
            name: Its name.
            role: What it is.
            chunks: Its bytes.

        Raises:
            InputError: if it would have more parts than part names can count.
        """
        limit = None if role == "script" else self.split  # it is what puts parts together
        parts: list[str] = []
        part = self._part(name, 1)
        # MD5 takes three times as long as everything else, and nobody asks for it of these.
        with Sha256Hasher() if role in HEAVY else MultiHasher() as whole:
            for chunk in _gathered(chunks):
                whole.update(chunk)
                rest = memoryview(chunk)
                while rest:
                    room = len(rest) if limit is None else limit - part.size
                    if room == 0:
                        parts.append(self._close(part))
                        part = self._part(name, len(parts) + 1)
                        continue
                    part.write(rest[:room])
                    rest = rest[room:]
            digests = whole.result()
        parts.append(self._close(part))
        if len(parts) > 1:
            return BundledFile(name, role, digests, tuple(parts))
        (self.folder / parts[0]).rename(self.folder / name)
        del self._sums[parts[0]]
        self._sums[name] = digests.sha256.hex
        return BundledFile(name, role, digests)

    def write_small(self, name: str, data: bytes) -> None:
        """Write a file that is never cut."""
        part = self._open(name, sha256())
        part.write(memoryview(data))
        self._close(part)

    def settle(self) -> dict[str, str]:
        """Wait until all files are on the disk; returns their SHA-256 by name, in hex."""
        for synced in self._synced:
            synced.result()
        return dict(self._sums)

    def take_over(self, sums: Mapping[str, str]) -> None:
        """Count files too that another writer has put into the folder.

        Args:
            sums: What :meth:`settle` gave there.
        """
        self._sums |= sums

    def write_sums(self) -> str:
        """Write ``SHA256SUMS`` over everything that was written; returns its own SHA-256.

        All files are on the disk when it returns.
        """
        lines = [f"{digest}  {name}\n" for name, digest in sorted(self._sums.items())]
        self.write_small(SUMS, "".join(lines).encode())
        return self.settle()[SUMS]

    def _part(self, name: str, number: int) -> _Part:
        # What is not cut is hashed as a whole alone.
        return self._open(_part_name(name, number), sha256() if self.split else None)

    def _open(self, name: str, hasher: hashlib._Hash | None) -> _Part:
        return _Part(self.folder / name, hasher, self._writing)

    def _close(self, part: _Part) -> str:
        self._sums[part.path.name] = part.finish()
        self._synced.append(self._syncing.submit(part.sync))
        return part.path.name


class _Part:
    """One file on its way to the disk."""

    def __init__(
        self, path: Path, hasher: hashlib._Hash | None, writing: ThreadPoolExecutor
    ) -> None:
        self.path = path
        self.size = 0
        self._written = 0  # of it, what the system has
        self._begun = 0  # of that, what is on its way to the disk
        self._hasher = hasher
        self._stream: io.FileIO = path.open("xb", buffering=0)
        self._writing = writing
        self._waiting: deque[Future[None]] = deque()

    def write(self, data: memoryview) -> None:
        if self._hasher is not None:
            self._hasher.update(data)
        self.size += len(data)
        self._waiting.append(self._writing.submit(self._write, data))
        if len(self._waiting) > WAITING_CHUNKS:
            self._waiting.popleft().result()

    def _write(self, data: memoryview) -> None:
        while data:
            count = self._stream.write(data)
            data = data[count:]
            self._written += count
        if self._written - self._begun >= BEGIN_BYTES:
            begin_sync(self._stream.fileno(), self._begun, self._written - self._begun)
            self._begun = self._written

    def finish(self) -> str:
        """Wait until all is written; it need not be on the disk yet."""
        while self._waiting:
            self._waiting.popleft().result()
        return "" if self._hasher is None else self._hasher.hexdigest()

    def sync(self) -> None:
        """Wait until it is on the disk."""
        os.fchmod(self._stream.fileno(), 0o644)
        os.fsync(self._stream.fileno())
        self._stream.close()


def _gathered(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in large chunks: an archive of many files comes in many small ones."""
    waiting: list[bytes] = []
    size = 0
    for chunk in chunks:
        waiting.append(chunk)
        size += len(chunk)
        if size >= CHUNK_BYTES:
            yield waiting[0] if len(waiting) == 1 else b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _part_name(name: str, number: int) -> str:
    if number > MAXIMUM_PARTS:
        raise InputError(
            f"{name} would be cut into more than {MAXIMUM_PARTS} parts",
            hint="choose a larger --split",
        )
    return f"{name}{PART}{number:03}"

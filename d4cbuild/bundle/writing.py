"""Writing the files of a bundle: hashed as they are written, cut where one is too large."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from d4cbuild.base.digest import CHUNK_BYTES, MultiHasher, Sha256Hasher
from d4cbuild.bundle.facts import BundledFile, Role
from d4cbuild.bundle.layout import PART, SUMS
from d4cbuild.errors import InputError

MAXIMUM_PARTS = 999
SMALLEST_PART = 1 << 20
HEAVY: frozenset[Role] = frozenset({"sources", "packages", "image"})


@dataclass
class BundleWriter:
    """Writes files into one flat folder, and knows the sums of what lies there.

    Attributes:
        folder: The folder, empty at first.
        split: Most bytes a file may have; larger ones are cut. ``None`` for no limit.
    """

    folder: Path
    split: int | None = None
    _sums: dict[str, str] = field(default_factory=dict)

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
        part = _Part(self.folder / name, sha256())
        part.write(memoryview(data))
        self._close(part)

    def write_sums(self) -> str:
        """Write ``SHA256SUMS`` over everything that was written; returns its own SHA-256."""
        lines = [f"{digest}  {name}\n" for name, digest in sorted(self._sums.items())]
        part = _Part(self.folder / SUMS, sha256())
        part.write(memoryview("".join(lines).encode()))
        return part.close()

    def _part(self, name: str, number: int) -> _Part:
        # What is not cut is hashed as a whole alone.
        return _Part(self.folder / _part_name(name, number), sha256() if self.split else None)

    def _close(self, part: _Part) -> str:
        self._sums[part.path.name] = part.close()
        return part.path.name


class _Part:
    """One file on its way to the disk."""

    def __init__(self, path: Path, hasher: hashlib._Hash | None) -> None:
        self.path = path
        self.size = 0
        self._hasher = hasher
        self._stream: io.FileIO = path.open("xb", buffering=0)

    def write(self, data: memoryview) -> None:
        if self._hasher is not None:
            self._hasher.update(data)
        self.size += len(data)
        while data:
            data = data[self._stream.write(data) :]

    def close(self) -> str:
        os.fchmod(self._stream.fileno(), 0o644)
        os.fsync(self._stream.fileno())
        self._stream.close()
        return "" if self._hasher is None else self._hasher.hexdigest()


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

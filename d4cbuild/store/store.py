"""The store: a folder of objects named by BLAKE3, with images and a database beside them.

Layout::

    objects/ab/cdef…   read-only files, named by the BLAKE3 of their bytes
    images/<sha256>/   assembled environments
    logs/<build key>/  build logs
    quarantine/        objects whose bytes no longer had their name
    tmp/               work in progress; what no living process holds is swept
    store.sqlite       what is known about objects, realisations and roots
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from d4cbuild.base.ambient import data_directory, random_token
from d4cbuild.base.digest import CHUNK_BYTES, Digest, FileDigests, MultiHasher, digests_of_file
from d4cbuild.base.files import locked_folder, remove_tree, remove_unlocked, sync_directory
from d4cbuild.errors import HashMismatch, StoreError
from d4cbuild.store.database import Database, ObjectRow

OBJECT_MODE = 0o444
_OBJECT_NAME = re.compile(r"[0-9a-f]{62}")


class Store:
    """Objects and realisations under one folder. Any number of processes may use it at once.

    Args:
        root: The folder; made when missing. ``$D4CBUILD_STORE`` or the platform's data directory
            when not given.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or data_directory()).absolute()
        self.objects = self.root / "objects"
        self.images = self.root / "images"
        self.logs = self.root / "logs"
        self.quarantine = self.root / "quarantine"
        self.temporary = self.root / "tmp"
        try:
            for folder in (self.objects, self.images, self.logs, self.quarantine, self.temporary):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                "the store's folder cannot be made",
                found=str(error),
                where=str(self.root),
                hint="set D4CBUILD_STORE to a folder you may write to",
            ) from error
        self.database = Database(self.root / "store.sqlite")

    # Objects ------------------------------------------------------------------------------

    def path_of(self, digest: Digest) -> Path:
        """Where an object lies, or would lie."""
        if digest.algorithm != "blake3":
            raise ValueError(f"objects are named by BLAKE3, not {digest.algorithm}")
        return self.objects / digest.hex[:2] / digest.hex[2:]

    def get(self, digest: Digest) -> Path | None:
        """Return the path of an object whose bytes have been checked, or ``None``.

        The bytes are read again only if the file's size, times or inode changed since they were
        last checked. An object that no longer has its name is moved to ``quarantine/``.
        """
        path = self.path_of(digest)
        try:
            state = path.stat()
        except FileNotFoundError:
            return None
        row = self.database.object_row("blake3", digest.hex)
        if row is not None and _state(row) == _file_state(state):
            return path
        found = digests_of_file(path)
        if found.blake3 != digest:
            self.set_aside(digest)
            return None
        self.remember(found, path)
        return path

    def set_aside(self, digest: Digest) -> None:
        """Move a corrupt object to ``quarantine/``, so that it is never served again."""
        # Gone already means that another process has found the same.
        with self._trouble(), suppress(FileNotFoundError):
            self.path_of(digest).rename(self.quarantine / f"{digest.hex}-{random_token()}")
        self.database.forget_object(digest.hex)

    def object_files(self) -> Iterator[tuple[Digest, Path]]:
        """Yield every object in the order of its name; stray files are passed over."""
        for folder in sorted(self.objects.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.glob("*")):
                if _OBJECT_NAME.fullmatch(path.name):
                    yield Digest("blake3", folder.name + path.name), path

    def find(self, sha256: Digest) -> Path | None:
        """Return the checked object with this SHA-256, or ``None``."""
        row = self.database.object_row("sha256", sha256.hex)
        if row is None and self._remember_forgotten():
            row = self.database.object_row("sha256", sha256.hex)
        return None if row is None else self.get(Digest("blake3", row.blake3))

    def _remember_forgotten(self) -> int:
        """Read the objects the database does not know, as after its loss. Returns how many."""
        known = self.database.known_objects()
        forgotten = [digest for digest, _ in self.object_files() if digest.hex not in known]
        return sum(self.get(digest) is not None for digest in forgotten)

    def known_digests(self, digest: Digest) -> FileDigests | None:
        """All digests of an object that is there, or ``None``."""
        if self.get(digest) is None:
            return None
        row = self.database.object_row("blake3", digest.hex)
        assert row is not None  # noqa: S101 - get() has just remembered it
        return FileDigests(row.size, digest, Digest("sha256", row.sha256), Digest("md5", row.md5))

    def put_chunks(self, chunks: Iterable[bytes]) -> FileDigests:
        """Write an object from chunks of bytes."""
        with self.workspace() as folder:
            return self.adopt(*self._write_hashed(folder / "object", chunks))

    def put_file(self, path: Path) -> FileDigests:
        """Copy a file into the store."""
        with path.open("rb") as stream:
            return self.put_chunks(iter(lambda: stream.read(CHUNK_BYTES), b""))

    def adopt(self, path: Path, digests: FileDigests) -> FileDigests:
        """Move a file that lies on the store's own file system into the store.

        Args:
            path: The file; gone afterwards.
            digests: Its digests, computed while it was written.
        """
        final = self.path_of(digests.blake3)
        with self._trouble():
            final.parent.mkdir(parents=True, exist_ok=True)
            path.chmod(OBJECT_MODE)
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
            path.rename(final)
            sync_directory(final.parent)
        self.remember(digests, final)
        return digests

    def require(self, digest: Digest, what: str, hint: str) -> Path:
        """Return an object's path.

        Raises:
            HashMismatch: if it is not there, or its bytes were found corrupt.
        """
        path = self.get(digest)
        if path is None:
            raise HashMismatch(
                f"{what} is not in the store, or was found corrupt there and set aside",
                expected=str(digest),
                where=str(self.root),
                hint=hint,
            )
        return path

    def remember(self, digests: FileDigests, path: Path) -> None:
        """Note the digests of an object's bytes, and the state of its file they belong to."""
        size, mtime_ns, ctime_ns, inode = _file_state(path.stat())
        self.database.put_object_row(
            ObjectRow(
                digests.blake3.hex,
                digests.sha256.hex,
                digests.md5.hex,
                size,
                mtime_ns,
                ctime_ns,
                inode,
            )
        )

    # Work in progress ---------------------------------------------------------------------

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Give a temporary folder on the store's file system, removed afterwards.

        The folder is locked while it is in use, so that another process can tell what a killed
        one left behind.
        """
        with self._trouble():
            self._check_room()
            folder, descriptor = locked_folder(self.temporary, mode=0o700)
        try:
            yield folder
        finally:
            remove_tree(folder)
            os.close(descriptor)

    def sweep(self) -> int:
        """Remove temporary folders that no living process holds. Returns how many."""
        with self._trouble():
            return sum(_swept(path) for path in self.temporary.iterdir())

    @contextmanager
    def in_use(self, *, alone: bool = False) -> Iterator[None]:
        """Hold the store: shared with other users, or alone, as garbage collection needs it.

        The database is closed at the end, which brings its log home.

        Raises:
            StoreError: if it is wanted alone while others use it.
        """
        with self._trouble():
            descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if alone:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise StoreError(
                        "another d4cbuild is using the store",
                        where=str(self.root),
                        hint="wait until it has finished, then try again",
                    ) from error
            else:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield
        finally:
            self.database.close()
            os.close(descriptor)

    def _write_hashed(self, path: Path, chunks: Iterable[bytes]) -> tuple[Path, FileDigests]:
        with self._trouble():
            stream = path.open("xb", buffering=0)
        with stream, MultiHasher() as hasher:
            for chunk in chunks:
                hasher.update(chunk)
                # Around the writing alone: trouble of whoever makes the chunks is not the store's.
                with self._trouble():
                    _write_all(stream, chunk)
            return path, hasher.result()

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                "the store cannot be read or written",
                found=f"{error.strerror}: {error.filename or self.root}",
                where=str(self.root),
                hint="make room or permit it, or set D4CBUILD_STORE to another folder",
            ) from error

    def _check_room(self) -> None:
        if shutil.disk_usage(self.root).free < (16 << 20):
            raise StoreError(
                "the disk that holds the store is full",
                expected="at least 16 MiB free",
                where=str(self.root),
                hint="d4cbuild store gc, or set D4CBUILD_STORE to another disk",
            )


def _swept(path: Path) -> bool:
    if path.is_symlink():  # a stray one: workspaces are folders
        path.unlink()
        return True
    return remove_unlocked(path)


def _write_all(stream: io.FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) :]


def _state(row: ObjectRow) -> tuple[int, int, int, int]:
    return row.size, row.mtime_ns, row.ctime_ns, row.inode


def _file_state(state: os.stat_result) -> tuple[int, int, int, int]:
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino

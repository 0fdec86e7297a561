"""Files written whole or not at all."""

import fcntl
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from d4cbuild.base.ambient import random_token

_AS_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
PREFIX = ".d4cbuild-"
"""What names of ours begin with, in folders that hold other things too."""
_OURS = re.compile(re.escape(PREFIX) + "[0-9a-f]{16}")


def write_atomically(path: Path, data: bytes | Iterable[bytes], mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old bytes or all of the new ones, also after a crash.

    Args:
        path: Final name; its folder must exist.
        data: The bytes, whole or in chunks.
        mode: Permission bits, whatever the umask.
    """
    with temporary_file(path.parent) as (temporary, stream):
        for chunk in (data,) if isinstance(data, bytes) else data:
            stream.write(chunk)
        os.fchmod(stream.fileno(), mode)
        keep_as(path, temporary, stream)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give an empty file beside a file; on success it takes the file's place, else it goes.

    Args:
        path: Final name; its folder must exist.
    """
    with temporary_file(path.parent) as (temporary, stream):
        yield temporary
        keep_as(path, temporary, stream)


def keep_as(path: Path, temporary: Path, stream: BinaryIO) -> None:
    """Give a temporary file its final name, once its bytes are on the disk."""
    stream.flush()
    os.fsync(stream.fileno())
    temporary.rename(path)
    sync_directory(path.parent)


@contextmanager
def temporary_file(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Give a new file; removed afterwards, if it is still there under its name.

    It is locked while it is in use, and what killed processes left in the folder is removed first.

    Args:
        folder: Where; must exist.
    """
    remove_leftovers(folder)
    while True:
        path = folder / f"{PREFIX}{random_token()}"
        stream = path.open("xb")
        fcntl.flock(stream, fcntl.LOCK_EX)
        if path.exists():
            break
        stream.close()  # taken for one that was left before it was locked
    try:
        yield path, stream
    finally:
        path.unlink(missing_ok=True)
        stream.close()


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """Give a new folder beside what it is to become; removed afterwards, if it is still there.

    It is locked while it is in use, and what killed processes left in the parent is removed first.

    Args:
        parent: The folder it lies in; must exist.
    """
    remove_leftovers(parent)
    folder, descriptor = locked_folder(parent, PREFIX)
    try:
        yield folder
    finally:
        remove_tree(folder)
        os.close(descriptor)


def locked_folder(parent: Path, prefix: str = "", mode: int = 0o777) -> tuple[Path, int]:
    """Make a folder with a random name, and lock it so that nobody takes it for one that was left.

    Returns:
        The folder, and the descriptor that holds the lock.
    """
    while True:
        folder = parent / f"{prefix}{random_token()}"
        folder.mkdir(mode=mode)
        with suppress(FileNotFoundError):  # between the two it may have been taken for such a one
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if folder.exists():
                return folder, descriptor
            os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders that killed processes of d4cbuild left in a folder.

    The folder is the user's own choice, so only what surely is ours is removed: by its whole name,
    and where no living process has it locked. What cannot be removed stays: nothing needs it gone.
    """
    if not folder.is_dir():
        return
    for left in folder.iterdir():
        if _OURS.fullmatch(left.name) and not left.is_symlink():
            with suppress(OSError):
                remove_unlocked(left)


def remove_unlocked(path: Path) -> bool:
    """Remove a temporary file or folder, unless a living process has it locked.

    Returns:
        Whether it was removed.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False  # its owner has just finished
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_tree(path)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def begin_sync(descriptor: int, start: int, length: int) -> None:
    """Have the system begin to bring a part of an open file to the disk, without waiting for it.

    An ``fsync`` afterwards has less left to do. Where a system knows no such thing, it does it all.

    Args:
        descriptor: The file.
        start: Where the part begins.
        length: How many bytes it has.
    """
    if hasattr(os, "posix_fadvise"):
        # What is not needed soon and not on the disk yet, Linux begins to write at once.
        os.posix_fadvise(descriptor, start, length, os.POSIX_FADV_DONTNEED)


def sync_directory(path: Path) -> None:
    """Make renames in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it, however deep, also where folders were made read-only.

    A folder that is not there is fine. Symlinks are removed, never followed.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    _make_writable(path)
    _empty(path)
    path.rmdir()


def _empty(folder: Path) -> None:
    # From folder to folder by descriptor: what a job left may be deeper than any path can name.
    # Each is listed once: listing a wide one again after every removal takes minutes.
    current = os.open(folder, _AS_FOLDER)
    try:
        waiting = [_unlink_files(current)]
        while waiting[0]:
            if waiting[-1]:
                inner = waiting[-1][-1]
                _make_writable(inner, current)
                current = _go(current, inner)
                waiting.append(_unlink_files(current))
            else:
                current = _go(current, "..")
                waiting.pop()
                os.rmdir(waiting[-1].pop(), dir_fd=current)
    finally:
        os.close(current)


def _go(folder: int, name: str) -> int:
    """Open a folder beside an open one, and close that one."""
    following = os.open(name, _AS_FOLDER, dir_fd=folder)
    os.close(folder)
    return following


def _unlink_files(descriptor: int) -> list[str]:
    """Unlink all that is no folder; returns the names of the folders."""
    folders = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=descriptor)
    return folders


def _make_writable(name: str | Path, folder: int | None = None) -> None:
    # Another user's folder stays as it is: removing then reports what could not be removed.
    with suppress(PermissionError):
        os.chmod(name, 0o700, dir_fd=folder)


def regular_files(folder: Path) -> Iterator[Path]:
    """Yield the regular files under a folder as sorted relative paths, by UTF-8 bytes of the name.

    Symlinks are not followed. Other kinds of entries are passed over.
    """
    found: list[Path] = []
    for place, _folders, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if stat.S_ISREG(path.lstat().st_mode):
                found.append(path.relative_to(folder))
    yield from sorted(found, key=lambda path: os.fsencode(path.as_posix()))

"""Files written whole or not at all."""

import fcntl
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from d4cbuild.base.ambient import random_token

TEMPORARY_PREFIX = ".tmp-"
STAGING_PREFIX = ".d4cbuild-"
_AS_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_STAGING = re.compile(re.escape(STAGING_PREFIX) + "[0-9a-f]{16}")


def write_atomically(path: Path, data: bytes | Iterable[bytes], mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old bytes or all of the new ones, also after a crash.

    Args:
        path: Final name; its folder must exist.
        data: The bytes, whole or in chunks.
        mode: Permission bits, whatever the umask.
    """
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{random_token()}")
    try:
        with temporary.open("xb") as stream:
            for chunk in (data,) if isinstance(data, bytes) else data:
                stream.write(chunk)
            os.fchmod(stream.fileno(), mode)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside a file; on success it takes the file's place, else it goes.

    Args:
        path: Final name; its folder must exist.
    """
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{random_token()}")
    try:
        yield temporary
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """Give a new folder beside what it is to become; removed afterwards, if it is still there.

    It is locked while it is in use, and folders that killed processes left are removed first.

    Args:
        parent: The folder it lies in; must exist.
    """
    above = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Held until the new folder is locked: nobody may take it for one that was left.
        fcntl.flock(above, fcntl.LOCK_EX)
        for left in parent.iterdir():
            # The folder is the user's own choice, so only what surely is ours is removed.
            if _STAGING.fullmatch(left.name) and left.is_dir() and not left.is_symlink():
                _remove_unlocked(left)
        folder = parent / f"{STAGING_PREFIX}{random_token()}"
        folder.mkdir()
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(above)
    try:
        yield folder
    finally:
        os.close(descriptor)
        remove_tree(folder)


def _remove_unlocked(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return  # its owner has just finished
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_tree(folder)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)


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

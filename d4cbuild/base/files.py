"""Files written whole or not at all."""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from d4cbuild.base.ambient import random_token

TEMPORARY_PREFIX = ".tmp-"


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


def sync_directory(path: Path) -> None:
    """Make renames in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it, also where folders were made read-only.

    A folder that is not there is fine. Symlinks are removed, never followed.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for folder, names, _files in os.walk(path):
        for name in [".", *names]:
            inner = Path(folder, name)
            if not inner.is_symlink() and os.access(inner.parent, os.X_OK):
                _make_writable(inner)
    shutil.rmtree(path)


def _make_writable(folder: Path) -> None:
    mode = folder.stat().st_mode
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        try:
            folder.chmod(0o700)
        except PermissionError:
            return  # another user's folder: rmtree reports what it could not remove


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
